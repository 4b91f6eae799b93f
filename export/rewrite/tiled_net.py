"""Runs a mobile backbone as its execution plan says: strips before the first gate, groups of channels after it.

    y      = spatial(expand(x))                      per strip, or per group of channels
    result = project(gate(mean y) * y) (+ x)         a sum over the groups

The gate's factors s can go into the projection's weights instead, W diag(s): the same product, and the widened picture
is read once, not read, multiplied, written and read again. ``GraphOptions`` says which of two equal forms is used.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from export.rewrite.graph_options import GraphOptions
from export.rewrite.mbconv import ConvLayer, MBConv, MBConvNet
from export.rewrite.tiling_plan import Rows, Strip, TilingPlan

ReadRows = Callable[[int, int], torch.Tensor]  # first, last + 1 row of the view -> (1, 3, rows, width) float32


class CopyRows(nn.Module):
    """All rows but some at the top and the bottom, by a filter that copies."""

    def __init__(self, channels: int, above: int, below: int) -> None:
        super().__init__()
        weight = torch.zeros(channels, 1, above + 1 + below, 1)
        weight[:, :, above] = 1
        self.register_buffer("weight", weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, self.weight, groups=len(self.weight))


class ChannelGroup(nn.Module):
    """A block's layers for the channels ``first..last - 1`` of its widened picture."""

    def __init__(self, block: MBConv, first: int, last: int) -> None:
        super().__init__()
        self.expand = block.expand.results(first, last) if block.expand else None
        self.spatial = block.spatial.results(first, last)
        self.project = block.project.inputs(first, last) if block.project else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.spatial(self.expand(x) if self.expand else x)


class TiledBlock(nn.Module):
    """A block in the way that the plan says; where it stands in the tree of modules, timm's block stood."""

    def __init__(self, block: MBConv) -> None:
        super().__init__()
        self.gate, self.skip = block.gate, block.skip
        self.activation = block.project.activation if block.project else nn.Identity()


class TileBlock(TiledBlock):
    """A block before the first gate: whole, on some rows."""

    def __init__(self, block: MBConv, cuts: list[tuple[int, int]]) -> None:
        super().__init__(block)
        self.expand, self.spatial, self.project = block.expand, block.spatial, block.project
        self.copies = nn.ModuleDict(
            {
                f"{above}_{below}": CopyRows(block.channels, above, below)
                for above, below in set(cuts if self.skip else ())
            }
        )

    def widened(self, x: torch.Tensor, rows: Rows | None) -> torch.Tensor:
        """Rows of the block's input -> rows of its widened picture. ``rows`` None: all, whatever their number."""
        padding = () if rows is None else (rows.pad_top, rows.pad_bottom)
        return self.spatial(self.expand(x) if self.expand else x, *padding)

    def forward(self, x: torch.Tensor, rows: Rows | None, result: Rows, options: GraphOptions) -> torch.Tensor:
        y = self.widened(x, rows)
        y = self.project(y) if self.project else y
        if not self.skip:
            return y
        return y + (x if rows is None else self._cut(x, rows, result, options))

    def _cut(self, x: torch.Tensor, held: Rows, wanted: Rows, options: GraphOptions) -> torch.Tensor:
        """The rows of the block's input that its result has."""
        above, below = wanted.first - held.first, held.last - wanted.last
        if above == below == 0:
            return x
        if not options.crop_by_convolution:
            return x.narrow(2, above, wanted.count)
        return self.copies[f"{above}_{below}"](x)


