"""A PyTorch model's layers: their multiply-accumulates, their weights, and the part of the model each belongs to."""

from __future__ import annotations

import copy
from math import prod

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from export.rewrite.graph_stats import LayerStats
from lariqa_train.model.hooks import watching


def torch_layers(model: nn.Module, example: tuple[torch.Tensor, ...]) -> tuple[LayerStats, ...]:
    """The model's own layers, in the order of execution; counted on the meta device, so nothing is computed.

    Args:
        model: any module; it is copied.
        example: its inputs.
    """
    on_meta = copy.deepcopy(model).to("meta").eval()
    modules, own, calls = dict(on_meta.named_modules()), {}, []
    counter = FlopCounterMode(display=False)

    def enter(name: str, module: nn.Module, given: tuple, named: dict) -> None:
        calls.append([counter.get_total_flops(), 0])

    def leave(name: str, module: nn.Module, made: object) -> None:
        before, inside = calls.pop()
        took = counter.get_total_flops() - before
        own[name] = own.get(name, 0) + (took - inside) // 2
        if calls:  # whoever called it, wherever that stands in the tree of modules
            calls[-1][1] += took

    with watching(modules, before=enter, after=leave), counter, torch.no_grad():
        on_meta(*(x.to("meta") for x in example))
    layers = []
    for path, macs in own.items():
        if macs:
            tensors = [*modules[path].parameters(recurse=False), *modules[path].buffers(recurse=False)]
            weights = max((prod(x.shape) for x in tensors if x.dim() > 1), default=0)
            layers.append(LayerStats(path, type(modules[path]).__name__, macs, path, weights, 4 * weights))
    return tuple(layers)


def count_macs(model: nn.Module, example: tuple[torch.Tensor, ...]) -> int:
    """Multiply-accumulates of one run: convolutions and matrix products, as everywhere in the field."""
    return sum(layer.macs for layer in torch_layers(model, example))


def part_of(module: str) -> str:
    """Module path -> the part of the model that people speak of.

    "model.synthetic.backbone.blocks.1.0.conv_pw" -> "synthetic / blocks.1"; "model.regressor.layers.0" -> "head".
    """
    words = module.removeprefix("model.").removeprefix("lean.").split(".")
    if words[0] == "resize":
        return "resize"
    if words[0] == "regressor":
        return "head"
    if len(words) > 1 and words[1] == "reducer":
        return f"{words[0]} / KAN"
    inside = words[2:] if len(words) > 2 and words[1] in ("backbone", "finish") else words[1:]
    numbered = len(inside) > 1 and inside[1].isdigit()
    return f"{words[0]} / {'.'.join(inside[:2]) if numbered else (inside or ['whole'])[0]}"
