"""What a viewer shows, in concrete pixel values; and one clear sentence for everything that is no photo."""

import errno
import io
import os
import random
import struct
import subprocess
import sys
import types
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from lariqa.errors import Refusal
from lariqa.photos import photo
from lariqa.photos.photo import open_photo
from lariqa.photos.photo_files import photos_in

NOISE = np.random.default_rng(7).integers(0, 256, (12, 14, 3), dtype=np.uint8)  # (H, W, 3)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def saved(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "photo.jpg"  # whatever it is: the content decides
    path.write_bytes(data)
    return path


def shown(tmp_path: Path, data: bytes) -> list:
    return open_photo(saved(tmp_path, data)).tolist()


def refusal(tmp_path: Path, data: bytes) -> str:
    path = saved(tmp_path, data)
    with pytest.raises(Refusal) as caught:
        open_photo(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: expected ")
    assert "\n" not in sentence
    return sentence


def greys(*values: int) -> list:
    """One row of grey pixels, as open_photo gives it."""
    return [[[value] * 3 for value in values]]


def png(width: int, depth: int, colour: int, row: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of one row, for the depths that Pillow reads but does not write."""
    header = struct.pack(">IIBBBBB", width, 1, depth, colour, 0, 0, 0)
    all_chunks = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")]
    boxes = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in all_chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(boxes)


def tiff(width: int, bits: int, row: bytes, photometric: int = 1, order: str = "<", **more: int) -> bytes:
    """A grey TIFF of one row, for the depths that Pillow reads but does not write; ``more`` as ``tag338=1``."""
    tags = {256: width, 257: 1, 258: bits, 259: 1, 262: photometric, 277: 1, 278: 1, 279: len(row)}
    tags |= {int(name[3:]): value for name, value in more.items()}
    tags[273] = 8 + 2 + 12 * (len(tags) + 1) + 4  # where the row begins
    entries = b"".join(struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in sorted(tags.items()))
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(tags))
    return start + entries + b"\0\0\0\0" + row


# Upright pictures


def quadrants() -> np.ndarray:
    """Four flat colours, big enough to survive JPEG: (32, 48, 3)."""
    picture = np.zeros((32, 48, 3), np.uint8)
    picture[:16, :24], picture[:16, 24:] = (220, 40, 40), (40, 200, 40)
    picture[16:, :24], picture[16:, 24:] = (40, 40, 220), (240, 240, 240)
    return picture


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "options", "limit"),  # limit: largest difference in levels
    [
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, 4),
        ("AVIF", {"quality": 95, "subsampling": "4:4:4"}, 8),
    ],
)
def test_every_way_of_holding_the_camera_gives_the_same_picture(tmp_path, kind, options, limit, orientation):
    upright = quadrants()
    turned = upright.transpose(1, 0, 2)
    stored = {  # EXIF 2.32: which visual side the stored row 0 and column 0 are
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: turned,
        6: turned[::-1],
        7: turned[::-1, ::-1],
        8: turned[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored))
    result = open_photo(saved(tmp_path, encoded(image, kind, exif=exif, **options)))
    assert result.shape == (32, 48, 3)
    assert np.abs(result.astype(int) - upright).max() <= limit


def test_the_array_is_writable_contiguous_uint8_even_when_the_photo_was_turned(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    result = open_photo(saved(tmp_path, encoded(Image.fromarray(NOISE), "PNG", exif=exif)))
    assert (result.dtype, result.shape) == (np.uint8, (14, 12, 3))
    assert result.flags.c_contiguous
    assert result.flags.writeable


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"]
)
def test_unreadable_exif_leaves_the_photo_as_stored_and_says_nothing(tmp_path, exif, capfd):
    data = encoded(Image.new("RGB", (4, 2), (10, 20, 30)), "PNG", exif=exif)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        assert shown(tmp_path, data) == [[[10, 20, 30]] * 4] * 2
    assert heard == []
    assert capfd.readouterr() == ("", "")


def test_what_pillow_logs_stays_off_the_terminal(tmp_path):
    path = saved(tmp_path, tiff(1, 8, bytes(9), tag277=9))  # more samples than Pillow decodes: it logs an error
    program = (
        f"from lariqa.photos.photo import open_photo\ntry: open_photo({str(path)!r})\nexcept ValueError: print('ok')"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)  # pytest listens to all logs
    assert (run.stdout, run.stderr) == ("ok\n", "")


def test_an_orientation_that_does_not_exist_leaves_the_photo_as_stored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 9
    assert (open_photo(saved(tmp_path, encoded(Image.fromarray(NOISE), "PNG", exif=exif))) == NOISE).all()


# Modes and depths


def every_grey_times_257() -> Image.Image:
    return Image.fromarray((np.arange(256, dtype=np.uint16) * 257)[None])


def test_16_bit_grey_scales_to_8_bits_and_is_not_clipped(tmp_path):
    for kind, options in [("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})]:
        assert shown(tmp_path, encoded(every_grey_times_257(), kind, **options)) == greys(*range(256)), kind


def test_16_bit_grey_is_rounded_to_the_nearest_level(tmp_path):
    row = struct.pack(">4H", 128, 129, 257 * 200 + 128, 257 * 200 + 129)
    assert shown(tmp_path, png(4, 16, 0, row)) == greys(0, 1, 200, 201)


def test_16_bit_grey_tiff_is_read_in_both_byte_orders(tmp_path):
    assert shown(tmp_path, tiff(2, 16, struct.pack("<2H", 257, 65535), order="<")) == greys(1, 255)
    assert shown(tmp_path, tiff(2, 16, struct.pack(">2H", 257, 65535), order=">")) == greys(1, 255)


def test_16_bit_grey_tiff_whose_zero_is_white_is_inverted_as_8_bit_is(tmp_path):
    assert shown(tmp_path, tiff(2, 16, struct.pack("<2H", 0, 257 * 55), photometric=0)) == greys(255, 200)
    assert shown(tmp_path, tiff(2, 8, bytes([0, 55]), photometric=0)) == greys(255, 200)


def test_12_bit_grey_tiff_reaches_white(tmp_path):
    assert shown(tmp_path, tiff(2, 12, bytes([0xFF, 0xF8, 0x00]))) == greys(255, 128)  # 4095 and 2048 of 4095


def test_pgm_is_scaled_by_its_own_maximum(tmp_path):
    assert shown(tmp_path, b"P5\n3 1\n1000\n" + struct.pack(">3H", 0, 200, 1000)) == greys(0, 51, 255)


def test_floating_point_grey_from_0_to_1_is_shown(tmp_path):
    image = Image.fromarray(np.array([[0, 0.2, 1]], np.float32))
    assert shown(tmp_path, encoded(image, "TIFF")) == greys(0, 51, 255)
    assert shown(tmp_path, b"Pf\n2 1\n-1.0\n" + struct.pack("<2f", 0.4, 1)) == greys(102, 255)


@pytest.mark.parametrize(("value", "came"), [(1.5, "0..1.5"), (-0.25, "-0.25..0"), (np.nan, "nan..nan")])
def test_floating_point_grey_without_a_defined_white_is_refused(tmp_path, value, came):
    sentence = refusal(tmp_path, encoded(Image.fromarray(np.array([[0, value]], np.float32)), "TIFF"))
    assert "from 0 (black) to 1 (white)" in sentence
    assert f"came {came}; scale the values" in sentence


def test_32_bit_integer_grey_is_refused_because_nothing_says_what_is_white(tmp_path):
    sentence = refusal(tmp_path, encoded(Image.fromarray(np.array([[0, 255]], np.int32)), "TIFF"))
    assert "signed or 32-bit integers" in sentence
    assert "export the photo with 16 bits" in sentence


def test_16_bit_colour_keeps_its_upper_byte(tmp_path):
    assert shown(tmp_path, png(1, 16, 2, struct.pack(">3H", 0, 257 * 100, 65535))) == [[[0, 100, 255]]]


def test_black_and_white_and_8_bit_grey_become_rgb(tmp_path):
    assert shown(tmp_path, png(4, 1, 0, bytes([0b01010000]))) == greys(0, 255, 0, 255)
    assert shown(tmp_path, png(2, 8, 0, bytes([7, 200]))) == greys(7, 200)


def test_cmyk_becomes_rgb_in_tiff_and_in_inverted_adobe_jpeg(tmp_path):
    ink = Image.new("CMYK", (16, 16), (10, 20, 30, 40))  # (255 - C) (255 - K) / 255 = 206.6, 198.1, 189.7
    for data in (encoded(ink, "TIFF"), encoded(ink, "JPEG", quality=100)):
        assert shown(tmp_path, data)[0][0] == [207, 198, 190]
    assert b"Adobe" in encoded(ink, "JPEG", quality=100)


def test_lab_and_ycbcr_become_rgb(tmp_path):
    white_black_red = bytes([255, 0, 0, 0, 0, 0, 138, 81, 70])  # L of 255, a, b; sRGB red under D50 is 54.3, 80.8, 69.9
    lab = open_photo(saved(tmp_path, encoded(Image.frombytes("LAB", (3, 1), white_black_red), "TIFF"))).astype(int)
    assert np.abs(lab - [[[255, 255, 255], [0, 0, 0], [255, 0, 0]]]).max() <= 6  # one step of b moves 4 levels
    ycbcr = encoded(Image.new("YCbCr", (16, 16), (76, 85, 255)), "TIFF", compression="tiff_lzw")
    assert shown(tmp_path, ycbcr)[0][0] == [254, 0, 0]


def test_an_error_of_the_disk_at_the_orientation_is_no_upright_photo(tmp_path, monkeypatch):
    def fails(image: Image.Image) -> None:
        raise OSError(errno.EIO, "Input/output error")

    path = saved(tmp_path, encoded(Image.new("RGB", (40, 40)), "JPEG"))
    monkeypatch.setattr(Image.Image, "getexif", fails)
    with pytest.raises(Refusal, match="check the disk"):
        open_photo(path)


# Transparency, over white


def test_half_transparent_pixels_mix_with_white(tmp_path):
    image = Image.fromarray(np.array([[[100, 0, 255, 128], [9, 9, 9, 0], [9, 9, 9, 255]]], np.uint8))
    mixed = [[[177, 127, 255], [255, 255, 255], [9, 9, 9]]]  # (100 * 128 + 255 * 127) / 255 = 177.2
    for data in (encoded(image, "PNG"), encoded(image, "TIFF"), encoded(image, "WEBP", lossless=True, exact=True)):
        assert shown(tmp_path, data) == mixed
    assert shown(tmp_path, encoded(Image.new("LA", (1, 1), (100, 128)), "PNG")) == greys(177)
    assert shown(tmp_path, png(1, 16, 4, struct.pack(">2H", 257 * 100, 257 * 128))) == greys(177)


def test_premultiplied_grey_is_not_darkened_twice(tmp_path):
    data = tiff(1, 8, bytes([50, 128]), tag277=2, tag338=1)  # two samples, associated alpha
    data = data.replace(struct.pack("<HHIHH", 258, 3, 1, 8, 0), struct.pack("<HHIHH", 258, 3, 2, 8, 8))
    assert shown(tmp_path, data) == greys(177)  # grey 99 at alpha 128: (99 * 128 + 255 * 127) / 255 = 176.7, from 50


def test_palette_entries_with_their_own_alpha_mix_with_white(tmp_path):
    palette = (b"PLTE", bytes([255, 0, 0, 0, 255, 0, 0, 0, 255]))
    data = png(3, 8, 3, bytes([0, 1, 2]), palette, (b"tRNS", bytes([0, 128])))
    assert shown(tmp_path, data) == [[[255, 255, 255], [127, 255, 127], [0, 0, 255]]]


def test_a_transparent_gif_colour_is_white(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    image.putpalette([200, 0, 0, 0, 0, 200])
    assert shown(tmp_path, encoded(image, "GIF")) == [[[200, 0, 0], [0, 0, 200]]]
    assert shown(tmp_path, encoded(image, "GIF", transparency=0)) == [[[255, 255, 255], [0, 0, 200]]]


@pytest.mark.parametrize(
    ("depth", "row", "key", "expected"),
    [
        (1, bytes([0b01000000]), 0, (255, 255)),
        (1, bytes([0b01000000]), 1, (0, 255)),
        (2, bytes([0b01100000]), 1, (255, 170)),
        (4, bytes([0x3A]), 3, (255, 170)),
        (8, bytes([51, 170]), 51, (255, 170)),
        (16, struct.pack(">2H", 257 * 51, 257 * 51 + 1), 257 * 51, (255, 51)),
    ],
)
def test_the_transparent_grey_of_a_png_is_white_at_every_depth(tmp_path, depth, row, key, expected):
    assert shown(tmp_path, png(2, depth, 0, row, (b"tRNS", struct.pack(">H", key)))) == greys(*expected)


def test_the_transparent_colour_of_a_png_is_white_at_8_and_16_bits(tmp_path):
    key = (b"tRNS", struct.pack(">3H", 1, 2, 3))
    assert shown(tmp_path, png(2, 8, 2, bytes([1, 2, 3, 1, 2, 4]), key)) == [[[255, 255, 255], [1, 2, 4]]]
    key = (b"tRNS", struct.pack(">3H", 0x1234, 0xFF00, 0))
    row = struct.pack(">6H", 0x1234, 0xFF00, 0, 0x1334, 0xFF00, 0)
    assert shown(tmp_path, png(2, 16, 2, row, key)) == [[[255, 255, 255], [0x13, 255, 0]]]


# The first picture


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF", "MPO"])
def test_of_several_pictures_the_first_counts(tmp_path, kind):
    first, second = Image.new("RGB", (16, 16), (0, 0, 0)), Image.new("RGB", (16, 16), (255, 255, 255))
    data = encoded(first, kind, save_all=True, append_images=[second])
    with Image.open(io.BytesIO(data)) as image:
        assert image.n_frames == 2
    assert open_photo(saved(tmp_path, data)).max() <= 2


# What is no file, or no photo


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(Refusal, match="nothing is there; check the spelling") as caught:
        open_photo(tmp_path / "holiday.jpg")
    assert str(caught.value).startswith(str(tmp_path / "holiday.jpg"))


def test_a_folder_a_pipe_and_an_impossible_name_are_refused(tmp_path):
    with pytest.raises(Refusal, match="came a folder; name a photo in it"):
        open_photo(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Refusal, match="came a pipe or a device"):
        open_photo(tmp_path / "pipe")
    for impossible in ("x" * 1000, "a\0b"):
        with pytest.raises(Refusal, match="expected a file that can be opened"):
            open_photo(impossible)


def test_a_file_without_permission_is_refused(tmp_path, monkeypatch):
    def forbid(path, mode):
        raise PermissionError(13, "Permission denied", str(path))

    path = saved(tmp_path, encoded(Image.fromarray(NOISE), "PNG"))
    monkeypatch.setattr(photo, "open", forbid, raising=False)  # chmod does not stop the superuser
    with pytest.raises(Refusal, match="came one without permission"):
        open_photo(path)


def test_an_empty_file_is_refused(tmp_path):
    assert "came an empty file (0 bytes)" in refusal(tmp_path, b"")


@pytest.mark.parametrize(
    "content",
    [
        b"dear diary, today",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"%PDF-1.7\n%",
        b"FUJIFILMCCD-RAW 0201",
        b"\0\0\0\x18ftypisom\0\0\2\0isommp42",
    ],
)
def test_what_is_no_photo_is_refused_with_its_first_bytes_and_the_kinds_that_are(tmp_path, content):
    sentence = refusal(tmp_path, content)
    assert repr(content[:12]) in sentence
    assert "expected a photo (JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, GIF or PPM)" in sentence
    assert "export it again as JPEG or PNG" in sentence


@pytest.mark.parametrize("kind", ["EPS", "JPEG2000", "ICO"])
def test_kinds_that_pillow_opens_but_that_are_not_served_are_refused(tmp_path, kind):
    data = encoded(Image.fromarray(NOISE).resize((32, 32)), kind)
    Image.open(io.BytesIO(data)).close()
    assert "came a file of another kind" in refusal(tmp_path, data)


def test_a_camera_raw_is_refused_instead_of_showing_its_thumbnail(tmp_path):
    thumbnail = tiff(2, 8, bytes([1, 2]), tag254=1)
    dng = tiff(2, 8, bytes([1, 2]), tag50706=1)
    canon = bytearray(b"II*\0\x10\0\0\0CR\2\0\0\0\0\0" + tiff(2, 8, bytes([1, 2]))[8:])
    for raw in (thumbnail, dng, bytes(canon)):
        assert "came a camera RAW; develop it" in refusal(tmp_path, raw)
    assert shown(tmp_path, tiff(2, 8, bytes([1, 2]), tag254=0)) == greys(1, 2)


# Damaged files


def small_files() -> dict[str, bytes]:
    noise, frames = Image.fromarray(NOISE), [Image.fromarray(NOISE[:8, :8]), Image.fromarray(NOISE[4:, 6:])]
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    return {
        "jpeg": encoded(noise, "JPEG", exif=exif),
        "jpeg progressive": encoded(noise, "JPEG", progressive=True),
        "jpeg cmyk": encoded(noise.convert("CMYK"), "JPEG"),
        "mpo": encoded(frames[0], "MPO", save_all=True, append_images=frames[1:]),
        "png": encoded(noise, "PNG", exif=exif),
        "png palette": encoded(noise.convert("P"), "PNG", transparency=3),
        "png 16 bits": encoded(every_grey_times_257(), "PNG"),
        "png animated": encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "webp": encoded(noise, "WEBP", exif=exif),
        "webp lossless": encoded(noise.convert("RGBA"), "WEBP", lossless=True),
        "avif": encoded(noise, "AVIF", exif=exif),
        "tiff": encoded(noise, "TIFF", exif=exif),
        "tiff lzw": encoded(noise, "TIFF", compression="tiff_lzw"),
        "tiff float": encoded(Image.fromarray(NOISE[..., 0].astype(np.float32) / 255), "TIFF"),
        "bmp": encoded(noise, "BMP"),
        "bmp palette": encoded(noise.convert("P"), "BMP"),
        "gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "ppm": encoded(noise, "PPM"),
    }


@pytest.mark.parametrize("kind", ["jpeg", "jpeg progressive", "png", "webp", "webp lossless", "avif", "tiff", "bmp"])
def test_a_photo_cut_in_half_is_refused_as_damaged(tmp_path, kind):
    data = small_files()[kind]
    assert "damaged" in refusal(tmp_path, data[: len(data) // 2])


def test_a_truncated_jpeg_is_told_from_a_file_of_another_kind(tmp_path):
    data = small_files()["jpeg"]
    sentence = refusal(tmp_path, data[:-40])
    assert "expected a whole photo, came a damaged or truncated one (OSError: image file is truncated" in sentence
    assert "copy or export the photo again" in sentence


def test_no_cut_ever_changes_pixels_in_silence(tmp_path):
    for kind, data in small_files().items():
        whole, refused = shown(tmp_path, data), 0
        for length in range(1, len(data), max(1, len(data) // 40)):
            try:
                assert shown(tmp_path, data[:length]) == whole, (kind, length)  # a lost tail that held no pixels
            except Refusal:
                refused += 1
        assert refused > 10, kind


def test_random_damage_gives_pixels_or_a_refusal_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(photo, "MAX_PIXELS", 1_000_000)  # so that a damaged size costs no time
    chance, files, shown_count, refused_count = random.Random(2024), list(small_files().values()), 0, 0
    for _ in range(800):
        data = bytearray(chance.choice(files))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(min(len(data), chance.choice((32, 200, 10**6))))
            match chance.randrange(5):
                case 0 | 1:
                    data[at] = chance.choice((0, 255, 128, chance.randrange(256)))
                case 2:
                    data[at : at + 4] = struct.pack(
                        chance.choice("<>") + "I", chance.choice((0, 1, 2**31 - 1, 2**32 - 1))
                    )
                case 3:
                    del data[at : at + chance.randint(1, 8)]
                case 4:
                    data[at:at] = chance.randbytes(chance.randint(1, 5))
        path = saved(tmp_path, bytes(data))
        try:
            pixels = open_photo(path)
        except Refusal as error:
            assert str(error).startswith(f"{path}: expected ")
            refused_count += 1
        else:
            assert pixels.dtype == np.uint8
            assert pixels.ndim == 3
            assert pixels.shape[2] == 3
            assert pixels.size > 0
            shown_count += 1
    assert shown_count > 100
    assert refused_count > 100


# Size, and the settings of the process


def test_the_limit_is_held_by_the_header_before_anything_is_decoded(tmp_path, monkeypatch):
    data = encoded(Image.fromarray(NOISE), "PNG")
    monkeypatch.setattr(photo, "MAX_PIXELS", 12 * 14)
    assert (open_photo(saved(tmp_path, data)) == NOISE).all()
    monkeypatch.setattr(photo, "MAX_PIXELS", 12 * 14 - 1)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("decoded"))
    assert "came 14x12 (0.0 megapixels); scale or crop the photo" in refusal(tmp_path, data)


def test_a_decompression_bomb_is_refused_at_once(tmp_path):
    claims = [(20_000, 15_000, "20000x15000 (300.0 megapixels)"), (100_000, 100_000, "more than twice as much")]
    for width, height, came in claims:
        data = bytearray(png(1, 8, 0, b"\0"))
        data[16:24] = struct.pack(">2I", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        sentence = refusal(tmp_path, bytes(data))
        assert "expected at most 200 megapixels" in sentence
        assert came in sentence


def test_a_photo_without_pixels_is_refused(tmp_path):
    data = bytearray(encoded(Image.fromarray(NOISE), "BMP"))
    data[18:22] = struct.pack("<i", 0)
    assert "too damaged to tell (it begins with b'BM" in refusal(tmp_path, bytes(data))


def test_settings_that_others_gave_pillow_neither_matter_nor_change(tmp_path, monkeypatch):
    data = encoded(Image.fromarray(NOISE), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    assert (open_photo(saved(tmp_path, data)) == NOISE).all()
    assert "damaged or truncated" in refusal(tmp_path, data[: len(data) // 2])
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES) == (1, True)


# HEIC, through a package that may be there


@pytest.fixture
def fresh_heic(monkeypatch):
    """Lets a test decide whether pillow-heif is installed, and leaves Pillow's registry as it was."""
    Image.init()
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    photo._heic_opens.cache_clear()
    yield
    photo._heic_opens.cache_clear()


IPHONE_HEIC = struct.pack(">I", 28) + b"ftypheic\0\0\0\0mif1MiHEheic" + bytes(40)


@pytest.mark.parametrize(
    "brands", [b"heic\0\0\0\0mif1", b"mif1\0\0\0\0heic", b"hevc\0\0\0\0msf1", b"miaf\0\0\0\0MiHEheic"]
)
def test_heic_without_its_package_says_what_to_install(tmp_path, monkeypatch, fresh_heic, brands):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    data = struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + bytes(40)
    assert "came a HEIC; run `pip install pillow-heif`, or export the photo as JPEG" in refusal(tmp_path, data)


def test_heic_is_opened_by_its_package_which_is_registered_once(tmp_path, monkeypatch, fresh_heic):
    class HeifFile(ImageFile.ImageFile):
        format = "HEIF"

        def _open(self):
            self._size, self._mode = (1, 1), "RGB"
            self.tile = [("raw", (0, 0, 1, 1), 8, ("RGB", 0, 1))]

    calls = []

    def register():
        calls.append(1)
        Image.register_open("HEIF", HeifFile, lambda prefix: prefix[4:8] == b"ftyp")

    monkeypatch.setitem(sys.modules, "pillow_heif", types.SimpleNamespace(register_heif_opener=register))
    path = saved(tmp_path, IPHONE_HEIC)
    for _ in range(2):
        assert open_photo(path).tolist() == [[list(b"hei")]]
    assert calls == [1]


def test_an_avif_is_not_taken_for_a_heic(tmp_path, monkeypatch, fresh_heic):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    data = encoded(Image.new("RGB", (16, 16), (255, 255, 255)), "AVIF")
    assert b"mif1" in data[16:40]
    for brand in (b"avif", b"mif1"):
        assert open_photo(saved(tmp_path, data[:8] + brand + data[12:])).min() >= 253


# Which files


@pytest.fixture
def album(tmp_path, monkeypatch) -> Path:
    """A folder tree of empty files, and the working directory: names are all that photos_in looks at."""
    for name in ("b.jpg", "a.PNG", "notes.txt", "sub/c.heic", "sub/d.tiff", "sub/deep/e.webp", "words/f.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for hidden in ("._b.jpg", ".thumbnails/x.jpg"):
        (tmp_path / hidden).parent.mkdir(exist_ok=True)
        (tmp_path / hidden).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*paths: str) -> list[str]:
    return [path.as_posix() for path in photos_in(paths)]


def test_a_folder_gives_its_visible_photos_of_all_levels_sorted(album):
    assert names(".") == ["a.PNG", "b.jpg", "sub/c.heic", "sub/d.tiff", "sub/deep/e.webp"]
    assert photos_in([album / "sub"]) == [album / "sub/c.heic", album / "sub/d.tiff", album / "sub/deep/e.webp"]


def test_patterns_give_the_photos_that_they_match(album):
    assert names("*") == ["a.PNG", "b.jpg"]
    assert names("sub/*.*") == ["sub/c.heic", "sub/d.tiff"]
    assert names("**/*.webp", "?.jpg") == ["sub/deep/e.webp", "b.jpg"]
    assert names("**") == names(".")


def test_a_folder_gives_phone_photos_of_every_kind_and_leaves_films_drawings_and_raws(tmp_path):
    for suffix in ("avif", "dng", "heif", "hif", "jpeg", "jp2", "mpo", "mp4", "pdf", "svg", "tif", "webp"):
        (tmp_path / f"x.{suffix}").touch()
    found = [path.suffix for path in photos_in([tmp_path])]
    assert found == [".avif", ".heif", ".hif", ".jpeg", ".mpo", ".tif", ".webp"]


def test_the_order_given_is_kept_and_no_file_comes_twice(album):
    assert names("sub/d.tiff", "b.jpg", ".", "./b.jpg", str(album / "b.jpg"), "sub/../b.jpg") == [
        "sub/d.tiff", "b.jpg", "a.PNG", "sub/c.heic", "sub/deep/e.webp",
    ]  # fmt: skip


def test_a_file_named_in_full_is_kept_whatever_its_suffix_or_brackets(album):
    (album / "IMG[1].jpg").touch()
    assert names("notes.txt", "IMG[1].jpg") == ["notes.txt", "IMG[1].jpg"]


def test_paths_that_lead_to_no_photo_are_refused(album):
    for path, sentence in {
        "nowhere.jpg": "nowhere.jpg: expected a photo, a folder or a pattern, but nothing is there",
        "words": "words: expected a folder with photos (JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, GIF or PPM)",
        "words/*": "words/*: expected a pattern that matches photos",
        "*.gif": "came one that matches 0 paths and no photo among them; check the pattern",
    }.items():
        with pytest.raises(Refusal) as caught:
            photos_in(["b.jpg", path])
        assert sentence in str(caught.value)


def test_a_folder_that_cannot_be_listed_is_refused_and_not_skipped(album, monkeypatch):
    scandir = os.scandir

    def forbid(folder):
        if str(folder).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", forbid)  # chmod does not stop the superuser
    with pytest.raises(Refusal, match="deep: expected a folder that can be listed, came PermissionError"):
        photos_in(["."])


def test_a_link_to_a_parent_folder_does_not_run_in_circles(album):
    (album / "sub" / "up").symlink_to(album)
    assert names("sub") == ["sub/c.heic", "sub/d.tiff", "sub/deep/e.webp"]


def test_a_link_to_itself_is_refused_by_name_and_the_others_are_found(tmp_path):
    (tmp_path / "round.png").symlink_to(tmp_path / "round.png")
    Image.new("RGB", (40, 40)).save(tmp_path / "good.png")
    found = photos_in([tmp_path])
    assert sorted(path.name for path in found) == ["good.png", "round.png"]
    with pytest.raises(Refusal, match=r"round\.png"):
        open_photo(tmp_path / "round.png")
