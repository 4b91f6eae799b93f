#!/usr/bin/env bash
# pnnx 20261020 loses the axis of an ONNX ReduceMean that has one axis, given as its second input as the standard has it
# since opset 18: the file for ncnn says "reduce over nothing named", which ncnn takes for "over everything". It ends
# with status 0 and no warning. The same node of opset 17, with the axis as an attribute, keeps it. A net with such a
# mean gives NaN or numbers far off in ncnn, for a later layer reads past the one value that is left.
#
# Seen on Linux x86-64, pnnx 20261020 (its program alone; Python 3.11, onnx 1.23.2, numpy 2.4.6 to write the files):
# Conv, then ReduceMean over axis 3 of 1x4x6x5; ncnn's parameter 3 is the list of axes, without the batch:
#     opset 18, axis as input: status 0, -23303=0
#     opset 17, axis as attribute: status 0, -23303=1,2
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 numpy==2.4.6
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps pnnx==20261020
cat > "$work/write.py" <<'PY'
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

for opset in (18, 17):
    stored = [numpy_helper.from_array(np.ones((4, 4, 1, 1), np.float32), "w")]
    if opset == 18:
        stored.append(numpy_helper.from_array(np.array([3], np.int64), "axes"))
        mean = helper.make_node("ReduceMean", ["c", "axes"], ["y"], keepdims=1)
    else:
        mean = helper.make_node("ReduceMean", ["c"], ["y"], keepdims=1, axes=[3])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 6, 5])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 6, 1])
    graph = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["c"]), mean], "mean", [x], [y], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, f"{sys.argv[1]}/opset{opset}.onnx")
PY
"$work/venv/bin/python" "$work/write.py" "$work"
pnnx=$("$work/venv/bin/python" -c 'import importlib.util as u; print(u.find_spec("pnnx").submodule_search_locations[0])')/pnnx
cd "$work"
found=""
for given in "18 input" "17 attribute"; do
    read -r opset how <<< "$given"
    status=0
    "$pnnx" "opset$opset.onnx" "inputshape=[1,4,6,5]f32" fp16=0 > "opset$opset.log" 2>&1 || status=$?
    axes=$(grep '^Reduction' "opset$opset.ncnn.param" | grep -o -- '-23303=[0-9,-]*')
    found+="opset $opset, axis as $how: status $status, $axes"$'\n'
done
printf '%s' "$found"
expected="opset 18, axis as input: status 0, -23303=0
opset 17, axis as attribute: status 0, -23303=1,2
"
[ "$found" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
