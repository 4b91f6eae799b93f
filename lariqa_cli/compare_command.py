"""``lariqa compare``: what changed from one report to another, and whether anything got worse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Column, Table

from lariqa.errors import Refusal
from lariqa_cli.screen import note, say, say_json, show

COLOURS = {"worse": "red", "better": "green", "changed": "yellow", "not judged": "dim"}


def compare_measurements(
    before: Annotated[Path, typer.Argument(help="report.json, a folder with one, or a .jsonl file of rows.")],
    after: Annotated[Path, typer.Argument(help="The same, measured later.")],
    threshold: Annotated[str, typer.Option(help="The change that a figure is allowed: 5%, or 0.05.")] = "5%",
    across_machines: Annotated[
        bool, typer.Option("--across-machines", help="Also judge latency and memory measured on different machines.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what changed between two reports; exit 1 where something got worse beyond the threshold."""
    share = parse_threshold(threshold)
    for path in (before, after):
        if not path.exists():
            raise Refusal(f"no report at {path}; `lariqa bench run EXPORTED -o {path}` writes one")
    from benchmarks.report.compare import compare_reports
    from benchmarks.report.row_matching import read_report

    comparison = compare_reports(read_report(before), read_report(after), share, across_machines)
    if as_json:
        say_json(comparison.to_json())
    else:
        print_comparison(comparison)
    if comparison.worse:
        raise typer.Exit(1)


def parse_threshold(text: str) -> float:
    """ "5%" or "0.05" -> 0.05."""
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*(%?)\s*", text)
    share = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= share < 1:
        raise Refusal(f"--threshold is {text!r}; expected a share below one, for example 5% or 0.05")
    return share


def print_comparison(comparison) -> None:
    """What changed, subject by subject; unchanged figures are counted."""
    from benchmarks.report.compare import summary_line

    for warning in comparison.warnings:
        note(warning, "NOTE:", "yellow")
    for pair in comparison.matched:
        for warning in pair.warnings:
            note(f"{pair.name}: {warning}", "NOTE:", "yellow")
    shown = [(pair, change) for pair in comparison.matched for change in pair.changes if change.outcome != "same"]
    shown += [
        (pair, change) for pair, change in comparison.outcomes("same") if change.why and change.why != "one sample"
    ]
    if shown:
        table = Table(
            Column("subject", overflow="fold", min_width=16),
            *(Column(name, overflow="fold") for name in ("figure", "before", "after")),
            Column("change", justify="right", no_wrap=True),
            Column("", overflow="fold", min_width=10),
            box=box.SIMPLE_HEAD,
        )
        last = None
        for pair, change in sorted(shown, key=lambda found: comparison.matched.index(found[0])):
            colour = COLOURS.get(change.outcome)
            words = f"{change.outcome}: {change.why}" if change.why else change.outcome
            table.add_row(
                escape(name_of(pair)) if pair is not last else "",
                escape(change.what),
                escape(change.before),
                escape(change.after),
                percent_changed(change.ratio),
                f"[{colour}]{escape(words)}[/]" if colour else escape(words),
            )
            last = pair
        show(table)
    for title, names in (("only before", comparison.only_before), ("only after", comparison.only_after)):
        for name in names:
            say(f"{title}: {name}")
    say(summary_line(comparison))


def name_of(pair) -> str:
    """The name, and the old one if the file was renamed."""
    return pair.name if pair.name == pair.name_before else f"{pair.name} (was {pair.name_before})"


def percent_changed(ratio: float | None) -> str:
    """+7.3 %; from twice as much on, a multiple."""
    if ratio is None:
        return ""
    return f"{ratio:.3g}×" if ratio >= 2 else f"{100 * (ratio - 1):+.1f} %"
