#!/usr/bin/env bash
# onnx 1.23.2's version converter makes an invalid model of a ReduceMean of opset 18 when it goes down to opset 17: the
# axes become an attribute, as they should, but noop_with_empty_axes, which opset 17 does not have, stays. The converter
# says nothing; the package's own checker and every runtime refuse the file. torch.onnx.export writes that attribute, so
# every mean that it exports is hit. Removing it by hand makes the model valid.
#
# Seen on Linux x86-64, Python 3.11, onnx 1.23.2, numpy 2.4.6:
#     attributes at opset 18: keepdims noop_with_empty_axes
#     attributes at opset 17: axes keepdims noop_with_empty_axes
#     the checker: Unrecognized attribute: noop_with_empty_axes for operator ReduceMean
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 numpy==2.4.6
cat > "$work/convert.py" <<'PY'
import re

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter

axes = numpy_helper.from_array(np.array([3], np.int64), "axes")
mean = helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=1, noop_with_empty_axes=0)
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 6, 5])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 6, 1])
graph = helper.make_graph([mean], "mean", [x], [y], [axes])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
older = version_converter.convert_version(model, 17)
for opset, which in ((18, model), (17, older)):
    print(f"attributes at opset {opset}:", *sorted(attribute.name for attribute in which.graph.node[0].attribute))
try:
    onnx.checker.check_model(older)
    print("the checker: valid")
except onnx.checker.ValidationError as error:
    print("the checker:", re.search(r"Unrecognized attribute: \w+ for operator \w+", str(error))[0])
PY
found=$("$work/venv/bin/python" "$work/convert.py")
echo "$found"
expected="attributes at opset 18: keepdims noop_with_empty_axes
attributes at opset 17: axes keepdims noop_with_empty_axes
the checker: Unrecognized attribute: noop_with_empty_axes for operator ReduceMean"
[ "$found" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
