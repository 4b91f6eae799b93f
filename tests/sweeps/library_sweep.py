"""The same rows, bit for bit, one by one, from workers, and from Ray's actors; of 1,000 photos unless told.

    python -m tests.sweeps.library_sweep MODEL [PHOTOS]

Six sizes, every format that opens here (HEIC where pillow-heif is installed), 3 % broken. Ray is left out, with a word,
where it is not installed. Ends with status 1 at the first difference.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from lariqa.library.row import Row
from lariqa.library.work import Work
from lariqa.library.workers import score_in_workers
from tests.support.album import make_album


def one_by_one(model: Path, photos: list[Path]) -> list[Row]:
    """By the unit of work in this process."""
    return list(map(Work(model, threads=1).open(), photos))


def by_workers(model: Path, photos: list[Path]) -> list[Row]:
    """By two processes."""
    _, *rows = score_in_workers(Work(model, threads=1), ((photo, None) for photo in photos), 2)
    return rows


def by_ray(model: Path, photos: list[Path]) -> list[Row]:
    """By two of Ray's actors on this machine."""
    from lariqa.library.ray_data import score_uri

    with tempfile.TemporaryDirectory() as here:
        return list(score_uri(model, photos, f"{here}/scores", workers=2).folder.rows())


def main() -> int:
    """Make the photos, score them in each way, compare."""
    model, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    ways = [one_by_one, by_workers, *([by_ray] if importlib.util.find_spec("ray") else [])]
    if by_ray not in ways:
        print("by_ray: left out, ray is not installed")
    with tempfile.TemporaryDirectory() as folder:
        album = make_album(Path(folder), count)
        expected: dict[str, Row] = {}
        for way in ways:
            began = time.monotonic()
            rows = [replace(row, seconds=None) for row in way(model, list(album))]
            seconds, found = time.monotonic() - began, {row.photo: row for row in rows}
            expected = expected or found
            scores = {row.score for row in rows if row.score is not None}
            kinds = Counter(Path(row.photo).suffix for row in rows)
            print(
                f"{way.__name__}: {len(rows):,} rows, {len(scores):,} scores, {dict(kinds)}, {seconds:.0f} s",
                flush=True,
            )
            right = {photo: row.score is not None for photo, row in found.items()}
            if len(rows) != count or right != {str(photo): good for photo, good in album.items()}:
                print("rows are missing, twice, or of the wrong photos")
                return 1
            if len(scores) < 0.9 * count or max(scores) - min(scores) < 0.05:
                print("the scores are too alike to be compared")
                return 1
            if found != expected:
                different = [photo for photo in found if found[photo] != expected[photo]]
                print(f"{len(different)} rows differ from one by one, the first: {different[0]}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
