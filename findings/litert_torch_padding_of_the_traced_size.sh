#!/usr/bin/env bash
# litert-torch pads a strided convolution for the one size that it was traced with: resized, the file is silently wrong.
#
# A symmetrically padded convolution with a stride of two, traced with an odd side, is written with the padding "SAME",
# which there is the same; at an even side "SAME" begins one pixel further. LiteRT resizes the input without a word, and
# the scores are others. Traced with an even side, the padding is written out, and every size is right.
#
# Seen on Linux x86-64, Python 3.11, torch 2.14.1, litert-torch 0.10.0, ai-edge-litert 2.3.0:
#     traced with 31x31, run with 31x31: right
#     traced with 31x31, run with 32x32: worst difference to PyTorch 7.5e-01
#     traced with 31x31, run with 33x33: right
#     traced with 32x32: right at all three
# Ends with another status than 0 where this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
"$folder/venv/bin/uv" pip install --quiet --python "$folder/venv/bin/python" \
    torch==2.14.1 torchvision==0.29.1 litert-torch==0.10.0 ai-edge-litert==2.3.0
cd "$folder"
CUDA_VISIBLE_DEVICES= venv/bin/python - >converter.txt 2>errors.txt <<'PY' || { cat found.txt; tail -5 errors.txt; exit 1; }
import importlib.metadata as metadata

import litert_torch
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter

found = open("found.txt", "w", buffering=1)  # the converter prints to both streams
print({name: metadata.version(name) for name in ("torch", "litert-torch", "ai-edge-litert")}, file=found)
torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, stride=2, padding=1)).eval()
SIZES = (31, 32, 33)
worst = {}
for traced in (31, 32):
    litert_torch.convert(net, (torch.rand(1, 3, traced, traced),)).export(f"{traced}.tflite")
    interpreter = Interpreter(f"{traced}.tflite")
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    for side in SIZES:
        x = torch.rand(1, 3, side, side)
        interpreter.resize_tensor_input(given["index"], x.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], x.numpy())
        interpreter.invoke()
        with torch.inference_mode():
            expected = net(x).numpy()
        got = interpreter.get_tensor(made["index"])
        worst[traced, side] = float(np.abs(got - expected).max()) if got.shape == expected.shape else float("inf")
for (traced, side), difference in worst.items():
    print(f"traced with {traced}x{traced}, run with {side}x{side}: worst difference to PyTorch {difference:.1e}", file=found)
wrong = {key for key, difference in worst.items() if difference > 1e-5}
assert wrong == {(31, 32)}, f"no longer so: wrong at {sorted(wrong)}"
PY
cat found.txt
