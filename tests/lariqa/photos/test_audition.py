"""The audition's pictures are what their rules say, and tell apart what they are there for."""

import random

import numpy as np
import pytest
from PIL import Image

from lariqa.photos.audition import HEIC, HEIC_PIXELS, JPEG, JPEG_PIXELS, SIZE_PX, audition_pictures
from lariqa.photos.golden import golden_photo
from lariqa.photos.photo import open_photo

NAMES = ["dark", "washed", "flat", "texture", "gradient", "golden.jpg"]
WORD = 1 << 32


def noise(y: int, x: int, c: int) -> int:
    """In Python's whole numbers, which carry nothing away by themselves."""
    value = (y * 73856093 % WORD) ^ (x * 19349663 % WORD) ^ (c * 83492791 % WORD)
    value = (value ^ value >> 16) * 0x7FEB352D % WORD
    value = (value ^ value >> 15) * 0x846CA68B % WORD
    return (value ^ value >> 16) & 255


def expected(name: str, y: int, x: int, c: int, golden: np.ndarray) -> int:
    height, width, g = *golden.shape[:2], int(golden[y, x, c])
    if name == "flat":
        return int(golden[64 * (y // 64), 64 * (x // 64), c])
    ramps = (x * 255 // (width - 1), y * 255 // (height - 1), x * 128 // (width - 1) + y * 127 // (height - 1))
    return {"dark": g // 4, "washed": 160 + 3 * g // 8, "texture": (3 * g + noise(y, x, c)) // 4, "gradient": ramps[c]}[
        name
    ]


@pytest.mark.parametrize(("height", "width"), [SIZE_PX, (997, 1013), (67, 80), (2, 3)])
def test_every_value_is_what_the_rules_say(height, width):
    golden, pictures = golden_photo(height, width), dict(audition_pictures(height, width))
    assert list(pictures) == NAMES
    draw = random.Random(1)
    places = {(draw.randrange(height), draw.randrange(width), draw.randrange(3)) for _ in range(300)}
    corners = {(y, x, c) for y in (0, height - 1) for x in (0, width - 1) for c in range(3)}
    for name, pixels in pictures.items():
        assert pixels.shape == (height, width, 3) and pixels.dtype == np.uint8
        if name != JPEG.name:
            wrong = [place for place in places | corners if pixels[place] != expected(name, *place, golden)]
            assert not wrong


def test_the_pictures_differ_in_what_they_are_there_for():
    pictures = {name: pixels.astype(float) for name, pixels in audition_pictures(*SIZE_PX)}
    assert pictures["dark"].max() < 64 and pictures["washed"].min() >= 160
    assert np.abs(np.diff(pictures["flat"], axis=1)).astype(bool).mean() < 1 / 60
    roughness = {name: np.abs(np.diff(pixels, axis=1)).mean() for name, pixels in pictures.items()}
    assert max(roughness, key=roughness.get) == "texture" and min(roughness, key=roughness.get) == "gradient"
    assert pictures["texture"].std() > 30  # the noise has not gone out, nor drowned the photo


def test_the_jpeg_is_a_small_420_file_that_pillow_decodes_to_the_pixels_beside_it():
    with Image.open(JPEG) as image:
        assert image.format == "JPEG" and [row[1:3] for row in image.layer] == [(2, 2), (1, 1), (1, 1)]
        assert all(side % 2 for side in image.size)  # the last column and row of chroma are half a sample
    pixels = open_photo(JPEG)
    assert np.array_equal(pixels, open_photo(JPEG_PIXELS))
    assert JPEG.stat().st_size < 20_000 and np.abs(pixels[..., 0].astype(int) - pixels[..., 2]).mean() > 20  # colourful


def test_the_heic_is_a_small_420_file_that_pillow_heif_decodes_to_the_pixels_beside_it():
    data, pixels = HEIC.read_bytes(), open_photo(HEIC)
    assert data[4:12] == b"ftypheic" and len(data) < 20_000
    # ISO 14496-15, 8.3.3.1: the low two bits of this byte of the configuration are chroma_format_idc, 1 is 4:2:0
    assert data[data.index(b"hvcC") + 20] & 3 == 1
    assert pixels.shape == (249, 331, 3)  # odd: the last column and row of chroma are half a sample
    assert np.array_equal(pixels, open_photo(HEIC_PIXELS))
    off = np.abs(pixels.astype(int) - golden_photo(249, 331))
    assert 0.2 < off.mean() < 2  # it is lossy, and that picture
    assert np.abs(pixels[..., 0].astype(int) - pixels[..., 2]).mean() > 20  # colourful
