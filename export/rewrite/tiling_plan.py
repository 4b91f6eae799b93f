"""How a mobile backbone is executed in little memory, as data: which rows of which layer, and which channels.

    photo --strips--> stem .. first squeeze-and-excite --> blocks, in groups of channels --> finish

**Strips.** Before the first squeeze-and-excite nothing looks at the whole picture, so those layers run on a few rows at
a time. For rows ``first..last`` of a layer's result (kernel k, stride s, padding p) the rows

    first s - p  ..  (last - 1) s - p + k        cut to the picture; what was cut off is padded with zeros

of its input are needed. Walked from the end to the photo this gives every layer exactly the rows that it needs: the
result is the same, and the rows that two strips both compute (the halo) are as few as they can be.

**Channels.** In a block, expansion and depthwise filter work on each channel by itself. A block runs in groups of
channels: only one group of the widened picture exists at a time, and what is left of each group is what the
projection needs. This computes nothing twice.

The plan is pure arithmetic on shapes. ``tiled_net`` runs it, ``liveness`` says what is alive at each step of it,
``lariqa inspect`` prints it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Literal, get_args

from export.rewrite.mbconv import ConvLayer, MBConv, MBConvNet
from lariqa.errors import Refusal

Memory = Literal["low", "balanced", "fast", "naive"]
MEMORIES = get_args(Memory)
DEFAULT_MEMORY: Memory = "balanced"  # a third of the plain graph's memory in about its time
FLOAT = 4  # bytes
VECTOR = 16  # channels that the widest vector units of today's processors take at once: groups are multiples of it
DEEPEST_STRIPS = 8  # photo pixels to one row: where strips end at the latest, if no squeeze-and-excite ends them before


MIB = 2**20
PIXELS_4K = 3840 * 2160


@dataclass(frozen=True)
class Budget:
    """What one step may hold of a view up to 4K; of a larger one as much more as it has pixels. None: no limit."""

    strip_bytes: int | None  # of the largest tensor inside a strip
    group_bytes: int | None  # of the largest tensor of a group of channels

    def for_view(self, height: int, width: int) -> Budget:
        """The same share of a larger view: what waits between the steps grows with it; thin strips save nothing."""
        share = max(1.0, height * width / PIXELS_4K)
        return Budget(*(None if most is None else int(share * most) for most in (self.strip_bytes, self.group_bytes)))


BUDGETS: dict[Memory, Budget] = {  # measured: docs/experiments/memory.md
    "low": Budget(16 * MIB, 16 * MIB),
    "balanced": Budget(24 * MIB, None),
    "fast": Budget(None, None),
}


@dataclass(frozen=True)
class Rows:
    """Rows ``first..last - 1`` of a layer's input, and the rows of zeros that its padding adds."""

    first: int
    last: int
    pad_top: int = 0
    pad_bottom: int = 0

    @property
    def count(self) -> int:
        """Rows read, without padding."""
        return self.last - self.first


@dataclass(frozen=True)
class Strip:
    """One strip: rows of the result, and of the input of each block's spatial layer on the way to it."""

    result: Rows
    inputs: tuple[Rows, ...]  # one for each block of the prefix

    @property
    def photo(self) -> Rows:
        """Rows of the view that it reads."""
        return self.inputs[0]


@dataclass(frozen=True)
class TilingPlan:
    """A backbone on one view."""

    memory: Memory
    sizes: tuple[tuple[int, int], ...]  # rows and columns of the view, then after each block
    strips: tuple[Strip, ...]
    prefix: int  # blocks that run in strips; the last of them up to its gate, if it has one
    groups: tuple[tuple[tuple[int, int], ...], ...]  # of each block after the prefix: first and last + 1 channel

    @property
    def height(self) -> int:
        """Of the view, in pixels."""
        return self.sizes[0][0]

    @property
    def width(self) -> int:
        """Of the view, in pixels."""
        return self.sizes[0][1]


