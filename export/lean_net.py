"""Runs a mobile backbone as its execution plan says: strips before the first gate, groups of channels after it.

    y      = spatial(expand(x))                      per strip, or per group of channels
    result = project(gate(mean y) * y) (+ x)         a sum over the groups

The gate's factors s can go into the projection's weights instead, W diag(s): the same product, and the widened picture is
read once, not read, multiplied, written and read again. ``Dialect`` says which of two equal forms a format likes better.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from export.execution_plan import ExecutionPlan, Rows, Strip
from export.mobile_blocks import MobileBlock, MobileNet, convolve

ReadRows = Callable[[int, int], torch.Tensor]  # first, last + 1 row of the view -> (1, 3, rows, width) float32


@dataclass(frozen=True)
class Dialect:
    """Choices between equal graphs, for the runtime that will run the file."""

    gate_in_weights: bool = True  # else the widened picture is multiplied by the gate
    crop_by_convolution: bool = False  # rows cut by a filter that copies, where a slice would leave a blocked layout
    floats_before_planes: bool = False  # bytes become floats before they become planes


class Share(nn.Module):
    """A block's weights for channels ``first..last - 1`` of its widened picture."""

    def __init__(self, block: MobileBlock, first: int, last: int) -> None:
        super().__init__()
        self.groups = last - first if block.spatial.depthwise else block.spatial.groups
        layers = {"spatial": block.spatial, **({"expand": block.expand} if block.expand else {})}
        for name, layer in layers.items():
            self.register_buffer(f"{name}_weight", layer.weight[first:last].clone())
            self.register_buffer(f"{name}_bias", layer.bias[first:last].clone())
        if block.project:
            self.register_buffer("project_weight", block.project.weight[:, first:last].clone())
            self.register_buffer("project_bias", block.project.bias.clone() if first == 0 else None)


class LeanNet(nn.Module):
    """(rows of the view) -> (1, features), as ``plan`` says.

    Requires: ``plan`` was made for ``net``.
    Ensures: the result is the network's, up to float32 rounding.
    """

    def __init__(self, net: MobileNet, plan: ExecutionPlan, dialect: Dialect = Dialect()) -> None:
        super().__init__()
        self.plan, self.dialect, self.finish = plan, dialect, net.finish
        self.prefix, self.blocks = net.blocks[: plan.prefix], net.blocks[plan.prefix :]
        self.shares = nn.ModuleList(
            nn.ModuleList(Share(block, first, last) for first, last in groups)
            for block, groups in zip(self.blocks, plan.groups, strict=True)
        )

    def forward(self, read: ReadRows) -> torch.Tensor:
        x = self._strips(read)
        for block, shares in zip(self.blocks, self.shares, strict=True):
            x = self._block(block, shares, x)
        return self.finish(x)

    def _strips(self, read: ReadRows) -> torch.Tensor:
        parts = [self._strip(read(strip.photo.first, strip.photo.last), strip) for strip in self.plan.strips]
        last = self.prefix[-1]
        if last.gate is not None:
            # Each row's mean, then the rows': the two stages in which a large mean keeps its digits.
            rows = torch.cat([part.mean(3, keepdim=True) for part in parts], 2)
            factors, layer = last.gate(rows.mean(2, keepdim=True)), last.project
            parts = [layer.activation(self._gated(part, factors, layer.weight, layer.bias)) for part in parts]
        return torch.cat(parts, 2)

    def _strip(self, x: torch.Tensor, strip: Strip) -> torch.Tensor:
        for block, rows, result in zip(self.prefix, strip.inputs, (*strip.inputs[1:], strip.result), strict=False):
            y = block.expand(x) if block.expand else x
            y = block.spatial(y, rows.pad_top, rows.pad_bottom)
            if block.gate is not None:
                return y
            y = block.project(y) if block.project else y
            x = y + self._cut(x, rows, result) if block.skip else y
        return x

    def _cut(self, x: torch.Tensor, held: Rows, wanted: Rows) -> torch.Tensor:
        """The rows of a block's input that its result has."""
        above, below = wanted.first - held.first, held.last - wanted.last
        if above == below == 0:
            return x
        if not self.dialect.crop_by_convolution:
            return x.narrow(2, above, wanted.count)
        copy = x.new_zeros(x.shape[1], 1, above + 1 + below, 1)
        copy[:, :, above] = 1
        return F.conv2d(x, copy, groups=x.shape[1])

    def _block(self, block: MobileBlock, shares: nn.ModuleList, x: torch.Tensor) -> torch.Tensor:
        parts = [self._widened(block, share, x) for share in shares]
        y = parts[0]
        if block.project is not None:
            factors = self._factors(block, parts)
            y = self._gated(parts[0], factors[0], shares[0].project_weight, shares[0].project_bias)
            for part, share, factor in zip(parts[1:], shares[1:], factors[1:], strict=True):
                y = y + self._gated(part, factor, share.project_weight, None)
            y = block.project.activation(y)
        return y + x if block.skip else y

    def _widened(self, block: MobileBlock, share: Share, x: torch.Tensor) -> torch.Tensor:
        """One share of the widened picture."""
        if block.expand:
            x = block.expand.activation(
                convolve(x, block.expand, share.expand_weight, share.expand_bias, block.expand.groups)
            )
        return block.spatial.activation(
            convolve(x, block.spatial, share.spatial_weight, share.spatial_bias, share.groups)
        )

    def _factors(self, block: MobileBlock, parts: list[torch.Tensor]) -> list[torch.Tensor | None]:
        """The gate's factors for each share; None where the block has no gate."""
        if block.gate is None:
            return [None] * len(parts)
        means = [part.mean(3, keepdim=True).mean(2, keepdim=True) for part in parts]
        factors = block.gate(torch.cat(means, 1))
        return list(factors.split([part.shape[1] for part in parts], 1)) if len(parts) > 1 else [factors]

    def _gated(
        self, x: torch.Tensor, factors: torch.Tensor | None, weight: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        """project(factors * x), without its activation."""
        if factors is None:
            return F.conv2d(x, weight, bias)
        if self.dialect.gate_in_weights:
            return F.conv2d(x, weight * factors, bias)
        return F.conv2d(x * factors, weight, bias)
