"""PNG, BMP and PPM in forms that Pillow does not write, by hand: the reader is not judged by its own library."""

from __future__ import annotations

import struct
import zlib

import numpy as np

ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG, with its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    samples: np.ndarray,
    colour: int,
    depth: int,
    interlaced: bool = False,
    before: tuple[bytes, ...] = (),
    after: tuple[bytes, ...] = (),
) -> bytes:
    """A PNG of ``samples``, (height, width, channels) below 2 ** depth, with chunks before and after the pixels."""
    height, width = samples.shape[:2]
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = [samples[top::down, left::along] for left, top, along, down in passes]
    raw = b"".join(b"\0" + _row(row, depth) for part in parts if part.size for row in part)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    body = [chunk(b"IHDR", header), *before, chunk(b"IDAT", zlib.compress(raw)), *after, chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def _row(row: np.ndarray, depth: int) -> bytes:
    if depth == 16:
        return row.astype(">u2").tobytes()
    if depth == 8:
        return row.astype(np.uint8).tobytes()
    bits = np.unpackbits(row.astype(np.uint8).reshape(-1, 1), axis=1)[:, -depth:]
    return np.packbits(bits.reshape(-1)).tobytes()


def bmp(
    rows: list[bytes],
    width: int,
    bits: int,
    *,
    palette: bytes = b"",
    compression: int = 0,
    masks: tuple[int, ...] = (),
    header_bytes: int = 40,
    top_down: bool = False,
) -> bytes:
    """A BMP of rows from the top, each filled up to four bytes unless it is run-length coded."""
    coded = compression in (1, 2)
    lines = rows if top_down or coded else rows[::-1]
    pixels = b"".join(line if coded else line + bytes(-len(line) % 4) for line in lines)
    height = len(rows)
    if header_bytes == 12:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        colours = len(palette) // 4
        header = struct.pack(
            "<IiiHHII", header_bytes, width, -height if top_down else height, 1, bits, compression, len(pixels)
        )
        header += struct.pack("<iiII", 2835, 2835, colours, colours)
    packed = struct.pack(f"<{len(masks)}I", *masks)
    if header_bytes > 40:
        header = (header + packed + (b"BGRs" if header_bytes > 56 else b"")).ljust(header_bytes, b"\0")
        packed = b""
    begin = 14 + len(header) + len(packed) + len(palette)
    return b"BM" + struct.pack("<IHHI", begin + len(pixels), 0, 0, begin) + header + packed + palette + pixels


def run_lengths(row: np.ndarray) -> bytes:
    """One line of 8-bit run lengths: pairs of count and value, then the end of the line."""
    return b"".join(bytes([1, value]) for value in row.tolist()) + b"\0\0"


def netpbm(samples: np.ndarray, kind: int, most: int, comment: bytes = b"") -> bytes:
    """P1 to P6: bitmap, grey, colour, each as text and as bytes; ``samples`` as (height, width, channels)."""
    height, width = samples.shape[:2]
    header = b"P%d\n%s%d %d\n" % (kind, comment, width, height) + (b"" if kind in (1, 4) else b"%d\n" % most)
    if kind <= 3:
        return header + b"\n".join(b" ".join(b"%d" % value for value in row.reshape(-1)) for row in samples) + b"\n"
    if kind == 4:
        return header + b"".join(np.packbits(row.reshape(-1)).tobytes() for row in samples)
    return header + samples.astype(">u2" if most > 255 else np.uint8).tobytes()


def float_map(grey: np.ndarray) -> bytes:
    """A PFM of one channel, little-endian, from the bottom."""
    height, width = grey.shape
    return b"Pf\n%d %d\n-1.0\n" % (width, height) + grey[::-1].astype("<f4").tobytes()
