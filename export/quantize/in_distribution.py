"""Is a picture like those that the model was made for? Asked by comparing it with the photos of the proof.

    score       no further from the proof photos' scores than these spread
    features    what each branch's head is given: root mean square at most TIMES that of any proof photo

A KAN's splines live on a short interval. On a picture whose features are a hundred times too large every spline is
zero, the score is what the head's straight part makes of them, whatever it learned, and a change of any weight moves
it by as much: such scores rank nothing. Only the reference is asked, so a file cannot choose its own validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from torch import nn

from lariqa.runtimes.scorer import Scorer
from lariqa_train.model.hooks import watching

TIMES = 2


class InDistribution:
    """Scores pictures by the reference, and says which are in distribution.

    Args:
        reference: the PyTorch reference; its runner has the model.
        proof: the photos of every proof; with fewer than two, every picture counts as inside.
    """

    def __init__(self, reference: Scorer, proof: Mapping[str, np.ndarray]) -> None:
        self.reference, self.proof = reference, proof

    def score(self, picture: np.ndarray) -> tuple[float, bool]:
        """The reference's score, and whether the picture is in distribution."""
        score, sizes = self._score(picture)
        return score, self.holds(score, sizes)

    def holds(self, score: float, sizes: Mapping[str, float]) -> bool:
        """Whether a picture with this score and these sizes of features, by view, is like the proof's photos."""
        if len(self.proof) < 2:
            return True
        low, high = min(self.proof_scores.values()), max(self.proof_scores.values())
        if not low - (high - low) <= score <= high + (high - low):
            return False
        return all(
            size <= TIMES * max(seen[view] for _, seen in self._of_proof.values()) for view, size in sizes.items()
        )

    @property
    def proof_scores(self) -> dict[str, float]:
        """Name -> reference score of the proof's photos."""
        return {name: score for name, (score, _) in self._of_proof.items()}

    @cached_property
    def _of_proof(self) -> dict[str, tuple[float, dict[str, float]]]:
        return {name: self._score(photo) for name, photo in self.proof.items()}

    def _score(self, picture: np.ndarray) -> tuple[float, dict[str, float]]:
        """The score; view -> root mean square of what its reducer is given."""
        model, sizes = self.reference.runner.model, {}

        def see(view: str, reducer: nn.Module, given: tuple, named: dict) -> None:
            sizes[view] = given[0].square().mean().sqrt().item()

        reducers = {view: getattr(model, view).reducer for view in model.config.branches}
        with watching(reducers, before=see):
            return self.reference.score(picture), sizes
