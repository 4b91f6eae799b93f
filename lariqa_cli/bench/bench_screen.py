"""A benchmark at work and its figures, on the screen."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import typer
from rich import box
from rich.markup import escape
from rich.table import Column, Table

from lariqa_cli.screen import note, program, say, show, steps


def bench_and_print(request, output: Path, rows: list[Path]) -> None:
    """Measure and import, write the report, print its main figures; exit 1 where an artifact measured now misses."""
    from benchmarks.bench import bench

    with steps() as step:
        benched = bench(request, output, rows, shlex.join([program(), *sys.argv[1:]]), step)
    print_figures(benched.summary)
    note(f"Report: {benched.page}, with report.md and report.json beside it; the rows are in {benched.rows_file}")
    for name in benched.past_limit:
        note(f"{name} is past its parity limit; `lariqa bench run --find-divergence` says where", "Missed:", "red")
    if benched.past_limit:
        raise typer.Exit(1)


def print_figures(summary) -> None:
    """The main figures, one line for each row; then the flags."""
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
    for sentence, names in flags_of(summary).items():
        which = "all rows" if len(names) == len(summary.figures) else ", ".join(names)
        note(f"{sentence} ({which})", "flag:", "yellow")


def flags_of(summary) -> dict[str, list[str]]:
    """Flag -> names of the rows that have it."""
    found: dict[str, list[str]] = {}
    for figures in summary.figures:
        for sentence in figures.row.flags:
            found.setdefault(sentence, []).append(figures.name)
    return found
