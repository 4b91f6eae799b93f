"""What is wrong with a PNG's metadata is no fault of the picture; what is wrong with its pixels is."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lariqa.errors import Refusal
from lariqa.photos.golden import golden_photo
from lariqa.photos.photo import open_photo

PHOTO = golden_photo(64, 80)
LONG = zlib.compress(b"x" * 3_000_000)


def chunk(name: bytes, data: bytes, checksum: int | None = None) -> bytes:
    found = zlib.crc32(name + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", found)


def png(image: Image.Image | None = None, **options) -> bytes:
    held = io.BytesIO()
    (image or Image.fromarray(PHOTO)).save(held, "PNG", **options)
    return held.getvalue()


def with_chunk(data: bytes, after_header: bytes) -> bytes:
    return data[:33] + after_header + data[33:]  # signature and IHDR


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"iCCP", b"big\0\0" + zlib.compress(np.random.default_rng(0).bytes(2_000_000))),
        chunk(b"iCCP", b"bomb\0\0" + LONG),
        chunk(b"zTXt", b"Comment\0\0" + LONG),
        chunk(b"tEXt", b"Comment\0" + b"x" * 2_000_000),
        chunk(b"gAMA", b"\0\0"),
        chunk(b"pHYs", b"\0"),
        chunk(b"cHRM", b"\0" * 31),
        chunk(b"sRGB", b""),
        chunk(b"tIME", b"now", checksum=1),
        chunk(b"tEXt", b"Comment\0fine", checksum=0),
        chunk(b"tRNS", b"\0\1\0\2\0\3", checksum=7),
        chunk(b"eXIf", b"MM\0*", checksum=7),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"<" * 1_200_000),
        chunk(b"lrIQ", b"nobody knows this"),
    ],
    ids=lambda extra: f"{extra[4:8].decode()}-{len(extra)}",
)
def test_metadata_that_is_long_odd_or_damaged_changes_no_pixel(extra, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(with_chunk(png(), extra))
    assert PHOTO.std() > 20 and np.array_equal(open_photo(path), PHOTO)


def test_transparency_and_orientation_still_count(tmp_path):
    path = tmp_path / "photo.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    path.write_bytes(png(exif=exif))
    assert np.array_equal(open_photo(path), np.rot90(PHOTO, -1))
    palette = Image.fromarray(PHOTO).convert("P")
    path.write_bytes(png(palette, transparency=0))
    shown = np.array(palette.convert("RGB"))
    shown[np.asarray(palette) == 0] = 255
    assert np.array_equal(open_photo(path), shown) and (np.asarray(palette) == 0).any()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"IDAT", b"IDAX", 1),
        lambda data: data[:60] + bytes([data[60] ^ 255]) + data[61:],
        lambda data: data[:29] + b"\0\0\0\0" + data[33:],
    ],
    ids=["cut", "unknown critical chunk", "a bit of the picture", "checksum of the header"],
)
def test_damage_to_the_picture_itself_is_refused(spoil, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(spoil(png()))
    with pytest.raises(Refusal, match=r"photo\.png"):
        open_photo(path)
