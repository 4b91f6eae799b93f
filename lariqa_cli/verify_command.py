"""``lariqa verify``: prove an export again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lariqa.errors import Refusal
from lariqa_cli.arguments import LimitOption, check_checkpoint, check_limit
from lariqa_cli.proofs import print_proofs
from lariqa_cli.screen import note, steps


def verify_export(
    target: Annotated[Path, typer.Argument(help="An export folder, or one artifact in it.")],
    photos: Annotated[
        list[str] | None,
        typer.Option("--photos", help="Folder, file or pattern; may be repeated. Default: the bundled photo."),
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="The reference, if not the one kept in the folder.")] = None,
    limit: LimitOption = None,
) -> None:
    """Prove an export again, on your photos."""
    if not target.exists():
        raise Refusal(f"nothing is at {target}; give a folder that `lariqa export` wrote, or an artifact in it")
    if checkpoint is not None:
        check_checkpoint(checkpoint)
    check_limit(limit)
    from lariqa.photos.photo_files import photos_in

    photos_in(photos or [])
    from export.verify import verify

    with steps() as step:
        proofs = list(verify(target, photos or [], checkpoint, limit, step))
    print_proofs(proofs, str(target), photos=True)
    missed = [artifact.file for artifact, parity in proofs if not parity.passed]
    if missed:
        note(", ".join(missed), "Past the limit:", "red")
        raise typer.Exit(1)
