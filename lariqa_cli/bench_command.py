"""``lariqa bench``: latency, memory, MACs and parity of artifacts, in a report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from lariqa_cli.arguments import check_checkpoint, check_folder
from lariqa_cli.screen import note, program, say, steps
from lariqa_train.refusal import Refusal

QUICK_RUNS = 5
MOST_RUNS, MOST_THREADS, MOST_MINUTES = 10_000, 1024, 24 * 60


def bench(
    targets: Annotated[
        list[Path] | None, typer.Argument(help="Export folders, artifacts. None: only rows from elsewhere.")
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The report's folder; rows that it holds already stay.")
    ] = Path("benchmark-report"),
    photos: Annotated[
        list[str] | None,
        typer.Option("--photos", help="Folder, file or pattern; may be repeated. Default: seeded natural pictures."),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, max=MOST_RUNS, help="Counted runs of each model, in turns.")] = 30,
    threads: Annotated[
        int | None, typer.Option(min=1, max=MOST_THREADS, help="Of each runtime. Default: one for each core.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help=f"A minute's look: {QUICK_RUNS} runs, {QUICK_RUNS} photos.")
    ] = (False),
    peers: Annotated[
        bool, typer.Option("--peers", help="Also measure what one would run instead: the authors' way, naive exports.")
    ] = False,
    sustained: Annotated[
        float, typer.Option(min=0, max=MOST_MINUTES, help="Afterwards, minutes of each artifact without a pause.")
    ] = 0,
    find_culprit: Annotated[
        bool, typer.Option("--find-culprit", help="Where parity breaks, name the first stage that departs.")
    ] = False,
    checkpoint: Annotated[Path | None, typer.Option(help="The reference, if not the one kept in the folder.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the seeded pictures.")] = 0,
    imported: Annotated[
        list[Path] | None,
        typer.Option("--import", help="Rows that a phone exported (.jsonl or .json); may be repeated."),
    ] = None,
) -> None:
    """Measure artifacts beside the PyTorch reference, and write report.html, report.md and report.json."""
    for target in targets or []:
        if not target.exists():
            raise Refusal(f"nothing is at {target}; give a folder that `lariqa export` wrote, or an artifact in it")
    for path in imported or []:
        if not path.is_file():
            raise Refusal(f"no file at {path}; give the rows that a phone exported")
    if not targets and not imported:
        raise Refusal("nothing to measure: give an export folder or an artifact, or rows with --import")
    if checkpoint is not None:
        check_checkpoint(checkpoint)
    check_folder(output)
    if photos:
        from lariqa_train.photo_files import photos_in

        photos_in(photos)

    from benchmarks.quoted import quoted_rows
    from benchmarks.report import write_report

    from benchmarks.measurement import read_rows
    from benchmarks.report_folder import add_rows, latest, rows_in
    from benchmarks.suite import BenchRequest, run_suite

    rows_in(output)  # refused now, not after minutes of measuring
    for path in imported or []:
        add_rows(output, read_rows(path.read_text(encoding="utf-8", errors="replace"), str(path)))
    with steps() as step:
        if targets:
            request = BenchRequest(
                targets=tuple(targets),
                checkpoint=checkpoint,
                photos=tuple(photos or ()),
                runs=min(runs, QUICK_RUNS) if quick else runs,
                pictures=QUICK_RUNS if quick else max(runs, QUICK_RUNS) if runs < 30 else 30,
                threads=threads,
                peers=peers,
                sustained_s=60 * sustained,
                find_culprit=find_culprit,
                seed=seed,
            )
            run_suite(request, step, lambda row: add_rows(output, [row]))
        step(f"writing the report in {output}")
        command = shlex.join([program(), *sys.argv[1:]])
        page = write_report(output, [*latest(rows_in(output)), *quoted_rows()], command=command)
    print_rows(latest(rows_in(output)))
    note(f"Report: {page}, with report.md and report.json beside it; the rows are in {output / 'rows.jsonl'}")


def print_rows(rows: list) -> None:
    """The figures that one looks at first, one line for each row."""
    say("to be replaced by report.md's main table")
