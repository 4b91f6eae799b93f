#!/usr/bin/env bash
# All that can be proved of the iOS app without a Mac: `make test-ios`. Skips, and says why, where no Swift can be had.
#
#   ios_demo/toolchain/test.sh PYTHON
#
# PYTHON: the one with this project's packages, which makes the vectors and reads the rows back.
set -euo pipefail

python="$1"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
swift=ios_demo/toolchain/swift.sh
vectors="$PWD/.swift/vectors"

status=0
ios_demo/toolchain/setup.sh || status=$?
if [ "$status" = 3 ]; then
    echo "SKIPPED: the Swift tests of the iOS app (the reason stands above)"
    exit 0
fi
[ "$status" = 0 ] || exit "$status"

"$swift" swift-format lint --strict --recursive \
    Package.swift ios_demo/Sources ios_demo/App ios_demo/Stubs ios_demo/Tests ios_demo/Example
rm -rf "$vectors"
OMP_NUM_THREADS=1 "$python" ios_demo/Tests/make_vectors.py "$vectors"
# One call builds everything, the app and its views included, and runs the tests.
LARIQA_VECTORS="$vectors" "$swift" swift test --quiet --disable-xctest --scratch-path .swift/build
# The README's lines, as somebody else's package that depends on this one. SwiftPM keeps its plan although a file of the
# package that it depends on has moved: it is made anew.
rm -f .swift/build-example/debug.yaml
LARIQA_VECTORS="$vectors" "$swift" swift run --quiet --package-path ios_demo/Example --scratch-path .swift/build-example \
    Example "$vectors/export" "$vectors/photos/216x384 noisy.ppm" "$vectors/photos/101x100 original.ppm" \
    "$vectors/photos/128x72 recompressed.ppm" >"$vectors/example.txt"
"$python" ios_demo/Tests/make_vectors.py --check "$vectors"
