"""Which operations of a program compute in float16 without moving the score, found in the program itself.

    products of layers whose weight is low     float16: convolutions and matrix products, without their bias
    biases, activations, sums, means, gates    float32
    raised layers                              float32

A rounding that is the same in every pixel is not taken away by the averages over a picture: that of a bias, of the 1/6
of a hard swish, of a gate, which is one number for a channel. A product's rounding differs from pixel to pixel. Layers
at full resolution are raised, because there even that looks to the model like a photo's noise. All of it was found by
measurement (docs/experiments).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import prod
from typing import Any

PRODUCTS = ("conv", "linear", "matmul")


def half_products(operations: Iterable[Any], lowered: Collection[str]) -> list[Any]:
    """The operations that compute in float16.

    Args:
        operations: coremltools' operations of one function.
        lowered: names of the weights whose layers may.
    """
    operations = list(operations)
    in_gates = set().union(*map(_gate_before, operations))
    return [
        op
        for op in operations
        if op.op_type in PRODUCTS and op.name not in in_gates and {value.name for value in read(op)} & set(lowered)
    ]


def read(op: Any) -> list[Any]:
    """The values that an operation reads, constants included."""
    values = []
    for value in op.inputs.values():
        values += value if isinstance(value, list | tuple) else [value]
    return [value for value in values if value is not None]


def _gate_before(op: Any) -> set[str]:
    """Names of the operations that make the factors of this product of a picture with one for each channel."""
    computed = [value for value in read(op) if _is_computed(value)]
    factors = [value for value in computed if _is_one_point(value)]
    if op.op_type != "mul" or len(computed) != 2 or len(factors) != 1:
        return set()
    found, waiting = set(), [factors[0].op]
    while waiting:
        before = waiting.pop()
        found.add(before.name)
        waiting += [value.op for value in read(before) if _is_one_point(value) and value.op.name not in found]
    return found


def _is_computed(value: Any) -> bool:
    return value.op is not None and value.op.op_type != "const"


def _is_one_point(value: Any) -> bool:
    """Whether it is (1, C, 1, 1), and no weight."""
    return _is_computed(value) and len(value.shape) == 4 and prod(value.shape[2:]) == 1
