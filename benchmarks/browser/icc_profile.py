"""Small ICC profiles of known colour spaces, written by hand: what a photo in Display P3 or Adobe RGB carries.

Source: ICC.1:2001-04, a matrix profile: three primaries adapted to D50, one gamma for all channels.
"""

from __future__ import annotations

import struct

# Red, green and blue of each space, XYZ adapted to D50.
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
D50 = (0.9642, 1.0, 0.8249)
GAMMA = 2.2


def profile(primaries: tuple[tuple[float, float, float], ...]) -> bytes:
    """The profile's bytes, for ``Image.save(icc_profile=...)``."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(GAMMA * 256)) + b"\0\0"
    name = b"lariqa"
    named = b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name + b"\0" + bytes(78)
    tags = [(b"desc", named), (b"cprt", b"text\0\0\0\0none\0\0\0\0"), (b"wtpt", _xyz(D50))]
    tags += [(tag, _xyz(colour)) for tag, colour in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)]
    tags += [(tag, curve) for tag in (b"rTRC", b"gTRC", b"bTRC")]
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for tag, data in tags:
        data += bytes(-len(data) % 4)
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data
    kind = b"mntrRGB XYZ " + struct.pack(">6H", 2001, 1, 1, 0, 0, 0) + b"acsp"
    header = struct.pack(">I", start + len(body)) + bytes(4) + struct.pack(">I", 0x02400000) + kind + bytes(28)
    header += _xyz(D50)[8:]
    return header + bytes(128 - len(header)) + table + body


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)
