"""``lariqa reproduce``: a table of the paper, with its figures next to those measured here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Column, Table

from lariqa_cli.arguments import check_folder
from lariqa_cli.screen import note, say, say_json, show, steps


def reproduce_table(
    table: Annotated[str, typer.Argument(help="table2, table3, ... table8.")],
    row: Annotated[str | None, typer.Argument(help="One row of it, by its name.")] = None,
    root: Annotated[Path, typer.Option(help="Folder that holds the data sets.")] = Path("data"),
    runs: Annotated[
        Path, typer.Option(help="Folder of run folders. What was trained there is not trained again.")
    ] = Path("runs"),
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, over every recipe of the row; may be repeated.")
    ] = None,
    print_only: Annotated[
        bool, typer.Option("--print-only", help="Train nothing; show what was measured before.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train and measure the rows of a table whose data sets are present; print them next to the paper's figures."""
    check_folder(runs)
    from lariqa_train.training.tables import table_named

    title, rows = table_named(table, row)
    from benchmarks.accuracy.reproduction import measure_row, measured_before, missing_data

    shown = []
    with steps() as step:
        for one in rows:
            missing = missing_data(one, root) if one.recipes else []
            measured = measured_before(one, runs)
            if measured is None and one.recipes and not missing and not print_only:
                measured = measure_row(one, root, runs, overrides or [], step)
            said = "quoted from the paper" if not one.recipes else ""
            if not said and measured is None:
                said = f"missing: {', '.join(missing)}" if missing else "not measured yet"
            shown.append((one, measured, said))
    if as_json:
        say_json(
            {
                "table": table,
                "title": title,
                "rows": [
                    {"name": one.name, "label": one.label, "paper": one.paper, "measured": found, "note": said}
                    | one.notes
                    for one, found, said in shown
                ],
            }
        )
        return
    say(f"{table}: {title}; paper | measured here")
    _print(shown)
    if any(said.startswith("missing") for _, _, said in shown):
        note(f"Looked under {root}; `lariqa datasets list --json` says where to get each data set.")


def _print(shown: list) -> None:
    figures = list(shown[0][0].paper)
    extra = list(dict.fromkeys(key for one, _, _ in shown for key in one.notes))
    columns = [Column(name.upper(), justify="right", no_wrap=True) for name in figures]
    table = Table("row", "system", *columns, *extra, "note", box=box.SIMPLE_HEAD)
    for one, measured, said in shown:
        cells = [f"{one.paper[name]:.3f} | {f'{measured[name]:.3f}' if measured else '-'}" for name in figures]
        table.add_row(one.name, one.label, *cells, *(one.notes.get(key, "") for key in extra), said)
    show(table)
