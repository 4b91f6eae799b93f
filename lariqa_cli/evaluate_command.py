"""``lariqa evaluate``: a checkpoint or any artifact against human ratings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich import box
from rich.table import Column, Table

from lariqa_cli.arguments import ModelArgument, ViewOption, check_folder, check_model
from lariqa_cli.screen import note, note_training, say, say_json, show, steps


def evaluate_model(
    model: ModelArgument,
    dataset: Annotated[str, typer.Option(help="A data set by its name, see `lariqa datasets`.")],
    root: Annotated[Path, typer.Option(help="Folder that holds the data sets.")] = Path("data"),
    split: Annotated[
        Literal["test", "validation", "training", "all"],
        typer.Option(help="Official, where there is one; else 10 % of the groups are both test and validation."),
    ] = "test",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for accuracy.json, scores.csv and scatter.png.")
    ] = None,
    synthetic_view: ViewOption = None,
    color_space: Annotated[str, typer.Option(help="Show the photos in rgb, yuv, lab or hsv (Table 5).")] = "rgb",
    fit: Annotated[bool, typer.Option("--fit", help="Resample photos that do not have the artifact's size.")] = False,
    resamples: Annotated[int, typer.Option(min=10, help="Of the bootstrap.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare a model's scores with human ratings: SRCC, PLCC, KRCC, RMSE, MAE, with intervals."""
    check_model(model)
    if output:
        check_folder(output)
    from lariqa.errors import Refusal
    from lariqa_train.datasets.catalogue import data_set_named, locate
    from lariqa_train.datasets.rows import read_rows
    from lariqa_train.datasets.split import split_rows
    from lariqa_train.training.color import COLOR_SPACES

    data_set = data_set_named(dataset)
    if color_space not in COLOR_SPACES:
        raise Refusal(f"--color-space is {color_space!r}; expected one of {', '.join(COLOR_SPACES)}")
    found = read_rows(data_set, locate(data_set, root).folder)
    rows = found if split == "all" else split_rows(found, title=data_set.title).part(split)
    from benchmarks.accuracy.evaluation import evaluate, write_evaluation
    from lariqa.loading import load

    title = f"{model.name} on {data_set.title}, {split}"
    with steps() as step:
        step(f"opening {model}")
        scorer = load(model, synthetic_view=synthetic_view)
        result = evaluate(scorer, rows, fit=fit, color_space=color_space, resamples=resamples, progress=step)
        written = write_evaluation(result, output, title) if output else []
    if as_json:
        say_json({"title": title, **result.to_json()})
    else:
        _print(result, title)
    note_training(scorer.provenance)
    for path in written:
        note(f"wrote {path}")


def _print(result, title: str) -> None:
    say(f"{title}: {result.raw.images} images, {result.runtime}, {result.color_space}")
    right = {"justify": "right"}
    table = Table("", *(Column(name, **right) for name in ("raw", "95 % interval", "after fit")), box=box.SIMPLE_HEAD)
    for name, (low, high) in result.intervals.items():
        fitted = f"{getattr(result.after_fit, name):.4f}" if result.after_fit else "no fit"
        table.add_row(name.upper(), f"{getattr(result.raw, name):.4f}", f"{low:.4f} .. {high:.4f}", fitted)
    show(table)
