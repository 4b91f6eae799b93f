#!/usr/bin/env bash
# Compile the page, test its rooms in Node.js and the whole of it in headless Chromium: what `make test-web` runs.
# Usage: test.sh PYTHON, of the toolkit's environment: it makes what the tests are held against, and drives the browser.
set -euo pipefail
python=$(realpath -s "$1")
cd "$(dirname "$0")"

status=0
reason=$(./install.sh 2>&1) || status=$?
if [ "$status" = 3 ]; then echo "SKIPPED test-web: $reason"; exit 0; fi
if [ "$status" != 0 ]; then echo "$reason" >&2; exit "$status"; fi

export LARIQA_VECTORS=$PWD/build/vectors PYTHONPATH
PYTHONPATH=$(realpath ..)
npm run --silent check
node build.mjs
OMP_NUM_THREADS=${OMP_NUM_THREADS:-2} "$python" tests/make_vectors.py "$LARIQA_VECTORS"
node wat.mjs tests/*.test.ts build/tests
node --test --test-reporter=dot build/tests/*.mjs

cd ..
if ! command -v chromedriver >/dev/null || ! command -v chromium >/dev/null; then
    echo "SKIPPED the browser's part of test-web: no Chromium with chromedriver here (make browser)"
    exit 0
fi
"$python" -m pytest -q -n 2 --dist loadfile web_demo/tests/browser
