"""``lariqa demo``: the whole trip on the bundled photo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lariqa_cli.arguments import ViewOption, check_folder
from lariqa_cli.proofs import note_training, print_proofs
from lariqa_cli.screen import note, steps, typed
from lariqa_train.refusal import Refusal


def run_demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the checkpoint and the artifacts.")] = Path(
        "demo-output"
    ),
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the stand-in weights.")] = 1,
    synthetic_view: ViewOption = None,
) -> None:
    """The whole trip on the bundled 3840x2160 photo: checkpoint, three formats, parity, scores."""
    check_folder(output)
    from benchmarks.proved_export import export_proved
    from export.artifact import read_manifest
    from export.export_ready import ExportRequest
    from lariqa_train.checkpoint import save_checkpoint
    from lariqa_train.demo_checkpoint import make_demo_checkpoint

    if (old := read_manifest(output)) and old.provenance.trained:
        raise Refusal(f"{output} holds an export of trained weights, which a demo must not replace; choose another -o")
    checkpoint = output / "demo.safetensors"
    with steps() as step:
        step("making a seeded, calibrated checkpoint (not trained)")
        model = make_demo_checkpoint(seed=seed)
        save_checkpoint(model, checkpoint)
        request = ExportRequest(synthetic_view=synthetic_view)
        proofs = list(
            export_proved(model, request, ("onnx", "coreml", "tflite"), output, overwrite=True, progress=step)
        )
    print_proofs(
        [(proved.artifact, proved.parity) for proved in proofs], f"{output}, bundled photo 3840x2160", photos=True
    )
    note_training(model.provenance)
    if not all(proved.parity.passed for proved in proofs):
        raise typer.Exit(1)
    note(f"Next: {typed('score', proofs[-1].path)} PHOTO.jpg --fit\n      {typed('verify', output)} --photos FOLDER")
