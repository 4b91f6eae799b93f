"""``lariqa demo``: the whole trip on the bundled photo, training included."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lariqa_cli.arguments import ViewOption, check_folder
from lariqa_cli.proofs import print_proofs
from lariqa_cli.screen import note, note_training, say, steps, typed


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
        typer.Option(help="Folder of photographs to train on as well; see `lariqa datasets fetch-photographs`."),
    ] = None,
    untrained: Annotated[
        bool, typer.Option("--untrained", help="Train nothing: a seeded, calibrated stand-in, in seconds.")
    ] = False,
) -> None:
    """The whole trip on the bundled 3840x2160 photo: training on generated data, three formats, parity, scores."""
    check_folder(output)
    from export.demo import HEAVY, HEAVY_QUALITY, SHARP, make_demo
    from lariqa_train.demo.demo_recipe import read_demo_recipe

    settings = [f"seed={seed}", *(overrides or []), *([f"photographs={photos}"] if photos else [])]
    with steps() as step:
        demo = make_demo(
            output,
            None if untrained else read_demo_recipe(recipe, settings),
            seed=seed,
            synthetic_view=synthetic_view,
            made_by=typed("demo", "--seed", seed),
            progress=step,
        )
    proofs = [(proved.artifact, proved.parity) for proved in demo.proofs]
    print_proofs(proofs, f"{output}, bundled photo 3840x2160", photos=True)
    if demo.learnt:
        print_learnt(demo.learnt)
    for one in demo.judged:
        sharp, heavy = one.scores[SHARP], one.scores[HEAVY]
        say(f"{one.format}: sharp {sharp:.3f}, JPEG quality {HEAVY_QUALITY} {heavy:.3f}")
    if demo.not_learnt:
        note("; ".join(demo.not_learnt), "Not learnt:", "red")
    note_training(demo.provenance)
    if not demo.passed:
        raise typer.Exit(1)
    last = demo.proofs[-1].path
    fit = " --fit" if proofs[-1][0].photo_width_px else ""
    note(f"Next: {typed('score', last)} PHOTO.jpg{fit}\n      {typed('verify', output)} --photos FOLDER")


def print_learnt(learnt) -> None:
    """What the training reached, and how long it took."""
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
            "the recipe's time limit stopped it before the last step: this machine is slow or busy.",
            "Short training:",
            "yellow",
        )
