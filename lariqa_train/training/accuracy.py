"""Accuracy: how well scores agree with human ratings (MOS). Every accuracy measure of the toolkit is here.

    SRCC    Spearman's rank correlation          KRCC    Kendall's rank correlation (tau-b, ties counted)
    PLCC    Pearson's linear correlation         RMSE, MAE    in units of the score (0..1)

Raw, and after the 4-parameter logistic of the challenge entries, which forgives a curved scale in PLCC, RMSE, MAE:

    f(x) = b2 + (b1 - b2) / (1 + exp(-(x - b3) / |b4|))

scipy computes; the confidence intervals are percentile bootstrap over images (or over groups of them, so that several
distortions of one reference do not count as independent).
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass

import numpy as np
from scipy import optimize, special, stats

from lariqa.errors import Refusal

MEASURES = ("srcc", "plcc", "krcc", "rmse", "mae")
LEAST_IMAGES = 3  # two points always correlate perfectly


@dataclass(frozen=True)
class Accuracy:
    """Agreement of scores with MOS; a correlation is NaN where one side is constant."""

    images: int
    srcc: float
    plcc: float
    krcc: float
    rmse: float
    mae: float

    def to_json(self) -> dict[str, float | int | None]:
        """Plain JSON values; NaN becomes null."""
        return {key: None if value != value else value for key, value in asdict(self).items()}


def measure_accuracy(scores: np.ndarray, mos: np.ndarray) -> Accuracy:
    """Compare scores with MOS, both (N,) and higher is better.

    Raises:
        Refusal: different lengths, fewer than three images, or a value that is not finite.
    """
    scores, mos = _checked(scores, mos)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        warnings.simplefilter("ignore", stats.NearConstantInputWarning)
        srcc, plcc = stats.spearmanr(scores, mos).statistic, stats.pearsonr(scores, mos).statistic
        krcc = stats.kendalltau(scores, mos).statistic
    error = scores - mos
    return Accuracy(
        len(scores), float(srcc), float(plcc), float(krcc), float(np.sqrt((error**2).mean())), float(abs(error).mean())
    )


def logistic(scores: np.ndarray, b1: float, b2: float, b3: float, b4: float) -> np.ndarray:
    """The 4-parameter logistic of the module's docstring."""
    return b2 + (b1 - b2) * special.expit((scores - b3) / max(abs(b4), 1e-12))


def fit_logistic(scores: np.ndarray, mos: np.ndarray) -> tuple[float, float, float, float]:
    """Least-squares b1..b4 that bring scores to the MOS scale; started as VQEG (2000) advises.

    Raises:
        Refusal: as :func:`measure_accuracy`; all scores equal; or no fit found.
    """
    scores, mos = _checked(scores, mos)
    if np.ptp(scores) == 0:
        raise Refusal("all scores are equal, so there is no curve to fit; is the model trained, does it see its input?")
    start = (mos.max(), mos.min(), scores.mean(), scores.std() / 4)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optimize.OptimizeWarning)
            fitted, _ = optimize.curve_fit(logistic, scores, mos, p0=start, maxfev=20_000)
    except RuntimeError as error:
        raise Refusal(f"the logistic fit found no curve ({error}); report the raw figures") from error
    return tuple(float(value) for value in fitted)


def bootstrap_intervals(
    scores: np.ndarray,
    mos: np.ndarray,
    groups: np.ndarray | None = None,
    resamples: int = 1000,
    seed: int = 1,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Measure -> (low, high): percentile bootstrap of the raw figures.

    Args:
        scores: (N,).
        mos: (N,).
        groups: (N,) labels; whole groups are drawn. Without, images are.
        resamples: how many draws.
        seed: of the draws.
        level: share of the draws inside the interval.
    """
    scores, mos = _checked(scores, mos)
    _, member = np.unique(np.arange(len(scores)) if groups is None else np.asarray(groups), return_inverse=True)
    rows_of = [np.flatnonzero(member == group) for group in range(member.max() + 1)]
    random, draws = np.random.default_rng(seed), []
    for _ in range(resamples):
        rows = np.concatenate([rows_of[group] for group in random.integers(len(rows_of), size=len(rows_of))])
        if len(rows) >= LEAST_IMAGES:
            drawn = measure_accuracy(scores[rows], mos[rows])
            draws.append([getattr(drawn, name) for name in MEASURES])
    tail = 100 * (1 - level) / 2
    low, high = np.nanpercentile(np.array(draws), (tail, 100 - tail), axis=0)
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(MEASURES)}


def _checked(scores: np.ndarray, mos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scores, mos = (np.asarray(values, np.float64).ravel() for values in (scores, mos))
    if len(scores) != len(mos):
        raise Refusal(f"{len(scores)} scores but {len(mos)} MOS values; one of each per image is needed")
    if len(scores) < LEAST_IMAGES:
        raise Refusal(f"{len(scores)} images are too few to measure accuracy; at least {LEAST_IMAGES} are needed")
    for name, values in (("score", scores), ("MOS", mos)):
        if not np.isfinite(values).all():
            raise Refusal(f"{name} {int(np.flatnonzero(~np.isfinite(values))[0]) + 1} of {len(values)} is not a number")
    return scores, mos
