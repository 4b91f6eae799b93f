"""Arguments that the sub-commands of ``lariqa bench`` share, and their checks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lariqa.errors import Refusal

QUICK_RUNS = 5
MOST_RUNS, MOST_MINUTES = 10_000, 24 * 60
REPORT = Path("benchmark-report")

ExportedArgument = Annotated[list[Path], typer.Argument(metavar="EXPORTED", help="Export folders, or artifacts.")]
ReportOption = Annotated[
    Path, typer.Option("-o", "--output", help="The report's folder. Rows that it holds already stay.")
]
RunsOption = Annotated[int, typer.Option(min=1, max=MOST_RUNS, help="Counted runs of each model.")]
SustainedOption = Annotated[
    float, typer.Option(min=0, max=MOST_MINUTES, help="Afterwards, minutes of each artifact without a pause.")
]
RowsOption = Annotated[
    list[Path] | None,
    typer.Option("--rows", metavar="FILE", help="Also import rows that a phone exported; may be repeated."),
]


def check_exported(paths: list[Path]) -> None:
    """Refuse, before anything heavy is imported, what is not there."""
    for path in paths:
        if not path.exists():
            raise Refusal(f"nothing is at {path}; give a folder that `lariqa export` wrote, or an artifact in it")


def check_rows(paths: list[Path]) -> None:
    """Refuse, before anything heavy is imported, files of rows that are not there."""
    for path in paths:
        if not path.exists():
            raise Refusal(f"no file at {path}; give the rows that a phone exported")
