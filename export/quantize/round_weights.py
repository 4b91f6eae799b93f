"""GPTQ on an export-ready model: its weights rounded by the statistics of what its layers see."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import nn

from export.rewrite.fused_kan import FusedKanLinear
from export.rewrite.mbconv import ConvLayer
from export.rewrite.ready_model import ExportReady
from lariqa_train.quantization.calibration import LayerStatistics, collect, convolved_columns, input_columns
from lariqa_train.quantization.gptq import Grid, round_layer

TELL_EVERY = 20  # layers


def collect_statistics(
    ready: ExportReady, names: Iterable[str], pictures: Iterable[Mapping[str, torch.Tensor]]
) -> dict[str, LayerStatistics]:
    """Module name -> what it saw on all pictures.

    Args:
        ready: batch norms folded.
        names: of the modules asked for; layers of an unknown kind, or too wide over a map, are left out.
        pictures: inputs of ``ready``, by name.
    """
    kinds = nn.Conv2d | nn.Linear | ConvLayer | FusedKanLinear
    layers = {name: module for name in names if isinstance(module := ready.get_submodule(name), kinds)}

    def run() -> None:
        for inputs in pictures:
            ready(*(inputs[spec.name] for spec in ready.inputs))

    return collect(layers, run, _columns)


def round_weights(
    ready: ExportReady,
    grids: Mapping[str, Grid],
    seen: Mapping[str, LayerStatistics],
    progress: Callable[[str], None] = lambda step: None,
) -> ExportReady:
    """A copy of ``ready`` whose weights lie on their grids.

    Args:
        ready: batch norms folded.
        grids: module name -> its grid; other modules stay as they are.
        seen: from ``collect_statistics``, the same for every grid; a layer that is not in it stays as it is.
        progress: called with each step in words.
    """
    ready = copy.deepcopy(ready)
    layers = {name: ready.get_submodule(name) for name in grids if name in seen}
    for number, (name, module) in enumerate(layers.items()):
        if number % TELL_EVERY == 0:
            progress(f"rounding weights, layer {number + 1} of {len(layers)}")
        module.weight.data = round_layer(module.weight, getattr(module, "groups", 1), seen[name], grids[name])
    return ready


def _columns(
    module: nn.Module, x: torch.Tensor, factors: torch.Tensor | None = None, **other: int | None
) -> torch.Tensor:
    """As ``input_columns``; a gate in the weights (tiled_net) counts as if it were in the input."""
    if isinstance(module, FusedKanLinear):
        return module.features(x).reshape(-1, module.weight.shape[1]).T[None]
    if isinstance(module, ConvLayer):
        sides = [(side, side) for side in (module.kernel, module.stride, module.padding, 1)]
        return convolved_columns(x if factors is None else x * factors, *sides, module.groups)
    return input_columns(module, x)
