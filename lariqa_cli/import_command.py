"""``lariqa import``: the authors' weights -> a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lariqa.errors import Refusal
from lariqa_cli.arguments import check_output_file
from lariqa_cli.screen import note, say, steps, typed


def import_weights(
    weights: Annotated[Path, typer.Argument(help="The authors' .pt or .pth file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the checkpoint, *.safetensors.")],
    branch: Annotated[str | None, typer.Option(help="For one-branch files: authentic or synthetic.")] = None,
) -> None:
    """Turn the authors' published weights into a checkpoint."""
    if not weights.is_file():
        raise Refusal(f"no file at {weights}; give the authors' .pt or .pth file")
    check_output_file(output)

    from lariqa_train.model.checkpoint import save_checkpoint
    from lariqa_train.model.import_authors import import_authors

    with steps() as step:
        step(f"reading {weights}")
        model, kind = import_authors(weights, branch)
        step(f"writing {output}")
        save_checkpoint(model, output)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    say(f"{kind}: {parameters:,} parameters, branches {' + '.join(model.config.branches)} -> {output}")
    follow = (
        typed("export", output, "-o", "exported")
        if model.config.head
        else "train a head on it: a bare encoder gives no score"
    )
    note(f"Next: {follow}")
