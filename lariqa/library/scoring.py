"""Photos of a list, scored: in this process where they are few, in worker processes where they are many."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from lariqa.cpus import usable_cpus
from lariqa.library.row import Row
from lariqa.library.work import About, Work
from lariqa.library.workers import score_in_workers

FEW = 12  # photos that this process has scored before workers have begun
BATCH = 16  # photos in one run on a device that takes batches; on a CPU a batch is no quicker


def workers_for(photos: int) -> int:
    """How many processes score so many photos quickest; 0: none, this one does."""
    return 0 if photos <= FEW else min(usable_cpus(), photos)


def score_photos(
    work: Work, photos: Iterable[str | os.PathLike], workers: int = 0, raises: bool = False
) -> Iterator[About | Row]:
    """Score photos.

    Args:
        work: the model, and how.
        photos: their paths; drawn as they are needed.
        workers: processes; 0: in this one, in their order.
        raises: in this process, let an error that nobody foresaw out, instead of into the row.

    Yields:
        First what the model is; then a row for every photo, in the order in which they are finished.

    Raises:
        Refusal: the model cannot be opened.

    Example:
        >>> about, *rows = score_photos(Work(model), [photo, photo])
        >>> rows[0].score == rows[1].score == lariqa.load(model).score(photo)
        True
    """
    if workers:
        batch = BATCH if work.device != "cpu" else 1
        yield from score_in_workers(work, ((photo, None) for photo in photos), workers, batch)
        return
    score = work.open(raises)
    yield score.about()
    for photo in photos:
        yield score(photo)
