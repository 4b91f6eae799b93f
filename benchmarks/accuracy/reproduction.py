"""A row of the paper's tables, measured again: train its recipes in order, evaluate the last, keep what was found.

RUNS/<recipe>[-fold<k>]/          run folders; one that is finished is not trained again, one that was killed goes on
RUNS/<recipe>[-fold<k>]/<data set>-<split>-<space>/accuracy.json
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.accuracy.evaluation import evaluate, write_evaluation
from lariqa_train.datasets.catalogue import data_set_named, locate
from lariqa_train.datasets.rows import read_rows
from lariqa_train.datasets.split import split_rows
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.reference import reference_scorer
from lariqa_train.training.tables import TableRow
from lariqa_train.training.train_config import TrainConfig, read_config


def missing_data(row: TableRow, root: Path) -> list[str]:
    """Titles of the data sets that a row needs and that are not whole under ``root``."""
    needed = dict.fromkeys(name for recipe in row.recipes for name in read_config(recipe).datasets)
    if row.tested_on:
        needed[row.tested_on] = None
    return [data_set_named(name).title for name in needed if not locate(data_set_named(name), root).complete]


def measured_before(row: TableRow, runs: Path) -> dict[str, float] | None:
    """The figures of an earlier run; of a cross-validation their mean, once every fold is there."""
    found = [_figures_file(row, runs, fold) for fold in range(row.folds)]
    if not row.recipes or not all(path.exists() for path in found):
        return None
    figures = [json.loads(path.read_text())["raw"] for path in found]
    return {name: sum(one[name] or 0.0 for one in figures) / len(figures) for name in row.paper}


def measure_row(
    row: TableRow, root: Path, runs: Path, overrides: list[str], progress: Callable[[str], None], quiet: bool = True
) -> dict[str, float]:
    """Train what is not trained yet, evaluate, and return the figures.

    Raises:
        Refusal: from reading, training or evaluating.
    """
    for fold in range(row.folds):
        if _figures_file(row, runs, fold).exists():
            continue
        checkpoint = None
        for recipe in row.recipes:
            config = _in_runs(read_config(recipe, overrides), runs)
            config = replace(config, fold=fold if row.folds > 1 else config.fold)
            checkpoint = _trained(recipe, config, root, _run(row, runs, recipe, fold), progress, quiet)
        data_set = data_set_named(row.tested_on)
        rows = read_rows(data_set, locate(data_set, root).folder)
        if row.split != "all":
            rows = split_rows(rows, config.folds, config.fold, config.seed, data_set.title).part(row.split)
        scorer = reference_scorer(load_checkpoint(checkpoint), None)
        result = evaluate(scorer, rows, color_space=row.color_space, resamples=200, progress=progress)
        write_evaluation(result, _figures_file(row, runs, fold).parent, row.label)
    return measured_before(row, runs)


def _trained(recipe: str, config: TrainConfig, root: Path, run: Path, progress: Callable, quiet: bool) -> Path:
    from lariqa_train.training.train import fit

    stem = f"{config.branch}-{config.datasets[0]}" if config.stage == "branch" else "model"
    checkpoint = run / f"{stem}.safetensors"
    if not checkpoint.exists():
        progress(f"training {recipe} in {run}")
        resume = (run / "checkpoints" / "last.ckpt").exists()
        fit(config, root, run, resume=resume, quiet=quiet, made_by=f"lariqa reproduce, {recipe}", progress=progress)
    return checkpoint


def _in_runs(config: TrainConfig, runs: Path) -> TrainConfig:
    """The recipe's ``runs/...`` start weights, in the folder that the user chose."""
    starts = {name: getattr(config, name) for name in ("authentic_from", "synthetic_from", "model_from")}
    return replace(config, **{name: str(runs / path.removeprefix("runs/")) for name, path in starts.items() if path})


def _run(row: TableRow, runs: Path, recipe: str, fold: int) -> Path:
    return runs / (f"{recipe}-fold{fold}" if row.folds > 1 else recipe)


def _figures_file(row: TableRow, runs: Path, fold: int) -> Path:
    last = row.recipes[-1] if row.recipes else "quoted"
    return _run(row, runs, last, fold) / f"{row.tested_on}-{row.split}-{row.color_space}" / "accuracy.json"
