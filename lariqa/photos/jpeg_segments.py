"""A JPEG without the segments that no pixel depends on, for files that Pillow does not open because of them.

Pillow reads JFIF's version, Photoshop's resolution and the list of an MPO while it opens a file, and gives up where one
is too short. Viewers pass over what they do not understand (ISO 10918-1, B.2.4.6). What the pixels need is kept:

    APP1    with EXIF: orientation
    APP14   Adobe: which colours the components are
    all that is no APP segment and no comment, and everything from the first scan on
"""

from __future__ import annotations

import io
from typing import BinaryIO

START = b"\xff\xd8"
SCAN, COMMENT, ADOBE, EXIF = 0xDA, 0xFE, 0xEE, b"Exif\0\0"
APPS = range(0xE0, 0xF0)


def pixel_segments(stream: BinaryIO) -> io.BytesIO:
    """The file from its beginning; a cut file is cut in the same place."""
    kept = io.BytesIO()
    kept.write(stream.read(len(START)))
    while len(header := stream.read(4)) == 4 and header[0] == 0xFF and header[1] != SCAN:
        body = stream.read(max(0, int.from_bytes(header[2:], "big") - 2))
        is_metadata = header[1] in APPS or header[1] == COMMENT
        if not is_metadata or header[1] == ADOBE or body.startswith(EXIF):
            kept.write(header + body)
    kept.write(header + stream.read())
    kept.seek(0)
    return kept
