"""Which operations of a program may compute in float16 without moving the score, found in the program itself.

    raised layer     float32, with what stands between it and the next layer
    gate             float32: the means, the two small convolutions, the hard sigmoid, the product with the picture
    everything else  float16, from the first layer on whose weight is low

A gate is one number for a whole channel: its rounding is the same in every pixel, so no average over the picture takes
it away. The early layers work at full resolution, where a rounding looks to the model like a photo's noise. Both were
found by measurement (docs/experiments.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import prod
from typing import Any


def half_operations(operations: Iterable[Any], lowered: Collection[str], raised: Collection[str]) -> set[str]:
    """Names of the operations that compute in float16.

    Args:
        operations: coremltools' operations of one function, in their order: makers come before readers.
        lowered: names of the weights whose layers may.
        raised: names of the weights whose layers may not.
    """
    half: set[str] = set()
    in_gates: set[str] = set()
    for op in operations:
        values = read(op)
        names = {value.name for value in values}
        if names & set(raised):
            continue
        if names & set(lowered) or any(value.op is not None and value.op.name in half for value in values):
            half.add(op.name)
        in_gates |= _gate_before(op)
    return half - in_gates


def read(op: Any) -> list[Any]:
    """The values that an operation reads, constants included."""
    values = []
    for value in op.inputs.values():
        values += value if isinstance(value, list | tuple) else [value]
    return [value for value in values if value is not None]


def _gate_before(op: Any) -> set[str]:
    """Names of a gate's operations, this product of a picture with one factor for each channel included; or nothing."""
    if op.op_type != "mul":
        return set()
    computed = [value for value in read(op) if value.op is not None and value.op.op_type != "const"]
    factors = [value for value in computed if _is_one_point(value)]
    if len(computed) != 2 or len(factors) != 1:
        return set()
    found, waiting = {op.name}, [factors[0].op]
    while waiting:
        before = waiting.pop()
        found.add(before.name)
        waiting += [
            value.op
            for value in read(before)
            if value.op is not None and value.op.name not in found and (_is_one_point(value) or _is_mean(value.op))
        ]
    return found


def _is_one_point(value: Any) -> bool:
    """Whether it is (1, C, 1, 1), and no weight."""
    computed = value.op is not None and value.op.op_type != "const"
    return computed and len(value.shape) == 4 and prod(value.shape[2:]) == 1


def _is_mean(op: Any) -> bool:
    return op.op_type == "reduce_mean"
