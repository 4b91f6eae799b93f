"""``lariqa export``: a checkpoint -> proved artifacts."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from lariqa_cli.arguments import LimitOption, ViewOption, check_checkpoint, check_folder, check_limit, parse_size
from lariqa_cli.proofs import note_training, print_proofs
from lariqa_cli.screen import note, steps, typed
from lariqa_train.refusal import Refusal


def export_checkpoint(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint: .safetensors, or a save_pretrained folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the artifacts and lariqa.json.")],
    formats: Annotated[
        str, typer.Option("--format", help="Comma-separated: onnx, coreml, tflite.")
    ] = "onnx,coreml,tflite",
    precision: Annotated[str, typer.Option(help="fp32.")] = "fp32",
    size: Annotated[
        str, typer.Option(help="Photo size that the artifact takes, WIDTHxHEIGHT in pixels.")
    ] = "3840x2160",
    contract: Annotated[
        str, typer.Option("--input", help="pixels: the decoded photo itself; tensors: the two normalised views.")
    ] = "pixels",
    synthetic_view: ViewOption = None,
    memory: Annotated[
        str | None,
        typer.Option(
            help="How the file executes: low, balanced or fast; naive: the plain graph, for comparison. "
            "All score alike. Default: balanced, where the backbone's structure allows it."
        ),
    ] = None,
    limit: LimitOption = None,
    overwrite: Annotated[bool, typer.Option(help="Replace another checkpoint's export in the output folder.")] = False,
) -> None:
    """Write artifacts and prove, file by file, that they score as PyTorch does."""
    check_checkpoint(checkpoint)
    check_folder(output)
    check_limit(limit)
    width, height = parse_size(size)
    names = list(dict.fromkeys(name.strip() for name in formats.split(",") if name.strip()))
    if not names:
        raise Refusal(f"--format is {formats!r}; expected one or several of onnx, coreml, tflite, with commas between")

    from benchmarks.proved_export import export_proved
    from export.export_ready import ExportRequest, why_only_naive
    from lariqa_train.checkpoint import load_checkpoint

    request = ExportRequest(contract, height, width, synthetic_view, memory)
    proofs = []
    with steps() as step:
        step(f"reading {checkpoint}")
        model = load_checkpoint(checkpoint)
        options = {"precision": precision, "limit": limit, "overwrite": overwrite, "progress": step}
        try:
            with closing(export_proved(model, request, names, output, **options)) as exporting:
                proofs.extend(exporting)
        except Refusal:  # of a later format: those before it are finished, and stay
            print_proofs([(proved.artifact, proved.parity) for proved in proofs], f"{output}")
            raise
    print_proofs([(proved.artifact, proved.parity) for proved in proofs], f"{output}")
    note_training(model.provenance)
    if memory is None and (reason := why_only_naive(model)):
        note(f"{model.config.backbone} runs as it is written (--memory naive): {reason}.", "Memory:")
    missed = [proved for proved in proofs if not proved.parity.passed]
    for proved in missed:
        note(f"{proved.path} was set aside; an older good file was not touched.", "Past the limit:", "red")
    if missed:
        raise typer.Exit(1)
    note(f"Next: {typed('score', proofs[0].path)} PHOTO.jpg\n      {typed('verify', output)} --photos FOLDER")
