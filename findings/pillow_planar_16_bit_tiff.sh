#!/usr/bin/env bash
# Pillow 12.0.0 opens an uncompressed RGB TIFF of 16 bits whose planes are stored one after another (PlanarConfiguration
# 2) and decodes other pixels, without an exception or a warning: each plane is read as 8-bit samples. The same samples
# stored side by side are decoded rightly; so they are in separate planes with Deflate, which libtiff unpacks. And a
# big-endian float32 TIFF is right uncompressed, while compressed with Deflate its bytes are swapped once too often.
#
# Seen on Linux x86-64, Python 3.11, Pillow 12.0.0, numpy 2.4.6 (a grey ramp from 0 to 255; worst error in levels):
#     16 bits, side by side, uncompressed: 0
#     16 bits, planes apart, uncompressed: 128
#     16 bits, planes apart, Deflate: 0
#     float32 big-endian, uncompressed: equal
#     float32 big-endian, Deflate: other values
# A reader that must not guess checks the tags (284, 258, 259, 339) before it trusts the pixels.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pillow==12.0.0 numpy==2.4.6
cat > "$work/planes.py" <<'PY'
import io
import struct
import warnings
import zlib

import numpy as np
from PIL import Image

warnings.simplefilter("error")


def tiff(samples, apart, deflate, order="<"):
    """One strip a plane."""
    height, width, channels = samples.shape
    planes = [samples[..., n] for n in range(channels)] if apart else [samples]
    data = [plane.astype(plane.dtype.newbyteorder(order)).tobytes() for plane in planes]
    data = [zlib.compress(piece) if deflate else piece for piece in data]
    at = [8 + sum(map(len, data[:n])) for n in range(len(data))]
    body = b"".join(data)
    body += bytes(len(body) % 2)
    tags = {
        256: ("H", [width]), 257: ("H", [height]), 258: ("H", [8 * samples.itemsize] * channels),
        259: ("H", [8 if deflate else 1]), 262: ("H", [2 if channels == 3 else 1]), 273: ("I", at),
        277: ("H", [channels]), 278: ("H", [height]), 279: ("I", [len(piece) for piece in data]),
        284: ("H", [2 if apart else 1]), 339: ("H", [3 if samples.dtype.kind == "f" else 1] * channels),
    }
    entries, extra, after = b"", b"", 8 + len(body) + 2 + 12 * len(tags) + 4
    for tag, (form, values) in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}{form}", *values)
        if len(packed) > 4:
            place, extra = after + len(extra), extra + packed
            packed = struct.pack(f"{order}I", place)
        entries += struct.pack(f"{order}HHI", tag, 3 if form == "H" else 4, len(values)) + packed.ljust(4, b"\0")
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + len(body))
    return io.BytesIO(head + body + struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + extra)


ramp = np.tile(np.arange(256, dtype=np.uint8)[:, None], (1, 3))[None].repeat(4, 0)
deep = ramp.astype(np.uint16) * 257
lines = []
for name, apart, deflate in (("side by side, uncompressed", 0, 0), ("planes apart, uncompressed", 1, 0), ("planes apart, Deflate", 1, 1)):
    found = np.asarray(Image.open(tiff(deep, apart, deflate)).convert("RGB"))
    lines.append(f"16 bits, {name}: {np.abs(found.astype(int) - ramp).max()}")
values = np.linspace(0, 1, 256, dtype=np.float32)[None, :, None].repeat(4, 0)
for name, deflate in (("uncompressed", 0), ("Deflate", 1)):
    found = np.asarray(Image.open(tiff(values, 0, deflate, ">")))
    lines.append(f"float32 big-endian, {name}: {'equal' if np.array_equal(found, values[..., 0]) else 'other values'}")
print("\n".join(lines))
PY
found=$("$work/venv/bin/python" "$work/planes.py")
echo "$found"
expected="16 bits, side by side, uncompressed: 0
16 bits, planes apart, uncompressed: 128
16 bits, planes apart, Deflate: 0
float32 big-endian, uncompressed: equal
float32 big-endian, Deflate: other values"
[ "$found" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
