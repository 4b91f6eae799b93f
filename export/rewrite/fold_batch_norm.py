"""Every batch norm of a model folded into the convolution before it: the stored weight is the one that computes.

Converters do it too, each in its own pass. Here it is done before them, because a weight is rounded (``round_weights``)
as the number that will be stored. Which norm follows which convolution is seen, not guessed from names: one run with
hooks, a norm whose input is the very tensor that a convolution gave. The algebra is in ``batch_norm``.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from export.rewrite.batch_norm import folded
from export.rewrite.ready_model import ExportReady
from export.rewrite.rewrite import differs, probe, rewrite
from lariqa_train.model.hooks import watching


def _same_layers(before: ExportReady, after: ExportReady) -> str:
    """Compare each folded convolution with the old one and its norm, on noise."""
    named = {module: name for name, module in before.named_modules()}
    for norm_name, convolution in _pairs(before):
        norm, folded_one = before.get_submodule(norm_name), after.get_submodule(named[convolution])
        x = probe(convolution.in_channels, convolution.weight)
        plain = nn.functional.batch_norm(
            convolution(x), norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.0, norm.eps
        )
        if fault := differs(plain, folded_one(x), named[convolution]):
            return fault
    return ""


@rewrite(ensures=_same_layers)
def fold_batch_norm(ready: ExportReady) -> ExportReady:
    """Batch norms folded where a convolution, and nothing else, feeds them; the folding is computed in float64.

    Ensures: each folded convolution gives what it gave with its norm, up to float32 rounding.
    """
    for norm_name, convolution in _pairs(ready):
        parent, _, last = norm_name.rpartition(".")
        norm = ready.get_submodule(norm_name)
        weight, bias = folded(convolution, norm)
        convolution.weight.data = weight
        convolution.bias = nn.Parameter(bias, requires_grad=False)
        setattr(ready.get_submodule(parent), last, getattr(norm, "act", nn.Identity()))  # timm's norms hold the act
    return ready


def _pairs(ready: ExportReady) -> list[tuple[str, nn.Conv2d]]:
    """(name of a norm, the convolution before it); the run is cheap: the tensors are on the meta device."""
    on_meta = copy.deepcopy(ready).to("meta")
    gave: dict[int, str] = {}
    kept, found, used = [], {}, []

    def leave(name: str, module: nn.Module, result: torch.Tensor) -> None:
        gave[id(result)] = name
        kept.append(result)  # alive, so that its id is its own
        used.append(name)

    def enter(name: str, module: nn.Module, given: tuple, named: dict) -> None:
        if id(given[0]) in gave:
            found[name] = gave[id(given[0])]

    def of_kind(kind: type) -> dict[str, nn.Module]:
        return {name: module for name, module in on_meta.named_modules() if isinstance(module, kind)}

    with watching(of_kind(nn.Conv2d), after=leave), watching(of_kind(nn.BatchNorm2d), before=enter), torch.no_grad():
        on_meta(*(example.to("meta") for example in ready.example()))
    return [(norm, ready.get_submodule(conv)) for norm, conv in found.items() if used.count(conv) == 1]
