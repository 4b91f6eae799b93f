"""A report's folder: ``rows.jsonl``, which only grows, and the three files of the report written from it.

Rows of several runs, machines and phones come together there. Of rows of one kind the latest counts in the report
(``benchmarks.report.row_matching.latest``); the older ones stay in the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.measure.measurement import Measurement, append_rows, read_rows

ROWS_NAME = "rows.jsonl"


def rows_in(folder: Path) -> list[Measurement]:
    """All rows of a report's folder; none where there is no file yet.

    Raises:
        Refusal: the file holds something else.
    """
    path = folder / ROWS_NAME
    return read_rows(path.read_text(encoding="utf-8"), str(path)) if path.exists() and path.stat().st_size else []


def add_rows(folder: Path, rows: Iterable[Measurement]) -> None:
    """Append rows; the folder is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    append_rows(folder / ROWS_NAME, rows)
