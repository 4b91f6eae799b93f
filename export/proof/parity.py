"""Parity: does an exported file give the score that the PyTorch reference gives? Every parity word and limit is here.

    difference   score of the file - score of the reference, both from the same decoded pixels on
    worst        largest |difference| over the photos
    mean         average |difference|
    spread       highest - lowest reference score over the photos
    limit        what `worst` may be, per precision, in score units (the score runs over about 0..1)
    sd           standard deviation of the differences
    PLCC, SRCC   Pearson's and Spearman's correlation of the file's scores with the reference's
    flip         a pair of photos that the reference ranks and the file ranks the other way round, or as equals
    score range  highest - lowest reference score over the photos, at most 1, the nominal range
    paper scale  an error as it would be if the photos' reference scores had the sd of the paper's, PAPER_SCORE_SD
    gate         what a file in another precision than fp32 must hold over at least GATE_PHOTOS photos
    MOS points   score x 100: people rate photos from 0 to 100 (mean opinion score)

The reference is the checkpoint's own model: unfused KAN, Pillow's resize, float32 on the CPU. A comparison proves
nothing if the photos' scores do not differ, so a spread below 100 limits is not a pass but an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lariqa.errors import Refusal
from lariqa.time_left import counted

if TYPE_CHECKING:  # reports need this file's words and limits without the seconds that importing torch takes
    from benchmarks.measure.measurement import Score
    from lariqa.runtimes.scorer import Scorer

LIMITS = {"fp32": 5e-5}  # promised: 1e-4; measured over all formats, views and sizes: 1.3e-5 (docs/experiments.md)
# How far a device's score of the golden photo may be from the reference's, by what the device computes in; in the
# manifest for the phones. float32: promised. float16: noise of this size costs less than .003 of SRCC against people
# (measured on the authors' 900 published predictions); three times as much would lose the KAN's whole gain. int8: five
# times the sd that GATES allows, as everywhere there.
TOLERANCES = {"float32": 1e-4, "float16": 5e-3, "int8": 1.25e-2}
LEAST_SPREAD = 100  # limits
GATE_PHOTOS = 100
MOS_POINTS = 100  # per unit of score
# Standard deviation of the paper's model over the 900 test photos of UHD-IQA: the authors' published predictions
# (results/ of their repository). An error as large as a share of this blurs the ranking of real photos by that share.
PAPER_SCORE_SD = 0.0575


@dataclass(frozen=True)
class Gate:
    """What a lower precision may do to the score.

    Noise of sd .0025 on the authors' published predictions (sd .0575) costs less than .001 of SRCC against people,
    .005 costs .003, .015 the whole gain of the KAN head: hence the limits. An SRCC of .999 alone would allow .0026, so
    int8 weights have a stricter sd of their own.
    """

    srcc: float  # at least
    sd_on_paper_scale: float  # at most
    sd_of_range: float | None = None  # at most, as a share of the score range
    worst_sds: float = 5  # largest |difference|, in sds at their limit: one photo must not be far off

    def sd(self, references: Sequence[float]) -> float:
        """The largest sd, in score units, over photos with these reference scores."""
        of_paper = self.sd_on_paper_scale * float(np.std(references, ddof=1)) / PAPER_SCORE_SD
        if self.sd_of_range is None:
            return of_paper
        return min(of_paper, self.sd_of_range * min(float(np.ptp(references)), 1.0))


GATES = {
    "fp16": Gate(srcc=0.9999, sd_on_paper_scale=2.5e-3, sd_of_range=5e-4),
    "w8": Gate(srcc=0.999, sd_on_paper_scale=1.5e-3),
    "int8": Gate(srcc=0.998, sd_on_paper_scale=2.5e-3),
}


def limit_of(precision: str, references: Sequence[float]) -> float | None:
    """What the largest |difference| may be in a precision, over photos with these scores; None: not known."""
    if precision in LIMITS:
        return LIMITS[precision]
    if precision not in GATES or len(references) < 2:
        return None
    return GATES[precision].worst_sds * GATES[precision].sd(references)


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
    precision: str = "fp32"

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
    def fidelity(self) -> Fidelity:
        """The same photos, with every figure about them."""
        return Fidelity(self.photos, self.limit)

    @property
    def missed(self) -> tuple[str, ...]:
        """Each limit that is not held, with its figure; the gate's own only where there are photos enough for them."""
        said = [] if self.worst <= self.limit else [f"worst {self.worst:.1e} (limit {self.limit:.1e})"]
        if self.precision in GATES and len(self.photos) >= GATE_PHOTOS:
            gate, fidelity = GATES[self.precision], self.fidelity
            sd_limit = gate.sd([photo.reference for photo in self.photos])
            if not fidelity.sd <= sd_limit:
                said.append(f"sd {fidelity.sd:.1e} (limit {sd_limit:.1e})")
            if fidelity.srcc is None or not fidelity.srcc >= gate.srcc:
                said.append(f"SRCC {fidelity.srcc} (limit {gate.srcc})")
        return tuple(said)

    @property
    def passed(self) -> bool:
        """Whether every limit is held."""
        return not self.missed

    def to_json(self) -> dict[str, Any]:
        """As written to ``lariqa.json``."""
        figures = {"worst": self.worst, "mean": self.mean, "spread": self.spread, "passed": self.passed}
        if self.precision in GATES:
            fidelity = self.fidelity
            figures |= {name: getattr(fidelity, name) for name in ("sd", "srcc", "pairs", "flips")}
        return {**asdict(self), **figures, "photos": [asdict(photo) for photo in self.photos]}


