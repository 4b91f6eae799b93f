"""What is wrong with a JPEG's metadata is no fault of the picture; its orientation and its colours still count."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from lariqa.errors import Refusal
from lariqa.photos.golden import golden_photo
from lariqa.photos.photo import open_photo

PHOTO = Image.fromarray(golden_photo(48, 64))
SHORT = {
    "JFIF": b"\xff\xe0" + struct.pack(">H", 8) + b"JFIF\0\1",
    "Photoshop": b"\xff\xed" + struct.pack(">H", 2 + 20) + b"Photoshop 3.0\0" + b"8BIM\x03\xed",
}


def jpeg(image: Image.Image = PHOTO, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95, **options)
    return file.getvalue()


def as_pillow_shows(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("segment", SHORT)
@pytest.mark.parametrize("colours", ["RGB", "CMYK"])
def test_a_segment_that_pillow_gives_up_at_is_passed_over(colours, segment, tmp_path):
    plain, path = jpeg(PHOTO.convert(colours)), tmp_path / "photo.jpg"
    data = plain[:2] + SHORT[segment] + plain[2:]
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(data))
    path.write_bytes(data)
    assert np.array_equal(open_photo(path), as_pillow_shows(plain))
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(Refusal, match=r"photo\.jpg"):
        open_photo(path)


def test_the_orientation_beside_it_counts(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned, path = jpeg(exif=exif), tmp_path / "photo.jpg"
    path.write_bytes(turned[:2] + SHORT["JFIF"] + turned[2:])
    assert np.array_equal(open_photo(path), np.rot90(as_pillow_shows(turned), -1))


@pytest.mark.parametrize("rest", [b"", b"\xff", b"\xff\xe0", b"\xff\xe0\0\0", b"\xff\xe0\xff\xff", b"text" * 9])
def test_what_only_begins_like_a_jpeg_is_refused(rest, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"\xff\xd8" + rest)
    with pytest.raises(Refusal, match=r"photo\.jpg"):
        open_photo(path)
