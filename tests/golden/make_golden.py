"""Write a golden pack: what every stage of the trip gives for two photos. Read by the Python, Kotlin and Swift tests.

    python tests/golden/make_golden.py [CHECKPOINT] [-o FOLDER]

Without a checkpoint: `lariqa demo`'s (seed 1, not trained), into this folder. The photos are PNG, so that every decoder
gives the same bytes; one is smaller than the crop, one larger. golden.json describes the rest:

    decoded      sha256 of the RGB bytes, row by row
    authentic    the resized view, uint8 (384, 384, 3), in a .rgb file; exact
    synthetic    the centre crop, uint8 (1280, 1280, 3): sha256, and some pixels [y, x, r, g, b]; exact
    normalised   some values of both normalised views [channel, y, x, value]
    features     the 1000 backbone features of each branch, little-endian float32 in a .f32 file
    score        the score

Exact stages must be equal byte for byte. Of the others `tolerance` says how far another runtime may be off with the
same weights; those are remade, not stored, and may differ in the last bits from one processor to another.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from lariqa.photos.photo import open_photo
from lariqa.photos.views import authentic_pixels, synthetic_pixels
from lariqa_train.demo.demo_checkpoint import make_demo_checkpoint
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.model import LarIqa
from lariqa_train.model.normalise import prepare
from lariqa_train.pictures.damage import bundled_photo

HERE = Path(__file__).parent
TOLERANCE = {"normalised": 1e-6, "features": 1e-3, "score": 1e-4}


def photos() -> dict[str, np.ndarray]:
    """Name -> (H, W, 3): the whole photo small, and a part of it larger than the crop; odd sizes on purpose."""
    photo = bundled_photo()
    small = np.asarray(Image.fromarray(photo).resize((481, 271), Image.Resampling.LANCZOS))
    return {"small_481x271": small, "large_1287x1311": np.ascontiguousarray(photo[400:1711, 2300:3587])}


def describe(model: LarIqa, name: str, folder: Path) -> dict:
    """All stages of one photo in ``folder``; writes its binary files there."""
    image, spec = open_photo(folder / f"{name}.png"), model.config.preprocess
    authentic, synthetic = authentic_pixels(image, spec), synthetic_pixels(image, spec)
    views = prepare(image, spec)
    with torch.inference_mode():
        features, score = model.features(**views), model(**views).item()
    (folder / f"{name}.authentic.rgb").write_bytes(authentic.tobytes())
    for view, values in features.items():
        (folder / f"{name}.{view}.f32").write_bytes(values[0].numpy().astype("<f4").tobytes())
    spots = np.random.default_rng(0).random((24, 3))
    spots[12:] = 0.45 + 0.1 * spots[12:]  # half of them near the middle: around a small photo the crop is black
    return {
        "file": f"{name}.png",
        "width": image.shape[1],
        "height": image.shape[0],
        "decoded": {"sha256": sha256(image)},
        "authentic": {"file": f"{name}.authentic.rgb", "shape": list(authentic.shape), "sha256": sha256(authentic)},
        "synthetic": {
            "shape": list(synthetic.shape),
            "sha256": sha256(synthetic),
            "pixels": [
                [y, x, *map(int, synthetic[y, x])] for y, x in (spots[:, :2] * synthetic.shape[:2]).astype(int).tolist()
            ],
        },
        "normalised": {
            view: [
                [c, y, x, float(values[0, c, y, x])]
                for y, x, c in (spots * (*values.shape[2:], 3)).astype(int).tolist()
            ]
            for view, values in views.items()
        },
        "features": {
            view: {"file": f"{name}.{view}.f32", "count": values.shape[1]} for view, values in features.items()
        },
        "score": score,
    }


def sha256(pixels: np.ndarray) -> str:
    """Of the bytes, row by row."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def make(model: LarIqa, folder: Path) -> None:
    """Write the whole pack."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, pixels in photos().items():
        Image.fromarray(pixels).save(folder / f"{name}.png", optimize=True)
    pack = {
        "schema": "lariqa-golden/1",
        "made_by": "python tests/golden/make_golden.py",
        "model": model.describe(),
        "tolerance": TOLERANCE,
        "photos": [describe(model, name, folder) for name in photos()],
    }
    (folder / "golden.json").write_text(json.dumps(pack, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("checkpoint", nargs="?", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=HERE)
    asked = parser.parse_args()
    make(load_checkpoint(asked.checkpoint) if asked.checkpoint else make_demo_checkpoint(), asked.output)
