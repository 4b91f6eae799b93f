"""Every layout of a TIFF is read as it was written, or refused; none is read wrongly."""

import struct

import numpy as np
import pytest
from PIL import Image

from lariqa.errors import Refusal
from lariqa.photos.golden import golden_photo
from lariqa.photos.photo import open_photo
from tests.support.tiff_writer import photo_as, variants, write_tiff


def written(kind: str, depth: str) -> tuple[np.ndarray, np.ndarray]:
    """(samples for the writer, what a viewer shows)."""
    return photo_as(kind, depth, golden_photo(45, 53))


@pytest.mark.parametrize("variant", variants(), ids=lambda given: "-".join(map(str, given)))
def test_a_layout_is_read_rightly_or_refused(variant, tmp_path):
    kind, depth, *layout = variant
    samples, shown = written(kind, depth)
    assert shown.std() > 8
    path = tmp_path / "photo.tif"
    write_tiff(path, samples, kind, *layout)
    try:
        found = open_photo(path)
    except Refusal as refusal:
        assert str(path) in str(refusal) and "\n" not in str(refusal)
        assert depth != "uint8", "what every program writes is read"
        return
    assert np.abs(found.astype(int) - shown).max() <= (1 if depth == "float32" else 0)


@pytest.mark.parametrize("kind", ["grey", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("compression", ["none", "deflate"])
def test_sixteen_bits_side_by_side_are_read(kind, compression, tmp_path):
    samples, shown = written(kind, "uint16")
    for order in "<>":
        write_tiff(tmp_path / "photo.tif", samples, kind, compression, False, order, False)
        assert np.array_equal(open_photo(tmp_path / "photo.tif"), shown)


@pytest.mark.parametrize(
    ("kind", "compression"),
    [("grey with alpha", "deflate"), ("grey with alpha", "none"), ("white is zero", "none")],
)
def test_planes_that_pillow_takes_for_others_are_refused(kind, compression, tmp_path):
    samples, shown = written(kind, "uint8")
    write_tiff(tmp_path / "photo.tif", samples, kind, compression, False, "<", False)
    assert np.array_equal(open_photo(tmp_path / "photo.tif"), shown)
    write_tiff(tmp_path / "photo.tif", samples, kind, compression, True, "<", False)
    with pytest.raises(Refusal, match="planes"):
        open_photo(tmp_path / "photo.tif")


@pytest.mark.parametrize("compression", ["PackBits", "LZW", "LZW with predictor", "deflate with predictor"])
def test_every_compression_is_read(compression, tmp_path):
    samples, shown = written("RGB", "uint8")
    for order in "<>":
        write_tiff(tmp_path / "photo.tif", samples, "RGB", compression, False, order, True)
        assert np.array_equal(open_photo(tmp_path / "photo.tif"), shown)


def test_a_bmp_with_an_empty_alpha_mask_is_opaque(tmp_path):
    photo = golden_photo(40, 50)
    pixels = np.concatenate([photo[..., ::-1], np.zeros((40, 50, 1), np.uint8)], -1)[::-1].tobytes()
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = (
        struct.pack("<IiiHHIIiiII", 108, 50, 40, 1, 32, 3, len(pixels), 0, 0, 0, 0) + masks + b"sRGB"[::-1] + bytes(48)
    )
    path = tmp_path / "photo.bmp"
    path.write_bytes(
        b"BM" + struct.pack("<IHHI", 14 + len(header) + len(pixels), 0, 0, 14 + len(header)) + header + pixels
    )
    assert Image.open(path).mode == "RGBA"
    assert np.array_equal(open_photo(path), photo)
