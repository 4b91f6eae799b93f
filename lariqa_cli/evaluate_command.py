"""``lariqa evaluate``: a checkpoint or any artifact against human ratings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich import box
from rich.table import Column, Table

from lariqa.errors import Refusal
from lariqa_cli.arguments import ModelArgument, ViewOption, check_folder, check_model
from lariqa_cli.screen import complain_of, end_without, note, note_training, say, say_json, show, steps

if TYPE_CHECKING:
    from lariqa.library.score_table import ScoreTable

KEPT_SCORES = "evaluation.jsonl"
MOST_ERRORS = 20  # that are printed where a file has them all


def evaluate_model(
    context: typer.Context,
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
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Processes that score side by side. Default: one for each processor; 0: this one."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="With -o: go on with a run that was stopped; nothing is scored twice.")
    ] = False,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="With --resume: try the photos again that could not be scored.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="With -o: forget a run that was stopped.")] = False,
) -> None:
    """Compare a model's scores with human ratings: SRCC, PLCC, KRCC, RMSE, MAE, with intervals."""
    check_model(model)
    if output:
        check_folder(output)
    elif resume or overwrite:
        raise Refusal("--resume and --overwrite are for the scores that -o keeps; name its folder")
    if resume and overwrite:
        raise Refusal("--resume goes on with a run and --overwrite forgets it; choose one")
    if retry_errors and not resume:
        raise Refusal("--retry-errors goes on with a run; give --resume as well")
    from lariqa_train.datasets.catalogue import data_set_named, locate
    from lariqa_train.datasets.rows import read_rows
    from lariqa_train.datasets.split import split_rows
    from lariqa_train.training.color import COLOR_SPACES

    data_set = data_set_named(dataset)
    if color_space not in COLOR_SPACES:
        raise Refusal(f"--color-space is {color_space!r}; expected one of {', '.join(COLOR_SPACES)}")
    found = read_rows(data_set, locate(data_set, root).folder)
    rows = found if split == "all" else split_rows(found, title=data_set.title).part(split)
    from benchmarks.accuracy.evaluation import evaluation_of, write_evaluation
    from benchmarks.accuracy.scored_rows import score_rows
    from lariqa.library.work import Work, model_sha256

    title = f"{model.name} on {data_set.title}, {split}"
    sha256 = model_sha256(model)
    work = Work(model, synthetic_view, fit, sha256=sha256, color_space=color_space)
    left_out: dict[str, str] = {}
    written: list[Path] = []
    try:
        with _kept_scores(output, sha256, resume, overwrite, retry_errors) as table, steps() as step:
            debug = bool(context.find_root().params.get("debug"))
            scored = score_rows(work, rows, workers=workers, table=table, raises=debug, progress=step)
            left_out |= scored.left_out
            if table and not scored.rows:
                table.discard()  # nothing is lost, and the next run, with --fit perhaps, need not be told so
            result = evaluation_of(
                scored.rows, scored.scores, scored.runtime, color_space, left_out, resamples, progress=step
            )
            if output:
                written = write_evaluation(result, output, title)
                written += _settle(table, keep=bool(left_out))
    finally:
        complain_of(left_out.values(), MOST_ERRORS if written else None)
    if as_json:
        say_json({"title": title, **result.to_json()})
    else:
        _print(result, title)
    note_training(scored.provenance)
    for path in written:
        note(f"wrote {path}")
    if left_out and output:
        note("mend those photos, and the same command with --resume --retry-errors scores them alone")
    end_without(left_out.values())


@contextmanager
def _kept_scores(
    folder: Path | None, sha256: str, resume: bool, overwrite: bool, retry_errors: bool
) -> Iterator[ScoreTable | None]:
    """Where scores are kept until the figures are there; says at Ctrl-C what is kept.

    A run that was stopped is not lost for a forgotten option; one that came to its end is replaced, as its figures are.
    """
    from lariqa.library.score_table import ScoreTable

    table = None
    try:
        if folder is None:
            yield None
            return
        table = ScoreTable(folder / KEPT_SCORES, sha256, resume, overwrite or _is_ended(folder, resume), retry_errors)
        with table:
            yield table
    except KeyboardInterrupt:
        if table is None:
            note("no score was kept; with -o FOLDER they are, and --resume goes on")
        elif table.count:
            note(f"{table.count:,} scores are kept; the same command with --resume goes on")
        raise


def _is_ended(folder: Path, resume: bool) -> bool:
    """Whether what is kept there are the scores of a run that came to its end, which nobody asks to go on with."""
    kept = folder / KEPT_SCORES
    return not resume and kept.exists() and not kept.with_name(f"{kept.name}.parts").exists()


def _settle(table: ScoreTable, keep: bool) -> list[Path]:
    """Keep the scores whole where photos were left out, so that these can be tried alone; else ``scores.csv`` is it."""
    if keep:
        table.finish()
        return [table.path]
    table.discard()
    return []


def _print(result, title: str) -> None:
    left_out = f", {len(result.left_out):,} left out" if result.left_out else ""
    say(f"{title}: {result.raw.images} images{left_out}, {result.runtime}, {result.color_space}")
    right = {"justify": "right"}
    table = Table("", *(Column(name, **right) for name in ("raw", "95 % interval", "after fit")), box=box.SIMPLE_HEAD)
    for name, (low, high) in result.intervals.items():
        fitted = f"{getattr(result.after_fit, name):.4f}" if result.after_fit else "no fit"
        table.add_row(name.upper(), f"{getattr(result.raw, name):.4f}", f"{low:.4f} .. {high:.4f}", fitted)
    show(table)
