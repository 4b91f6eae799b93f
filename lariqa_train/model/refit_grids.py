"""refit_grids: move the knots of a model's KAN layers to where their inputs lie, and keep the curves there.

    features of N photos -> for each reducer, then the regressor:  update_grid(x),  x = layer(x)

In the order of execution, because a layer's inputs depend on the layers before it. What is kept is each curve on the
inputs that were seen, in the least-squares sense; elsewhere it may change. The grids are not uniform afterwards.

Source: ``update_grid`` of the public efficient-kan layer; see :meth:`lariqa_train.model.kan.KanLinear.update_grid`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from lariqa.errors import Refusal
from lariqa_train.model.kan_coverage import Coverage, watch_coverage
from lariqa_train.model.model import LarIqa


@dataclass(frozen=True)
class HeadRun:
    """What a model's heads make of the features of some photos."""

    scores: torch.Tensor  # (N,)
    coverage: dict[str, Coverage]  # KAN layer -> coverage of its inputs


def run_heads(model: LarIqa, features: Mapping[str, torch.Tensor]) -> HeadRun:
    """Scores from features: view -> (N, features), as ``model.features`` gives them."""
    with watch_coverage(model) as coverage, torch.inference_mode():
        reduced = [getattr(model, view).reducer(features[view]) for view in model.config.branches]
        scores = model.regressor(torch.cat(reduced, 1)).flatten()
    return HeadRun(scores, dict(coverage))


def refuse_without_kan(model: LarIqa) -> None:
    """Raise a Refusal for a model that has no KAN head."""
    head = model.config.head
    if head is None or head.kind != "kan":
        kind = "a bare encoder" if head is None else f"an {head.kind.upper()} head"
        raise Refusal(f"this model has {kind} and no KAN layer, so no grid to update")


@torch.no_grad()
def refit_grids(model: LarIqa, features: Mapping[str, torch.Tensor], blend: float = 0.02) -> None:
    """Refit the grid of every KAN layer of ``model``, in place.

    Args:
        model: with a KAN head.
        features: view -> (N, features); N is at least the number of splines of an input, grid_size + spline_order.
        blend: share of a uniform grid in the new one, see ``KanLinear.update_grid``.

    Raises:
        Refusal: no KAN head, too few photos, or knots that would coincide.
    """
    refuse_without_kan(model)
    head, (photos,) = model.config.head, {len(x) for x in features.values()}
    splines = head.grid_size + head.spline_order
    if photos < splines:
        raise Refusal(
            f"{photos} photo{'s' * (photos != 1)} cannot determine the {splines} splines of each KAN input; "
            f"give at least {splines}, better some hundreds"
        )
    reduced = []
    for view in model.config.branches:
        reduced.append(_refit(getattr(model, view).reducer, features[view], blend, view))
    _refit(model.regressor, torch.cat(reduced, 1), blend, "regressor")


def _refit(kan: torch.nn.Module, x: torch.Tensor, blend: float, name: str) -> torch.Tensor:
    """What the KAN gives for these inputs, with its grids refitted to them."""
    for layer in kan.layers:
        try:
            layer.update_grid(x, blend)
        except Refusal as refusal:
            raise Refusal(f"KAN of {name}: {refusal}") from refusal
        x = layer(x)
    return x
