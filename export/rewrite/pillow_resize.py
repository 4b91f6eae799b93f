"""Pillow's antialiased bilinear resize as convolutions: the same bytes, from ops that every accelerator has.

Pillow resizes 8-bit images in integers (``Resample.c``); first along the width, then along the height (the order is
``lariqa.photos.views``'s promise; Pillow >= 13 left to itself may turn it),

    out_i = (2^21 + sum_j k_ij * in_j) >> 22,     k_ij = round(2^22 * triangle_ij / sum_j triangle_ij)

Floating point gets the same bytes if no sum ever needs more than the 24 bits of a float32. So k is cut in two,
k = 2^8 * a + b with |b| <= 2^7, and each part is one linear filter with weights exact in float32:

    hi = sum_j (a_ij / 2^14) in_j     a multiple of 2^-14 in 0..255:  22 bits
    lo = sum_j (b_ij / 2^22) in_j     a multiple of 2^-22 below 4:    24 bits  (checked for every filter)
    out = floor(hi) + floor((hi - floor(hi)) + lo + 1/2)

Every term is exact whatever the order of summation, with or without fused multiply-add: ONNX Runtime, LiteRT, Core
ML and PyTorch agree with Pillow bit for bit in float32. In float16 the result is within a level or two.

The filters, one output after another, repeat with the period Q of n_in / n_out = P / Q (in lowest terms):

    Q <= 16   one strided convolution with 2Q output channels, and small matrix products for the few border outputs,
              where Pillow renormalises the triangle            3840 -> 384: P/Q = 10/1;  2160 -> 384: 45/8
    else      bands of 16 outputs, each a matrix product of the slice of the input that it sees
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

PRECISION_BITS = 22  # Pillow: 32 bits, less 8 for the pixel, less 2 for headroom
LOW_BITS = 8
BAND = 16  # outputs per band, and the longest period worth a convolution of its own


@dataclass(frozen=True)
class Filters:
    """One axis of a resize: output i is ``sum_j weights[i, j] * input[j] / 2^22``, for first[i] <= j < last[i]."""

    n_in: int
    n_out: int
    weights: np.ndarray  # (n_out, n_in) int64
    first: np.ndarray  # (n_out,) first and last + 1 input that counts
    last: np.ndarray

    @property
    def period(self) -> tuple[int, int]:
        """(P, Q): the filters of outputs i and i + Q are alike, P inputs apart."""
        common = math.gcd(self.n_in, self.n_out)
        return self.n_in // common, self.n_out // common


def bilinear_filters(n_in: int, n_out: int) -> Filters:
    """Pillow's fixed-point triangle filters for n_in -> n_out samples.

    Source: Pillow, src/libImaging/Resample.c, precompute_coeffs and normalize_coeffs_8bpc.
    """
    scale = n_in / n_out
    support = max(scale, 1.0)
    weights = np.zeros((n_out, n_in), dtype=np.int64)
    first, last = np.zeros(n_out, dtype=np.int64), np.zeros(n_out, dtype=np.int64)
    for i in range(n_out):
        center = (i + 0.5) * scale  # in input samples
        first[i] = max(int(center - support + 0.5), 0)
        last[i] = min(int(center + support + 0.5), n_in)
        taps = np.arange(first[i], last[i])
        triangle = np.maximum(0.0, 1.0 - np.abs((taps - center + 0.5) * (1.0 / support)))
        # Pillow sums one by one in double precision; another order could round a weight the other way.
        total = 0.0
        for value in triangle:
            total += value
        weights[i, first[i] : last[i]] = np.floor(triangle / total * (1 << PRECISION_BITS) + 0.5).astype(np.int64)
    return Filters(n_in, n_out, weights, first, last)


def split_exactly(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fixed-point weights (..., taps) -> (hi, lo) float32 filters whose sums over 0..255 are exact; see the module."""
    high = np.floor_divide(weights + (1 << (LOW_BITS - 1)), 1 << LOW_BITS)
    low = weights - (high << LOW_BITS)
    if 255 * np.abs(low).sum(-1).max() >= 1 << 24 or 255 * np.abs(high).sum(-1).max() >= 1 << 24:
        raise ValueError(f"{weights.shape[-1]} taps: the sums do not fit 24 bits, the resize would not be exact")
    scaled = high / (1 << (PRECISION_BITS - LOW_BITS)), low / (1 << PRECISION_BITS)
    return scaled[0].astype(np.float32), scaled[1].astype(np.float32)


