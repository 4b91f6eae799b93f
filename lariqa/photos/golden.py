"""The golden photo: one picture of any size that every language makes byte for byte from one small PNG.

A phone tests itself with it at first launch: a score that the manifest holds for the same pixels must come out. A JPEG
would not do, because decoders differ, and a whole lossless photo is 15 MB; so a lossless tile of a real photograph is
repeated, mirrored, from the top left. Its sides divide no usual photo's evenly, or the picture would be its own mirror
image and a flip go unseen:

    photo(y, x) = tile(mirror(y, tile height), mirror(x, tile width))
    mirror(i, n) = i mod 2n, and where that is n or more, 2n - 1 - (i mod 2n)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lariqa.photos.photo import open_photo

FILE_NAME = "golden.png"
FILL = "mirror-tiled"  # the rule above, as manifests name it
ANY_SIZE_PX = (1512, 2016)  # height and width for a file that takes any: larger than the crop, and not of its shape
TILE = Path(__file__).parent / FILE_NAME


def golden_photo(height: int, width: int) -> np.ndarray:
    """(height, width, 3) uint8 RGB."""
    return mirrored(open_photo(TILE), height, width)


def mirrored(tile: np.ndarray, height: int, width: int) -> np.ndarray:
    """A tile of any size repeated, mirrored, to (height, width, 3)."""
    return tile[mirror(height, tile.shape[0])[:, None], mirror(width, tile.shape[1])]


def mirror(count: int, length: int) -> np.ndarray:
    """Positions 0..count-1 on an endless strip -> positions in a tile of this length."""
    position = np.arange(count) % (2 * length)
    return np.where(position < length, position, 2 * length - 1 - position)
