"""Files that are no photo, or cut, or claim more than memory holds: refused, unless the whole picture is there."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL import Image, features

from tests.support.handwritten_pictures import bmp, chunk, png
from tests.sweeps.judge import Case
from tests.sweeps.odd_pictures import GREY, LOSSY, PHOTO, case, rgb, saved


def cases() -> Iterator[Case]:
    """All of them."""
    for made in (others, cut_files, huge_claims):
        yield from made()


def others() -> Iterator[Case]:
    photo = Image.fromarray(PHOTO)
    for kind in (
        "ICO",
        "ICNS",
        "TGA",
        "PCX",
        "SGI",
        "IM",
        "EPS",
        "PDF",
        "DDS",
        "JPEG2000",
        "SPIDER",
        "MSP",
        "XBM",
        "BLP",
    ):
        mode = {"SPIDER": "F", "MSP": "1", "XBM": "1", "BLP": "P"}.get(kind, "RGB")
        yield case("other formats", kind, saved(photo.convert(mode), kind), None)
    page = b"<!DOCTYPE html><html><body>404</body></html>"
    for name, data in {
        "nothing": b"", "one byte": b"\0", "text": b"labels\n" * 99, "web page": page, "zeros": bytes(5000),
        "zip": b"PK\3\4" + bytes(200), "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "PNG's signature": b"\x89PNG\r\n\x1a\n", "JPEG's signature": b"\xff\xd8\xff", "TIFF's": b"II*\0\x08\0\0\0",
        "WebP's": b"RIFF\x24\0\0\0WEBPVP8 ", "AVIF's": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "GIF's": b"GIF89a",
        "BMP's": b"BM" + bytes(12), "P6": b"P6\n", "TIFF that points to itself": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    }.items():  # fmt: skip
        yield case("no photo", name, data, None)


def cut_files() -> Iterator[Case]:
    whole = {
        "PNG": (saved(PHOTO, "PNG"), 0), "PNG, interlaced": (png(PHOTO, 2, 8, True), 0),
        "GIF": (saved(GREY[..., 0], "GIF"), 0),
        "JPEG": (saved(PHOTO, "JPEG", quality=95), LOSSY),
        "JPEG, progressive": (saved(PHOTO, "JPEG", quality=95, progressive=True), LOSSY),
        "WebP": (saved(PHOTO, "WEBP", quality=95), LOSSY), "WebP, lossless": (saved(PHOTO, "WEBP", lossless=True), 0),
        "BMP": (saved(PHOTO, "BMP"), 0), "TIFF": (saved(PHOTO, "TIFF"), 0),
        "TIFF, deflate": (saved(PHOTO, "TIFF", compression="tiff_deflate"), 0),
        "TIFF, LZW": (saved(PHOTO, "TIFF", compression="tiff_lzw"), 0), "PPM": (saved(PHOTO, "PPM"), 0),
    }  # fmt: skip
    if features.check("avif"):
        whole["AVIF"] = saved(PHOTO, "AVIF", quality=95), LOSSY
    for name, (data, mean) in whole.items():
        shown = rgb(GREY) if name == "GIF" else PHOTO
        yield case(f"cut, {name}", "whole", data, shown, mean)
        for share in (0.02, 0.3, 0.6, 0.9, 0.97, 0.999):
            yield case(f"cut, {name}", f"at {share}", data[: int(len(data) * share)], shown, mean, sure=False)
        if not name.startswith(("JPEG", "BMP", "PPM")):  # which have no checksum: nobody can tell
            yield case(f"cut, {name}", "a byte lost", data[: len(data) // 2] + data[len(data) // 2 + 1 :], None)


def huge_claims() -> Iterator[Case]:
    """Headers that claim more than memory holds: refused by what they say."""
    for side in (20_000, 65_000, 2**31 - 1):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        body = chunk(b"IHDR", header) + chunk(b"IDAT", b"x\x9c\0") + chunk(b"IEND", b"")
        yield case("huge", f"PNG {side}", b"\x89PNG\r\n\x1a\n" + body, None)
        yield case("huge", f"BMP {side}", bmp([bytes(4)], side, 24)[:22] + struct.pack("<i", side) + bytes(40), None)
        yield case("huge", f"PPM {side}", b"P6\n%d %d\n255\n" % (side, side) + bytes(99), None)
        tags = [(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, 99)]
        directory = b"".join(struct.pack("<HHII", tag, form, 1, value) for tag, form, value in tags)
        yield case(
            "huge", f"TIFF {side}", b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + directory + bytes(4), None
        )
    jpeg = saved(PHOTO, "JPEG")
    at = jpeg.index(b"\xff\xc0")
    for side in (20_000, 65_000):
        yield case("huge", f"JPEG {side}", jpeg[: at + 5] + struct.pack(">HH", side, side) + jpeg[at + 9 :], None)
        gif = saved(GREY[..., 0], "GIF")
        yield case("huge", f"GIF {side}", gif[:6] + struct.pack("<HH", side, side) + gif[10:], None)
    webp = saved(Image.new("RGB", (16383, 16383)), "WEBP", lossless=True, method=0, quality=0)
    yield case("huge", "WebP 16383", webp, None)
