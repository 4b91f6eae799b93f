#!/usr/bin/env bash
# coreai-torch stores a float16 weight in float32 where the graph casts it, unless the weight is large.
#
# A layer that keeps its weight in float16 and computes in float32 is a constant and a cast. The converter folds the cast
# into the constant, and the file takes four bytes for each number, without a word: half the bytes are saved for the
# largest weights alone. Used in float16 itself, by a convolution between casts of its input and result, it stays float16.
#
# Seen on Linux x86-64, Python 3.11, torch 2.14.1, coreai-torch 0.4.3, coreai-core 1.0.0b3:
#     64x64 float16, cast to float32: 4.2 bytes a number
#     256x256 float16, cast to float32: 4.0 bytes a number
#     512x512 float16, cast to float32: 2.0 bytes a number
# Ends with another status than 0 where this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
"$folder/venv/bin/uv" pip install --quiet --python "$folder/venv/bin/python" \
    torch==2.14.1 torchvision==0.29.1 numpy==2.4.6 coreai-torch==0.4.3 coreai-core==1.0.0b3
cd "$folder"
venv/bin/python - >converter.txt 2>errors.txt <<'PY' || { cat found.txt; tail -5 errors.txt; exit 1; }
import importlib.metadata as metadata
from pathlib import Path

import coreai.authoring  # before coreai.runtime
import coreai.runtime
import coreai_torch
import torch

found = open("found.txt", "w", buffering=1)  # the converter prints to both streams
print({name: metadata.version(name) for name in ("torch", "coreai-torch", "coreai-core")}, file=found)


class Product(torch.nn.Module):
    def __init__(self, side):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.register_buffer("weight", torch.randn(side, side, generator=generator).half())

    def forward(self, x):
        return x @ self.weight.float()


each = {}
for side in (64, 256, 512):
    program = torch.export.export(Product(side), (torch.zeros(1, side),))
    program = program.run_decompositions(coreai_torch.get_decomp_table())
    converter = coreai_torch.TorchConverter(mode=coreai_torch.TorchConverter.Mode.RELEASE)
    converter.add_exported_program(program, input_names=["x"], output_names=["y"])
    path = Path(f"{side}.aimodel")
    converter.to_coreai().save_asset(path, coreai.runtime.AIModelAssetMetadata())
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    each[side] = size / side**2
    print(f"{side}x{side} float16, cast to float32: {each[side]:.1f} bytes a number", file=found)
wide = {side for side, size in each.items() if size > 3}
assert wide == {64, 256}, f"no longer so: float32 is stored at {sorted(wide)}"
PY
cat found.txt