def round_as_pillow(hi: torch.Tensor, lo: torch.Tensor) -> torch.Tensor:
    """The two filter sums -> whole numbers 0..255, as Pillow's shift rounds them."""
    whole = torch.floor(hi)
    return whole + torch.floor((hi - whole) + lo + 0.5)


class PeriodicFilters(nn.Module):
    """All outputs of one axis as one convolution that steps a period at a time; right where the filter is typical."""

    def __init__(self, filters: Filters, axis: int) -> None:
        super().__init__()
        self.axis, self.n_out = axis, filters.n_out
        step, self.phases = filters.period
        self.steps = filters.n_out // self.phases
        kernel, offset = _typical_period(filters)
        # The convolution pads both ends alike: enough for the first period's left taps and the last one's right taps.
        pad = max(-offset, (self.steps - 1) * step + offset + kernel.shape[1] - filters.n_in, 0)
        hi, lo = split_exactly(np.pad(kernel, ((0, 0), (pad + offset, 0))))
        shape = (2 * self.phases, 1, 1, -1) if axis == 3 else (2 * self.phases, 1, -1, 1)
        self.register_buffer("kernel", torch.from_numpy(np.concatenate([hi, lo])).reshape(shape))
        self.stride, self.padding = ((1, step), (0, pad)) if axis == 3 else ((step, 1), (pad, 0))

    def forward(self, image: torch.Tensor) -> torch.Tensor:  # (3, 1, H, W)
        sums = F.conv2d(image, self.kernel, None, self.stride, self.padding)  # (3, 2 phases, H, steps) along the width
        out = cut(round_as_pillow(sums[:, : self.phases], sums[:, self.phases :]), self.axis, 0, self.steps)
        if self.phases == 1:
            return out
        if self.axis == 3:
            return out.permute(0, 2, 3, 1).reshape(3, 1, out.shape[2], self.n_out)
        return out.permute(0, 2, 1, 3).reshape(3, 1, self.n_out, out.shape[3])