@dataclass(frozen=True)
class Fidelity:
    """How faithful a file's scores are to the reference's over many photos. Differences are in score units.

    Args:
        photos: each photo's two scores.
        limit: what ``worst`` may be; None where no limit is set for the precision.
    """

    photos: tuple[PhotoParity, ...]
    limit: float | None

    @property
    def differences(self) -> np.ndarray:
        """(n,) file minus reference."""
        return np.array([photo.difference for photo in self.photos])

    @property
    def worst(self) -> float:
        """Largest |difference|; NaN where a score is NaN."""
        return float(np.max(np.abs(self.differences)))

    @property
    def mean(self) -> float:
        """Average |difference|."""
        return float(np.mean(np.abs(self.differences)))

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
    def passed(self) -> bool | None:
        """Whether ``worst`` is within the limit, on photos that could have shown otherwise; None: cannot be said."""
        return None if self.limit is None or self.proves_nothing else self.worst <= self.limit

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


def fidelity_of(scores: Sequence[Score], precision: str) -> Fidelity | None:
    """Of a measured row: its photos that have a reference score; None where there are none."""
    photos = tuple(
        PhotoParity(score.photo, score.reference, score.score) for score in scores if score.reference is not None
    )
    limit = limit_of(precision, [photo.reference for photo in photos])
    return Fidelity(photos, limit) if photos else None


def reference_scores(
    reference: Scorer, photos: Mapping[str, np.ndarray], limit: float, progress: Callable[[str], None]
) -> dict[str, float]:
    """Photo name -> reference score.

    Raises:
        Refusal: fewer than two photos, or scores that hardly differ: a comparison on them could not fail.
    """
    scores = {}
    for name, image in counted(photos.items(), len(photos), "reference scores", progress):
        scores[name] = reference.score(image)
    refuse_alike(scores, limit)
    return scores


def refuse_alike(scores: Mapping[str, float], limit: float) -> None:
    """Check that reference scores differ enough for a comparison within ``limit``.

    Raises:
        Refusal: fewer than two, or too alike.
    """
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
    """Score every photo with ``scorer`` and hold it against the reference scores."""
    rows = []
    for name, image in counted(photos.items(), len(photos), f"{scorer.runner.runtime} on the photos", progress):
        rows.append(PhotoParity(name, reference[name], scorer.score(image)))
    if limit is None:
        limit = limit_of(precision, [row.reference for row in rows])
    return Parity(reference_runtime, scorer.runner.runtime, limit, tuple(rows), precision)
