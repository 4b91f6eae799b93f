"""``lariqa bench``: latency, memory, MACs and parity of artifacts, in a report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import typer
from rich import box
from rich.markup import escape
from rich.table import Column, Table

from lariqa.errors import Refusal
from lariqa_cli.arguments import check_checkpoint, check_folder
from lariqa_cli.screen import note, program, say, show, steps

QUICK_RUNS, PICTURES = 5, 30
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
    quick: Annotated[bool, typer.Option("--quick", help="A minute's look: 5 runs of each, on 5 photos.")] = False,
    baselines: Annotated[
        bool,
        typer.Option("--baselines", help="Also measure what one would run instead: the authors' way, naive exports."),
    ] = False,
    sustained: Annotated[
        float, typer.Option(min=0, max=MOST_MINUTES, help="Afterwards, minutes of each artifact without a pause.")
    ] = 0,
    find_divergence: Annotated[
        bool, typer.Option("--find-divergence", help="Where parity breaks, name the first stage that departs.")
    ] = False,
    weight_cache: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Measure LiteRT files once more, with packed weights kept there."),
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="The reference, if not the one kept in the folder.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the seeded pictures.")] = 0,
    imported: Annotated[
        list[Path] | None,
        typer.Option("--import", help="Rows that a phone exported (.jsonl or .json); may be repeated."),
    ] = None,
    adb: Annotated[
        str | None,
        typer.Option("--adb", metavar="SERIAL|any", help="Measure on an Android phone instead, through its demo app."),
    ] = None,
    adb_path: Annotated[str | None, typer.Option(help="The adb program. Default: the one on the PATH.")] = None,
    adb_dir: Annotated[str | None, typer.Option(help="Folder on the phone. Default: /data/local/tmp/lariqa.")] = None,
    adb_command: Annotated[
        str | None, typer.Option(help="A program on the phone in the app's place; docs/measurement.md says how.")
    ] = None,
    adb_timeout: Annotated[
        float | None, typer.Option(min=1, help="Seconds that one artifact may take on the phone.")
    ] = None,
    accelerator: Annotated[
        Literal["cpu", "gpu", "npu", "xnnpack", "all"], typer.Option(help="On the phone: what the app is to use.")
    ] = "cpu",
) -> None:
    """Measure artifacts beside the PyTorch reference, and write report.html, report.md and report.json."""
    for target in targets or []:
        if not target.exists():
            raise Refusal(f"nothing is at {target}; give a folder that `lariqa export` wrote, or an artifact in it")
    for path in imported or []:
        if not path.exists():
            raise Refusal(f"no file at {path}; give the rows that a phone exported")
    if adb is None and any((adb_path, adb_dir, adb_command, adb_timeout, accelerator != "cpu")):
        raise Refusal("--adb-path, --adb-dir, --adb-command, --adb-timeout and --accelerator need --adb SERIAL or any")
    if adb is not None and (baselines or find_divergence or checkpoint or weight_cache):
        raise Refusal(
            "--baselines, --find-divergence, --checkpoint, --weight-cache are not for phones; leave them out with --adb"
        )
    if adb is not None and not targets:
        raise Refusal("--adb needs something to measure: give an export folder or an artifact")
    if not targets and not imported:
        raise Refusal("nothing to measure: give an export folder or an artifact, or rows with --import")
    if checkpoint is not None:
        check_checkpoint(checkpoint)
    for folder in (output, weight_cache):
        if folder is not None:
            check_folder(folder)
    from lariqa.photos.photo_files import photos_in

    photos_in(photos or [])

    from benchmarks.baselines.quoted import quoted_rows
    from benchmarks.phones.phone import FOLDER, PhoneRequest, bench_on_phone
    from benchmarks.phones.phone_rows import import_rows
    from benchmarks.report.report import write_report
    from benchmarks.report.report_folder import ROWS_NAME, add_rows, rows_in
    from benchmarks.report.row_matching import latest
    from benchmarks.report.summary import summarise
    from benchmarks.suite import BenchRequest, run_suite

    rows_in(output)  # refused now, not after minutes of measuring
    for path in imported or []:
        add_rows(output, import_rows(path, {row.id for row in rows_in(output)}))
    measured = set()  # the reports of what was measured now
    with steps() as step:
        if adb is not None:
            phone = PhoneRequest(
                targets=tuple(targets),
                photos=tuple(photos_in(photos or [])),
                serial=None if adb == "any" else adb,
                adb_path=adb_path,
                folder=PurePosixPath(adb_dir) if adb_dir else FOLDER,
                command=adb_command,
                runs=min(runs, QUICK_RUNS) if quick else runs,
                sustained_s=round(60 * sustained),
                accelerator=accelerator,
                timeout_s=adb_timeout,
            )
            for row in bench_on_phone(phone, step):
                add_rows(output, [row])
                measured.add(row.report)
        elif targets:
            request = BenchRequest(
                targets=tuple(targets),
                checkpoint=checkpoint,
                photos=tuple(photos or ()),
                runs=min(runs, QUICK_RUNS) if quick else runs,
                pictures=QUICK_RUNS if quick else PICTURES,
                threads=threads,
                baselines=baselines,
                sustained_s=60 * sustained,
                find_divergence=find_divergence,
                seed=seed,
                weight_cache=weight_cache,
            )
            measured |= {row.report for row in run_suite(request, step, lambda row: add_rows(output, [row]))}
        step(f"writing the report in {output}")
        command = shlex.join([program(), *sys.argv[1:]])
        rows, _ = latest(rows_in(output))
        page = write_report(output, [*rows, *quoted_rows()], command=command)
    summary = summarise(rows)
    print_figures(summary)
    note(f"Report: {page}, with report.md and report.json beside it; the rows are in {output / ROWS_NAME}")
    ours = [f for f in summary.figures if f.row.report in measured and f.row.subject.role == "artifact"]
    if any(figures.past_limit for figures in ours):
        note("past its parity limit; --find-divergence says where it departs", "An artifact is", "red")
        raise typer.Exit(1)


def print_figures(summary) -> None:
    """The figures that one looks at first, one line for each row; then what was flagged."""
    table = Table(
        Column("measured", overflow="fold", min_width=16),
        *(
            Column(name, no_wrap=True, justify="right")
            for name in ("p50 ms", "p90 ms", "first ms", "peak MiB", "worst")
        ),
        Column("runtime", overflow="fold", min_width=10),
        box=box.SIMPLE_HEAD,
    )
    for figures in summary.figures:
        row, parity = figures.row, figures.parity
        name = row.subject.name + (", sustained" if row.mode == "sustained" else "")
        colour = "red" if figures.past_limit else "green"
        table.add_row(
            escape(name),
            *([f"{figures.run.p50:.0f}", f"{figures.run.p90:.0f}"] if figures.run else ["", ""]),
            f"{row.latency.first_ms:.0f}" if row.latency and row.latency.first_ms else "",
            f"{figures.above_baseline_mib:.0f}" if row.memory else "",
            f"[{colour}]{parity.worst:.1e}[/]" if parity and row.subject.role != "reference" else "",
            escape(row.setting.runtime or row.error or ""),
        )
    show(table)
    say("p50, p90: pixels to score; peak: above the bare process; worst: |difference| to the PyTorch reference")
    for sentence, names in _by_sentence(summary).items():
        who = "all rows" if len(names) == len(summary.figures) else ", ".join(names)
        note(f"{sentence} ({who})", "flag:", "yellow")


def _by_sentence(summary) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for figures in summary.figures:
        for sentence in figures.row.flags:
            found.setdefault(sentence, []).append(figures.name)
    return found
