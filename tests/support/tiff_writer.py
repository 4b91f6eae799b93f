"""Writes TIFF files by hand, so that the reader is not judged by its own library's writer (TIFF 6.0).

Compression: none, PackBits (section 9), LZW (13), deflate (Adobe, technical note 2 of 2002). Predictor 2 is the
difference to the pixel on the left (14), predictor 3 the same for floating point, byte by byte (technical note 3).
"""

from __future__ import annotations

import struct
import zlib
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

ALPHA = 2  # of ExtraSamples: unassociated
PHOTOMETRICS = {"white is zero": 0, "grey": 1, "RGB": 2, "RGBA": 2, "CMYK": 5, "grey with alpha": 1}
SAMPLES = {"white is zero": 1, "grey": 1, "RGB": 3, "RGBA": 4, "CMYK": 4, "grey with alpha": 2}
SCALES = {"uint8": 1, "uint16": 257, "uint32": 257 * 65537, "float32": np.float32(1 / 255)}  # a level of 8 bits in it
DEPTHS = ("uint8", "uint16", "float32")
COMPRESSIONS = {"none": 1, "deflate": 8, "PackBits": 32773, "LZW": 5}
PREDICTED = " with predictor"  # after the name of a compression
USUAL = (tuple(PHOTOMETRICS)[:5], DEPTHS, ("none", "deflate"))  # what CI tries
EVERY = (  # what tests/sweeps tries
    tuple(PHOTOMETRICS),
    (*DEPTHS, "uint32"),
    (*COMPRESSIONS, f"LZW{PREDICTED}", f"deflate{PREDICTED}"),
)
TYPES = {"H": 3, "I": 4, "B": 7}  # struct's letter -> SHORT, LONG, UNDEFINED
TILE = 16  # px, sides of a tile are multiples of it


def variants(kinds_depths_compressions: tuple = USUAL) -> list[tuple]:
    """(kind, depth, compression, planes apart, byte order, in tiles); in EVERY, one plane may be called apart too."""
    every = product(*kinds_depths_compressions, (False, True), "<>", (False, True))
    return [given for given in every if kinds_depths_compressions is EVERY or not (given[3] and SAMPLES[given[0]] == 1)]


