#!/usr/bin/env bash
# OpenCV 5.0.0's DNN module reads a product a * HardSigmoid(b) from an ONNX file as HardSwish(b) = b * HardSigmoid(b),
# whatever a is, and gives wrong numbers without an exception or a warning. The pattern is every squeeze-and-excitation
# block with a hard gate (MobileNetV3). Swapping the inputs of the Mul does not help. The same gate written as
# Mul, Add, Clip is computed rightly.
#
# Seen on Linux x86-64, Python 3.11, opencv-python-headless 5.0.0.93, onnx 1.23.2, numpy 2.4.6,
# a = 1 2 3 4, b = -1 0 1 6, so a * HardSigmoid(b) = 0.3333 1 2 4 and HardSwish(b) = -0.3333 0 0.6667 6:
#     Mul(a, HardSigmoid(b)): -0.3333 0.0000 0.6667 6.0000
#     Mul(HardSigmoid(b), a): -0.3333 0.0000 0.6667 6.0000
#     Mul(a, Clip(b / 6 + 0.5)): 0.3333 1.0000 2.0000 4.0000
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 onnx==1.23.2 numpy==2.4.6
cat > "$work/gate.py" <<'PY'
import sys

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def computed(nodes):
    a, b, y = (helper.make_tensor_value_info(name, FLOAT, [1, 4]) for name in "aby")
    numbers = {"sixth": 1 / 6, "half": 0.5, "zero": 0, "one": 1}
    stored = [numpy_helper.from_array(np.float32(value), name) for name, value in numbers.items()]
    graph = helper.make_graph(nodes, "gate", [a, b], [y], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, sys.argv[1])
    net = cv2.dnn.readNetFromONNX(sys.argv[1])
    net.setInput(np.array([[1, 2, 3, 4]], np.float32), "a")
    net.setInput(np.array([[-1, 0, 1, 6]], np.float32), "b")
    return " ".join(f"{value:.4f}" for value in net.forward("y").reshape(-1))


gate = helper.make_node("HardSigmoid", ["b"], ["h"], alpha=1 / 6, beta=0.5)
spelled = [
    helper.make_node("Mul", ["b", "sixth"], ["m"]),
    helper.make_node("Add", ["m", "half"], ["n"]),
    helper.make_node("Clip", ["n", "zero", "one"], ["h"]),
]
print("Mul(a, HardSigmoid(b)):", computed([gate, helper.make_node("Mul", ["a", "h"], ["y"])]))
print("Mul(HardSigmoid(b), a):", computed([gate, helper.make_node("Mul", ["h", "a"], ["y"])]))
print("Mul(a, Clip(b / 6 + 0.5)):", computed([*spelled, helper.make_node("Mul", ["a", "h"], ["y"])]))
PY
found=$("$work/venv/bin/python" "$work/gate.py" "$work/gate.onnx" 2>/dev/null)
echo "$found"
expected="Mul(a, HardSigmoid(b)): -0.3333 0.0000 0.6667 6.0000
Mul(HardSigmoid(b), a): -0.3333 0.0000 0.6667 6.0000
Mul(a, Clip(b / 6 + 0.5)): 0.3333 1.0000 2.0000 4.0000"
[ "$found" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
