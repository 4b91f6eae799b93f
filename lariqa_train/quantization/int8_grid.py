"""The int8 grid of a weight: one step for each output channel, symmetric, so that zero stays zero.

    step_c = max |w_c| / 127        q = round(w / step), in -127..127        w ~ q step

The one place for these two lines: training (``qat``), rounding by outputs (``gptq``) and all three writers use them.
LiteRT's and Core ML's own tools round likewise (``tests/export/formats/test_quantize.py`` compares them).
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch

LARGEST = 127  # steps on either side of zero

Array = TypeVar("Array", np.ndarray, torch.Tensor)


def step_of(largest: Array) -> Array:
    """Largest |w| of each channel, float32 -> its step; 1 for a channel of zeros."""
    step = largest / LARGEST
    return step + (step == 0)


def in_steps(weight: Array, step: Array) -> Array:
    """Weight -> whole numbers of steps, as floats; halves to the even one."""
    return (weight / step).round().clip(-LARGEST, LARGEST)


def quantise(weight: np.ndarray, axis: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(q int8 of the weight's shape, step float32 that broadcasts against it).

    Args:
        weight: float32, at least one axis.
        axis: of the output channels.
    """
    others = tuple(n for n in range(weight.ndim) if n != axis)
    step = step_of(np.abs(weight).max(axis=others, keepdims=True))
    return in_steps(weight, step).astype(np.int8), step
