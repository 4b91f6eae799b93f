"""What shows through a picture is what viewers show, not what Pillow fills it with."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from lariqa.errors import Refusal
from lariqa.photos.golden import golden_photo
from lariqa.photos.photo import decode, open_photo
from tests.support.handwritten_pictures import chunk, png

PHOTO = golden_photo(48, 64)


@pytest.mark.parametrize("interlaced", [False, True])
def test_of_a_png_of_16_bits_only_the_very_colour_is_transparent(interlaced, tmp_path):
    samples = PHOTO.astype(np.uint16) * 257
    key = samples[20, 30].copy()
    samples[21, 31], samples[22, 32] = key + np.uint16([0, 0, 1]), key
    clear = (samples == key).all(-1)
    path = tmp_path / "photo.png"
    path.write_bytes(png(samples, 2, 16, interlaced, (chunk(b"tRNS", struct.pack(">3H", *key.tolist())),)))
    shown = np.where(clear[..., None], 255, samples >> 8)
    assert clear[20, 30] and clear[22, 32] and not clear[21, 31]
    assert np.array_equal(open_photo(path), shown)
    assert np.array_equal(decode(Image.open(path)).pixels(), shown)


@pytest.mark.parametrize("transparency", [None, 7])
def test_what_no_first_frame_of_a_gif_covers_is_clear(transparency, tmp_path):
    frame = Image.fromarray(PHOTO[..., 0])
    file = io.BytesIO()
    frame.save(
        file, "GIF", optimize=False, interlace=0, **({} if transparency is None else {"transparency": transparency})
    )
    data = bytearray(file.getvalue())
    data[6:10] = struct.pack("<HH", 64 + 9, 48 + 5)
    at = data.index(b"\x2c" + struct.pack("<HHHH", 0, 0, 64, 48))
    data[at + 1 : at + 5] = struct.pack("<HH", 9, 5)
    path = tmp_path / "photo.gif"
    path.write_bytes(data)
    shown = np.full((53, 73, 3), 255, np.uint8)
    shown[5:, 9:] = np.where(PHOTO[..., :1] == transparency, 255, PHOTO[..., :1])
    assert np.array_equal(open_photo(path), shown)


def animated(default_image: bool) -> bytes:
    file, frames = io.BytesIO(), [Image.fromarray(PHOTO), Image.fromarray(255 - PHOTO), Image.fromarray(PHOTO // 2)]
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:], default_image=default_image)
    return file.getvalue()


def test_an_animation_that_leaves_its_still_picture_out_is_refused(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(animated(default_image=False))
    assert np.array_equal(open_photo(path), PHOTO)  # the first frame
    path.write_bytes(animated(default_image=True))
    with pytest.raises(Refusal, match=r"photo\.png: expected one picture, came an animated PNG"):
        open_photo(path)


@pytest.mark.parametrize("spoilt", [b"acTL", b"fcTL"])
def test_a_damaged_animation_is_the_still_picture(spoilt, tmp_path):
    data = bytearray(animated(default_image=True))
    at = -1
    while (at := data.find(spoilt, at + 1)) >= 0:
        data[at + 4] ^= 1  # its checksum is wrong now
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    assert np.array_equal(open_photo(path), PHOTO)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK"])
def test_an_image_that_was_never_a_file_is_shown_as_its_file_would_be(mode, tmp_path):
    image = Image.fromarray(PHOTO).convert(mode)
    image.save(tmp_path / "photo.tiff")
    assert not hasattr(image, "tile") and np.ptp(PHOTO) > 100
    assert np.array_equal(decode(image).pixels(), open_photo(tmp_path / "photo.tiff"))
