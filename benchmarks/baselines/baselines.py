"""Baselines: alternatives to our files, measured in the same run. Every claim is a ratio to one of these.

authors' way     plain PyTorch with unfused KAN, the views made in Python          torchvision_reference
naive export     each converter and each runtime with its default settings         naive_export
stand-ins        encoders of the paper's competitors, their architecture alone     surrogate_encoders
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.baselines.naive_export import NAIVE
from benchmarks.baselines.surrogate_encoders import STAND_INS, open_stand_in
from benchmarks.baselines.torchvision_reference import open_authors_way
from benchmarks.measure.candidate import Candidate, NotBuilt
from benchmarks.measure.macs import layers_as_file, torch_layers
from benchmarks.measure.measurement import Subject, Work
from export.rewrite.ready_model import FromTensors
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.model import LarIqa

STAND_IN_RUNS = 3  # of up to half a minute each; their row is flagged for too few runs


def baselines_of(
    checkpoint: Path, view: str, height: int, width: int, folder: Path, progress: Callable[[str], None]
) -> Iterator[Candidate | NotBuilt]:
    """The baselines of a checkpoint's exports for photos of one size.

    Args:
        checkpoint: the reference of the export.
        view: crop or full.
        height: of the photos, pixels.
        width: of the photos, pixels.
        folder: where the naive exports are written.
        progress: called with each step in words.
    """
    model = load_checkpoint(checkpoint)
    spec = model.config.preprocess.with_view(view)
    plain = FromTensors(_with_spec(model, spec), height, width)
    work = _work(plain, plain.example())
    facts = {
        "checkpoint_sha256": sha256_of(checkpoint),
        "input": "tensors",
        "synthetic_view": view,
        "photo_width_px": width,
        "photo_height_px": height,
        "trained": model.provenance.trained,
        "role": "baseline",
    }
    yield Candidate(
        Subject(name="authors' way: PyTorch and torchvision", format="torch", bytes=checkpoint.stat().st_size, **facts),
        partial(open_authors_way, checkpoint, view),
        files=(checkpoint,),
        work=work,
        view=view,
    )
    for name, suffix, convert, open_naive, module in NAIVE:
        path = folder / f"naive_{view}_{width}x{height}{suffix}"
        subject = Subject(name=f"naive {name} export", file=path.name, format=name, **facts)
        progress(f"naive export to {name}")
        try:
            convert(plain, path)
        except Refusal as refused:
            yield NotBuilt(subject, str(refused))
            continue
        places = folder.glob(f"{path.name}*") if path.is_file() else path.rglob("*")
        files = tuple(sorted(place for place in places if place.is_file()))
        size = sum(file.stat().st_size for file in files)
        subject = subject.model_copy(update={"bytes": size})
        yield Candidate(subject, partial(open_naive, path, checkpoint, view), (module,), files, work, view)
    for name, make, prepare in STAND_INS:
        progress(f"architecture of {name}")
        network = make()
        example = tuple(torch.from_numpy(x) for x in prepare(np.zeros((height, width, 3), np.uint8)).values())
        yield Candidate(
            Subject(
                name=f"stand-in: {name}",
                format="torch",
                note="architecture only, random weights: its score means nothing",
                **{**facts, "checkpoint_sha256": "", "trained": False},
            ),
            partial(open_stand_in, make, prepare, (height, width)),
            work=_work(network, example),
            same_as_reference=False,
            most_runs=STAND_IN_RUNS,
        )


def _with_spec(model: LarIqa, spec: PreprocessSpec) -> LarIqa:
    model.config = replace(model.config, preprocess=spec)
    return model.eval()


def _work(network: nn.Module, example: tuple[torch.Tensor, ...]) -> Work:
    file = layers_as_file(torch_layers(network, example), network)
    return Work(macs=file.macs, parameters=file.weights, weight_bytes=file.weight_bytes)
