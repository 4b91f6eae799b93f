"""Operators of a ``views`` file that LiteRT's GPU delegate leaves to the CPU: at most 5; and the score is PyTorch's.

    python -m tests.sweeps.webgpu_operators EXPORT_FOLDER

Every float32 and float16 .tflite file of the folder that takes ``views``, by LiteRT.js on WebGPU in headless Chromium,
whose software adapter does for counting. Needs Node.js and Chromium, and fetches LiteRT.js. Ends with status 1 where
a file has more on the CPU, or another score.
"""

from __future__ import annotations

import sys
from pathlib import Path

from export.verify_elsewhere import verify_elsewhere
from lariqa.manifest.manifest import read_manifest
from lariqa.photos.audition import JPEG, JPEG_PIXELS
from lariqa.photos.golden import TILE

MOST_ON_CPU = 5
PHOTOS = [str(picture) for picture in (TILE, JPEG, JPEG_PIXELS)]  # a software adapter takes half a minute for each
PRECISIONS = ("fp32", "fp16")  # WebGPU refuses int8 weights of fully connected layers


def main(folder: Path) -> int:
    """The exit status; one line for each file."""
    manifest = read_manifest(folder)
    rows = [row for row in manifest.artifacts if row.format == "tflite" and row.input == "views"]
    files = [row.file for row in rows if row.precision in PRECISIONS]
    if not files:
        sys.exit(f"{folder} has no .tflite file for views in {' or '.join(PRECISIONS)}")
    missed = 0
    for file in files:
        (row,) = verify_elsewhere(folder / file, ["litert-webgpu"], PHOTOS)
        passed = row.parity is not None and row.parity.passed and row.on_cpu is not None and row.on_cpu <= MOST_ON_CPU
        missed += not passed
        worst = "no score" if row.parity is None else f"worst {row.parity.worst:.1e}"
        print(
            f"{'ok' if passed else 'MISSED'}  {file}: {row.on_cpu} on the CPU, {worst} {row.failure or ''}", flush=True
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
