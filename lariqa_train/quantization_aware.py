"""Training with the weights that an int8 file will have, for a model whose score rounding moves too far.

    forward     w -> s round(w / s),  s = max |w| / 127 of each output channel     (the grid of export.int8_weights)
    backward    d/dw of that := 1                                                  (straight-through)
    target      the score of the model before, in float: distillation; people's opinions are for validation only

A batch norm after the convolution scales a whole channel, weight and step alike, so rounding before it is rounding
after it. Its statistics stay as they are: the file has them folded. Rounded are the layers that decide: convolutions
and plain linear layers behind the first one. KANs are left out: half of a file, and the least of its error.

The trained model keeps the rounded weights. An export in w8 then finds every one of them on its grid already.

Source: Bengio et al., Straight-through estimators (arXiv 1308.3432); Jacob et al. (arXiv 1712.05877), Section 3.
"""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.utils import parametrize

from lariqa_train.model import LarIqa

STEPS = 127  # int8, symmetric


class RoundedToInt8(nn.Module):
    """(out, ...) float -> the same on its grid, one step for each output channel; gradients pass as they come."""

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        largest = weight.detach().abs().amax(dim=tuple(range(1, weight.dim())), keepdim=True)
        step = torch.where(largest > 0, largest / STEPS, 1)
        rounded = (weight.detach() / step).round().clamp(-STEPS, STEPS) * step
        return weight + (rounded - weight).detach()

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        return weight


def round_while_training(model: LarIqa) -> list[str]:
    """From now on the model computes with rounded weights and trains those behind them; names of the layers."""
    names = rounded_layers(model)
    for name in names:
        parametrize.register_parametrization(model.get_submodule(name), "weight", RoundedToInt8())
    return names


def keep_rounded(model: LarIqa) -> None:
    """The rounded weights become the model's own."""
    for module in model.modules():
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)


def rounded_layers(model: LarIqa) -> list[str]:
    """Convolutions and linear layers, but the first of each branch, which sees pixels and stays float in a file."""
    return [
        name
        for name, module in model.named_modules()
        if (isinstance(module, nn.Conv2d) and module.in_channels != 3) or type(module) is nn.Linear
    ]


def teacher_of(model: LarIqa) -> LarIqa:
    """The model as it is now, frozen: what the rounded one learns from."""
    return copy.deepcopy(model).eval().requires_grad_(False)
