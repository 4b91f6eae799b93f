"""A PNG without the chunks that no pixel depends on: what is wrong with a colour profile is no fault of the picture.

Pillow refuses a file whose text is longer than a megabyte, whose gamma has an odd length, or whose profile has a wrong
checksum. Browsers show them all: libpng discards an ancillary chunk that is damaged (PNG specification, third edition,
5.3, 13.2: lower-case first letter = ancillary). So only these go on to the decoder:

    critical chunks   upper-case first letter; their checksums count
    tRNS              transparency
    eXIf              orientation; older writers put it into text under two known keywords
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
NEEDED = (b"tRNS", b"eXIf")
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
KEYWORDS = (b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")
LENGTHS = {b"acTL": 8, b"fcTL": 26}  # of an animation and of one frame of it
LONGEST_TEXT = 1 << 19  # bytes, as stored; Pillow refuses a megabyte unpacked


def pixel_chunks(stream: BinaryIO) -> io.BytesIO:
    """The file from its beginning, without what the pixels do not need; a cut file is cut in the same place."""
    kept = io.BytesIO()
    kept.write(stream.read(len(SIGNATURE)))
    while len(header := stream.read(8)) == 8:
        length, name = struct.unpack(">I4s", header)
        body = stream.read(length + 4)
        if len(body) < length + 4 or _is_needed(name, body):
            kept.write(header + body)
        if name == b"IEND":
            break
    else:
        kept.write(header)
    kept.seek(0)
    return kept


def still_is_no_frame(stream: BinaryIO) -> bool:
    """Whether it is an animation that leaves its still picture out: browsers show a picture that Pillow does not open.

    Chunks of an animation that are damaged are passed over, as browsers do.
    """
    animated = still_seen = False
    stream.seek(len(SIGNATURE), io.SEEK_CUR)
    while len(header := stream.read(8)) == 8:
        length, name = struct.unpack(">I4s", header)
        if length == LENGTHS.get(name):
            body = stream.read(length + 4)
            sound = zlib.crc32(name + body[:-4]) == int.from_bytes(body[-4:], "big")
            if sound and name == b"fcTL":  # the first one: before the still picture, it makes that the first frame
                return animated and still_seen
            animated = animated or (sound and not still_seen)
            continue
        still_seen = still_seen or name == b"IDAT"
        stream.seek(length + 4, io.SEEK_CUR)
    return False


def _is_needed(name: bytes, body: bytes) -> bool:
    if name[:1].isupper():
        return True
    named = name in NEEDED or (name in TEXTS and body.startswith(KEYWORDS) and len(body) < LONGEST_TEXT)
    return named and zlib.crc32(name + body[:-4]) == int.from_bytes(body[-4:], "big")
