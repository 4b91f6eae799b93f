"""Batch norm folded into the convolution before it, so that the stored weight is the weight that computes.

    BN(W x) = g (W x + b - m) / sqrt(v + e) + h     with  W' = g W / sqrt(v + e),  b' = h + g (b - m) / sqrt(v + e)

Converters do it too, each in its own pass. Here it is done before them, because the rounding of a weight (``rounding``)
is chosen for the number that will be stored. Which norm follows which convolution is seen, not guessed from names: one
run with hooks, a norm whose input is the very tensor that a convolution gave.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from export.rewrite.export_ready import ExportReady


def fold_batch_norm(ready: ExportReady) -> ExportReady:
    """A copy whose batch norms are folded where a convolution, and nothing else, feeds them.

    Ensures: the same score up to float32 rounding (the folding itself is computed in float64).
    """
    ready = copy.deepcopy(ready)
    for norm_name, convolution in _pairs(ready):
        parent, _, last = norm_name.rpartition(".")
        norm = ready.get_submodule(norm_name)
        scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        bias = 0.0 if convolution.bias is None else convolution.bias.double()
        convolution.weight.data = (convolution.weight.double() * scale.view(-1, 1, 1, 1)).float()
        shifted = norm.bias.double() + scale * (bias - norm.running_mean.double())
        convolution.bias = nn.Parameter(shifted.float(), requires_grad=False)
        setattr(ready.get_submodule(parent), last, getattr(norm, "act", nn.Identity()))  # timm's norms hold the act
    return ready


def _pairs(ready: ExportReady) -> list[tuple[str, nn.Conv2d]]:
    """(name of a norm, the convolution before it); the run is cheap: the tensors are on the meta device."""
    on_meta = copy.deepcopy(ready).to("meta")
    gave: dict[int, str] = {}
    kept, found, used = [], {}, []
    hooks = []
    for name, module in on_meta.named_modules():
        if isinstance(module, nn.Conv2d):

            def leave(_, __, result, name=name):
                gave[id(result)] = name
                kept.append(result)  # alive, so that its id is its own
                used.append(name)

            hooks.append(module.register_forward_hook(leave))
        elif isinstance(module, nn.BatchNorm2d):

            def enter(_, given, name=name):
                if id(given[0]) in gave:
                    found[name] = gave[id(given[0])]

            hooks.append(module.register_forward_pre_hook(enter))
    with torch.no_grad():
        on_meta(*(example.to("meta") for example in ready.example()))
    for hook in hooks:
        hook.remove()
    return [(norm, ready.get_submodule(conv)) for norm, conv in found.items() if used.count(conv) == 1]
