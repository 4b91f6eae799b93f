"""Parity: does an exported file give the score that the PyTorch reference gives?

    difference   score of the file - score of the reference, both from the same decoded pixels on
    error        |difference|; where the reference lies beyond -1..1, as a share of it: float32 has seven digits, and a
                 score of 15 on a picture that no one trained on has five of them behind the point
    worst        largest error over the photos
    mean         average error
    spread       highest - lowest reference score over the photos
    sd           standard deviation of the differences
    PLCC, SRCC   Pearson's and Spearman's correlation of the file's scores with the reference's
    flip         a pair of photos that the reference ranks and the file ranks the other way round, or as equals
    score range  highest - lowest reference score over the photos, at most 1, the nominal range

The reference is the checkpoint's own model: unfused KAN, Pillow's resize, float32 on the CPU. A comparison proves
nothing if the photos' scores do not differ, so a spread below LEAST_SPREAD limits is not a pass but an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from export.proof.limits import GATE_PHOTOS, GATES, LEAST_SPREAD, LIMITS, MOS_POINTS, PAPER_SCORE_SD, limit_of
from lariqa.errors import Refusal, named
from lariqa.time_left import counted

if TYPE_CHECKING:  # reports need these words without NumPy's friends
    from lariqa.runtimes.scorer import Scorer

PROVED_BATCHES = (1, 3, 16)
FAR_BEYOND = 1.5  # from the middle of the nominal range


@dataclass(frozen=True)
class PhotoParity:
    """One photo's two scores."""

    photo: str
    reference: float
    score: float
    width_px: int | None = None  # of the photo; None: not recorded
    height_px: int | None = None

    @property
    def error(self) -> float:
        """|difference|, as a share of the reference where that lies beyond -1..1."""
        return abs(self.difference) / max(1.0, abs(self.reference))

    @property
    def difference(self) -> float:
        """Score of the file minus score of the reference."""
        return self.score - self.reference


@dataclass(frozen=True)
class Parity:
    """A file's scores against the reference's over several photos. Differences are in score units.

    Args:
        photos: each photo's two scores.
        limit: what ``worst`` may be; None where no limit is set for the precision.
        precision: of the file; below fp32 its gate counts as well.
        reference, runtime: name and version of what gave each score.
    """

    photos: tuple[PhotoParity, ...]
    limit: float | None
    precision: str = "fp32"
    reference: str = ""
    runtime: str = ""

    @property
    def differences(self) -> np.ndarray:
        """(n,) file minus reference."""
        return np.array([photo.difference for photo in self.photos])

    @property
    def errors(self) -> np.ndarray:
        """(n,) of each photo."""
        return np.array([photo.error for photo in self.photos])

    @property
    def worst(self) -> float:
        """Largest error; NaN where a score is NaN."""
        return float(np.max(self.errors))

    @property
    def worst_photo(self) -> PhotoParity:
        """The photo with the largest error."""
        return self.photos[int(np.argmax(self.errors))]

    @property
    def extraordinary(self) -> tuple[PhotoParity, ...]:
        """Photos that the reference itself scores far beyond the nominal range 0..1."""
        return tuple(photo for photo in self.photos if not -FAR_BEYOND <= photo.reference - 0.5 <= FAR_BEYOND)

    @property
    def mean(self) -> float:
        """Average error."""
        return float(np.mean(self.errors))

    @property
    def sd(self) -> float:
        """Standard deviation of the differences (of the sample: n - 1); 0 for one photo."""
        return float(np.std(self.differences, ddof=1)) if len(self.photos) > 1 else 0.0

    @property
    def spread(self) -> float:
        """Highest minus lowest reference score."""
        return float(np.ptp([photo.reference for photo in self.photos]))

    @property
    def proves_nothing(self) -> str:
        """Why these photos could not have shown a difference; empty where they could. The rule of LEAST_SPREAD."""
        # The limits of lower precisions grow with the spread: they cannot say whether it is enough.
        least = LEAST_SPREAD * min(LIMITS["fp32"], LIMITS["fp32"] if self.limit is None else self.limit)
        if len(self.photos) >= 2 and self.spread >= least:
            return ""
        return (
            f"the reference scores of {len(self.photos)} photo{'s' * (len(self.photos) != 1)} lie within "
            f"{self.spread:.2g} (needs {least:.2g}): too alike for a comparison to mean anything"
        )

    @property
    def missed(self) -> tuple[str, ...]:
        """Each limit that is not held, with its figure; the gate's own only where there are photos enough for them."""
        missed = []
        if self.limit is not None and not self.worst <= self.limit:
            missed.append(f"worst {self.worst:.1e} (limit {self.limit:.1e})")
        if self.precision in GATES and len(self.photos) >= GATE_PHOTOS:
            gate = GATES[self.precision]
            sd_limit = gate.sd([photo.reference for photo in self.photos])
            if not self.sd <= sd_limit:
                missed.append(f"sd {self.sd:.1e} (limit {sd_limit:.1e})")
            if self.srcc is None or not self.srcc >= gate.srcc:
                missed.append(f"SRCC {self.srcc} (limit {gate.srcc})")
        return tuple(missed)

    @property
    def passed(self) -> bool | None:
        """Whether every limit is held, on photos that could have shown otherwise; None: cannot be said."""
        return None if self.limit is None or self.proves_nothing else not self.missed

    @property
    def plcc(self) -> float | None:
        """Pearson's correlation; None where it is not defined or proves nothing."""
        return self._correlation("pearsonr")

    @property
    def srcc(self) -> float | None:
        """Spearman's rank correlation; None where it is not defined or proves nothing."""
        return self._correlation("spearmanr")

    @property
    def pairs(self) -> int:
        """Pairs of photos that the reference ranks: its scores differ."""
        return len(self._ranked()[0])

    @property
    def flips(self) -> int:
        """Of those, the pairs that the file ranks the other way round, or as equals."""
        reference, file = self._ranked()
        return int(np.sum(reference * file <= 0))

    @property
    def flip_share(self) -> float:
        """Flips / pairs, 0..1."""
        return self.flips / self.pairs if self.pairs else 0.0

    @property
    def sd_share(self) -> float:
        """``sd`` as a share of PAPER_SCORE_SD, the spread that the paper's model gives to real photos."""
        return self.sd / PAPER_SCORE_SD

    @property
    def sd_on_paper_scale(self) -> float | None:
        """``sd`` as if the reference scores of these photos had the sd of the paper's; None: it cannot be said."""
        if self.proves_nothing:
            return None
        return self.sd / float(np.std([photo.reference for photo in self.photos], ddof=1)) * PAPER_SCORE_SD

    def to_json(self) -> dict[str, Any]:
        """As written to ``lariqa.json``."""
        names = ("worst", "mean", "spread", "passed")
        names += ("sd", "srcc", "pairs", "flips") if self.precision in GATES else ()
        return {
            "reference": self.reference,
            "runtime": self.runtime,
            "limit": self.limit,
            "photos": [asdict(photo) for photo in self.photos],
            "precision": self.precision,
            **{name: getattr(self, name) for name in names},
        }

    def figures(self) -> dict[str, Any]:
        """Every figure by its name, as in ``report.json``; without the photos, which the rows hold."""
        names = ("worst", "mean", "sd", "spread", "limit", "passed", "proves_nothing", "plcc", "srcc")
        names += ("pairs", "flips", "flip_share", "sd_share")
        figures = {"photos": len(self.photos), **{name: getattr(self, name) for name in names}}
        return figures | {f"{name}_mos_points": MOS_POINTS * figures[name] for name in ("worst", "mean", "sd")}

    def _ranked(self) -> tuple[np.ndarray, np.ndarray]:
        """Differences within each pair of photos that the reference ranks: its own, the file's."""
        first, second = np.triu_indices(len(self.photos), 1)
        reference = np.array([photo.reference for photo in self.photos])
        file = np.array([photo.score for photo in self.photos])
        ranks = np.sign(reference[first] - reference[second]), np.sign(file[first] - file[second])
        return ranks[0][ranks[0] != 0], ranks[1][ranks[0] != 0]

    def _correlation(self, kind: str) -> float | None:
        """With fewer than three photos it is 1 or -1 whatever they score; with equal scores it is 0/0."""
        from scipy import stats

        file = [photo.score for photo in self.photos]
        if self.proves_nothing or len(file) < 3 or not np.ptp(file) > 0:
            return None
        return float(getattr(stats, kind)([photo.reference for photo in self.photos], file).statistic)


