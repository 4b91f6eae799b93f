"""Photos whose metadata is damaged at random, never their pixels: EXIF, ICC, XMP, text, IPTC, comments, animation.

Each is the photo as it was, or turned as its damaged orientation says, or refused: metadata that a viewer ignores is no
fault of the picture. Which orientation a damaged EXIF gives is told by a reader of our own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, TiffImagePlugin, features

from lariqa.photos.golden import golden_photo
from tests.support.handwritten_pictures import chunk
from tests.sweeps.judge import Case
from tests.sweeps.odd_pictures import LOSSY, TURNS, saved

PHOTO = golden_photo(72, 94)
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
    b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">'
    b"<dc:title>photo</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>" + b" " * 400 + b'<?xpacket end="w"?>'
)
PROFILE = bytes(range(256)) * 12
NAMES = {b"eXIf", b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"gAMA", b"cHRM", b"pHYs", b"tIME", b"sBIT", b"sRGB", b"bKGD"}
SIZES = {"JPEG": ">H", "MPO": ">H", "PNG": ">I"}  # kind -> how a segment's length is written before it
FORMS = {1: "B", 3: "H", 4: "I"}  # TIFF's BYTE, SHORT, LONG
WAYS = ("bytes", "zeros", "ones", "cut", "swapped")


def cases(files: int, seed: int) -> Iterator[Case]:
    """That many, the kinds in turn; the same seed gives the same damage."""
    bases = photographs()
    for number in range(files):
        random = np.random.default_rng((seed, number))
        kind = list(bases)[number % len(bases)]
        data, places, mean = bases[kind]
        if random.random() < 0.1 and (at := where_orientation(data)):
            damaged, way = data[:at] + turned(random) + data[at + 2 :], "orientation"
            damaged = with_checksums(damaged, places) if kind == "PNG" else damaged
        elif kind in SIZES and random.random() < 0.2:
            damaged, way = resized(kind, data, places, random), "another length"
        else:
            damaged, way = damage(data, places, random)
            if kind == "PNG" and random.random() < 0.7:
                damaged = with_checksums(damaged, places)
        shown = TURNS[orientation(kind, damaged)](PHOTO)
        yield Case(f"damaged, {kind}", f"no. {number}, {way}", lambda path, d=damaged: path.write_bytes(d), shown, mean)


def photographs() -> dict[str, tuple[bytes, list[tuple[int, int]], float]]:
    """Kind -> (the file, where its metadata lies, what a lossy format may differ)."""
    exif = rich_exif()
    photo = Image.fromarray(PHOTO)
    given = {"exif": exif, "icc_profile": PROFILE, "xmp": XMP}
    jpeg = saved(photo, "JPEG", quality=95, comment=b"a comment " * 30, dpi=(72, 72), **given)
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x14\x1c\x02\x05\0\x0fthe title of it"
    jpeg = jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc + jpeg[2:]
    two = saved(photo, "MPO", quality=95, save_all=True, append_images=[Image.fromarray(255 - PHOTO)], exif=exif)
    png = rich_png(exif)
    webp = saved(photo, "WEBP", lossless=True, exif=exif[6:], icc_profile=PROFILE, xmp=XMP)
    made = {
        "JPEG": (jpeg, jpeg_places(jpeg), LOSSY),
        "MPO": (two, jpeg_places(two), LOSSY),
        "PNG": (png, png_places(png), 0.0),
        "WebP": (webp, webp_places(webp), 0.0),
        "TIFF": (*rich_tiff(), 0.0),
    }
    if features.check("avif"):
        avif = saved(photo, "AVIF", quality=95, exif=exif[6:], icc_profile=PROFILE, xmp=XMP)
        made["AVIF"] = (avif, [place for part in (exif[6:], PROFILE, XMP) for place in spans(avif, part)], LOSSY)
    return made


def rich_exif() -> bytes:
    """Many tags, a thumbnail's directory, GPS, a maker's note; upright."""
    rational = TiffImagePlugin.IFDRational
    exif = Image.Exif()
    exif[274], exif[271], exif[272], exif[282] = 1, "Maker " * 6, "Model", rational(72, 1)
    exif[306] = "2024:02:03 04:05:06"
    exif.get_ifd(34665).update({33434: rational(1, 60), 37500: bytes(range(200)), 37510: b"ASCII\0\0\0comment"})
    exif.get_ifd(34853).update({1: "N", 2: (rational(1, 2), rational(3, 4), rational(5, 6))})
    return exif.tobytes()


def rich_png(exif: bytes) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Title", "a title" * 20)
    text.add_text("Comment", "compressed " * 50, zip=True)
    text.add_itxt("Author", "Jürgen" * 9, zip=True)
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    for name, body in {b"gAMA": 4, b"cHRM": 32, b"tIME": 7, b"sBIT": 3, b"bKGD": 6}.items():
        text.add(name, bytes([1]) * body)
    return saved(Image.fromarray(PHOTO), "PNG", pnginfo=text, exif=exif[6:], icc_profile=PROFILE, dpi=(72, 72))


def rich_tiff() -> tuple[bytes, list[tuple[int, int]]]:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    texts = {
        270: "a description " * 9,
        271: "Maker",
        305: "Software " * 5,
        306: "2024:02:03 04:05:06",
        315: "Artist" * 7,
    }
    for tag, text in texts.items():
        tags[tag] = text
    tags[700], tags.tagtype[700] = XMP, 1
    tags[33723], tags.tagtype[33723] = bytes(range(100)), 7
    data = saved(Image.fromarray(PHOTO), "TIFF", tiffinfo=tags, icc_profile=PROFILE)
    parts = [*(text.encode() for text in texts.values()), XMP, bytes(range(100)), PROFILE]
    return data, [place for part in parts for place in spans(data, part)]


def spans(data: bytes, part: bytes) -> list[tuple[int, int]]:
    """Where this lies in a file: (first, behind)."""
    at = data.find(part)
    return [(at, at + len(part))] if at >= 0 else []


def jpeg_places(data: bytes) -> list[tuple[int, int]]:
    """What APP segments and comments hold before the pixels; not Adobe's APP14, which names the colours."""
    at, places = 2, []
    while data[at + 1] != 0xDA:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == 0xFE or (0xE0 <= data[at + 1] <= 0xEF and data[at + 1] != 0xEE):
            places.append((at + 4, at + 2 + size))
        at += 2 + size
    return places


