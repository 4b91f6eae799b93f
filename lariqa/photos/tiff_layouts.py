"""Layouts of a TIFF that Pillow decodes to other pixels without a word, so that they are refused.

Found by writing every layout by hand and comparing the pixels (``python -m tests.sweeps.photo_sweep``), with Pillow
11.3 to 13. Where planes are stored one after another (PlanarConfiguration 2) and not compressed, Pillow cuts the name
of its raw mode into letters, one for each plane; what stands behind them (16 bits, inverted, reversed bits) is lost.
"""

from __future__ import annotations

from PIL import Image

BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 258, 259, 262, 266  # TIFF tags
SAMPLES, PLANAR, SAMPLE_FORMAT = 277, 284, 339
APART, FLOAT, REVERSED = 2, 3, 2  # values of PLANAR, SAMPLE_FORMAT and FILL_ORDER
BLACK_IS_ZERO, PALETTE = 1, 3  # values of PHOTOMETRIC


def misread_layout(image: Image.Image) -> str:
    """What is misread in an opened TIFF, in words; empty: nothing that is known."""
    tags = image.tag_v2
    compressed, samples = tags.get(COMPRESSION, 1) != 1, tags.get(SAMPLES, 1)
    depth = max(tags.get(BITS_PER_SAMPLE, (1,)))
    if tags.get(PLANAR) == APART:
        if samples == 2:
            return "grey and transparency as planes stored one after another"
        plain = tags.get(FILL_ORDER, 1) != REVERSED
        if samples > 1 and not compressed and depth > 8:
            return "planes of 16 bits stored one after another without compression"
        if samples == 1 and not compressed:  # one plane: the tag should mean nothing
            plain = plain and (depth, tags.get(PHOTOMETRIC)) in ((8, BLACK_IS_ZERO), (8, PALETTE), (1, BLACK_IS_ZERO))
        if not compressed and not plain:
            return "uncompressed planes that are inverted, of reversed bits or not of 8 bits"
    if tags.prefix == b"MM" and compressed and FLOAT in tags.get(SAMPLE_FORMAT, ()):
        return "compressed floating-point values in big-endian order"
    return ""
