"""kan_coverage: which share of a KAN layer's inputs falls where its splines live, measured on real photos.

    with watch_coverage(model) as coverage:
        for photo in photos:
            model(*prepare(photo))
    print(coverage["head.layers.0"].in_support)          # 0.97

Why it matters: outside the support [t_0, t_last] every spline is 0 and only base_weight * silu(x) is left, so
the learned curve is silently gone. In the margins between core [t_k, t_{-k-1}] and support the splines no longer sum
to 1, and few training samples shaped them. A low share says: adapt the grid (`lariqa update-grid`), normalise the
features, or do not trust the score on such photos. It also says how much of a quantisation range the splines need.

Measure before fusing: a fused layer keeps no grid. Knots as in `lariqa_train/model/kan.py`.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lariqa_train.model.hooks import watching
from lariqa_train.model.kan import is_kan_linear


@dataclass(frozen=True)
class Coverage:
    """Counts over everything one KAN layer has seen; one value of one feature counts as one input."""

    inputs: int = 0
    inputs_in_support: int = 0  # t_0 <= x <= t_last: some spline may act
    inputs_in_core: int = 0  # t_k <= x <= t_{-k-1}: the splines sum to 1

    @property
    def in_support(self) -> float:
        """Share inside the support, 0..1; NaN if the layer never ran."""
        return self.inputs_in_support / self.inputs if self.inputs else math.nan

    @property
    def in_core(self) -> float:
        """Share inside the core, 0..1, never above `in_support`; NaN if the layer never ran."""
        return self.inputs_in_core / self.inputs if self.inputs else math.nan

    def __add__(self, other: "Coverage") -> "Coverage":
        return Coverage(
            self.inputs + other.inputs,
            self.inputs_in_support + other.inputs_in_support,
            self.inputs_in_core + other.inputs_in_core,
        )


def coverage_of(x: Tensor, grid: Tensor, order: int) -> Coverage:
    """Coverage of one batch.

    Args:
        x: (..., in); values that are not a number count as outside.
        grid: (in, n + order + 1), knots of each input.
        order: k, the number of knots added on each side of the core.
    """

    def count_between(lo: Tensor, hi: Tensor) -> int:
        return int(((x >= lo) & (x <= hi)).sum())

    return Coverage(
        x.numel(), count_between(grid[:, 0], grid[:, -1]), count_between(grid[:, order], grid[:, -order - 1])
    )


@contextmanager
def watch_coverage(model: nn.Module) -> Iterator[dict[str, Coverage]]:
    """Counts what every KAN layer of the model is given while the block runs; the results do not change.

    Args:
        model: any module with `KanLinear` layers, or others that `is_kan_linear` knows, anywhere in its tree.

    Yields:
        {layer name: Coverage}, growing with each call; empty if there is no KAN layer. A layer used at several
        places is counted as one, under its first name.
    """
    layers = {name: module for name, module in model.named_modules() if is_kan_linear(module)}
    coverage = {name: Coverage() for name in layers}

    @torch.no_grad()
    def count(name: str, layer: nn.Module, given: tuple, named: dict) -> None:
        x = given[0] if given else next(iter(named.values()))
        coverage[name] += coverage_of(x, layer.grid, int(layer.spline_order))

    with watching(layers, before=count):
        yield coverage


def kan_coverage(model: nn.Module, forward_calls: Callable[[], object]) -> dict[str, Coverage]:
    """Coverage of every KAN layer while `forward_calls` runs the model, as often as it likes, without gradients.

    Args:
        model: see `watch_coverage`.
        forward_calls: runs the model on the data of interest; what it returns is not used.

    Returns:
        {layer name: Coverage} over all calls.
    """
    with watch_coverage(model) as coverage, torch.no_grad():
        forward_calls()
    return coverage
