"""Figures derived from samples, so that rows can hold raw facts alone.

    p50 .. p99        percentiles, linear between the two nearest samples (numpy's default, Hyndman and Fan's type 7)
    mad               median absolute deviation from the median: spread that one slow run does not move
    interval          95 % bootstrap interval of a median (percentile method, 2000 seeded resamples)
    ratio             median over the runs of (this row's run k / the baseline's run k), with its interval. Rows of one
                      report take turns, so run k of both met the same machine, and its drift cancels
    drift             median of the last third of the runs / median of the first third: above 1, it became slower

Intervals take runs as independent. On a machine that drifts they are too narrow for a median, and about right for
a ratio; that is why claims are ratios.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats

from benchmarks.measure.measurement import Decoder, Measurement, Score
from export.proof.limits import limit_of
from export.proof.parity import Parity, PhotoParity
from lariqa.errors import Refusal

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 0
FEWEST_RUNS = 5  # for an interval: with fewer, a bootstrap of the median gives little more than the range
FEWEST_FOR_DRIFT = 9  # three in each third


@dataclass(frozen=True)
class Interval:
    """Where a median lies, in its samples' unit."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies inside."""
        return self.low <= value <= self.high

    def apart_from(self, other: Interval) -> bool:
        """Whether the two have no value in common."""
        return self.high < other.low or other.high < self.low


@dataclass(frozen=True)
class Samples:
    """Statistics of a list of samples, in its unit."""

    n: int
    min: float
    p50: float
    p90: float
    p95: float
    p99: float
    max: float
    mad: float
    interval: Interval | None  # of p50; None below FEWEST_RUNS
    drift: float | None  # None below FEWEST_FOR_DRIFT


@dataclass(frozen=True)
class Ratio:
    """A row's time as a multiple of a baseline's: below 1, it is faster."""

    baseline: str  # id of its row
    median: float
    interval: Interval
    pairs: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes 1: one of the two is faster."""
        return not self.interval.holds(1.0)

    def to_json(self) -> dict:
        """As in ``report.json``."""
        return asdict(self)


def describe(samples: Sequence[float]) -> Samples | None:
    """Every figure of a list of samples, in the order they were taken; None of an empty one."""
    if not samples:
        return None
    values = np.asarray(samples, dtype=float)
    p50, p90, p95, p99 = np.percentile(values, (50, 90, 95, 99))
    figures = (values.min(), p50, p90, p95, p99, values.max(), stats.median_abs_deviation(values))
    return Samples(len(values), *map(float, figures), median_interval(samples), drift(samples))


def median_interval(samples: Sequence[float]) -> Interval | None:
    """95 % bootstrap interval of the median; None of fewer than FEWEST_RUNS samples."""
    if len(samples) < FEWEST_RUNS:
        return None
    if np.ptp(samples) == 0:  # the interval of equal samples is that value; scipy would warn
        return Interval(float(samples[0]), float(samples[0]))
    found = stats.bootstrap(
        (np.asarray(samples, dtype=float),),
        np.median,
        n_resamples=RESAMPLES,
        batch=max(1, 1_000_000 // len(samples)),  # a sustained measurement has thousands of runs
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return Interval(float(found.low), float(found.high))


def drift(samples: Sequence[float]) -> float | None:
    """Median of the last third / median of the first third; None of fewer than FEWEST_FOR_DRIFT samples."""
    third = len(samples) // 3
    first = np.median(samples[:third]) if len(samples) >= FEWEST_FOR_DRIFT else 0
    return float(np.median(samples[-third:]) / first) if first > 0 else None


def run_ms(row: Measurement) -> list[float]:
    """Milliseconds from the decoded pixels to the score, run by run: preprocess + inference + post.

    What decides between files: the ``pixels`` input prepares the photo inside inference, the others before it.
    A part that was not measured counts nothing (:func:`leaves_out` says so).
    """
    latency = row.latency
    if latency is None:
        return []
    nothing = [0.0] * len(latency.inference_ms)
    parts = (latency.preprocess_ms or nothing, latency.inference_ms, latency.post_ms or nothing)
    return [sum(run) for run in zip(*parts, strict=True)]


def decodes_otherwise(row: Measurement) -> list[str]:
    """What the device's decoders do to the scores of lossy photos, a sentence each; empty where pixels are Pillow's."""
    kinds = (("JPEG", row.decoder), ("HEIC", row.decoder_heic))
    return [_decodes_otherwise(found, kind) for kind, found in kinds if found and found.worst_levels]


def _decodes_otherwise(found: Decoder, kind: str) -> str:
    right = found.reference if found.score_of_expected is None else found.score_of_expected
    moved = ""
    if found.score is not None and right is not None:
        moved = f", and the score of that file by {abs(found.score - right):.1e}"
    return (
        f"{found.library} decodes {found.file} otherwise than Pillow: {found.differing_share:.1%} of the values "
        f"differ, by up to {found.worst_levels:g} levels{moved}; scores of {kind} photos are that far from PyTorch's"
    )


def leaves_out(row: Measurement) -> str:
    """What :func:`run_ms` leaves out for this row, in a sentence; empty if nothing."""
    if row.latency and row.latency.inference_ms and not row.latency.preprocess_ms and row.subject.input != "pixels":
        return "its preprocessing was not timed, so its time is that of the network alone"
    return ""


def cpu_ms(row: Measurement) -> list[float]:
    """Milliseconds of processor time, all threads, run by run; decoding counts."""
    return row.latency.cpu_ms if row.latency else []


def paired_ratio(
    row: Measurement, baseline: Measurement, samples: Callable[[Measurement], list[float]] = run_ms
) -> Ratio:
    """How many times as long as ``baseline`` a run of ``row`` takes, run by run (``samples`` of both).

    Where one has more runs than the other, those without a partner are left out.

    Raises:
        Refusal: the rows were not measured in turns, or there are too few runs.
    """
    if not row.report or row.report != baseline.report:
        raise Refusal(
            f"{row.subject.name} and {baseline.subject.name} are of different reports: they did not take turns on "
            "one machine, so their ratio would compare moments; measure them in one run"
        )
    if (row.mode, baseline.mode) != ("burst", "burst"):
        raise Refusal(f"{row.subject.name} or {baseline.subject.name} ran back to back (sustained), not in turns")
    pairs = list(zip(samples(row), samples(baseline), strict=False))
    if len(pairs) < FEWEST_RUNS:
        raise Refusal(
            f"{row.subject.name} and {baseline.subject.name} share {len(pairs)} runs; a ratio needs {FEWEST_RUNS}"
        )
    if min(time for _, time in pairs) <= 0:
        raise Refusal(f"a run of {baseline.subject.name} took no time at all; its clock cannot be right")
    ratios = [mine / other for mine, other in pairs]
    return Ratio(baseline.id, float(np.median(ratios)), median_interval(ratios), len(ratios))


def parity_of(scores: Sequence[Score], precision: str) -> Parity | None:
    """Of a measured row: its photos that have a reference score; None where there are none."""
    photos = tuple(
        PhotoParity(score.photo, score.reference, score.score) for score in scores if score.reference is not None
    )
    limit = limit_of(precision, [photo.reference for photo in photos])
    return Parity(photos, limit, precision) if photos else None
