"""fit(config): puts data, network and Trainer together and writes a run folder.

    RUN/config.json               the run's settings, resolved
    RUN/checkpoints/last.ckpt     everything needed to continue after the last complete epoch (kill -9 at any time)
    RUN/checkpoints/best.ckpt     the epoch with the best validation figure (the task's ``monitor``)
    RUN/log/                      TensorBoard and metrics.csv
    RUN/<name>.safetensors        checkpoints of the best epoch: the model, or one per data set in stage branch

Fetches nothing except ImageNet weights, and those only on request.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from lariqa.atomic import writing
from lariqa.errors import Refusal
from lariqa.manifest.model_config import Provenance
from lariqa.names import as_text
from lariqa_train.datasets.catalogue import data_set_named, locate
from lariqa_train.datasets.rows import read_rows
from lariqa_train.datasets.split import Split, split_rows
from lariqa_train.datasets.view_cache import check_and_cache
from lariqa_train.model.checkpoint import save_checkpoint
from lariqa_train.model.model import check_backbone
from lariqa_train.training.picture_data import PictureData
from lariqa_train.training.qat_task import QatTask, RoundedBranches
from lariqa_train.training.stages import build_stage
from lariqa_train.training.task import LarIqaTask
from lariqa_train.training.train_config import TrainConfig


@dataclass(frozen=True)
class Fitted:
    """The result of a run."""

    checkpoints: dict[str, Path]  # data set -> checkpoint of the best epoch
    val_srcc: float  # of the best epoch, mean over the data sets
    epochs: int  # trained in all, earlier runs of the same folder included


def read_splits(config: TrainConfig, root: str | Path) -> dict[str, Split]:
    """Data set -> its split; all faults of all data sets are reported before anything is trained.

    Raises:
        Refusal: a data set is missing or faulty; all of them together.
    """
    splits, refusals = {}, []
    for name in config.datasets:
        data_set = data_set_named(name)
        try:
            rows = read_rows(data_set, locate(data_set, root).folder)
            splits[name] = split_rows(rows, config.folds, config.fold, config.seed, data_set.title)
        except Refusal as refusal:
            refusals.append(str(refusal))
    if refusals:
        raise Refusal("\n".join(refusals))
    return splits


def build_task(config: TrainConfig, progress: Callable[[str], None] = lambda step: None) -> LarIqaTask:
    """The task of a run, with its network; errors as :func:`build_stage`."""
    network = build_stage(config, progress)
    if config.weight_bits:
        return QatTask(RoundedBranches(network.model), config, config.datasets)
    return LarIqaTask(network, config, config.datasets)


def fit(
    config: TrainConfig,
    root: str | Path,
    output: str | Path,
    *,
    resume: bool = False,
    quiet: bool = False,
    made_by: str = "lariqa train",
    progress: Callable[[str], None] = lambda step: None,
    limits: Mapping[str, int] | None = None,
) -> Fitted:
    """Train one stage.

    Args:
        config: the run.
        root: the folder with the data sets.
        output: the run folder.
        resume: continue after the folder's last complete epoch.
        quiet: no progress bar.
        made_by: for the checkpoint's provenance.
        progress: called with each step in words.
        limits: more arguments for Lightning's Trainer (``max_steps``, ``limit_train_batches``).

    Raises:
        Refusal: the data, the settings or the folder do not allow it.
    """
    output = Path(output)
    last = output / "checkpoints" / "last.ckpt"
    _check_folder(config, output, last, resume)
    check_machine(config)  # before minutes of decoding
    progress("reading the data sets")
    splits = read_splits(config, root)
    progress("building the network")
    task = build_task(config, progress)
    rows = [row for split in splits.values() for row in (*split.training, *split.validation)]
    cache = check_and_cache(rows, task.spec, output / "views", "authentic" in config.views, progress)
    data = PictureData(splits, config, task.spec, cache)
    if len(data.training) < config.batch_size:
        raise Refusal(
            f"{len(data.training)} training rows are fewer than one batch of {config.batch_size}; lower batch_size"
        )
    with writing(output / "config.json") as beside:
        beside.write_text(json.dumps(config.to_json(), indent=2) + "\n", encoding="utf-8")
    best = ModelCheckpoint(
        output / "checkpoints", "best", monitor=task.monitor, mode=task.mode, enable_version_counter=False
    )
    with _without_hints():
        trainer = _trainer(config, output, best, quiet, limits or {})
        if config.batch_size % trainer.world_size:
            raise Refusal(f"batch_size {config.batch_size} cannot be dealt to {trainer.world_size} processes evenly")
        task.begin(trainer, data, progress)
        progress("training")
        try:
            trainer.fit(task, data, ckpt_path=str(last) if resume else None)
        except Refusal as refusal:  # a photo that went bad since it was checked
            raise as_it_was(refusal) from refusal
    if trainer.interrupted:
        raise KeyboardInterrupt
    kept = torch.load(best.best_model_path or last, map_location="cpu", weights_only=True)
    score = float(best.best_model_score) if best.best_model_score is not None else float("nan")
    score = task.conclude(trainer, data, _averaged(kept), score, progress)
    provenance = Provenance(trained=True, made_by=made_by)
    written = {}
    if trainer.is_global_zero:
        for name in config.datasets:
            stem = f"{config.branch}-{name}" if config.stage == "branch" else "model"
            written[name] = output / f"{stem}.safetensors"
            save_checkpoint(task.network.as_model(name, provenance), written[name])
    return Fitted(written, score, trainer.current_epoch)


def _trainer(
    config: TrainConfig, output: Path, best: ModelCheckpoint, quiet: bool, limits: Mapping
) -> lightning.Trainer:
    # A callback of its own: ModelCheckpoint's save_last saves only when there is a new best.
    latest = ModelCheckpoint(best.dirpath, "last", monitor=None, enable_version_counter=False)
    callbacks = [best, latest]
    if config.patience:
        callbacks.append(EarlyStopping("val_srcc", mode="max", patience=config.patience))
    if config.ema:
        callbacks.append(EMAWeightAveraging(decay=config.ema))
    if not quiet:
        callbacks.append(TQDMProgressBar())
    logs = [TensorBoardLogger(output, "log", version=""), CSVLogger(output, "log", version="")]
    return lightning.Trainer(
        **_where(config),
        accumulate_grad_batches=config.accumulate,
        callbacks=callbacks,
        logger=logs,
        use_distributed_sampler=False,  # EpochSampler deals the rows itself
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        enable_progress_bar=not quiet,
        enable_model_summary=False,
        **{"max_epochs": config.epochs, **limits},
    )


def _where(config: TrainConfig) -> dict:
    """On what the run computes, as Lightning's Trainer takes it."""
    return {
        "accelerator": config.accelerator,
        "devices": int(config.devices) if config.devices.isdigit() else config.devices,
        "num_nodes": config.nodes,
        "strategy": config.strategy,
        "precision": config.precision,
    }


