"""The photos that measurements run on: real ones, of one size, with scores that differ."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from export.scorer import fit_to
from lariqa_train import golden
from lariqa_train.distort import bundled_photo, versions
from lariqa_train.photo import open_photo
from lariqa_train.photo_files import photos_in


def bundled_photos(height: int, width: int) -> dict[str, np.ndarray]:
    """The bundled photo at that size, and damaged versions of it: name -> (height, width, 3) uint8."""
    photo = bundled_photo()
    if photo.shape[:2] != (height, width):
        # Turned, not squeezed, where that keeps more of it: a portrait size gets a portrait picture.
        turned = np.rot90(photo) if (height > width) != (photo.shape[0] > photo.shape[1]) else photo
        photo = fit_to(np.ascontiguousarray(turned), height, width)
    return versions(photo)


def proof_photos(height: int, width: int) -> dict[str, np.ndarray]:
    """What every export is proved on: the bundled photos, and the golden one that phones test themselves with."""
    return {**bundled_photos(height, width), golden.FILE_NAME: golden.golden_photo(height, width)}


def photos_from(paths: Iterable[str | Path], size_px: tuple[int, int] | None) -> dict[str, np.ndarray]:
    """Photos from files and folders, resampled to (height, width) where a size is asked for: path -> pixels."""
    opened = {str(path): open_photo(path) for path in photos_in(paths)}
    return {name: fit_to(image, *size_px) if size_px else image for name, image in opened.items()}
