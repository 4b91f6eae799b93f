#!/usr/bin/env bash
# coremltools 9.0 keeps a copy of every ML Program package that it makes in the folder for temporary files until the
# process ends: saving the model and deleting it frees nothing. One conversion leaves one package of the model's size,
# one pass of coremltools.optimize over it another. They are removed by atexit, so a process that ends without it (a
# worker that is killed, os._exit) leaves them for good.
#
# Seen on Linux x86-64, Python 3.11, coremltools 9.0, numpy 2.4.6:
#     packages after 3 conversions, saved and deleted: 3
#     packages after quantising one of them: 4
#     bytes kept: 268056
#     packages left after a normal end: 0
#     packages left after os._exit: 4
# A program that converts in a loop gives each conversion a tempfile.tempdir of its own and removes it afterwards.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check coremltools==9.0 numpy==2.4.6
cat > "$work/convert.py" <<'PY'
import gc
import os
import sys
import tempfile
from pathlib import Path

kept = Path(sys.argv[1])
tempfile.tempdir = str(kept)

import coremltools as ct
import numpy as np
from coremltools.converters.mil import Builder as mb
from coremltools.optimize.coreml import OpLinearQuantizerConfig, OptimizationConfig, linear_quantize_weights


def packages():
    return sorted(path for path in kept.iterdir() if path.suffix == ".mlpackage")


def bytes_of(package):
    return sum(path.stat().st_size for path in package.rglob("*") if path.is_file())


def convert(number):
    weight = np.random.default_rng(number).normal(size=(64, 64, 3, 3)).astype(np.float32)

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 64, 8, 8))], opset_version=ct.target.iOS16)
    def program(x):
        return mb.conv(x=x, weight=weight, name="y")

    target = ct.target.iOS16
    model = ct.convert(program, convert_to="mlprogram", minimum_deployment_target=target, skip_model_load=True)
    model.save(str(kept.parent / f"{number}.mlmodel.mlpackage"))
    return model


for number in range(3):
    model = convert(number)
    if number < 2:
        del model
    gc.collect()
print("packages after 3 conversions, saved and deleted:", len(packages()))
int8 = OptimizationConfig(global_config=OpLinearQuantizerConfig(weight_threshold=0))
low = linear_quantize_weights(model, int8)
low.save(str(kept.parent / "low.mlpackage"))
del model, low
gc.collect()
print("packages after quantising one of them:", len(packages()))
print("bytes kept:", sum(map(bytes_of, packages())))
sys.stdout.flush()
if sys.argv[2] == "_exit":
    os._exit(0)
PY
for end in normal _exit; do
    mkdir "$work/$end" "$work/$end/kept"
    "$work/venv/bin/python" "$work/convert.py" "$work/$end/kept" "$end" 2>/dev/null | tee "$work/$end.txt"
    find "$work/$end/kept" -maxdepth 1 -name '*.mlpackage' | wc -l > "$work/$end.left"
    echo "packages left after the end ($end): $(cat "$work/$end.left")"
done
for end in normal _exit; do
    grep -qx "packages after 3 conversions, saved and deleted: 3" "$work/$end.txt"
    grep -qx "packages after quantising one of them: 4" "$work/$end.txt"
done
grep -qx 0 "$work/normal.left"
grep -qx 4 "$work/_exit.left"
echo "behaves as described"