class GroupBlock(TiledBlock):
    """A block on the whole picture, in groups of channels."""

    def __init__(self, block: MBConv, groups: tuple[tuple[int, int], ...]) -> None:
        super().__init__(block)
        self.shares = nn.ModuleList(ChannelGroup(block, first, last) for first, last in groups)

    def forward(self, x: torch.Tensor, options: GraphOptions) -> torch.Tensor:
        parts, y = [], None
        for share in self.shares:
            part = share(x)
            if self.gate is not None:  # which waits for all of them
                parts.append(part)
            elif share.project:
                y = _sum(y, share.project(part))
            else:
                y = part
        if self.gate is not None:
            means = [part.mean(3, keepdim=True).mean(2, keepdim=True) for part in parts]
            factors = self.gate(torch.cat(means, 1) if len(means) > 1 else means[0])
            widths = [part.shape[1] for part in parts]
            factors = factors.split(widths, 1) if len(parts) > 1 else [factors]
            shares = (
                gated(share.project, part, factor, options)
                for share, part, factor in zip(self.shares, parts, factors, strict=True)
            )
            for more in list(shares) if options.sums_last else shares:
                y = _sum(y, more)
        y = self.activation(y)
        return y + x if self.skip else y


class TiledNet(nn.Module):
    """(rows of the view) -> (1, features), as ``plan`` says.

    Requires: ``plan`` was made for ``net``; ``any_size`` only where it has one strip.
    Ensures: the result is the network's, up to float32 rounding; with ``any_size``, for a view of any height and width.
    """

    def __init__(
        self, net: MBConvNet, plan: TilingPlan, options: GraphOptions | None = None, any_size: bool = False
    ) -> None:
        super().__init__()
        self.plan, self.options, self.any_size = plan, options or GraphOptions(), any_size
        blocks = []
        for n, block in enumerate(net.blocks[: plan.prefix]):
            windows = [(*strip.inputs, strip.result)[n : n + 2] for strip in plan.strips]
            cuts = [(wanted.first - held.first, held.last - wanted.last) for held, wanted in windows]
            blocks.append(TileBlock(block, cuts))
        blocks += [
            GroupBlock(block, groups) for block, groups in zip(net.blocks[plan.prefix :], plan.groups, strict=True)
        ]
        self._names = [block.name for block in net.blocks]
        for name, block in zip(self._names, blocks, strict=True):
            *path, last = name.split(".")
            parent = self
            for word in path:
                if not hasattr(parent, word):
                    parent.add_module(word, nn.Module())
                parent = getattr(parent, word)
            parent.add_module(last, block)
        self.finish = net.finish

    def forward(self, read: ReadRows) -> torch.Tensor:
        blocks = [self.get_submodule(name) for name in self._names]
        x = self._strips(blocks[: self.plan.prefix], read)
        for block in blocks[self.plan.prefix :]:
            x = block(x, self.options)
        return self.finish(x)

    def _strips(self, blocks: list[TileBlock], read: ReadRows) -> torch.Tensor:
        parts = [self._strip(blocks, strip, read(strip.photo.first, strip.photo.last)) for strip in self.plan.strips]
        last = blocks[-1]
        if last.gate is not None:
            # Each row's mean, then the rows': the two stages in which a large mean keeps its digits.
            rows = [part.mean(3, keepdim=True) for part in parts]
            rows = torch.cat(rows, 2) if len(rows) > 1 else rows[0]
            factors = last.gate(rows.mean(2, keepdim=True))
            parts = [gated(last.project, part, factors, self.options) for part in parts]
        return torch.cat(parts, 2) if len(parts) > 1 else parts[0]

    def _strip(self, blocks: list[TileBlock], strip: Strip, x: torch.Tensor) -> torch.Tensor:
        inputs = [None] * len(blocks) if self.any_size else strip.inputs
        for block, rows, result in zip(blocks, inputs, (*strip.inputs[1:], strip.result), strict=True):
            x = block.widened(x, rows) if block.gate is not None else block(x, rows, result, self.options)
        return x


def gated(project: ConvLayer, x: torch.Tensor, factors: torch.Tensor, options: GraphOptions) -> torch.Tensor:
    """project(factors * x)."""
    return project(x, factors=factors) if options.gate_in_weights else project(x * factors)


def _sum(total: torch.Tensor | None, more: torch.Tensor) -> torch.Tensor:
    return more if total is None else total + more