def make_plan(net: MBConvNet, height: int, width: int, memory: Memory) -> TilingPlan:
    """Plan ``net`` on a view of height x width pixels.

    Raises:
        Refusal: no such mode; or the naive one, which has no plan of its own and runs as the network is written.
    """
    if memory not in BUDGETS:
        raise Refusal(f"no plan for memory {memory!r}; it must be one of {', '.join(BUDGETS)}")
    budget, sizes = BUDGETS[memory].for_view(height, width), list(_sizes(net.blocks, height, width))
    prefix = _prefix(net.blocks, sizes, height)
    strips = _strips(net.blocks[:prefix], sizes, height, budget)
    groups = tuple(
        _groups(block, sizes[n : n + 2], budget) for n, block in enumerate(net.blocks[prefix:], start=prefix)
    )
    return TilingPlan(memory, tuple(sizes), strips, prefix, groups)


def _sizes(blocks: list[MBConv], height: int, width: int) -> Iterator[tuple[int, int]]:
    """Rows and columns of the view, then after each block."""
    yield height, width
    for block in blocks:
        height, width = block.spatial.out_size(height), block.spatial.out_size(width)
        yield height, width


def _prefix(blocks: list[MBConv], sizes: list[tuple[int, int]], height: int) -> int:
    """Blocks that can run in strips: up to the first gate, which needs the whole picture, or to an eighth of it."""
    for n, block in enumerate(blocks):
        if block.gate is not None:  # up to its widened picture, unless its input is still needed afterwards
            return n if block.skip else n + 1
        if sizes[n + 1][0] * DEEPEST_STRIPS <= height:
            return n + 1
    return len(blocks)


def _strips(blocks: list[MBConv], sizes: list[tuple[int, int]], height: int, budget: Budget) -> tuple[Strip, ...]:
    rows = sizes[len(blocks)][0]
    # Bytes of one result row's share of the widest tensor.
    widest = max(
        FLOAT * width * max(1, rows_in / rows) * max(layer.channels for layer in _layers(block))
        for block, (rows_in, width) in zip(blocks, sizes, strict=False)
    )
    count = 1 if budget.strip_bytes is None else min(rows, ceil(widest * rows / budget.strip_bytes))
    step = ceil(rows / count)  # alike but for the last: ONNX Runtime keeps one set of buffers for each shape
    return tuple(_strip(blocks, sizes, first, min(first + step, rows)) for first in range(0, rows, step))


def _strip(blocks: list[MBConv], sizes: list[tuple[int, int]], first: int, last: int) -> Strip:
    result, inputs = Rows(first, last), []
    needed = result
    for n in reversed(range(len(blocks))):
        needed = rows_needed(blocks[n].spatial, needed, sizes[n][0])
        inputs.append(needed)
    return Strip(result, tuple(reversed(inputs)))


def rows_needed(layer: ConvLayer, result: Rows, height: int) -> Rows:
    """The rows of a layer's input, ``height`` rows high, that rows of its result depend on."""
    first = result.first * layer.stride - layer.padding
    last = (result.last - 1) * layer.stride - layer.padding + layer.kernel
    return Rows(max(first, 0), min(last, height), max(-first, 0), max(last - height, 0))


def _groups(block: MBConv, sizes: list[tuple[int, int]], budget: Budget) -> tuple[tuple[int, int], ...]:
    channels = block.spatial.channels
    widened = block.project is not None and (block.spatial.depthwise or block.spatial.groups == 1)
    if not widened or budget.group_bytes is None:
        return ((0, channels),)
    largest = FLOAT * max(rows * columns for rows, columns in sizes)
    step = max(VECTOR, int(budget.group_bytes / largest) // VECTOR * VECTOR)
    count = ceil(channels / step)
    step = ceil(channels / count / VECTOR) * VECTOR  # as even as vectors allow
    return tuple((at, min(at + step, channels)) for at in range(0, channels, step))


def _layers(block: MBConv) -> list[ConvLayer]:
    return [layer for layer in (block.expand, block.spatial, block.project) if layer is not None]
