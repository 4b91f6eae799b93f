"""Averages over a picture in two stages: along each row, then over the rows.

    mean over h w = mean over h of (mean over w)          the same number: every row has as many pixels

A float accumulator that takes in a value after the other loses digits with each: after n values the error is up to n
roundings of the running sum. The first squeeze of a 1280x1280 view means 25,600 of them in a row, two stages 160 and
160. Measured with LiteRT on a trained model: 8.7e-05 of score with one stage, 1.5e-05 with two, at the same latency
(docs/experiments).
In float16, on a phone's GPU or NPU, a running mean over so many values is simply wrong.

Rewritten are global average pools (which the exporters would turn into a Gather or worse) and the squeeze of timm's
squeeze-and-excite.
"""

from __future__ import annotations

import torch
from timm.models._efficientnet_blocks import SqueezeExcite
from torch import nn

from export.rewrite.rewrite import differs, probe, rewrite


class GlobalMean(nn.Module):
    """(B, C, h, w) -> (B, C, 1, 1)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(3, keepdim=True).mean(2, keepdim=True)


class SeparableSqueezeExcite(nn.Module):
    """timm's squeeze-and-excite with the mean in two stages; shares its parts."""

    def __init__(self, original: SqueezeExcite) -> None:
        super().__init__()
        self.squeeze = GlobalMean()
        self.conv_reduce, self.act1 = original.conv_reduce, original.act1
        self.conv_expand, self.gate = original.conv_expand, original.gate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(self.conv_expand(self.act1(self.conv_reduce(self.squeeze(x)))))


def _same_means(before: nn.Module, after: nn.Module) -> str:
    """Compare each module that was replaced with what took its place, on noise."""
    there = dict(after.named_modules())
    for name, old in before.named_modules():
        new = there.get(name)
        if type(new) is type(old):
            if _is_pool(old) or isinstance(old, SqueezeExcite):
                return f"{name} was not replaced"
        elif isinstance(old, SqueezeExcite):
            x = probe(old.conv_reduce.in_channels, old.conv_reduce.weight)
            if fault := differs(old(x), new(x), name):
                return fault
        elif _is_pool(old):
            x = probe(3, torch.zeros((), dtype=torch.float32))
            if fault := differs(old(x), new(x), name):
                return fault
    return ""


@rewrite(ensures=_same_means)
def use_separable_means(model: nn.Module) -> nn.Module:
    """Every global average pool and every squeeze-and-excite of timm's mobile networks, with separable means.

    Ensures: none is left, and each new module gives the old one's result up to rounding.
    """
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if _is_pool(child):
                setattr(module, name, GlobalMean())
            elif isinstance(child, SqueezeExcite):
                setattr(module, name, SeparableSqueezeExcite(child))
    return model


def _is_pool(module: nn.Module) -> bool:
    return isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size in (1, (1, 1))
