"""Training with the weights that an int8 file will have, for a model whose score rounding moves too far.

    begin       every layer rounded by what its output does on training pictures              (``gptq``)
    forward     w -> s round(w / s),  s = max |w| / 127 of each output channel     (``int8_grid``)
    backward    d/dw of that := 1                                                  (straight-through)
    target      features and scores of the model before, in float: distillation; human ratings are for validation
    kept        the epoch whose validation scores moved least, or the start if no epoch moved them less

The start decides: with each weight rounded to nearest the model is fifty times further from the float model than when
rounded by outputs, and a short training does not recover that (docs/experiments/precision.md).

A batch norm after the convolution scales a whole channel, weight and step alike, so rounding before it is rounding
after it. Its statistics stay as they are: the file has them folded. The layers that matter are rounded: convolutions
and plain linear layers after the first one. KANs are left out: half of a file, and the least of its error.

The trained model keeps the rounded weights. An export in w8 then finds every one of them on its grid already.

Source: Bengio et al., Straight-through estimators (arXiv 1308.3432); Jacob et al. (arXiv 1712.05877), Section 3.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

import torch
from torch import nn
from torch.nn.utils import parametrize

from lariqa_train.model.model import LarIqa
from lariqa_train.quantization.calibration import collect
from lariqa_train.quantization.gptq import round_layer
from lariqa_train.quantization.int8_grid import in_steps, step_of


class FakeQuantize(nn.Module):
    """(out, ...) float -> the same on its grid, one step for each output channel; gradients pass unchanged."""

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        largest = weight.detach().abs().amax(dim=tuple(range(1, weight.dim())), keepdim=True)
        step = step_of(largest)
        rounded = in_steps(weight.detach(), step) * step
        return weight + (rounded - weight).detach()

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        return weight


def round_while_training(model: LarIqa) -> list[str]:
    """From now on the model computes with rounded weights and trains those behind them; names of the layers."""
    names = rounded_layers(model)
    for name in names:
        parametrize.register_parametrization(model.get_submodule(name), "weight", FakeQuantize())
    return names


def round_by_outputs(
    model: LarIqa, teacher: LarIqa, pictures: Iterable[Mapping[str, torch.Tensor]]
) -> dict[str, float]:
    """Replace the weights of ``model`` by rounded ones, from what the layers of ``teacher`` see.

    Args:
        model: from ``round_while_training``.
        teacher: the same model in float.
        pictures: view -> (B, 3, h, w), normalised.

    Returns:
        Variance over the pictures of what the teacher gives: of each view's features, and of the "score".
    """
    layers = {name: teacher.get_submodule(name) for name in rounded_layers(teacher)}
    given: list[dict[str, torch.Tensor]] = []

    def run() -> None:
        for views in pictures:
            features, scores = features_and_scores(teacher, views)
            given.append({**features, "score": scores[:, None]})

    for name, seen in collect(layers, run).items():
        layer = layers[name]
        rounded = round_layer(layer.weight, getattr(layer, "groups", 1), seen, "int8")
        model.get_submodule(name).parametrizations.weight.original.data = rounded
    return {what: float(torch.cat([one[what] for one in given]).var(0).mean()) for what in given[0]}


def features_and_scores(
    model: LarIqa, views: Mapping[str, torch.Tensor]
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """View -> (B, features) of its backbone; (B,) scores."""
    features = model.features(**views)
    reduced = [getattr(model, view).reducer(x) for view, x in features.items()]
    return features, model.regressor(torch.cat(reduced, 1)).flatten()


def bake(model: LarIqa) -> None:
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
