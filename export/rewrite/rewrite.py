"""The one shape of a rewrite: take a module, return a new one that computes the same, and prove it at once.

    @rewrite(requires=..., ensures=...)
    def name(model, ...) -> module          works in place, on a copy that is its own

    name(model, ...)                        model is untouched; refused if ``requires`` or ``ensures`` finds a fault

``fused_kan.fuse_kans`` has the same shape and gives a report beside the module, for whoever fuses a model of his own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import wraps

import torch
from torch import nn

from lariqa.errors import Refusal

CLOSE = 1e-5  # largest difference on probes, relative to the largest value: float32 rounding is below 1e-6


def rewrite(
    requires: Callable[..., str] = lambda model, *rest: "",
    ensures: Callable[..., str] = lambda before, after, *rest: "",
) -> Callable[[Callable[..., nn.Module]], Callable[..., nn.Module]]:
    """Turn a function that changes a module in place into a rewrite.

    Args:
        requires: (model, further arguments) -> why it cannot be rewritten; empty where it can.
        ensures: (model before, model after, further arguments) -> what differs; empty where nothing does.

    Example:
        >>> @rewrite(ensures=lambda before, after: "" if before.in_features == after.in_features else "it shrank")
        ... def freeze(model):
        ...     return model.requires_grad_(False)
        >>> layer = nn.Linear(2, 1)
        >>> frozen = freeze(layer)
        >>> frozen.weight.requires_grad, layer.weight.requires_grad
        (False, True)
    """

    def shape(change: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        @wraps(change)
        def rewritten(model: nn.Module, *rest) -> nn.Module:
            if reason := requires(model, *rest):
                raise Refusal(f"{change.__name__} cannot rewrite this model: {reason}")
            after = change(copy.deepcopy(model), *rest)
            with torch.no_grad():
                fault = ensures(model, after, *rest)
            if fault:
                raise Refusal(f"{change.__name__} changed what the model computes: {fault}; please report it")
            return after

        return rewritten

    return shape


def differs(expected: torch.Tensor, came: torch.Tensor, what: str) -> str:
    """What is wrong with a result, if it is further from the expected one than rounding; an empty text otherwise."""
    worst = float((expected - came).abs().max()) / max(float(expected.abs().max()), 1e-12)
    return "" if worst <= CLOSE else f"{what} is {worst:.1e} off"


def probe(channels: int, like: torch.Tensor) -> torch.Tensor:
    """(2, channels, 9, 7) of noise, the same each time, in the dtype and on the device of a weight."""
    noise = torch.rand((2, channels, 9, 7), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (2 * noise - 1).to(like)
