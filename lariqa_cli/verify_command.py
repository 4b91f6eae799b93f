"""``lariqa verify``: prove an export again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Column, Table

from lariqa.errors import Refusal
from lariqa_cli.arguments import LimitOption, check_checkpoint, check_folder, check_limit
from lariqa_cli.proofs import print_elsewhere, print_proofs
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
        typer.Option("--golden", help="Only the golden pictures, against the manifest's scores. Needs no PyTorch."),
    ] = False,
    runtime: Annotated[
        list[str] | None,
        typer.Option(
            "--runtime",
            metavar="NAME",
            help="In another runtime, installed into an environment of its own: one of those of the file's format, or "
            "all; may be repeated.",
        ),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where --runtime keeps those environments.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="The table of --runtime in Markdown.")] = False,
) -> None:
    """Prove an export again, on your photos."""
    if not target.exists():
        raise Refusal(f"nothing is at {target}; give a folder that `lariqa export` wrote, or an artifact in it")
    if checkpoint is not None:
        check_checkpoint(checkpoint)
    check_limit(limit)
    if (cache or markdown) and not runtime:
        raise Refusal("--cache and --markdown go with --runtime")
    if runtime and golden:
        raise Refusal("--golden uses the file's own runtime; leave out --golden or --runtime")
    if golden:
        if photos or checkpoint or limit is not None:
            raise Refusal(
                "--golden has pictures of its own and the manifest; leave out --photos, --checkpoint, --limit"
            )
        verify_golden(target)
        return
    from lariqa.photos.photo_files import photos_in

    files = photos_in(photos or [])
    if runtime:
        verify_in_others(target, runtime, photos or [], checkpoint, limit, cache, markdown)
        return
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


def verify_in_others(
    target: Path,
    names: list[str],
    photos: list[str],
    checkpoint: Path | None,
    limit: float | None,
    cache: Path | None,
    markdown: bool,
) -> None:
    """Score the photos in other runtimes; 1: a score is past the limit or missing, 2: a runtime was not installed."""
    from export.verify_elsewhere import verify_elsewhere

    if cache is not None:
        check_folder(cache)
    with steps() as step:
        rows = list(verify_elsewhere(target, names, photos, checkpoint, limit, cache, progress=step))
    print_elsewhere(rows, str(target.name if markdown else target), markdown)
    missing = [row for row in rows if not row.installed]
    missed = [row for row in rows if row.installed and not row.passed]
    for row in missing:
        note(row.failure, "Not installed:", "yellow")
    if missed:
        note(", ".join(row.runtime.label for row in missed), "Past the limit, or without a score:", "red")
    if missed or missing:
        raise typer.Exit(1 if missed else 2)


def verify_golden(target: Path) -> None:
    """Score the golden photo and the audition's pictures with each file of an export, and compare with the manifest."""
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
        *(
            Column(name, no_wrap=True)
            for name in ("worst of", "picture", "PyTorch", "score", "difference", "tolerance")
        ),
        Column("run by", overflow="fold", min_width=12),
        box=box.SIMPLE_HEAD,
    )
    missed = []
    with steps() as step:
        for file in files:
            step(f"golden photo: {file.name}")
            checks = check_golden(file)
            # The worst: one that is no number first, which compares with nothing.
            check = max(checks, key=lambda one: (not one.passed, one.difference))
            missed += [] if check.passed else [file.name]
            colour = "green" if check.passed else "red"
            table.add_row(
                escape(file.name),
                str(len(checks)),
                escape(check.picture),
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
    note("a few known pictures; `lariqa verify FOLDER --photos MY_PHOTOS` proves more, and needs the whole toolkit.")
