"""``lariqa datasets``: which data sets the toolkit reads, and what of them is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Column, Table

from lariqa_cli.screen import note, say_json, show


def list_datasets(
    root: Annotated[Path | None, typer.Option(help="Look for them here, each in its published layout.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Read what was found, row by row; names every fault.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the data sets, their scales and licences; with --root, what was found there and what is missing."""
    from lariqa_train.datasets.catalogue import CATALOGUE, locate
    from lariqa_train.datasets.rows import read_rows
    from lariqa_train.refusal import Refusal

    if root is not None and not root.is_dir():
        raise Refusal(f"no folder at {root}; give the one that holds the data sets, each in a folder of its own")
    rows, faults = {}, []
    for name, data_set in CATALOGUE.items():
        found = locate(data_set, root) if root else None
        row = {
            "title": data_set.title,
            "kind": data_set.kind,
            "images": data_set.images or None,
            "opinion_range": list(data_set.opinion_range),
            "higher_is_better": data_set.higher_is_better,
            "split": "official" if data_set.official_split else "by content, 10 % or 10-fold",
            "layout": list(data_set.layout),
            "licence": data_set.licence,
            "source": data_set.source,
        }
        if found:
            row |= {"folder": str(found.folder), "complete": found.complete, "missing": list(found.missing)}
            if found.complete and check:
                try:
                    row["rows"] = len(read_rows(data_set, found.folder))
                except Refusal as refusal:
                    row["faults"] = str(refusal)
                    faults.append(str(refusal))
        rows[name] = row
    if as_json:
        say_json(rows)
    else:
        _print(rows, root)
    if faults:
        raise Refusal("\n".join(faults))


def _print(rows: dict, root: Path | None) -> None:
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
        low, high = row["opinion_range"]
        direction = "higher is better" if row["higher_is_better"] else "lower is better"
        last = row["licence"]
        if root:
            last = f"{row['folder']}" if row["complete"] else f"missing: {', '.join(row['missing'])}"
            last += f", {row['rows']} rows" if "rows" in row else ""
        scale = f"{low:g}..{high:g}, {direction}"
        table.add_row(name, row["title"], row["kind"], f"{row['images'] or ''}", scale, row["split"], last)
    show(table)
    note("Nothing is downloaded: `lariqa datasets --json` says where each is given away, and its layout.")
