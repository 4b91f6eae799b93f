"""``lariqa train``: a recipe and data sets -> a run folder with checkpoints."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from lariqa_cli.arguments import check_folder
from lariqa_cli.screen import note, say, steps, typed


def train_model(
    recipe: Annotated[str, typer.Argument(help="A recipe: a .toml file, or the name of a bundled one.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="key=value, over the recipe.", metavar="[KEY=VALUE]...")
    ] = None,
    root: Annotated[Path, typer.Option(help="Folder that holds the data sets, see `lariqa datasets`.")] = Path("data"),
    output: Annotated[Path, typer.Option("-o", "--output", help="Run folder.")] = Path("run"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue after the last complete epoch in the folder.")
    ] = False,
    no_pretrained: Annotated[
        bool, typer.Option("--no-pretrained", help="Start branches from random weights, not from ImageNet weights.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Train one stage of the paper: a branch, new heads on two branches, or everything."""
    check_folder(output)
    from lariqa_train.training.train_config import read_config

    config = read_config(recipe, [*(overrides or []), *(["pretrained=false"] if no_pretrained else [])])
    from lariqa_train.training.train import fit

    made_by = typed("train", recipe, *(overrides or []))
    with steps() as step:
        fitted = fit(config, root, output, resume=resume, quiet=quiet, made_by=made_by, progress=step)
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return
    say(f"validation SRCC {fitted.val_srcc:.4f} (best of {fitted.epochs} epochs)")
    for name, path in fitted.checkpoints.items():
        say(f"{path}  ({name})")
    first = next(iter(fitted.checkpoints.values()))
    note(f"Next: {typed('evaluate', first)} --dataset NAME --root {root}")