def reference_scores(
    reference: Scorer, photos: Mapping[str, np.ndarray], limit: float, progress: Callable[[str], None]
) -> dict[str, float]:
    """Photo name -> reference score, without the photos that ``photos`` turns out not to have.

    Raises:
        Refusal: fewer than two photos, or scores that hardly differ: a comparison on them could not fail.
    """
    scores = {}
    for name in counted(list(photos), len(photos), "reference scores", progress):
        image = photos.get(name)
        if image is not None:
            with named(name):
                scores[name] = reference.score(image)
        del image  # it would lie beside the next one
    refuse_alike(scores, limit)
    return scores


def refuse_alike(scores: Mapping[str, float], limit: float) -> None:
    """Check that reference scores differ enough for a comparison within ``limit``.

    Raises:
        Refusal: fewer than two, or too alike.
    """
    if not scores:
        raise Refusal("none of the photos opens, so there is nothing to compare; give others")
    spread = max(scores.values()) - min(scores.values())
    if len(scores) < 2 or not spread >= LEAST_SPREAD * limit:
        raise Refusal(
            f"the reference scores of {len(scores)} photos lie within {spread:.2g}: too alike for a comparison to "
            f"mean anything (needs {LEAST_SPREAD * limit:.2g}); give photos of different quality"
        )


def compare(
    scorer: Scorer,
    reference: Mapping[str, float],
    photos: Mapping[str, np.ndarray],
    precision: str,
    reference_runtime: str,
    progress: Callable[[str], None],
    limit: float | None = None,
) -> Parity:
    """Score every photo with ``scorer``, in batches too where it takes them, and compare with the reference score."""
    rows = []
    for name in counted(list(photos), len(photos), f"{scorer.runner.runtime} on the photos", progress):
        image = photos.get(name)
        if image is not None:
            with named(name):
                rows.append(PhotoParity(name, reference[name], scorer.score(image), image.shape[1], image.shape[0]))
        del image  # it would lie beside the next one
    if scorer.batch is None and rows:
        alone = {row.photo: row for row in rows}
        names = list(alone)
        for number in counted(PROVED_BATCHES, len(PROVED_BATCHES), "batches", progress):
            chosen = [names[n % len(names)] for n in range(number)]
            scores = scorer.score_batch(_opened_again(photos, name) for name in chosen)
            for name, score in zip(chosen, scores, strict=True):
                rows.append(replace(alone[name], photo=f"{name}, one of {number} at once", score=score))
    if limit is None:
        limit = limit_of(precision, [row.reference for row in rows])
    return Parity(tuple(rows), limit, precision, reference_runtime, scorer.runner.runtime)


def _opened_again(photos: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    image = photos.get(name)
    if image is None:
        raise Refusal(f"{name} could be opened before, and now cannot; leave it where it is and prove again")
    return image
