"""Write views.json: what both views of photos of odd sizes are, as Pillow and torchvision make them of whole pictures.

    python tests/golden/make_views.py

The photo of each size is the golden one (``lariqa.photos.golden``), which every language makes from one small tile, so
that a row needs no picture: sha256 of the photo's RGB bytes, of the authentic view's (384, 384, 3), and of the
synthetic view's (1280, 1280, 3). The Python, Kotlin and Swift tests make the same views by bands.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import Image
from torchvision.transforms import functional

from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.photos.golden import FILL, golden_photo

SIZES = ("1013x997", "32x5000", "5000x32", "1279x1281", "3024x4032", "8064x6048")  # width x height


def row(width: int, height: int) -> dict:
    """One size."""
    spec, photo = PreprocessSpec(), golden_photo(height, width)
    image, side = Image.fromarray(photo), spec.authentic_side_px
    narrow = image.resize((side, height), Image.Resampling.BILINEAR)
    authentic = narrow.resize((side, side), Image.Resampling.BILINEAR)
    synthetic = functional.center_crop(image, [spec.synthetic_crop_px] * 2)
    made = {"photo": photo, "authentic": np.asarray(authentic), "synthetic": np.asarray(synthetic)}
    return {"width": width, "height": height} | {name: sha256(pixels) for name, pixels in made.items()}


def sha256(pixels: np.ndarray) -> str:
    """Of the bytes, row by row."""
    return hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest()


def make() -> dict:
    """All of views.json."""
    return {
        "schema": "lariqa-golden-views/1",
        "made_by": "python tests/golden/make_views.py",
        "fill": FILL,
        "photos": [row(*map(int, size.split("x"))) for size in SIZES],
    }


if __name__ == "__main__":
    (Path(__file__).parent / "views.json").write_text(json.dumps(make(), indent=1) + "\n")
