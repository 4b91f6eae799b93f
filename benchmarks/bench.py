"""Add rows to a report's folder and write the report again: rows of this machine, of a phone, or from a file.

BenchRequest ──► run_suite ───────┐
PhoneRequest ──► bench_on_phone ──┼─► rows.jsonl, row by row ─► report.html, report.md, report.json
files of rows ─► import_rows ─────┘
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.baselines.quoted import quoted_rows
from benchmarks.measure.measurement import Measurement
from benchmarks.phones.phone import PhoneRequest, bench_on_phone
from benchmarks.phones.phone_rows import import_rows
from benchmarks.report.report import write_report
from benchmarks.report.report_folder import ROWS_NAME, add_rows, rows_in
from benchmarks.report.row_matching import latest
from benchmarks.report.summary import Summary, summarise
from benchmarks.suite import BenchRequest, run_suite


@dataclass(frozen=True)
class Benched:
    """A report, and what the rows measured now say about parity."""

    page: Path  # report.html
    rows_file: Path
    summary: Summary  # of all rows that count in the report, older ones too
    past_limit: tuple[str, ...]  # artifacts measured now that are past their parity limit


def bench(
    request: BenchRequest | PhoneRequest | None,
    folder: Path,
    rows_files: Sequence[Path] = (),
    command: str = "",
    progress: Callable[[str], None] = lambda step: None,
) -> Benched:
    """Add rows to a report's folder and write its report.

    Args:
        request: what to measure here or on a phone; None: only rows from files.
        folder: of the report; made if need be. Rows that it holds already stay.
        rows_files: rows that a phone exported; those that the folder has already are left out.
        command: what reproduces the report, printed in it.
        progress: called with each step in words.

    Raises:
        Refusal: the folder or a file holds no rows, or the request cannot be served; rows measured before stay.
    """
    known = {row.id for row in rows_in(folder)}  # refused now, not after minutes of measuring
    imported: list[Measurement] = []
    for path in rows_files:
        imported += import_rows(path, known | {row.id for row in imported})
    if imported:
        add_rows(folder, imported)
    measured = set()

    def keep(row: Measurement) -> None:
        add_rows(folder, [row])
        measured.add(row.report)

    if isinstance(request, PhoneRequest):
        for row in bench_on_phone(request, progress):
            keep(row)
    elif request is not None:
        run_suite(request, progress, keep)
    progress(f"writing the report in {folder}")
    rows, _ = latest(rows_in(folder))
    page = write_report(folder, [*rows, *quoted_rows()], command=command)
    summary = summarise(rows)
    ours = [one for one in summary.figures if one.row.report in measured and one.row.subject.role == "artifact"]
    past_limit = dict.fromkeys(one.row.subject.name for one in ours if one.past_limit)
    return Benched(page, folder / ROWS_NAME, summary, tuple(past_limit))
