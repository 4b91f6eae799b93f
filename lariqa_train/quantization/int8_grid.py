"""A weight in int8: one scale for each output channel, symmetric, so that zero stays zero.

    scale_c = max |w_c| / 127        q = round(w / scale)        w ~ q scale

All three writers use the same numbers: LiteRT's and Core ML's own tools round likewise (``tests/test_precision.py``
holds them against each other).
"""

from __future__ import annotations

import numpy as np


def quantise(weight: np.ndarray, axis: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(q int8 in -127..127 of the weight's shape, scale float32 that broadcasts against it).

    Args:
        weight: float32, at least one axis.
        axis: of the output channels.
    """
    others = tuple(n for n in range(weight.ndim) if n != axis)
    largest = np.abs(weight).max(axis=others, keepdims=True)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.clip(np.rint(weight / scale), -127, 127).astype(np.int8), scale
