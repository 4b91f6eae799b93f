"""What is alive at each step of an execution plan: every tensor that was made and will still be read.

In bytes of float32. Activations, sums and residual additions happen in place, as in every runtime of the matrix; the
walk is that of ``TiledNet.forward``, in numbers instead of tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

from export.rewrite.mbconv import ConvLayer, MBConv, MBConvNet
from export.rewrite.tiling_plan import FLOAT, TilingPlan


@dataclass(frozen=True)
class Step:
    """One layer on one strip or group of channels."""

    name: str
    shape: tuple[int, int, int]  # channels, rows, columns of the result
    macs: int
    alive_bytes: int  # while it runs: what it reads, what it makes, and what waits


def steps_of(net: MBConvNet, plan: TilingPlan) -> tuple[Step, ...]:
    """Every step of a plan, in order."""
    walk = _Walk()
    x = _blocks(walk, net, plan, _prefix(walk, net, plan))
    walk.make("finish", (1, 1, 1), (x,))
    return walk.steps()


def peak_alive_bytes(steps: tuple[Step, ...]) -> int:
    """Of all steps."""
    return max(step.alive_bytes for step in steps)


class _Walk:
    """Takes down what each step reads and makes; afterwards it is known what was alive when."""

    def __init__(self) -> None:
        self._taken: list[tuple[str, tuple[int, int, int], int]] = []
        self._made_at: list[int] = []
        self._bytes: list[int] = []
        self._last_read: list[int] = []

    def make(
        self,
        name: str,
        shape: tuple[int, int, int],
        reads: tuple[int, ...] = (),
        macs: int = 0,
        onto: int | None = None,
    ) -> int:
        """A step; returns the number of its result, for later steps to read. ``onto``: it adds to that, in place."""
        at = len(self._taken)
        self._taken.append((name, shape, macs))
        for number in (*reads, *(() if onto is None else (onto,))):
            self._last_read[number] = at
        if onto is not None:
            return onto
        self._made_at.append(at)
        self._last_read.append(at)
        self._bytes.append(FLOAT * shape[0] * shape[1] * shape[2])
        return len(self._bytes) - 1

    def steps(self) -> tuple[Step, ...]:
        change = [0] * (len(self._taken) + 1)
        for made, last, size in zip(self._made_at, self._last_read, self._bytes, strict=True):
            change[made] += size
            change[last + 1] -= size
        alive, steps = 0, []
        for (name, shape, macs), more in zip(self._taken, change, strict=False):
            alive += more
            steps.append(Step(name, shape, macs, alive))
        return tuple(steps)


def _prefix(walk: _Walk, net: MBConvNet, plan: TilingPlan) -> int:
    """All strips, and the projection behind the first gate; returns the whole picture after it."""
    blocks, waiting = net.blocks[: plan.prefix], []
    for number, strip in enumerate(plan.strips):
        x = walk.make(f"strip {number}: photo", (3, strip.photo.count, plan.width))
        for n, block in enumerate(blocks):
            label, before = f"strip {number}: {block.name}", x
            rows, columns = (strip.inputs[n + 1] if n + 1 < len(blocks) else strip.result).count, plan.sizes[n + 1][1]
            if block.expand:
                shape = (block.expand.channels, strip.inputs[n].count, plan.sizes[n][1])
                x = walk.make(label, shape, (x,), _macs(block.expand, shape))
            shape = (block.spatial.channels, rows, columns)
            x = walk.make(label, shape, (x,), _macs(block.spatial, shape))
            if block.gate is None:
                if block.project:
                    shape = (block.project.channels, rows, columns)
                    x = walk.make(label, shape, (x,), _macs(block.project, shape))
                if block.skip:
                    walk.make(f"{label} + input", shape, (before,), onto=x)
        waiting.append(x)
    last = blocks[-1]
    if last.gate is not None:
        for number, strip in enumerate(plan.strips):
            shape = (last.project.channels, strip.result.count, columns)
            waiting[number] = walk.make(
                f"strip {number}: {last.name} gated", shape, (waiting[number],), _macs(last.project, shape)
            )
    if len(waiting) == 1:
        return waiting[0]
    return walk.make("strips joined", (last.channels, *plan.sizes[plan.prefix]), tuple(waiting))


def _blocks(walk: _Walk, net: MBConvNet, plan: TilingPlan, x: int) -> int:
    """The blocks after the prefix, each in its groups of channels."""
    for n, (block, groups) in enumerate(zip(net.blocks[plan.prefix :], plan.groups, strict=True), start=plan.prefix):
        waiting, total = [], None
        for first, last in groups:
            label = block.name if len(groups) == 1 else f"{block.name} channels {first}-{last - 1}"
            y, share = x, last - first
            if block.expand:
                shape = (share, *plan.sizes[n])
                y = walk.make(label, shape, (x,), _macs(block.expand, shape))
            shape = (share, *plan.sizes[n + 1])
            y = walk.make(label, shape, (y,), _macs(block.spatial, shape))
            if block.gate is None and block.project:
                total = _add_share(walk, label, block, plan.sizes[n + 1], share, y, total)
            else:
                waiting.append((label, share, y))
        for label, share, y in waiting:
            total = (
                _add_share(walk, f"{label} gated", block, plan.sizes[n + 1], share, y, total) if block.project else y
            )
        if block.skip:
            walk.make(f"{block.name} + input", (block.channels, *plan.sizes[n + 1]), (x,), onto=total)
        x = total
    return x


def _add_share(
    walk: _Walk, label: str, block: MBConv, size: tuple[int, int], share: int, part: int, total: int | None
) -> int:
    """One group's share of the projection, added to the sum so far in place."""
    shape = (block.project.channels, *size)
    return walk.make(label, shape, (part,), share * block.project.channels * size[0] * size[1], onto=total)


def _macs(layer: ConvLayer, shape: tuple[int, int, int]) -> int:
    return layer.weight[0].numel() * shape[0] * shape[1] * shape[2]
