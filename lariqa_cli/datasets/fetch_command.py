"""``lariqa datasets fetch-photographs``: free photographs, with their licences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Column, Table

from lariqa_cli.arguments import check_folder
from lariqa_cli.screen import note, say, say_json, show, steps, typed


def fetch_free_photographs(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write them.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fetch 49 free photographs from Debian's packages (200 MB), with their licences, to make generated data of."""
    check_folder(folder)
    from benchmarks.accuracy.photographs import SOURCES, SOURCES_FILE, fetch_photographs

    with steps() as step:
        fetched = fetch_photographs(folder, step)
    rows = {source.package: (source, fetched[source.package]) for source in SOURCES}
    if as_json:
        say_json(
            {
                package: {"release": source.release, "licence": source.licence, "photographs": [str(p) for p in paths]}
                for package, (source, paths) in rows.items()
            }
        )
        return
    table = Table("Debian's package", "release", "licence", Column("photographs", justify="right"), box=box.SIMPLE_HEAD)
    for package, (source, paths) in rows.items():
        table.add_row(package, source.release, source.licence, f"{len(paths)}")
    show(table)
    say(f"{sum(len(paths) for _, paths in rows.values())} photographs in {folder}; {SOURCES_FILE} says whose they are")
    note(f"Next: {typed('demo', '--recipe', 'generated_long', '--photos', folder)}")
