"""``lariqa datasets list``: which data sets the toolkit reads, and what of them is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Column, Table

from lariqa.errors import Refusal
from lariqa_cli.screen import note, say_json, show


def list_datasets(
    root: Annotated[Path | None, typer.Option(help="Look for them here, each in its published layout.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read every row of what was found, and name every fault.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the data sets, their scales and licences; with --root, what was found there and what is missing."""
    if root is not None and not root.is_dir():
        raise Refusal(f"no folder at {root}; give the one that holds the data sets, each in a folder of its own")
    if check and root is None:
        raise Refusal("--check reads what is under --root; give --root FOLDER too")
    from lariqa_train.datasets.catalogue import listing

    rows = listing(root, check)
    if as_json:
        say_json(rows)
    else:
        print_datasets(rows, root)
    if faults := [row["faults"] for row in rows.values() if "faults" in row]:
        raise Refusal("\n".join(faults))


def print_datasets(rows: dict, root: Path | None) -> None:
    """One line for each data set; with a root, where it is or what is missing."""
    table = Table(
        "name",
        "data set",
        "kind",
        Column("images", justify="right"),
        "scores",
        "split",
        *(["found"] if root else ["licence"]),
        box=box.SIMPLE_HEAD,
    )
    for name, row in rows.items():
        low, high = row["mos_range"]
        direction = "higher is better" if row["higher_is_better"] else "lower is better"
        last = row["licence"]
        if root:
            last = f"{row['folder']}" if row["complete"] else f"missing: {', '.join(row['missing'])}"
            last += f", {row['rows']} rows" if "rows" in row else ""
        scale = f"{low:g}..{high:g}, {direction}"
        table.add_row(name, row["title"], row["kind"], f"{row['images'] or ''}", scale, row["split"], last)
    show(table)
    note("Nothing is downloaded unless you ask: `lariqa datasets list --json` says where to get each, and its layout.")
