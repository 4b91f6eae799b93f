"""Choices between equal graphs, for the runtime that will run the file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GraphOptions:
    """Each option changes how the score is computed, never what it is."""

    gate_in_weights: bool = True  # else the widened picture is multiplied by the gate
    crop_by_convolution: bool = False  # rows cut by a filter that copies, where a slice would leave a blocked layout
    floats_before_planes: bool = False  # bytes become floats before they become planes
    sums_last: bool = False  # a gated block's groups all stand before their sums
    camera_function: bool = False  # a second function in the file that takes pixel buffers, where the format knows it
    zeros_by_convolution: bool = False  # zeros around a picture by a filter that copies, where padding is slow
