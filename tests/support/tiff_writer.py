"""Writes TIFF files by hand, so that the reader is not judged by its own library's writer (TIFF 6.0)."""

from __future__ import annotations

import struct
import zlib
from itertools import product
from pathlib import Path

import numpy as np

ALPHA = 2  # of ExtraSamples: unassociated
PHOTOMETRICS = {"white is zero": 0, "grey": 1, "RGB": 2, "RGBA": 2, "CMYK": 5}
SAMPLES = {"white is zero": 1, "grey": 1, "RGB": 3, "RGBA": 4, "CMYK": 4}
DEPTHS = ("uint8", "uint16", "float32")
COMPRESSIONS = {"none": 1, "deflate": 8}
TILE = 16  # px, sides of a tile are multiples of it


def variants() -> list[tuple]:
    """(kind, depth, compression, planes apart, byte order, in tiles)."""
    every = product(PHOTOMETRICS, DEPTHS, COMPRESSIONS, (False, True), "<>", (False, True))
    return [given for given in every if not (given[3] and SAMPLES[given[0]] == 1)]


def write_tiff(
    path: Path, samples: np.ndarray, kind: str, compression: str, planes_apart: bool, order: str, in_tiles: bool
) -> None:
    """Write ``samples``, (height, width, channels) of uint8, uint16 or float32."""
    height, width, channels = samples.shape
    planes = [samples[..., n : n + 1] for n in range(channels)] if planes_apart else [samples]
    pieces = [piece for plane in planes for piece in (_tiles(plane) if in_tiles else _strips(plane))]
    data = [piece.astype(piece.dtype.newbyteorder(order)).tobytes() for piece in pieces]
    data = [zlib.compress(piece) for piece in data] if compression == "deflate" else data
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
        339: ("H", [3 if samples.dtype.kind == "f" else 1] * channels),
    }
    tags |= {338: ("H", [ALPHA])} if kind == "RGBA" else {}
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
        directory += struct.pack(f"{order}HHI", tag, 3 if form == "H" else 4, len(values)) + packed.ljust(4, b"\0")
    begin = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + len(body))
    path.write_bytes(begin + body + struct.pack(f"{order}H", len(tags)) + directory + bytes(4) + extra)


def _strips(plane: np.ndarray) -> list[np.ndarray]:
    rows = 1 + len(plane) // 3
    return [plane[at : at + rows] for at in range(0, len(plane), rows)]


def _tiles(plane: np.ndarray) -> list[np.ndarray]:
    height, width = plane.shape[:2]
    padded = np.pad(plane, ((0, -height % TILE), (0, -width % TILE), (0, 0)))
    return [
        padded[top : top + TILE, left : left + TILE] for top in range(0, height, TILE) for left in range(0, width, TILE)
    ]