def photo_as(kind: str, depth: str, photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(samples for the writer, what a viewer shows) of a photo, (height, width, 3) uint8; alpha rises to the right."""
    alpha = np.tile(np.linspace(0, 255, photo.shape[1]).astype(np.uint8), (photo.shape[0], 1))[..., None]
    grey = photo[..., :1]
    levels = {
        "RGB": photo,
        "RGBA": np.concatenate([photo, alpha], -1),
        "CMYK": np.concatenate([255 - photo, alpha // 2], -1),
        "grey with alpha": np.concatenate([grey, alpha], -1),
    }.get(kind, grey)
    if kind == "RGB":
        shown = photo
    elif kind == "CMYK":
        shown = np.asarray(Image.fromarray(levels, kind).convert("RGB"))
    elif levels.shape[-1] in (2, 4):
        colours = np.repeat(grey, 3, -1) if kind == "grey with alpha" else photo
        rgba = Image.fromarray(np.concatenate([colours, alpha], -1), "RGBA")
        shown = np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, (255,) * 4), rgba).convert("RGB"))
    else:
        shown = np.repeat(255 - levels if kind == "white is zero" else levels, 3, -1)
    assert levels.shape[2] == SAMPLES[kind]
    return levels.astype(depth) * np.array(SCALES[depth], depth), shown


def write_tiff(
    path: Path,
    samples: np.ndarray,
    kind: str,
    compression: str,
    planes_apart: bool,
    order: str,
    in_tiles: bool,
    further: dict[int, tuple[str, list[int]]] | None = None,
) -> None:
    """Write ``samples``, (height, width, channels) of uint8, uint16, uint32 or float32."""
    compression, _, predicted = compression.partition(PREDICTED[:5])
    is_float = samples.dtype.kind == "f"
    height, width, channels = samples.shape
    planes = [samples[..., n : n + 1] for n in range(channels)] if planes_apart else [samples]
    pieces = [piece for plane in planes for piece in (_tiles(plane) if in_tiles else _strips(plane))]
    data = [_encoded(piece, compression, bool(predicted), order) for piece in pieces]
    offsets = [8 + sum(map(len, data[:n])) for n in range(len(data))]
    rows = 1 + height // 3
    tags = {
        256: ("H", [width]),
        257: ("H", [height]),
        258: ("H", [samples.dtype.itemsize * 8] * channels),
        259: ("H", [COMPRESSIONS[compression]]),
        262: ("H", [PHOTOMETRICS[kind]]),
        277: ("H", [channels]),
        284: ("H", [2 if planes_apart else 1]),
        339: ("H", [3 if is_float else 1] * channels),
    }
    tags |= {338: ("H", [ALPHA])} if kind in ("RGBA", "grey with alpha") else {}
    tags |= {317: ("H", [3 if is_float else 2])} if predicted else {}
    tags |= further or {}
    tags |= (
        {322: ("H", [TILE]), 323: ("H", [TILE]), 324: ("I", offsets), 325: ("I", list(map(len, data)))}
        if in_tiles
        else {273: ("I", offsets), 278: ("H", [rows]), 279: ("I", list(map(len, data)))}
    )
    body = b"".join(data)
    body += b"\0" * (len(body) % 2)
    directory, after = b"", 8 + len(body) + 2 + 12 * len(tags) + 4
    extra = b""
    for tag, (form, values) in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}{form}", *values)
        if len(packed) > 4:
            place, extra = after + len(extra), extra + packed + b"\0" * (len(packed) % 2)
            packed = struct.pack(f"{order}I", place)
        directory += struct.pack(f"{order}HHI", tag, TYPES[form], len(values)) + packed.ljust(4, b"\0")
    begin = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + len(body))
    path.write_bytes(begin + body + struct.pack(f"{order}H", len(tags)) + directory + bytes(4) + extra)


def _encoded(piece: np.ndarray, compression: str, predicted: bool, order: str) -> bytes:
    """One strip or tile, (rows, columns, samples), as it lies in the file."""
    bits = piece.dtype.newbyteorder(order)
    if predicted and piece.dtype.kind == "f":  # the highest bytes of a row first, whatever the byte order
        rows = piece.astype(">f4").view(np.uint8).reshape(*piece.shape, 4)
        rows = rows.transpose(0, 3, 1, 2).reshape(len(piece), -1, piece.shape[2])
        raw = np.concatenate([rows[:, :1], np.diff(rows, axis=1)], 1).tobytes()
    elif predicted:
        raw = np.concatenate([piece[:, :1], np.diff(piece, axis=1)], 1).astype(bits).tobytes()
    else:
        raw = piece.astype(bits).tobytes()
    row_bytes = len(raw) // len(piece)
    return {"none": bytes, "deflate": zlib.compress, "LZW": _lzw}.get(
        compression, lambda raw: b"".join(_pack_bits(raw[at : at + row_bytes]) for at in range(0, len(raw), row_bytes))
    )(raw)


def _pack_bits(row: bytes) -> bytes:
    """Literals alone, but for runs that fill the row: both kinds of packet, no search."""
    if len(set(row)) == 1 and len(row) <= 128:
        return bytes([257 - len(row), row[0]]) if len(row) > 1 else bytes([0, row[0]])
    return b"".join(bytes([len(row[at : at + 128]) - 1]) + row[at : at + 128] for at in range(0, len(row), 128))


def _lzw(raw: bytes) -> bytes:
    """Codes of 9..12 bits, the highest bit first; a code grows one entry early (TIFF 6.0, p. 60)."""
    clear, end, bits, held = 256, 257, 0, 0
    codes, out, width = {bytes([n]): n for n in range(256)}, bytearray(), 9

    def put(code: int) -> None:
        nonlocal bits, held
        held, bits = held << width | code, bits + width
        while bits >= 8:
            bits -= 8
            out.append(held >> bits & 255)
            held &= (1 << bits) - 1

    put(clear)
    prefix, size = b"", 258
    for n in range(len(raw)):
        longer = prefix + raw[n : n + 1]
        if longer in codes:
            prefix = longer
            continue
        put(codes[prefix])
        codes[longer], size, prefix = size, size + 1, raw[n : n + 1]
        width = max(9, size.bit_length())
        if size == 4094:
            put(clear)
            codes, size, width = {bytes([n]): n for n in range(256)}, 258, 9
    put(codes[prefix])
    width = max(9, (size + 1).bit_length())
    put(end)
    if bits:
        out.append(held << (8 - bits) & 255)
    return bytes(out)


def _strips(plane: np.ndarray) -> list[np.ndarray]:
    rows = 1 + len(plane) // 3
    return [plane[at : at + rows] for at in range(0, len(plane), rows)]


def _tiles(plane: np.ndarray) -> list[np.ndarray]:
    height, width = plane.shape[:2]
    padded = np.pad(plane, ((0, -height % TILE), (0, -width % TILE), (0, 0)))
    return [
        padded[top : top + TILE, left : left + TILE] for top in range(0, height, TILE) for left in range(0, width, TILE)
    ]
