"""What shows through a picture, where Pillow's answer is not that of viewers.

PNG   one colour is transparent. Pillow leaves it in the depth of the file, and of 16 bits it compares the upper 8,
      so that a colour beside it would vanish as well
GIF   a first frame that is smaller than the screen. Pillow fills the rest with colour 0, browsers leave it clear
BMP   a mask for alpha that nobody filled. Viewers show such a file opaque
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from lariqa.photos.decoded import BACKGROUND

LEVELS = {"1": 255, "L;2": 85, "L;4": 17}  # Pillow's raw mode of a PNG -> 8-bit levels in one of its
RGB_16, ITS_LOWER_BYTES = "RGB;16B", "RGB;16L"  # read in the wrong byte order, a sample's lower byte is its upper one


def what_shows_through(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """Asked before the pixels are decoded, for then the file is still open; to be called with the decoded image."""
    tiles = getattr(image, "tile", ())  # none where somebody else has decoded it, or made it in memory
    if image.format == "PNG" and tiles:
        return _png_key(image, tiles[0][3])
    if image.format == "GIF" and tiles and tiles[0][1] != (0, 0, *image.size):
        left, top, right, bottom = tiles[0][1]
        return lambda decoded: _on_clear_screen(decoded, left, top, right, bottom)
    if image.format == "BMP":
        return _opaque_if_empty
    return lambda decoded: decoded


def _png_key(image: Image.Image, raw: str) -> Callable[[Image.Image], Image.Image]:
    key = image.info.get("transparency")
    if isinstance(key, int) and raw in LEVELS:
        image.info["transparency"] = min(255, key * LEVELS[raw])
    if not isinstance(key, tuple) or raw != RGB_16:
        return lambda decoded: decoded
    lower = _lower_bytes(image)

    def cleared(decoded: Image.Image) -> Image.Image:
        pixels = np.array(decoded)
        parts = ((pixels[..., n] == key[n] >> 8) & (lower[..., n] == key[n] & 255) for n in range(3))
        pixels[np.logical_and.reduce(list(parts))] = BACKGROUND
        return Image.fromarray(pixels)

    return cleared


def _lower_bytes(image: Image.Image) -> np.ndarray:
    """(height, width, 3) uint8: of each 16-bit sample what Pillow drops."""
    at = image.fp.tell()
    image.fp.seek(0)
    again = Image.open(io.BytesIO(image.fp.read()), formats=("PNG",))
    image.fp.seek(at)
    again.tile = [(*part[:3], ITS_LOWER_BYTES) for part in again.tile]
    return np.array(again)


def _on_clear_screen(decoded: Image.Image, left: int, top: int, right: int, bottom: int) -> Image.Image:
    screen = Image.new("RGBA", decoded.size)
    screen.paste(decoded.crop((left, top, right, bottom)).convert("RGBA"), (left, top))
    return screen


def _opaque_if_empty(decoded: Image.Image) -> Image.Image:
    return decoded.convert("RGB") if decoded.mode == "RGBA" and decoded.getextrema()[3] == (0, 0) else decoded
