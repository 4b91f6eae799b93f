"""What a model file computes and stores, read from the file itself: its convolutions and matrix products, its weights.

Multiply-accumulates as everywhere in the field: of convolutions and matrix products alone, one per pair of numbers that
is multiplied and added; elementwise work, pooling and biases count nothing. Each format's ``*_layers`` reads one file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod


@dataclass(frozen=True)
class LayerStats:
    """One convolution or matrix product."""

    name: str  # of its result in the file
    operator: str  # as the format calls it
    macs: int
    weight: str  # name of the stored weight that it reads; empty where both factors are computed
    weights: int  # how many numbers that is
    weight_bytes: int  # as stored; 4 a number where they are float32


@dataclass(frozen=True)
class GraphStats:
    """All of a file, in the order of the file."""

    layers: tuple[LayerStats, ...]
    weights: int  # numbers stored, biases and tables included
    weight_bytes: int  # as stored
    belongs: dict[str, str] = field(default_factory=dict)  # operator or result -> layer before it

    @property
    def macs(self) -> int:
        """Of one run."""
        return sum(layer.macs for layer in self.layers)


def layer_stats(
    name: str, operator: str, result: tuple[int, ...], summed: int, weight: str, shape, weight_bytes: int
) -> LayerStats:
    """A layer each of whose results is a sum of ``summed`` products."""
    numbers = prod(map(int, shape)) if weight else 0  # plain ints: TFLite's shapes are int32 arrays, which overflow
    return LayerStats(name, operator, prod(map(int, result)) * int(summed), weight, numbers, int(weight_bytes))
