"""The photos of a data set, scored as ``lariqa score`` scores a library: side by side, kept as they come.

A photo that has no score is left out and named; the others are not lost for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lariqa.errors import Refusal
from lariqa.library.row import Row as PhotoRow
from lariqa.library.score_table import ScoreTable
from lariqa.library.scoring import score_photos, workers_for
from lariqa.library.work import Work
from lariqa.loading import is_checkpoint
from lariqa.manifest.model_config import Provenance
from lariqa.names import as_text
from lariqa.time_left import counted
from lariqa_train.datasets.rows import Row


@dataclass(frozen=True)
class ScoredRows:
    """The rows that have a score, in the data set's order, and the photos that have none."""

    rows: tuple[Row, ...]
    scores: np.ndarray  # (N,)
    left_out: dict[str, str]  # photo -> why
    runtime: str  # of each score; several where a run was gone on with by another version
    provenance: Provenance | None


def score_rows(
    work: Work,
    rows: Sequence[Row],
    *,
    workers: int | None = None,
    table: ScoreTable | None = None,
    raises: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> ScoredRows:
    """Score every row's photo, whatever it is.

    Args:
        work: the model, and how.
        rows: of a data set.
        workers: processes that score side by side; 0: this one does; None: as many as are quickest.
        table: open; keeps each score as it comes, and has those of an earlier run.
        raises: in this process, let an error that nobody foresaw out.
        progress: called with each step in words.

    Raises:
        Refusal: the model cannot be opened; the table's scores were made in another way, or it cannot be written.
    """
    known: dict[str, tuple[float | None, str | None, str]] = {}

    def keep(row: PhotoRow) -> None:
        known[row.photo] = row.score, row.error, row.runtime

    left = [row.image for row in rows]
    if table:
        left = [image for image in left if image not in table]
        for row in table.rows():
            if row.input.endswith("resampled") and not work.fit:
                raise Refusal(f"{table.path} has scores of resampled photos; give --fit too, or --overwrite")
            keep(row)
        if len(left) < len(rows):
            progress(f"{len(rows) - len(left):,} of {len(rows):,} photos are scored already")
    if is_checkpoint(Path(work.model)):
        # PyTorch's sums depend on its threads (9e-8 in a score of the demo, 1 against 2); exported files' do not. One
        # thread for each process gives the same figures with any number of workers, and on any number of processors.
        work = replace(work, threads=1)
    if workers is None or not left:
        workers = workers_for(len(left))
    progress(f"opening {work.model}")
    with closing(score_photos(work, left, workers, raises)) as scored:
        about = next(scored)
        if table:
            table.expect(about.input)
        for row in counted(scored, len(left), "photos", progress):
            if table:
                table.add(row)
            keep(row)
    found = [(row, *known[as_text(row.image)]) for row in rows]
    return ScoredRows(
        tuple(row for row, _, error, _ in found if not error),
        np.array([score for _, score, error, _ in found if not error]),
        {as_text(row.image): error for row, _, error, _ in found if error},
        ", ".join(sorted({runtime for *_, error, runtime in found if not error})) or about.runtime,
        about.provenance,
    )
