"""A decoded photo, read part by part: upright, over white, and never twice in memory.

A photo of 48 megapixels takes 195 MB as Pillow holds it. Turning it, laying it over white or copying it into an array
would each take as much again; done to a band of rows at a time they take next to nothing, and give the same bytes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

BACKGROUND = (255, 255, 255)  # shows through transparency: the white page of browsers and gallery apps

BAND_PIXELS = 1 << 18  # of a photo that are turned or resized at a time: 1 MB as Pillow holds them, what a cache holds

UPRIGHT = {  # EXIF 2.32, tag Orientation: what brings each way of holding the camera upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SWAPS_SIDES = (5, 6, 7, 8)
FROM_RIGHT, FROM_BOTTOM = (2, 3, 7, 8), (3, 4, 6, 7)  # the turns that read what is stored from its right, from below


class DecodedPhoto:
    """The pixels of one photo, as a viewer would show them.

    Args:
        source: an image that Pillow has loaded, of 8 bits in any mode; or pixels, (H, W, 3) uint8 RGB.
        orientation: the EXIF value; 1 and what is not in ``UPRIGHT``: as it lies in ``source``.
    """

    def __init__(self, source: Image.Image | np.ndarray, orientation: int = 1) -> None:
        self.source, self.turn = source, orientation
        height, width = source.shape[:2] if isinstance(source, np.ndarray) else source.size[::-1]
        self.height, self.width = (width, height) if orientation in SWAPS_SIDES else (height, width)

    def part(self, top: int, bottom: int, left: int, right: int) -> Image.Image:
        """Rows ``top..bottom - 1`` of columns ``left..right - 1``, RGB."""
        if isinstance(self.source, np.ndarray):
            return Image.fromarray(self.source[top:bottom, left:right])
        if self.turn in SWAPS_SIDES:
            top, bottom, left, right = left, right, top, bottom
        width, height = self.source.size
        if self.turn in FROM_RIGHT:
            left, right = width - right, width - left
        if self.turn in FROM_BOTTOM:
            top, bottom = height - bottom, height - top
        rgb = over_background(self.source.crop((left, top, right, bottom)))
        return rgb.transpose(UPRIGHT[self.turn]) if self.turn in UPRIGHT else rgb

    def narrowed(self, width: int, threads: int = 1) -> Image.Image:
        """Every row resized to ``width`` by Pillow's bilinear filter, RGB; bands of rows by so many threads."""
        if threads == 1 and isinstance(self.source, Image.Image) and self.plain:
            return self.source.resize((width, self.height), Image.Resampling.BILINEAR)
        rows = max(1, BAND_PIXELS // self.width)
        narrow = np.empty((self.height, width, 3), np.uint8)

        def narrow_band(first: int) -> None:
            last = min(first + rows, self.height)
            band = self.part(first, last, 0, self.width)
            narrow[first:last] = band.resize((width, last - first), Image.Resampling.BILINEAR)

        bands = range(0, self.height, rows)
        if (workers := min(threads, len(bands))) == 1:
            list(map(narrow_band, bands))
        else:
            with ThreadPoolExecutor(workers) as pool:  # Pillow lets go of Python's lock
                list(pool.map(narrow_band, bands))
        return Image.fromarray(narrow)

    @property
    def plain(self) -> bool:
        """Whether it lies in ``source`` as it is shown: RGB, upright."""
        if isinstance(self.source, np.ndarray):
            return True
        return self.source.mode == "RGB" and self.turn not in UPRIGHT and not self.source.has_transparency_data

    def crop(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        """The same as pixels: (rows, columns, 3) uint8, C-contiguous."""
        if isinstance(self.source, np.ndarray):
            return np.ascontiguousarray(self.source[top:bottom, left:right])
        return np.asarray(self.part(top, bottom, left, right))

    def pixels(self) -> np.ndarray:
        """The whole photo: uint8 RGB, (height, width, 3), C-contiguous and writable."""
        if isinstance(self.source, np.ndarray):
            return self.source
        rgb = over_background(self.source)
        return np.array(rgb.transpose(UPRIGHT[self.turn]) if self.turn in UPRIGHT else rgb)


def over_background(image: Image.Image) -> Image.Image:
    """RGB of an image of any 8-bit mode, its transparency over BACKGROUND."""
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")  # which would copy it: 32 MiB at 4K
    if image.mode == "La":
        image = image.convert("LA")  # premultiplied: Pillow has no direct way to RGBA
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, BACKGROUND), rgba).convert("RGB")