class BandFilters(nn.Module):
    """Some neighbouring outputs of one axis as one matrix product of the slice of the input that they see."""

    def __init__(self, filters: Filters, rows: slice, axis: int) -> None:
        super().__init__()
        self.axis, self.count = axis, rows.stop - rows.start
        self.begin, self.end = int(filters.first[rows].min()), int(filters.last[rows].max())
        hi, lo = split_exactly(filters.weights[rows, self.begin : self.end])
        matrix = torch.from_numpy(np.concatenate([hi, lo]))  # (2 count, taps)
        # Along the height the matrix stands on the left; one copy for each plane saves the converters a broadcast.
        self.register_buffer("matrix", matrix.T.contiguous() if axis == 3 else matrix.repeat(3, 1, 1, 1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:  # (3, 1, H, W)
        seen = cut(image, self.axis, self.begin, self.end)
        sums = torch.matmul(seen, self.matrix) if self.axis == 3 else torch.matmul(self.matrix, seen)
        return round_as_pillow(cut(sums, self.axis, 0, self.count), cut(sums, self.axis, self.count, 2 * self.count))


class ResizeAxis(nn.Module):
    """One pass of Pillow's resize, along axis 3 (width) or 2 (height) of (3, 1, H, W) whole numbers."""

    def __init__(self, n_in: int, n_out: int, axis: int) -> None:
        super().__init__()
        self.axis = axis
        filters = bilinear_filters(n_in, n_out)
        odd = _not_periodic(filters)
        inner = np.flatnonzero(~odd)
        # The convolution serves outputs left..right - 1; those that Pillow clips at the borders go through bands.
        self.left, self.right = (int(inner[0]), int(inner[-1]) + 1) if len(inner) else (0, 0)
        periodic = filters.period[1] <= BAND and len(inner) > 0 and not odd[self.left : self.right].any()
        if not periodic:
            self.left = self.right = 0
        self.periodic = PeriodicFilters(filters, axis) if periodic else None
        self.before = nn.ModuleList(_bands(filters, 0, self.left, axis))
        self.after = nn.ModuleList(_bands(filters, self.right, n_out, axis))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        parts = [band(image) for band in self.before]
        if self.periodic is not None:
            parts.append(cut(self.periodic(image), self.axis, self.left, self.right))
        parts += [band(image) for band in self.after]
        return torch.cat(parts, self.axis) if len(parts) > 1 else parts[0]


class PillowResize(nn.Module):
    """(1, 3, height, width) whole numbers 0..255 in float32 -> (1, 3, side, side), what Pillow's BILINEAR gives."""

    def __init__(self, height: int, width: int, side: int) -> None:
        super().__init__()
        self.across = ResizeAxis(width, side, axis=3) if width != side else nn.Identity()
        self.down = ResizeAxis(height, side, axis=2) if height != side else nn.Identity()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.join([self.band(image)])

    def band(self, rows: torch.Tensor) -> torch.Tensor:
        """Some rows of the photo (1, 3, r, width) -> (3, 1, r, side): the first pass, which sees one row at a time."""
        return self.across(rows.permute(1, 0, 2, 3))  # one filter for every channel

    def join(self, bands: list[torch.Tensor]) -> torch.Tensor:
        """All bands, from top to bottom -> (1, 3, side, side): the second pass."""
        return self.down(torch.cat(bands, 2) if len(bands) > 1 else bands[0]).permute(1, 0, 2, 3)


def cut(image: torch.Tensor, axis: int, start: int, stop: int) -> torch.Tensor:
    """``image`` from ``start`` to ``stop`` along ``axis``; itself, and no operator, where that is all of it."""
    return image if (start, stop) == (0, image.shape[axis]) else image.narrow(axis, start, stop - start)


def _bands(filters: Filters, start: int, stop: int, axis: int) -> list[BandFilters]:
    """Outputs start..stop - 1, BAND at a time, whatever their filters."""
    return [BandFilters(filters, slice(at, min(at + BAND, stop)), axis) for at in range(start, stop, BAND)]


def _typical_period(filters: Filters) -> tuple[np.ndarray, int]:
    """The filters of the Q outputs in the middle of the axis, as (Q, taps), and where tap 0 lies in their period."""
    step, phases = filters.period
    middle = filters.n_out // phases // 2
    rows = slice(middle * phases, (middle + 1) * phases)
    begin, end = int(filters.first[rows].min()), int(filters.last[rows].max())
    return filters.weights[rows, begin:end], begin - middle * step


def _not_periodic(filters: Filters) -> np.ndarray:
    """(n_out,) whether each output's filter differs from the typical period's, shifted to its place."""
    step, phases = filters.period
    kernel, offset = _typical_period(filters)
    odd = np.zeros(filters.n_out, dtype=bool)
    for i in range(filters.n_out):
        begin = i // phases * step + offset
        inside = slice(max(begin, 0), min(begin + kernel.shape[1], filters.n_in))
        expected = np.zeros(filters.n_in, dtype=np.int64)
        expected[inside] = kernel[i % phases, inside.start - begin : inside.stop - begin]
        odd[i] = not np.array_equal(expected, filters.weights[i])
    return odd