def check_machine(config: TrainConfig) -> None:
    """Refuse a backbone that timm does not have, and settings that Lightning refuses on this machine."""
    check_backbone(config.timm_backbone)
    silent = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    try:
        with _without_hints():
            lightning.Trainer(**_where(config), **dict.fromkeys(silent, False))
    except Exception as error:  # Lightning's exceptions share no base
        asked = ", ".join(f"{name}={value}" for name, value in _where(config).items())
        raise Refusal(f"Lightning cannot train with {asked} here: {' '.join(str(error).split())}") from error


def _check_folder(config: TrainConfig, output: Path, last: Path, resume: bool) -> None:
    if as_text(output) != str(output):
        raise Refusal(
            f"{as_text(output)}: expected a run folder whose name is UTF-8, came one with other bytes, in which "
            "TensorBoard cannot write; choose another -o"
        )
    if resume and not last.exists():
        raise Refusal(f"{output} holds no run to continue (no {last.name}); leave --resume out")
    if last.exists() and not resume and not os.environ.get("LOCAL_RANK"):
        raise Refusal(f"{output} holds a run already; continue it with --resume, or choose another -o")
    if resume:
        before = {**_DEFAULTS, **json.loads((output / "config.json").read_text())}
        changed = {key for key, value in config.to_json().items() if before.get(key) != value} - _MAY_CHANGE
        if changed:
            raise Refusal(
                f"the run in {output} was started with another {', '.join(sorted(changed))}, which cannot change"
            )


def as_it_was(refusal: Refusal) -> Refusal:
    """A refusal out of a worker process of a loader, which comes with the traceback there, as one sentence again."""
    *traceback, sentence = str(refusal).strip().splitlines()
    worker = traceback and "DataLoader worker" in traceback[0]
    return Refusal(sentence.removeprefix(f"{Refusal.__module__}.{Refusal.__name__}: ")) if worker else refusal


_MAY_CHANGE = {"workers", "accelerator", "devices", "nodes", "strategy"}
_DEFAULTS = {"grid_size": 0, "spline_order": 0}  # settings that older versions did not write


def _averaged(kept: dict) -> dict:
    """The weights to keep: the averaged ones, where the run averaged (Lightning stores those as the state)."""
    return kept["state_dict"]


class _without_hints:
    """Lightning's advice on loaders and logging is not for the user of this program."""

    def __enter__(self) -> None:
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter("ignore")
        for name in ("lightning.pytorch", "lightning.fabric"):
            logging.getLogger(name).setLevel(logging.ERROR)

    def __exit__(self, *error) -> None:
        self._warnings.__exit__(*error)
