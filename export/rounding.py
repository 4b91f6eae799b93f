"""Weights rounded to a grid so that the layer's output moves least, not each weight.

    minimise over q on the grid   sum_x || (W - q) x ||^2  =  trace (W - q) H (W - q)^T,     H = sum_x x x^T

with x the inputs that the layer really sees. Column by column: round one, then let the columns that are still free
make up for its error (optimal brain surgeon's update). Inputs of these layers are far from zero mean and
strongly correlated, so plain rounding shifts every output by a near-constant, which a later layer then amplifies; this
removes it.

Grids: int8 steps of one scale per output channel (``int8_weights``), and float16. In every channel the largest weight
keeps its step 127, so that a converter's own quantiser finds the same scale and the same integers again.

Source: Frantar et al., GPTQ (arXiv 2210.17323), Section 3; Nagel et al., "Up or Down?" (arXiv 2004.10568) for why.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from export.export_ready import ExportReady
from export.mobile_blocks import ConvLayer

Grid = Literal["int8", "float16"]
MOST_INPUTS = 2048  # per output; wider layers (the KANs) are rounded plainly: their inputs spread, their error is small
WINDOW_PX = 64  # of a feature map, from each picture and layer
BLOCK = 64  # columns whose errors reach the rest of the row at once
TELL_EVERY = 20  # layers
DAMPING = 1e-3  # of the mean diagonal of H: directions never seen must not cost anything, but not be free


def round_weights(
    ready: ExportReady,
    grids: Mapping[str, Grid],
    moments: Mapping[str, torch.Tensor],
    progress: Callable[[str], None] = lambda step: None,
) -> ExportReady:
    """A copy of ``ready`` whose weights lie on their grids.

    Args:
        ready: batch norms folded.
        grids: module name -> its grid; other modules stay as they are.
        moments: from ``second_moments``, the same for every grid; a layer without one stays as it is.
        progress: called with each step in words.
    """
    ready = copy.deepcopy(ready)
    layers = {name: ready.get_submodule(name) for name in grids if name in moments}
    for number, (name, module) in enumerate(layers.items()):
        if number % TELL_EVERY == 0:
            progress(f"rounding weights, layer {number + 1} of {len(layers)}")
        weight = module.weight.detach().double()
        groups = getattr(module, "groups", 1)
        rows = weight.reshape(groups, weight.shape[0] // groups, -1)  # (group, outputs, inputs)
        module.weight.data = round_rows(rows, moments[name], grids[name]).reshape(weight.shape).float()
    return ready


def round_rows(rows: torch.Tensor, moment: torch.Tensor, grid: Grid) -> torch.Tensor:
    """(groups, outputs, inputs) float64 and H (groups, inputs, inputs) -> the rounded rows."""
    largest = rows.abs().amax(2, keepdim=True)
    step = torch.where(largest > 0, (largest / 127).float().double(), 1)
    holds = rows.abs() == largest
    diagonal = moment.diagonal(dim1=1, dim2=2)
    order = diagonal.mean(0).argsort(descending=True)  # what is seen most is rounded first, and made up for longest
    back = order.argsort()
    damped = moment + torch.diag_embed((DAMPING * diagonal.mean(1, keepdim=True) + 1e-12).expand_as(diagonal))
    damped = damped[:, order][:, :, order]
    upper = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(damped)), upper=True)
    free, kept, steps = rows[:, :, order].clone(), holds[:, :, order], step[:, :, 0]
    original = free.clone()
    rounded = torch.empty_like(free)
    for begin in range(0, free.shape[2], BLOCK):
        end = min(begin + BLOCK, free.shape[2])
        errors = torch.zeros_like(free[:, :, begin:end])
        for column in range(begin, end):
            value = free[:, :, column]
            if grid == "float16":
                nearest = value.half().double()
            else:
                nearest = (value / steps).round().clamp(-127, 127) * steps
                nearest = torch.where(kept[:, :, column], original[:, :, column].sign() * 127 * steps, nearest)
            rounded[:, :, column] = nearest
            error = (value - nearest) / upper[:, column, column, None]
            errors[:, :, column - begin] = error
            free[:, :, column + 1 : end] -= error[:, :, None] * upper[:, None, column, column + 1 : end]
        free[:, :, end:] -= errors @ upper[:, begin:end, end:]
    return rounded[:, :, back]


def second_moments(
    ready: ExportReady,
    names: Iterable[str],
    pictures: Iterable[Mapping[str, torch.Tensor]],
) -> dict[str, torch.Tensor]:
    """Module name -> H (groups, inputs, inputs), float64, over windows of every picture.

    Args:
        ready: batch norms folded.
        names: of the modules asked for; those that ``round_weights`` does not know, or finds too wide, are left out.
        pictures: inputs of ``ready``, by name: what the layers' inputs are seen on.
    """
    layers = {
        name: module
        for name in names
        if isinstance(module := ready.get_submodule(name), nn.Conv2d | nn.Linear | ConvLayer)
        and module.weight[0].numel() <= MOST_INPUTS
    }
    moments: dict[str, torch.Tensor] = {}

    def see(name: str, module: nn.Module, x: torch.Tensor, factors: torch.Tensor | None = None) -> None:
        x = x if factors is None else x * factors  # a gate in the weights (lean_net): as if it were in the input
        columns = _columns(module, x)  # (groups, inputs, positions)
        seen = (columns @ columns.mT).double() / columns.shape[2]
        moments[name] = moments[name] + seen if name in moments else seen

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
    return moments


def _columns(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The layer's input as the vectors that its rows are multiplied with: (groups, inputs, positions)."""
    if isinstance(module, nn.Linear):
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
