"""``lariqa datasets generate``: pictures with known distortions, as a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lariqa_cli.arguments import check_folder
from lariqa_cli.screen import note, say, steps, typed


def generate_dataset(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Folder of data sets; `generated` is made in it.")],
    photos: Annotated[
        list[str] | None, typer.Option(help="Photographs or folders of them, beside the scenes; may be repeated.")
    ] = None,
    scenes: Annotated[int, typer.Option(min=0, help="Procedural scenes.")] = 60,
    parts: Annotated[int, typer.Option(min=1, help="Parts cut from each photograph.")] = 4,
    versions: Annotated[int, typer.Option(min=1, help="Distorted pictures of each part.")] = 13,
    side: Annotated[int, typer.Option(min=32, help="Width and height of a picture, in pixels.")] = 512,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 1,
) -> None:
    """Write generated distortions as the data set `generated`: a demonstration, with no human ratings."""
    check_folder(root)
    from lariqa.photos.photo_files import photos_in
    from lariqa_train.datasets.generated_files import GENERATED, write_generated

    folder, amounts = root / GENERATED.name, {"scenes": scenes, "parts": parts, "versions": versions}
    with steps() as step:
        made = write_generated(
            folder, photos=photos_in(photos or []), side_px=side, seed=seed, progress=step, **amounts
        )
    say(f"{made} pictures in {folder}")
    note(GENERATED.licence)
    note(f"Next: {typed('evaluate')} MODEL --dataset {GENERATED.name} --root {root}")
