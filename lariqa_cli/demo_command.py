"""``lariqa demo``: the whole trip on the bundled photo, training included."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lariqa_cli.arguments import ViewOption, check_folder
from lariqa_cli.proofs import note_training, print_proofs
from lariqa_cli.screen import note, say, steps, typed
from lariqa_train.refusal import Refusal

LEAST_UNSEEN_SRCC = 0.6  # below this the training of the demo is broken, whatever the machine
WORSE = ("blurred", "noisy", "recompressed")  # than the photo as it is


def run_demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the checkpoint and the artifacts.")] = Path(
        "demo-output"
    ),
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the weights and the generated data.")] = 1,
    synthetic_view: ViewOption = None,
    recipe: Annotated[str, typer.Option(help="What to train: generated, generated_long, or a .toml.")] = "generated",
    untrained: Annotated[
        bool, typer.Option("--untrained", help="Train nothing: a seeded, calibrated stand-in, in seconds.")
    ] = False,
) -> None:
    """The whole trip on the bundled 3840x2160 photo: training on generated data, three formats, parity, scores."""
    check_folder(output)
    from benchmarks.proved_export import export_proved
    from export.artifact import read_manifest
    from export.export_ready import ExportRequest
    from lariqa_train.checkpoint import save_checkpoint

    if (old := read_manifest(output)) and old.provenance.trained:
        raise Refusal(f"{output} holds an export of trained weights, which a demo must not replace; choose another -o")
    checkpoint, learnt = output / "demo.safetensors", None
    with steps() as step:
        if untrained:
            from lariqa_train.demo_checkpoint import make_demo_checkpoint

            step("making a seeded, calibrated checkpoint (not trained)")
            model = make_demo_checkpoint(seed=seed)
        else:
            from lariqa_train.demo_training import read_demo_recipe, train_demo

            learnt = train_demo(read_demo_recipe(recipe, [f"seed={seed}"]), typed("demo", "--seed", seed), step)
            model = learnt.model
        save_checkpoint(model, checkpoint)
        request = ExportRequest(synthetic_view=synthetic_view)
        proofs = list(
            export_proved(model, request, ("onnx", "coreml", "tflite"), output, overwrite=True, progress=step)
        )
    print_proofs(
        [(proved.artifact, proved.parity) for proved in proofs], f"{output}, bundled photo 3840x2160", photos=True
    )
    misjudged = _say_learnt(learnt, proofs) if learnt else []
    note_training(model.provenance)
    if misjudged or not all(proved.parity.passed for proved in proofs):
        raise typer.Exit(1)
    note(f"Next: {typed('score', proofs[-1].path)} PHOTO.jpg --fit\n      {typed('verify', output)} --photos FOLDER")


def _say_learnt(learnt, proofs: list) -> list[str]:
    """Say what the training reached; returns, and says, what it should have reached and did not."""
    seconds = ", ".join(f"{name} {took:.0f}" for name, took in learnt.seconds.items())
    say(
        f"Trained on generated distortions: SRCC {learnt.unseen_srcc:.3f} with the severity, on "
        f"{learnt.unseen_pictures} pictures of contents that training never saw"
    )
    note(f"seconds: {seconds}")
    misjudged = []
    if learnt.stopped_early:
        note(
            "the recipe's clock stopped it before its last step: this machine is slow or busy.",
            "Short training:",
            "yellow",
        )
    if not learnt.unseen_srcc >= LEAST_UNSEEN_SRCC:
        misjudged.append(f"SRCC {learnt.unseen_srcc:.3f} is below {LEAST_UNSEEN_SRCC}")
    for proved in proofs:
        scores = {photo.photo: photo.score for photo in proved.parity.photos}
        worse = [name for name in WORSE if not scores["original"] > scores[name]]
        misjudged += [f"{proved.artifact.format} scores the {name} photo above the sharp one" for name in worse]
    if misjudged:
        note("; ".join(misjudged), "Not learnt:", "red")
    return misjudged
