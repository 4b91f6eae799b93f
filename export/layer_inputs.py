"""What the layers of a model see on some pictures, as rounding their weights needs it (``rounding``).

An error that changes its sign from place to place is averaged away by the pooling at the model's end; one that stays
the same over a region is not. So a feature map counts by its averages over bands, and what varies within a band counts
for a tenth:

    H = mean over bands of m m^T  +  WITHIN * (mean over positions of x x^T  -  mean over bands of m m^T)

and each picture counts alike: its H is divided by the mean of its diagonal before they are added up. Else the few with
the largest numbers decide for all, and these are the ones that the model knows least.

Source of H: Frantar et al., GPTQ (arXiv 2210.17323), Section 3, where every position counts alike. The bands halve the
error of the score (docs/experiments.md, "Precision").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from export.export_ready import ExportReady
from export.fused_kan import FusedKanLinear
from export.mobile_blocks import ConvLayer

MOST_INPUTS = 2048  # per output, of a layer whose H is kept
WINDOW_PX = 64  # of a feature map, from each picture and layer
BANDS, LEAST_IN_BANDS = 16, 64  # of neighbouring positions; a map with fewer positions is one band
WITHIN = 0.1
LEAST_MOMENT = 1e-12  # of a layer that sees zeros alone


@dataclass(frozen=True)
class SeenInputs:
    """The inputs of one layer: their second moments; of a layer too wide for that (a KAN), the inputs themselves."""

    moment: torch.Tensor | None = None  # (groups, inputs, inputs) float64, summed over the pictures
    vectors: torch.Tensor | None = None  # (pictures, inputs) float32


def see_inputs(
    ready: ExportReady, names: Iterable[str], pictures: Iterable[Mapping[str, torch.Tensor]]
) -> dict[str, SeenInputs]:
    """Module name -> what it saw on all pictures.

    Args:
        ready: batch norms folded.
        names: of the modules asked for; layers of an unknown kind, or too wide over a map, are left out.
        pictures: inputs of ``ready``, by name.
    """
    kinds = nn.Conv2d | nn.Linear | ConvLayer | FusedKanLinear
    layers = {name: module for name in names if isinstance(module := ready.get_submodule(name), kinds)}
    moments: dict[str, torch.Tensor] = {}
    vectors: dict[str, list[torch.Tensor]] = {}

    def see(name: str, module: nn.Module, x: torch.Tensor, factors: torch.Tensor | None = None) -> None:
        x = x if factors is None else x * factors  # a gate in the weights (lean_net): as if it were in the input
        columns = _columns(module, x)
        groups, wide, positions = columns.shape
        if wide > MOST_INPUTS:
            if groups == positions == 1:  # a wide convolution over a map would be thousands of vectors: left out
                vectors.setdefault(name, []).append(columns[0].T.clone())
        else:
            moment = band_moment(columns)
            moment /= moment.diagonal(dim1=1, dim2=2).mean().clamp_min(LEAST_MOMENT)
            moments[name] = moments[name] + moment if name in moments else moment

    hooks = [
        module.register_forward_pre_hook(
            lambda m, x, named, name=name: see(name, m, x[0], named.get("factors")), with_kwargs=True
        )
        for name, module in layers.items()
    ]
    try:
        with torch.inference_mode():
            for inputs in pictures:
                ready(*(inputs[spec.name] for spec in ready.inputs))
    finally:
        for hook in hooks:
            hook.remove()
    seen = {name: SeenInputs(moment=moment) for name, moment in moments.items()}
    return seen | {name: SeenInputs(vectors=torch.cat(rows)) for name, rows in vectors.items()}


def band_moment(columns: torch.Tensor) -> torch.Tensor:
    """(groups, inputs, positions) in the picture's order -> H (groups, inputs, inputs) of one picture, float64."""
    groups, inputs, positions = columns.shape
    everywhere = (columns @ columns.mT).double() / positions
    bands = BANDS if positions >= LEAST_IN_BANDS else 1
    whole = positions // bands * bands
    means = columns[:, :, :whole].double().reshape(groups, inputs, bands, -1).mean(3)
    between = means @ means.mT / bands
    return between + WITHIN * (everywhere - between)


def _columns(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The layer's input as the vectors that its rows are multiplied with: (groups, inputs, positions)."""
    if isinstance(module, FusedKanLinear):
        x = module.features(x)
    if isinstance(module, nn.Linear | FusedKanLinear):
        return x.reshape(-1, x.shape[-1]).T[None]
    lean = isinstance(module, ConvLayer)
    kernel, dilation = ((module.kernel, module.kernel), 1) if lean else (module.kernel_size, module.dilation)
    height, width = x.shape[2:]
    rows, columns = min(height, WINDOW_PX), min(width, WINDOW_PX)
    if kernel == (1, 1):  # spread over the whole picture
        x = x[:, :, :: max(1, height // rows), :: max(1, width // columns)]
        return x.permute(1, 0, 2, 3).reshape(module.groups, x.shape[1] // module.groups, -1)
    top, left = (height - rows) // 2, (width - columns) // 2
    x = x[:, :, top : top + rows, left : left + columns]
    seen = F.unfold(x, kernel, dilation, module.padding, module.stride)  # (B, C k k, positions)
    return seen.permute(1, 0, 2).reshape(module.groups, seen.shape[1] // module.groups, -1)
