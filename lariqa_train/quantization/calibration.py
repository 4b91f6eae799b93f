"""Calibration statistics: what the layers of a model see on some pictures, as rounding by outputs needs it (``gptq``).

An error that changes its sign from place to place is averaged away by the pooling at the model's end; one that stays
the same over a region is not. So a feature map counts by its averages over bands, and what varies within a band counts
for a tenth:

    H = mean over bands of m m^T  +  WITHIN * (mean over positions of x x^T  -  mean over bands of m m^T)

and each picture counts alike: its H is divided by the mean of its diagonal before they are added up. Otherwise the few
with the largest values would dominate, and those are the pictures least like what the model was trained on.

Source of H: Frantar et al., GPTQ (arXiv 2210.17323), Section 3, where every position counts alike. The bands halve the
error of the score (docs/experiments/precision.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from lariqa_train.model.hooks import watching

MOST_INPUTS = 2048  # per output, of a layer whose H is kept
WINDOW_PX = 64  # of a feature map, from each picture and layer
BANDS, LEAST_IN_BANDS = 16, 64  # of neighbouring positions; a map with fewer positions is one band
WITHIN = 0.1
LEAST_CURVATURE = 1e-12  # of a layer that sees zeros alone


@dataclass(frozen=True)
class LayerStatistics:
    """The inputs of one layer: their Hessian (second moments); of a very wide one (a KAN), the inputs themselves."""

    hessian: torch.Tensor | None = None  # (groups, inputs, inputs) float64, summed over the pictures
    vectors: torch.Tensor | None = None  # (pictures, inputs) float32


def input_columns(module: nn.Conv2d | nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """A layer's input as the vectors that its rows are multiplied with: (groups, inputs, positions)."""
    if isinstance(module, nn.Linear):
        return x.reshape(-1, x.shape[-1]).T[None]
    return convolved_columns(x, module.kernel_size, module.stride, module.padding, module.dilation, module.groups)


def convolved_columns(x: torch.Tensor, kernel, stride, padding, dilation, groups: int) -> torch.Tensor:
    """The same for a convolution of these settings; of a large map WINDOW_PX rows and columns."""
    height, width = x.shape[2:]
    rows, columns = min(height, WINDOW_PX), min(width, WINDOW_PX)
    if kernel == (1, 1):  # spread over the whole picture
        x = x[:, :, :: max(1, height // rows), :: max(1, width // columns)]
        return x.permute(1, 0, 2, 3).reshape(groups, x.shape[1] // groups, -1)
    top, left = (height - rows) // 2, (width - columns) // 2
    x = x[:, :, top : top + rows, left : left + columns]
    seen = F.unfold(x, kernel, dilation, padding, stride)  # (B, C k k, positions)
    return seen.permute(1, 0, 2).reshape(groups, seen.shape[1] // groups, -1)


def collect(
    layers: Mapping[str, nn.Module],
    run: Callable[[], None],
    columns: Callable[..., torch.Tensor] = input_columns,
) -> dict[str, LayerStatistics]:
    """Name -> what that layer saw; layers too wide over a map are left out.

    Args:
        layers: by name.
        run: runs the model they are part of, picture by picture.
        columns: (module, its input, its keyword arguments) -> (groups, inputs, positions).
    """
    hessians: dict[str, torch.Tensor] = {}
    vectors: dict[str, list[torch.Tensor]] = {}

    def see(name: str, module: nn.Module, given: tuple, named: Mapping[str, torch.Tensor]) -> None:
        seen = columns(module, given[0], **named)
        groups, wide, positions = seen.shape
        if wide > MOST_INPUTS:
            if groups == positions == 1:  # a wide convolution over a map would be thousands of vectors: left out
                vectors.setdefault(name, []).append(seen[0].T.clone())
        else:
            hessian = band_hessian(seen)
            hessian /= hessian.diagonal(dim1=1, dim2=2).mean().clamp_min(LEAST_CURVATURE)
            hessians[name] = hessians[name] + hessian if name in hessians else hessian

    with watching(layers, before=see), torch.inference_mode():
        run()
    seen = {name: LayerStatistics(hessian=hessian) for name, hessian in hessians.items()}
    return seen | {name: LayerStatistics(vectors=torch.cat(rows)) for name, rows in vectors.items()}


def band_hessian(columns: torch.Tensor) -> torch.Tensor:
    """(groups, inputs, positions) in the picture's order -> H (groups, inputs, inputs) of one picture, float64."""
    groups, inputs, positions = columns.shape
    everywhere = (columns @ columns.mT).double() / positions
    bands = BANDS if positions >= LEAST_IN_BANDS else 1
    whole = positions // bands * bands
    means = columns[:, :, :whole].double().reshape(groups, inputs, bands, -1).mean(3)
    between = means @ means.mT / bands
    return between + WITHIN * (everywhere - between)
