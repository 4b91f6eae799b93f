"""A model's scores compared with human ratings, over the rows of a data set, with per-image CSV and a plot.

Figures raw and after the 4-parameter logistic fit, with bootstrap intervals over groups: the words are defined in
``lariqa_train/training/accuracy.py``.
"""

from __future__ import annotations

import csv
import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lariqa.atomic import writing
from lariqa.errors import Refusal
from lariqa.names import as_text
from lariqa.photos.photo import open_photo
from lariqa.runtimes.scorer import Scorer
from lariqa_train.datasets.rows import Row, refuse_faults
from lariqa_train.training.accuracy import (
    LEAST_IMAGES,
    Accuracy,
    bootstrap_intervals,
    fit_logistic,
    logistic,
    measure_accuracy,
)
from lariqa_train.training.color import image_in_space


@dataclass(frozen=True)
class Evaluation:
    """Scores and MOS of the same rows, and how they agree."""

    rows: tuple[Row, ...]
    scores: np.ndarray  # (N,)
    fitted: np.ndarray | None  # (N,) after the logistic; None where no curve could be fitted
    curve: tuple[float, float, float, float] | None  # the logistic's parameters
    raw: Accuracy
    after_fit: Accuracy | None
    intervals: dict[str, tuple[float, float]]  # of the raw figures, 95 %
    runtime: str
    color_space: str
    left_out: Mapping[str, str] = field(default_factory=dict)  # photo -> why it has no score

    def to_json(self) -> dict[str, Any]:
        """The figures, without the images."""
        return {
            "images": len(self.rows),
            "left_out": len(self.left_out),
            "photos_left_out": dict(self.left_out),
            "runtime": self.runtime,
            "color_space": self.color_space,
            "raw": self.raw.to_json(),
            "after_logistic_fit": self.after_fit.to_json() if self.after_fit else None,
            "intervals_95": {name: list(interval) for name, interval in self.intervals.items()},
        }


def evaluate(
    scorer: Scorer,
    rows: Sequence[Row],
    *,
    fit: bool = False,
    color_space: str = "rgb",
    resamples: int = 1000,
    progress: Callable[[str], None] = lambda step: None,
) -> Evaluation:
    """Score every row's photo in this process; for figures that must be over all of them.

    Args:
        scorer: a checkpoint or any artifact, opened.
        rows: of a data set.
        fit: resample photos that do not have an artifact's size.
        color_space: show the photos in this space (Table 5), one of ``lariqa_train.training.color.COLOR_SPACES``.
        resamples: of the bootstrap.
        progress: called with each step in words.

    Raises:
        Refusal: photos that cannot be scored, all of them named, or too few.
    """
    scores, faults = [], []
    for number, row in enumerate(rows, 1):
        progress(f"photo {number} of {len(rows)}: {row.image.name}")
        try:
            scores.append(scorer.score(image_in_space(open_photo(row.image), color_space), fit))
        except Refusal as refusal:
            faults.append(f"{row.image}: {refusal}" if str(row.image) not in str(refusal) else str(refusal))
    refuse_faults("the photos", faults)
    return evaluation_of(
        rows, np.array(scores), scorer.runner.runtime, color_space, resamples=resamples, progress=progress
    )


def evaluation_of(
    rows: Sequence[Row],
    scores: np.ndarray,
    runtime: str,
    color_space: str = "rgb",
    left_out: Mapping[str, str] | None = None,
    resamples: int = 1000,
    progress: Callable[[str], None] = lambda step: None,
) -> Evaluation:
    """Compare scores with the MOS of their rows.

    Args:
        rows: those that have a score.
        scores: (N,), theirs.
        runtime: what gave them.
        color_space: that the photos were shown in.
        left_out: photo -> why it has no score, so that no figure counts it.
        resamples: of the bootstrap.
        progress: called with each step in words.

    Raises:
        Refusal: too few rows.
    """
    left_out = left_out or {}
    if left_out and len(rows) < LEAST_IMAGES:
        raise Refusal(
            f"{len(rows)} of {len(rows) + len(left_out)} photos have a score: too few to measure accuracy, at least "
            f"{LEAST_IMAGES} are needed"
        )
    mos = np.array([row.mos for row in rows])
    raw = measure_accuracy(scores, mos)
    progress("bootstrap")
    groups = np.array([row.group for row in rows])
    intervals = bootstrap_intervals(scores, mos, groups, resamples)
    try:
        curve = fit_logistic(scores, mos)
    except Refusal:
        curve = None
    fitted = logistic(scores, *curve) if curve else None
    after = measure_accuracy(fitted, mos) if fitted is not None else None
    return Evaluation(tuple(rows), scores, fitted, curve, raw, after, intervals, runtime, color_space, left_out)


def write_evaluation(evaluation: Evaluation, folder: Path, title: str) -> list[Path]:
    """Write ``accuracy.json``, ``scores.csv`` (one line per image) and ``scatter.png`` into a folder."""
    paths, title = [folder / name for name in ("accuracy.json", "scores.csv", "scatter.png")], as_text(title)
    with writing(paths[0]) as beside:
        beside.write_text(json.dumps({"title": title, **evaluation.to_json()}, indent=2) + "\n", encoding="utf-8")
    with writing(paths[1]) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["image", "group", "mos", "score", "score_after_fit"])
        for number, row in enumerate(evaluation.rows):
            fitted = "" if evaluation.fitted is None else f"{evaluation.fitted[number]:.6f}"
            names = as_text(row.image), as_text(row.group)
            table.writerow([*names, f"{row.mos:.6f}", f"{evaluation.scores[number]:.6f}", fitted])
    with writing(paths[2]) as beside:
        _plot(evaluation, beside, title)
    return paths


def _plot(evaluation: Evaluation, path: Path, title: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    mos = np.array([row.mos for row in evaluation.rows])
    axes.scatter(evaluation.scores, mos, s=10, alpha=0.5, linewidths=0, color="#20639b")
    if evaluation.curve is not None:
        along = np.linspace(evaluation.scores.min(), evaluation.scores.max(), 200)
        axes.plot(along, logistic(along, *evaluation.curve), color="#c0392b", label="4-parameter logistic")
        figure.legend(frameon=False, loc="outside lower right", fontsize=9)
    axes.set_xlabel("score of the model")
    axes.set_ylabel("score in the data set, 0..1")
    raw = evaluation.raw
    words = [*textwrap.wrap(title, 60), f"{raw.images} images, SRCC {raw.srcc:.3f}, PLCC {raw.plcc:.3f}"]
    axes.set_title("\n".join(words), fontsize=10, parse_math=False)  # a name may have $
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130, format="png")
