"""``lariqa verify``: prove an export again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Column, Table

from lariqa.errors import Refusal
from lariqa_cli.arguments import LimitOption, check_checkpoint, check_limit
from lariqa_cli.proofs import print_proofs
from lariqa_cli.screen import complain_of, end_without, note, say, show, steps

if TYPE_CHECKING:
    from export.proof.parity import Parity
    from lariqa.manifest.manifest import Artifact


def verify_export(
    target: Annotated[Path, typer.Argument(help="An export folder, or one artifact in it.")],
    photos: Annotated[
        list[str] | None,
        typer.Option("--photos", help="Folder, file or pattern; may be repeated. Default: the bundled photo."),
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="The reference, if not the one kept in the folder.")] = None,
    limit: LimitOption = None,
    golden: Annotated[
        bool,
        typer.Option("--golden", help="Only the golden photo, against the score in the manifest. Needs no PyTorch."),
    ] = False,
) -> None:
    """Prove an export again, on your photos."""
    if not target.exists():
        raise Refusal(f"nothing is at {target}; give a folder that `lariqa export` wrote, or an artifact in it")
    if checkpoint is not None:
        check_checkpoint(checkpoint)
    check_limit(limit)
    if golden:
        if photos or checkpoint or limit is not None:
            raise Refusal("--golden compares one picture with the manifest; leave out --photos, --checkpoint, --limit")
        verify_golden(target)
        return
    from lariqa.photos.photo_files import photos_in

    files = photos_in(photos or [])
    from export.verify import verify

    proofs: list[tuple[Artifact, Parity]] = []
    left_out: dict[str, str] = {}
    try:
        with steps() as step:
            for proof in verify(target, photos or [], checkpoint, limit, step, left_out):
                proofs.append(proof)
    finally:  # what was proved before Ctrl-C, or before a file that is refused, is told
        print_proofs(proofs, str(target), photos=True)
        complain_of(left_out.values())
    if left_out:
        say(f"{len(left_out):,} of {len(files):,} photos were left out: they do not open; the proof is over the rest")
    missed = [artifact.file for artifact, parity in proofs if not parity.passed]
    if missed:
        note(", ".join(missed), "Past the limit:", "red")
        raise typer.Exit(1)
    end_without(left_out.values())


def verify_golden(target: Path) -> None:
    """Score the golden photo with each file of an export, and compare with what the manifest says."""
    from lariqa.manifest.manifest import FILE_NAME, read_manifest
    from lariqa.runtimes.golden_check import check_golden
    from lariqa.runtimes.runtime import runtimes

    is_file = target.suffix in {runtime.suffix for runtime in runtimes().values()}
    manifest = read_manifest(target.parent if is_file else target)
    if manifest is None or not manifest.artifacts:
        raise Refusal(f"{target} holds no {FILE_NAME} with artifacts; `lariqa export` makes one")
    files = [target] if is_file else [target / artifact.file for artifact in manifest.artifacts]
    table = Table(
        Column("artifact", overflow="fold", min_width=16),
        *(Column(name, no_wrap=True) for name in ("PyTorch", "score", "difference", "tolerance")),
        Column("run by", overflow="fold", min_width=12),
        box=box.SIMPLE_HEAD,
    )
    missed = []
    with steps() as step:
        for file in files:
            step(f"golden photo: {file.name}")
            check = check_golden(file)
            missed += [] if check.passed else [file.name]
            colour = "green" if check.passed else "red"
            table.add_row(
                escape(file.name),
                f"{check.reference:.6f}",
                f"{check.score:.6f}",
                f"[{colour}]{check.difference:.1e}[/]",
                f"{check.tolerance:.0e}",
                check.runtime,
            )
    show(table)
    if missed:
        note(", ".join(missed), "Past the tolerance:", "red")
        raise typer.Exit(1)
    note("one picture only; `lariqa verify FOLDER --photos MY_PHOTOS` proves more, and needs the whole toolkit.")
