"""``lariqa score``: photos -> scores."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lariqa.errors import Refusal
from lariqa_cli.arguments import (
    ModelArgument,
    PhotosArgument,
    ViewOption,
    WeightCacheOption,
    check_folder,
    check_model,
)
from lariqa_cli.screen import complain, note_training, say, steps


def score_photos(
    model: ModelArgument,
    photos: PhotosArgument,
    synthetic_view: ViewOption = None,
    fit: Annotated[bool, typer.Option("--fit", help="Resample photos that do not have the artifact's size.")] = False,
    weight_cache: WeightCacheOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """Score photos with a checkpoint or any artifact."""
    check_model(model)
    if weight_cache is not None:
        check_folder(weight_cache)
    from lariqa.loading import load
    from lariqa.photos.photo_files import photos_in

    files, rows = photos_in(photos), []
    try:
        with steps() as step:
            step(f"opening {model}")
            scorer = load(model, synthetic_view=synthetic_view, weight_cache=weight_cache)
            for number, photo in enumerate(files, 1):
                step(f"photo {number} of {len(files)}: {photo}")
                row = {"photo": str(photo)}
                try:
                    with named(photo):
                        row["score"] = finite(scorer.score(photo, fit))
                except Refusal as refusal:
                    row["error"] = str(refusal)
                rows.append(row | told_of(model, scorer))
                if not as_json and "score" in row:  # at once: what is finished is not lost with what is not
                    say(f"{row['score']:.6f}  {row['photo']}")
    finally:
        if as_json and rows:
            say(json.dumps(rows, indent=2))
    note_training(scorer.provenance)
    for row in rows:
        if "error" in row:
            complain(row["error"])
    if any("error" in row for row in rows):
        raise typer.Exit(2)


def told_of(model: Path, scorer) -> dict:
    """What each row says of the model."""
    return {
        "model": str(model),
        "runtime": scorer.runner.runtime,
        "views": views_used(scorer),
        "trained": scorer.provenance.trained,
    }


@contextmanager
def named(photo: Path):
    """Put the photo's name in front of a refusal that does not mention it."""
    try:
        yield
    except Refusal as refusal:
        if str(photo) in str(refusal):
            raise
        raise Refusal(f"{photo}: {refusal}") from refusal


def finite(score: float) -> float:
    """The score; a Refusal if it is NaN or infinite."""
    if not math.isfinite(score):
        raise Refusal(f"the score is {score}, not a number: the weights are damaged; import or train them again")
    return score


def views_used(scorer) -> dict[str, str]:
    """View name -> what of the photo it is, in words."""
    spec = scorer.preprocess
    side, crop = spec.authentic_side_px, spec.synthetic_crop_px
    words = {
        "authentic": f"whole photo resized to {side}x{side}",
        "synthetic": "whole photo, native pixels"
        if spec.synthetic_view == "full"
        else f"centre crop {crop}x{crop}, native pixels",
    }
    return {view: words[view] for view in scorer.views}
