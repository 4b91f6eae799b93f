#!/usr/bin/env bash
# OpenVINO 2026.4.1's converter ovc compresses weights to float16 by default. Asked for it by the option alone,
# `--compress_to_fp16`, it does the contrary and keeps them in float32, with status 0 and no warning; only
# `--compress_to_fp16=True` means what it says.
#
# Seen on Linux x86-64, Python 3.11, openvino 2026.4.1, onnx 1.23.2, numpy 2.4.6; weights of 256 x 256, bytes written:
#     (no option): 131072
#     --compress_to_fp16: 262144
#     --compress_to_fp16=True: 131072
#     --compress_to_fp16=False: 262144
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 numpy==2.4.6
# Without openvino-telemetry, which it does not need.
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps openvino==2026.4.1
cat > "$work/write.py" <<'PY'
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

weight = numpy_helper.from_array(np.random.default_rng(0).normal(size=(256, 256)).astype(np.float32), "w")
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 256]) for name in "xy")
graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "product", [x], [y], [weight])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), sys.argv[1])
PY
"$work/venv/bin/python" "$work/write.py" "$work/product.onnx"
found=""
for option in "" --compress_to_fp16 --compress_to_fp16=True --compress_to_fp16=False; do
    rm -f "$work/out.xml" "$work/out.bin"
    "$work/venv/bin/ovc" "$work/product.onnx" --output_model "$work/out.xml" $option > "$work/log" 2>&1
    found+="${option:-(no option)}: $(wc -c < "$work/out.bin")"$'\n'
done
printf '%s' "$found"
expected="(no option): 131072
--compress_to_fp16: 262144
--compress_to_fp16=True: 131072
--compress_to_fp16=False: 262144
"
[ "$found" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
