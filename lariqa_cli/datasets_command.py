"""``lariqa datasets``: which data sets the toolkit reads, and what of them is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Column, Table

from lariqa_cli.arguments import check_folder
from lariqa_cli.screen import note, say, say_json, show, steps, typed


def list_datasets(
    root: Annotated[Path | None, typer.Option(help="Look for them here, each in its published layout.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Read what was found, row by row; names every fault.")] = False,
    fetch: Annotated[
        Path | None,
        typer.Option(
            "--fetch-photographs",
            metavar="FOLDER",
            help="Fetch 49 free photographs from Debian's packages (200 MB) into a folder, to make generated data of.",
        ),
    ] = None,
    generate: Annotated[
        Path | None,
        typer.Option(
            metavar="ROOT",
            help="Write generated distortions there as the data set `generated`: a demonstration, no human ratings.",
        ),
    ] = None,
    photos: Annotated[
        list[str] | None, typer.Option(help="With --generate: photographs or folders of them, beside the scenes.")
    ] = None,
    scenes: Annotated[int, typer.Option(min=0, help="With --generate: procedural scenes.")] = 60,
    parts: Annotated[int, typer.Option(min=1, help="With --generate: parts cut from each photograph.")] = 4,
    versions: Annotated[int, typer.Option(min=1, help="With --generate: distorted pictures of each part.")] = 13,
    side: Annotated[int, typer.Option(min=32, help="With --generate: pixels of a picture's side.")] = 512,
    seed: Annotated[int, typer.Option(min=0, help="With --generate: of everything random.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the data sets, their scales and licences; with --root, what was found there and what is missing."""
    if fetch:
        _fetch(fetch, as_json)
    elif generate:
        _generate(generate, photos or [], scenes=scenes, parts=parts, versions=versions, side_px=side, seed=seed)
    else:
        _list(root, check, as_json)


def _list(root: Path | None, check: bool, as_json: bool) -> None:
    from lariqa.errors import Refusal
    from lariqa_train.datasets.catalogue import CATALOGUE, locate
    from lariqa_train.datasets.rows import read_rows

    if root is not None and not root.is_dir():
        raise Refusal(f"no folder at {root}; give the one that holds the data sets, each in a folder of its own")
    rows, faults = {}, []
    for name, data_set in CATALOGUE.items():
        found = locate(data_set, root) if root else None
        row = {
            "title": data_set.title,
            "kind": data_set.kind,
            "images": data_set.images or None,
            "mos_range": list(data_set.mos_range),
            "higher_is_better": data_set.higher_is_better,
            "split": "official" if data_set.official_split else "by group, 10 % or 10-fold",
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


def _fetch(folder: Path, as_json: bool) -> None:
    """Photographs on request, with where they come from and what may be done with them."""
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


def _generate(root: Path, photos: list[str], **amounts: int) -> None:
    check_folder(root)
    from lariqa.photos.photo_files import photos_in
    from lariqa_train.datasets.generated_files import GENERATED, write_generated

    folder = root / GENERATED.name
    with steps() as step:
        made = write_generated(folder, photos=photos_in(photos), progress=step, **amounts)
    say(f"{made} pictures in {folder}")
    note(GENERATED.licence)
    note(f"Next: {typed('evaluate')} MODEL --dataset {GENERATED.name} --root {root}")


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
        low, high = row["mos_range"]
        direction = "higher is better" if row["higher_is_better"] else "lower is better"
        last = row["licence"]
        if root:
            last = f"{row['folder']}" if row["complete"] else f"missing: {', '.join(row['missing'])}"
            last += f", {row['rows']} rows" if "rows" in row else ""
        scale = f"{low:g}..{high:g}, {direction}"
        table.add_row(name, row["title"], row["kind"], f"{row['images'] or ''}", scale, row["split"], last)
    show(table)
    note("Nothing is downloaded unasked: `lariqa datasets --json` says where each is given away, and its layout.")
