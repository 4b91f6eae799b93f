#!/usr/bin/env bash
# Compile and test the Android app where Google's tools are not to be had: what `make test-android` runs.
# Usage: test.sh PYTHON, of the toolkit's environment: it makes the exports that the Kotlin tests score with.
set -euo pipefail
python=$(realpath -s "$1")
cd "$(dirname "$0")"

skip() { echo "SKIPPED test-android: $1"; exit 0; }
command -v mvn >/dev/null || skip "no Maven (mvn) here; it compiles and tests the Kotlin code"
java -version 2>&1 | grep -qE 'version "(1[7-9]|2[0-9])' || skip "no Java 17 or newer here"

framework=/usr/share/android-framework-res/framework-res.apk
if ! command -v aapt2 >/dev/null || [ ! -e "$framework" ]; then
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        { apt-get update && apt-get install -y --no-install-recommends aapt android-framework-res; } >/dev/null 2>&1 || true
    fi
fi
modules=()
if ! command -v aapt2 >/dev/null || [ ! -e "$framework" ]; then
    echo "SKIPPED the app's part of test-android: no aapt2 with framework resources here (Debian: aapt, android-framework-res)"
    modules=(-pl core)
fi

OMP_NUM_THREADS=${OMP_NUM_THREADS:-2} PYTHONPATH=$(realpath ..) "$python" make_test_exports.py
mvn --batch-mode --no-transfer-progress -Dstyle.color=never clean test "${modules[@]}" | grep -vE '^\[INFO\] *$|^[WI]/'
cd .. && PYTHONPATH=$PWD "$python" -m pytest -q tests/android_demo/test_android_project.py
