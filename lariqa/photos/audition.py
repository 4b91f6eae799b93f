"""The pictures of the audition: generated ones, by which a phone judges each unit that it could run a file on.

A phone's accelerators compute in other arithmetic, and a driver may be plainly wrong. One golden photo does not show
all of it, so five more are made of it, in whole numbers alone: every language makes the same bytes, and no photo is
shipped. Each is there for a fault that the others hide. ``g`` is the golden photo of that size, ``/`` rounds down:

    dark      g / 4: small values, where float16 is coarse beside them
    washed    160 + 3 g / 8: haze, where all values are large and differ little
    flat      squares of 64 px, each with the colour of its top left pixel: equal roundings add up over large areas
    texture   (3 g + noise) / 4: fine texture, large activations
    gradient  no structure: red grows to the right, green downwards, blue with both

The sixth, ``golden.jpg``, is the golden photo again, of the pixels that Pillow decodes a small JPEG file to: each phone
decodes the file itself too, which shows what its decoder does to the score. ``golden.heic`` is for that alone, where a
phone reads HEIC: the golden photo of 331x249 px, its colours stored at half of the sides, by pillow-heif 1.8.1 (libheif
1.23.6, x265 4.3; quality 70). The pixels beside it are what pillow-heif 0.22, 1.0, 1.1 and 1.8 decode it to; of 0.15
and 0.18 (libheif 1.17 and 1.18) 4 % of the values are a level off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lariqa.photos.golden import TILE, golden_photo, mirrored
from lariqa.photos.photo import open_photo

GENERATOR = "lariqa-audition/1"  # the rules above, as manifests name them
JPEG = Path(__file__).parent / "golden.jpg"  # 4:2:0, of odd width and height
JPEG_PIXELS = Path(__file__).parent / "golden_jpg.png"  # what Pillow (libjpeg-turbo) decodes it to
HEIC = Path(__file__).parent / "golden.heic"
HEIC_PIXELS = Path(__file__).parent / "golden_heic.png"  # what pillow-heif (libheif, libde265) decodes it to
LOSSY = {
    "jpeg": (JPEG, JPEG_PIXELS),
    "heic": (HEIC, HEIC_PIXELS),
}  # as manifests name them -> the file, its right pixels
PICTURE_FILES = (TILE, *LOSSY["jpeg"], *LOSSY["heic"])  # what lies beside ``lariqa.json``
SIZE_PX = (1344, 1600)  # height and width, for a file that takes any: neither the golden photo's nor a usual one
FLAT_PX = 64
NOISE = (73_856_093, 19_349_663, 83_492_791)  # factors of row, column and channel in the noise's hash


@dataclass(frozen=True)
class AuditionScore:
    """A picture, PyTorch's score of it, and that of the exported file on the machine that wrote it."""

    picture: str
    width_px: int
    height_px: int
    reference: float
    score: float


def audition_pictures(height: int, width: int) -> Iterator[tuple[str, np.ndarray]]:
    """(name, (height, width, 3) uint8 RGB), one after another; any size from 2x2."""
    golden = golden_photo(height, width).astype(np.int32)
    yield "dark", _bytes(golden // 4)
    yield "washed", _bytes(160 + golden * 3 // 8)
    rows, columns = (np.arange(side) // FLAT_PX * FLAT_PX for side in (height, width))
    yield "flat", _bytes(golden[rows[:, None], columns])
    yield "texture", _bytes((3 * golden + _noise(height, width)) // 4)
    y, x = np.arange(height)[:, None], np.arange(width)
    blue = x * 128 // (width - 1) + y * 127 // (height - 1)
    red, green = np.broadcast_arrays(x * 255 // (width - 1), y * 255 // (height - 1))
    yield "gradient", _bytes(np.stack([red, green, blue], axis=-1))
    yield JPEG.name, mirrored(open_photo(JPEG_PIXELS), height, width)


def _noise(height: int, width: int) -> np.ndarray:
    """(height, width, 3) of 0..255: a hash of row, column and channel in 32 bits, whose carry is dropped."""
    with np.errstate(over="ignore"):
        y, x, c = (
            np.arange(count, dtype=np.uint32) * np.uint32(factor)
            for count, factor in zip((height, width, 3), NOISE, strict=True)
        )
        value = y[:, None, None] ^ x[:, None] ^ c
        value = (value ^ value >> 16) * np.uint32(0x7FEB352D)
        value = (value ^ value >> 15) * np.uint32(0x846CA68B)
    return ((value ^ value >> 16) & 255).astype(np.int32)


def _bytes(values: np.ndarray) -> np.ndarray:
    return values.astype(np.uint8)