def png_places(data: bytes) -> list[tuple[int, int]]:
    at, places = 8, []
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        if name in NAMES:
            places.append((at + 8, at + 8 + size))
        at += 12 + size
    return places


def webp_places(data: bytes) -> list[tuple[int, int]]:
    at, places = 12, []
    while at < len(data):
        name, size = struct.unpack("<4sI", data[at : at + 8])
        if name in (b"EXIF", b"XMP ", b"ICCP"):
            places.append((at + 8, at + 8 + size))
        at += 8 + size + size % 2
    return places


def damage(data: bytes, places: list[tuple[int, int]], random: np.random.Generator) -> tuple[bytes, str]:
    """(the file with one to three places of its metadata damaged, how); its length and its structure stay."""
    made, ways = bytearray(data), []
    for _ in range(random.integers(1, 4)):
        first, behind = places[random.integers(len(places))]
        size = behind - first
        way = WAYS[random.integers(len(WAYS))]
        start = (
            first + int(random.integers(size)) if random.random() < 0.5 else first + int(random.integers(min(size, 64)))
        )
        count = int(min(behind - start, random.choice([1, 2, 4, 16, 200])))
        if way == "bytes":
            made[start : start + count] = random.bytes(count)
        elif way == "cut":  # the rest is nothing
            made[start:behind] = bytes(behind - start)
        elif way == "swapped":
            made[start : start + count] = made[start : start + count][::-1]
        else:
            made[start : start + count] = (b"\0" if way == "zeros" else b"\xff") * count
        ways.append(way)
    return bytes(made), "+".join(ways)


def with_checksums(data: bytes, places: list[tuple[int, int]]) -> bytes:
    """A PNG whose damaged chunks are, by their checksums, whole."""
    made = bytearray(data)
    for first, behind in places:
        made[behind : behind + 4] = struct.pack(">I", zlib.crc32(bytes(made[first - 4 : behind])))
    return bytes(made)


def turned(random: np.random.Generator) -> bytes:
    """An orientation in either byte order, or a number that is none."""
    value = int(random.integers(12))
    return bytes([0, value]) if random.random() < 0.5 else bytes([value, 0])


def where_orientation(data: bytes) -> int:
    """Where the value of EXIF's orientation lies; 0: nowhere."""
    for entry in (b"\x12\x01\x03\0\x01\0\0\0", b"\x01\x12\0\x03\0\0\0\x01"):
        if entry in data:
            return data.index(entry) + len(entry)
    return 0


def resized(kind: str, data: bytes, places: list[tuple[int, int]], random: np.random.Generator) -> bytes:
    """One segment made shorter or longer, with its length and its checksum as they should be."""
    first, behind = places[random.integers(len(places))]
    size = int(random.integers(1 + 2 * min(behind - first, 2000)))
    body = (data[first:behind] + random.bytes(size))[:size]
    if kind == "PNG":
        return data[: first - 8] + chunk(data[first - 4 : first], body) + data[behind + 4 :]
    return data[: first - 2] + struct.pack(">H", size + 2) + body + data[behind:]


def orientation(kind: str, data: bytes) -> int:
    """What the EXIF of a damaged file says; 1 where it says nothing that can be meant."""
    if kind in ("JPEG", "MPO"):
        found = (data[first:behind] for first, behind in jpeg_places(data))
        found = (segment[6:] for segment in found if segment.startswith(b"Exif\0\0"))
    elif kind == "PNG":
        found = (
            data[first:behind]
            for first, behind in png_places(data)
            if data[first - 4 : first] == b"eXIf" and with_checksums(data, [(first, behind)]) == data
        )
    elif kind == "WebP":
        found = (data[first:behind] for first, behind in webp_places(data) if data[first - 8 : first - 4] == b"EXIF")
    else:  # TIFF: its own tag, which is not damaged; AVIF: its own property, EXIF does not count
        return 1
    exif = next(found, b"")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    (at,) = struct.unpack(order + "I", exif[4:8].ljust(4, b"\0"))
    (entries,) = struct.unpack(order + "H", exif[at : at + 2].ljust(2, b"\0"))
    for number in range(entries):
        entry = exif[at + 2 + 12 * number : at + 14 + 12 * number]
        if len(entry) < 12:
            break
        tag, form, count = struct.unpack(order + "HHI", entry[:8])
        if tag == 274 and count == 1 and form in FORMS:
            (value,) = struct.unpack(order + FORMS[form], entry[8 : 8 + struct.calcsize(FORMS[form])])
            return value if value in TURNS else 1
    return 1
