"""``lariqa demo``: the whole trip on the bundled photo, training included."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lariqa.errors import Refusal
from lariqa_cli.arguments import ViewOption, check_folder
from lariqa_cli.proofs import note_training, print_proofs
from lariqa_cli.screen import note, say, steps, typed

HEAVY_QUALITY = 10  # JPEG: blocks that anybody sees
LEAST_UNSEEN_SRCC = 0.6  # below this the training of the demo is broken, whatever the machine
WORSE = ("blurred", "noisy", "recompressed")  # than the photo as it is


def run_demo(
    overrides: Annotated[
        list[str] | None, typer.Argument(help="key=value, over the recipe.", metavar="[KEY=VALUE]...")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the checkpoint and the artifacts.")] = Path(
        "demo-output"
    ),
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the weights and the generated data.")] = 1,
    synthetic_view: ViewOption = None,
    recipe: Annotated[str, typer.Option(help="What to train: generated, generated_long, or a .toml.")] = "generated",
    photos: Annotated[
        Path | None,
        typer.Option(help="Folder of photographs to learn from too, see `lariqa datasets --fetch-photographs`."),
    ] = None,
    untrained: Annotated[
        bool, typer.Option("--untrained", help="Train nothing: a seeded, calibrated stand-in, in seconds.")
    ] = False,
) -> None:
    """The whole trip on the bundled 3840x2160 photo: training on generated data, three formats, parity, scores."""
    check_folder(output)
    from export.formats import FORMATS
    from export.pipeline import export_proved
    from export.rewrite.export_ready import ExportRequest
    from lariqa.manifest.manifest import read_manifest
    from lariqa_train.model.checkpoint import save_checkpoint

    if (old := read_manifest(output)) and old.provenance.trained:
        raise Refusal(f"{output} holds an export of trained weights, which a demo must not replace; choose another -o")
    checkpoint, learnt = output / "demo.safetensors", None
    with steps() as step:
        if untrained:
            from lariqa_train.demo.demo_checkpoint import make_demo_checkpoint

            step("making a seeded, calibrated checkpoint (not trained)")
            model = make_demo_checkpoint(seed=seed)
        else:
            from lariqa_train.demo.demo_recipe import read_demo_recipe
            from lariqa_train.demo.demo_training import train_demo

            settings = [f"seed={seed}", *(overrides or []), *([f"photographs={photos}"] if photos else [])]
            learnt = train_demo(read_demo_recipe(recipe, settings), typed("demo", "--seed", seed), step)
            model = learnt.model
        save_checkpoint(model, checkpoint)
        request = ExportRequest(synthetic_view=synthetic_view)
        proofs = list(export_proved(model, request, list(FORMATS), output, overwrite=True, progress=step))
    print_proofs(
        [(proved.artifact, proved.parity) for proved in proofs], f"{output}, bundled photo 3840x2160", photos=True
    )
    misjudged = [*_say_learnt(learnt), *_misjudged(proofs)] if learnt else []
    if misjudged:
        note("; ".join(misjudged), "Not learnt:", "red")
    note_training(model.provenance)
    if misjudged or not all(proved.parity.passed for proved in proofs):
        raise typer.Exit(1)
    note(f"Next: {typed('score', proofs[-1].path)} PHOTO.jpg --fit\n      {typed('verify', output)} --photos FOLDER")


def _say_learnt(learnt) -> list[str]:
    """Say what the training reached; returns what it should have reached and did not."""
    seconds = ", ".join(f"{name} {took:.0f}" for name, took in learnt.seconds.items())
    say(
        f"Trained on generated distortions: SRCC {learnt.unseen_srcc:.3f} with the severity, on "
        f"{learnt.unseen_pictures} pictures of scenes that training never saw"
    )
    for srcc, pictures in learnt.photographs:
        say(f"Photographs that were held out: SRCC {srcc:.3f}, on {pictures} pictures")
    if learnt.too_small:
        note(f"{learnt.too_small} photographs are smaller than the recipe's pictures and were left out")
    note(f"seconds: {seconds}")
    if learnt.stopped_early:
        note(
            "the recipe's clock stopped it before its last step: this machine is slow or busy.",
            "Short training:",
            "yellow",
        )
    if not learnt.unseen_srcc >= LEAST_UNSEEN_SRCC:
        return [f"SRCC {learnt.unseen_srcc:.3f} is below {LEAST_UNSEEN_SRCC}"]
    return []


def _misjudged(proofs: list) -> list[str]:
    """What exported files score above the sharp photo although it is damaged; the proof has most of the scores."""
    from lariqa.loading import load
    from lariqa_train.pictures.damage import bundled_photo, jpeg_of_quality

    heavy, misjudged = jpeg_of_quality(bundled_photo(), HEAVY_QUALITY), []
    for proved in proofs:
        scores = {photo.photo: photo.score for photo in proved.parity.photos}
        scores["heavily compressed"] = load(proved.path).score(heavy)
        say(
            f"{proved.artifact.format}: sharp {scores['original']:.3f}, JPEG quality {HEAVY_QUALITY} "
            f"{scores['heavily compressed']:.3f}"
        )
        worse = [name for name in (*WORSE, "heavily compressed") if not scores["original"] > scores[name]]
        misjudged += [f"{proved.artifact.format} scores the {name} photo above the sharp one" for name in worse]
    return misjudged
