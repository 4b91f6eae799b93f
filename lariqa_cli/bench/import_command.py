"""``lariqa bench import``: rows that a phone exported, in a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lariqa_cli.arguments import check_folder
from lariqa_cli.bench.bench_arguments import REPORT, ReportOption, check_rows
from lariqa_cli.bench.bench_screen import bench_and_print


def bench_import(
    rows: Annotated[list[Path], typer.Argument(metavar="ROWS", help="Files of rows: .jsonl, .json, report.json.")],
    output: ReportOption = REPORT,
) -> None:
    """Import rows that a phone exported, and write the report again."""
    check_rows(rows)
    check_folder(output)
    bench_and_print(None, output, rows)
