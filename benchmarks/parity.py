"""Parity: does an exported file give the score that the PyTorch reference gives? Every parity word and limit is here.

    difference   score of the file - score of the reference, both from the same decoded pixels on
    worst        largest |difference| over the photos
    mean         average |difference|
    spread       highest - lowest reference score over the photos
    limit        what `worst` may be, per precision, in score units (the score runs over about 0..1)

The reference is the checkpoint's own model: unfused KAN, Pillow's resize, float32 on the CPU. A comparison proves
nothing if the photos' scores do not differ, so a spread below 100 limits is not a pass but an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from export.scorer import Scorer
from lariqa_train.refusal import Refusal

LIMITS = {"fp32": 5e-5}  # promised: 1e-4; measured over all formats, views and sizes: 1.3e-5 (docs/experiments.md)
LEAST_SPREAD = 100  # limits


@dataclass(frozen=True)
class PhotoParity:
    """One photo's two scores."""

    photo: str
    reference: float
    score: float

    @property
    def difference(self) -> float:
        """Score of the file minus score of the reference."""
        return self.score - self.reference


@dataclass(frozen=True)
class Parity:
    """An artifact against the reference over several photos."""

    reference: str
    runtime: str
    limit: float
    photos: tuple[PhotoParity, ...]

    @property
    def worst(self) -> float:
        """Largest |difference|; NaN, which passes nothing, where a score is NaN."""
        return float(np.max([abs(photo.difference) for photo in self.photos]))

    @property
    def mean(self) -> float:
        """Average |difference|."""
        return float(np.mean([abs(photo.difference) for photo in self.photos]))

    @property
    def spread(self) -> float:
        """Highest minus lowest reference score."""
        scores = [photo.reference for photo in self.photos]
        return max(scores) - min(scores)

    @property
    def passed(self) -> bool:
        """Whether the worst difference is within the limit."""
        return self.worst <= self.limit

    def to_json(self) -> dict[str, Any]:
        """As written to ``lariqa.json``."""
        figures = {"worst": self.worst, "mean": self.mean, "spread": self.spread, "passed": self.passed}
        return {**asdict(self), **figures, "photos": [asdict(photo) for photo in self.photos]}


def reference_scores(
    reference: Scorer, photos: Mapping[str, np.ndarray], limit: float, progress: Callable[[str], None]
) -> dict[str, float]:
    """Photo name -> reference score.

    Raises:
        Refusal: fewer than two photos, or scores that hardly differ: a comparison on them could not fail.
    """
    scores = {}
    for name, image in photos.items():
        progress(f"reference score of {name}")
        scores[name] = reference.score(image)
    spread = max(scores.values()) - min(scores.values())
    if len(scores) < 2 or not spread >= LEAST_SPREAD * limit:
        raise Refusal(
            f"the reference scores of {len(scores)} photos lie within {spread:.2g}: too alike for a comparison to "
            f"mean anything (needs {LEAST_SPREAD * limit:.2g}); give photos of different quality"
        )
    return scores


def compare(
    scorer: Scorer,
    reference: Mapping[str, float],
    photos: Mapping[str, np.ndarray],
    precision: str,
    reference_runtime: str,
    progress: Callable[[str], None],
    limit: float | None = None,
) -> Parity:
    """Score every photo with ``scorer`` and hold it against the reference scores."""
    rows = []
    for name, image in photos.items():
        progress(f"{scorer.runner.runtime} on {name}")
        rows.append(PhotoParity(name, reference[name], scorer.score(image)))
    return Parity(reference_runtime, scorer.runner.runtime, LIMITS[precision] if limit is None else limit, tuple(rows))
