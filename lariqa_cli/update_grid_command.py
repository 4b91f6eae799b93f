"""``lariqa update-grid``: a checkpoint whose KAN grids fit the inputs that photos give them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lariqa.errors import Refusal, named
from lariqa_cli.arguments import check_checkpoint, check_output_file
from lariqa_cli.inspect_command import show_coverage
from lariqa_cli.screen import note, note_training, say, steps, typed

FEW_PHOTOS = 100
MOST_NAMED = 20


def update_grid(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint: .safetensors, or a save_pretrained folder.")],
    photos: Annotated[
        list[str],
        typer.Option("--photos", help="Photos like those that will be scored; folder or file, may be repeated."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the checkpoint, *.safetensors.")],
    blend: Annotated[
        float, typer.Option(min=0, max=1, help="Share of a uniform grid in the new one; 0: the data's quantiles alone.")
    ] = 0.02,
) -> None:
    """Refit the grids of a model's KAN layers to the inputs that photos give them.

    For a model whose KAN inputs lie outside the splines (`lariqa inspect CHECKPOINT --photos FOLDER`). Scores of these
    photos stay nearly the same; the splines then cover them, and training can go on from there. The new grids are not
    uniform; `lariqa export` fuses them exactly all the same, in a form with a few more operators. Photos that do not
    open are all named, and nothing is written: the grids would not be what was asked for.
    """
    check_checkpoint(checkpoint)
    check_output_file(output)
    from lariqa.photos.photo_files import photos_in

    files = photos_in(photos)
    from dataclasses import replace

    import torch

    from lariqa.photos.photo import open_photo
    from lariqa.runtimes.scorer import finite
    from lariqa.time_left import counted
    from lariqa_train.model.checkpoint import load_checkpoint, save_checkpoint
    from lariqa_train.model.normalise import prepare
    from lariqa_train.model.refit_grids import refit_grids, refuse_without_kan, run_heads

    with steps() as step:
        step(f"reading {checkpoint}")
        model, seen, bad = load_checkpoint(checkpoint), [], []
        refuse_without_kan(model)
        for photo in counted(files, len(files), "photos", step):
            try:
                with named(photo):
                    inputs = prepare(open_photo(photo), model.config.preprocess, model.config.branches)
            except Refusal as refusal:
                bad.append(str(refusal))
                continue
            if not bad:  # else nothing will be written: the rest is only opened, to name all that have to go
                with torch.inference_mode():
                    seen.append(model.features(**inputs))
        if bad:
            more = f"\n  and {len(bad) - MOST_NAMED} more" if len(bad) > MOST_NAMED else ""
            listed = "\n  ".join(bad[:MOST_NAMED])
            raise Refusal(
                f"{len(bad)} of {len(files)} photos do not open; nothing was written: mend them, or take them out:"
                f"\n  {listed}{more}"
            )
        features = {view: torch.cat([one[view] for one in seen]) for view in model.config.branches}
        before = run_heads(model, features)
        step("refitting the grids")
        refit_grids(model, features, blend)
        after = run_heads(model, features)
        moved = (after.scores - before.scores).abs()
        finite(float(moved.max()))
        provenance = model.provenance
        refitted = f"KAN grids refitted to {len(files)} photos by lariqa update-grid"
        model.provenance = replace(provenance, made_by=f"{provenance.made_by}; {refitted}")
        step(f"writing {output}")
        save_checkpoint(model, output)
    show_coverage("before", before.coverage)
    show_coverage("after", after.coverage)
    low, high = float(before.scores.min()), float(before.scores.max())
    say(
        f"scores of these {len(files)} photos, {low:.6f} to {high:.6f}, moved by {moved.mean():.1e} on average, "
        f"{moved.max():.1e} at most -> {output}"
    )
    note_training(model.provenance)
    if len(files) < FEW_PHOTOS:
        note(
            f"{len(files)} photos leave the curves free between them: scores of other photos may move more. "
            "Use some hundreds.",
            "Few photos:",
            "yellow",
        )
    note(f"Next: {typed('export', output, '-o', 'exported')}")
