"""``lariqa export``: a checkpoint -> proved artifacts."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from lariqa.backends import has_toolkit
from lariqa.errors import Refusal
from lariqa_cli.arguments import (
    LimitOption,
    ViewOption,
    check_checkpoint,
    check_folder,
    check_limit,
    parse_size,
)
from lariqa_cli.proofs import print_plans, print_proofs
from lariqa_cli.screen import note, note_training, steps, typed


def _format_names() -> tuple[dict[str, str], tuple[str, ...]]:
    """Every format as help shows it, and those that are written where nobody names one."""
    if has_toolkit():
        from export.formats import FORMATS

        known = {name: row.runtime for name, row in FORMATS.items()}
    else:
        from lariqa.runtimes.runtime import runtimes

        known = runtimes()
    shown = {name: f"{name} (experimental)" if runtime.experimental else name for name, runtime in known.items()}
    return shown, tuple(name for name, runtime in known.items() if not runtime.experimental)


FORMAT_NAMES, USUAL = _format_names()


def export_checkpoint(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint: .safetensors, or a save_pretrained folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the artifacts and lariqa.json.")],
    formats: Annotated[
        str, typer.Option("--format", help=f"Comma-separated: {', '.join(FORMAT_NAMES.values())}.")
    ] = ",".join(USUAL),
    precision: Annotated[
        str, typer.Option(help="Comma-separated: fp32, fp16, w8 (int8 weights), int8 (mixed).")
    ] = "fp32",
    calibration: Annotated[
        list[str] | None,
        typer.Option(help="Photos to calibrate lower precisions on; may be repeated. Default: generated ones."),
    ] = None,
    keep_float: Annotated[
        list[str] | None,
        typer.Option(help="A group of layers that stays float32, as in `lariqa inspect`; may be repeated."),
    ] = None,
    validation_pictures: Annotated[
        int,
        typer.Option(
            min=2, help="How many prove a lower precision. Fewer than 100 prove less, and the manifest says so."
        ),
    ] = 100,
    size: Annotated[
        str | None,
        typer.Option(
            help="Photo size, WIDTHxHEIGHT in pixels, where a file takes one alone: pixels, or the full view. With "
            "--input views and the full view: the largest that is proved. Default: 3840x2160."
        ),
    ] = None,
    input_kind: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="views: the two views as pixels, of any photo; pixels: the decoded photo, of one size; tensors: the "
            "two views, normalised. Default: views, or pixels with the full view.",
        ),
    ] = None,
    synthetic_view: ViewOption = None,
    memory: Annotated[
        str | None,
        typer.Option(
            help="How the file executes: low, balanced or fast; naive: the plain graph, for comparison. "
            "The score is the same. Default: balanced, if the structure of the backbone allows it."
        ),
    ] = None,
    batch: Annotated[
        str, typer.Option(help="Photos in one run: one; or dynamic: as many as one gives it, for servers.")
    ] = "one",
    limit: LimitOption = None,
    overwrite: Annotated[bool, typer.Option(help="Replace another checkpoint's export in the output folder.")] = False,
) -> None:
    """Write artifacts and prove, file by file, that they give the score that PyTorch gives."""
    check_checkpoint(checkpoint)
    check_folder(output)
    check_limit(limit)
    width, height = parse_size(size or "3840x2160")
    names = list(dict.fromkeys(name.strip() for name in formats.split(",") if name.strip()))
    if not names:
        known = ", ".join(FORMAT_NAMES)
        raise Refusal(f"--format is {formats!r}; expected one or several of {known}, with commas between")

    precisions = list(dict.fromkeys(name.strip() for name in precision.split(",") if name.strip()))
    if not precisions:
        raise Refusal(f"--precision is {precision!r}; expected one or several of fp32, fp16, w8, int8")
    from lariqa.photos.photo_files import photos_in

    photos_in(calibration or [])

    from export.pipeline import export_proved
    from export.rewrite.export_ready import ExportRequest, why_only_naive
    from lariqa_train.model.checkpoint import load_checkpoint

    request = ExportRequest(input_kind, height, width, synthetic_view, memory, batch)
    proofs = []
    with steps() as step:
        step(f"reading {checkpoint}")
        model = load_checkpoint(checkpoint)
        options = {
            "precisions": precisions,
            "calibration": calibration or (),
            "keep_float": keep_float or (),
            "validation_pictures": validation_pictures,
            "limit": limit,
            "overwrite": overwrite,
            "progress": step,
        }
        try:
            with closing(export_proved(model, request, names, output, **options)) as exporting:
                proofs.extend(exporting)
        except Refusal:  # of a later format: the earlier files are finished and stay
            print_proofs([(proved.artifact, proved.parity) for proved in proofs], f"{output}")
            raise
    print_proofs([(proved.artifact, proved.parity) for proved in proofs], f"{output}")
    note_training(model.provenance)
    artifacts = [proved.artifact for proved in proofs]
    if size and any(row.photo_width_px is None and row.synthetic_view == "crop" for row in artifacts):
        note("these files take photos of any size, so --size was not needed.", "Size:")
    if memory is None and (reason := why_only_naive(model)):
        note(f"{model.config.backbone} runs as the plain graph (--memory naive): {reason}.", "Memory:")
    missed = [proved for proved in proofs if not proved.parity.passed]
    print_plans(artifacts)
    for proved in missed:
        worst = [row["group"] for row in (proved.artifact.plan or {}).get("sensitivity", ())][:3]
        blamed = f" What moves the score most: {', '.join(worst)}." if worst else ""
        note(f"{proved.artifact.file}: {'; '.join(proved.parity.missed)}.{blamed}", "Missed:", "red")
        note(f"{proved.path} was set aside; an older good file was not touched.", "Past the limit:", "red")
    if missed:
        raise typer.Exit(1)
    note(f"Next: {typed('score', proofs[0].path)} PHOTO.jpg\n      {typed('verify', output)} --photos FOLDER")
