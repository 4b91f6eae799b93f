"""Train a backbone in several processes at once: each takes a part of every batch, and all average their gradients.

On a CPU two threads in one process gain little where maps are small, and nothing on a busy machine; two processes take
two cores. The pixels are in a file that all of them map, so they are in memory once; gradients are exchanged through
another file, without a network. Every process starts from the same weights and takes the same steps, so they stay
equal.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import timm
import torch
from torch import nn

from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa_train.demo.branch_training import BranchSteps, Shown, train_branch

LEAST_BATCH = 32  # crops of a process: batch norm counts them
PATIENCE_S = 600.0  # to wait for another process at the barrier
ROWS = "gradients.npy"


def train_branch_on_all_cores(
    backbone: nn.Module,
    shown: Shown,
    spec: PreprocessSpec,
    how: BranchSteps,
    deadline: float,
    progress: Callable[[int], None] = lambda step: None,
    processes: int | None = None,
) -> bool:
    """:func:`train_branch` with batches that are dealt to processes.

    Args:
        backbone, shown, spec, how, progress: as there; ``how.batch`` is that of all processes together, and the pixels
            lie in a file (a memmap).
        deadline: of ``time.monotonic``; after it no further step begins.
        processes: how many; by default one for each core, but not more than have ``LEAST_BATCH`` crops each. Batch norm
            sees a part of the batch, so another number gives another result.

    Returns:
        Whether the deadline cut it short.

    Raises:
        Refusal: another process ended, or did not reach the barrier within ``PATIENCE_S``.
    """
    processes = processes or max(1, min(os.cpu_count() or 1, how.batch // LEAST_BATCH))
    how = replace(how, batch=how.batch // processes)
    context, threads, others = get_context("spawn"), torch.get_num_threads(), []
    with tempfile.TemporaryDirectory(prefix="lariqa-branch-") as folder:
        meeting = GradientAverager(context.Barrier(processes), 0, deadline)
        if processes > 1:
            size = 2 * sum(parameter.numel() for parameter in backbone.parameters())  # more than the helpers need
            np.lib.format.open_memmap(Path(folder, ROWS), "w+", np.float32, (processes, size)).flush()
            kept = (shown.pixels.filename, shown.targets, shown.kinds, shown.contents)
            job = (backbone.default_cfg["architecture"], backbone.state_dict(), kept, spec, how)
            others = [
                context.Process(
                    target=_in_worker,
                    args=(*job, GradientAverager(meeting.barrier, rank, deadline), folder),
                    daemon=True,
                )
                for rank in range(1, processes)
            ]
            for process in others:
                process.start()
            torch.set_num_threads(1)
            meeting.enter(folder)
        try:
            _train(backbone, shown, spec, how, meeting, progress)
        except threading.BrokenBarrierError as broken:
            raise Refusal(
                "another process of the branch's training ended, or took no step for "
                f"{PATIENCE_S / 60:.0f} minutes; where memory is short, set a smaller branch_batch"
            ) from broken
        finally:
            torch.set_num_threads(threads)
            for process in others:
                process.join()
    return meeting.late


class GradientAverager:
    """Where processes average their gradients, and agree on whether it is too late for another step."""

    def __init__(self, barrier, rank: int, deadline: float) -> None:
        self.barrier, self.rank, self.deadline = barrier, rank, deadline
        self.rows, self.late = None, False

    def enter(self, folder: str) -> None:
        """Map the file that all processes write to: a row of gradients for each, its last number a flag."""
        self.rows = torch.from_numpy(np.load(Path(folder, ROWS), mmap_mode="r+"))

    def average(self, parameters: Sequence[torch.Tensor]) -> None:
        """Every process's gradients := their mean."""
        self.late = time.monotonic() > self.deadline
        if self.rows is None:
            return
        mine = torch.cat([parameter.grad.flatten() for parameter in parameters])
        self.rows[self.rank, : len(mine)] = mine
        self.rows[self.rank, -1] = float(self.late)
        self.barrier.wait(PATIENCE_S)
        mean, self.late = self.rows[:, : len(mine)].mean(0), bool(self.rows[:, -1].any())
        self.barrier.wait(PATIENCE_S)
        for parameter, part in zip(parameters, mean.split([p.numel() for p in parameters]), strict=True):
            parameter.grad.copy_(part.view_as(parameter))


def _train(
    backbone: nn.Module, shown: Shown, spec: PreprocessSpec, how: BranchSteps, meeting: GradientAverager, progress
):
    state = torch.get_rng_state()
    torch.manual_seed(how.seed)  # of the helpers: the same in every process
    try:
        how = replace(how, share=meeting.rank)
        train_branch(backbone, shown, spec, how, lambda: meeting.late, progress, meeting.average)
    except BaseException:
        meeting.barrier.abort()  # so that no process waits for one that has ended
        raise
    finally:
        torch.set_rng_state(state)


def _in_worker(
    architecture: str, weights: dict, kept: tuple, spec, how, meeting: GradientAverager, folder: str
) -> None:
    torch.set_num_threads(1)
    meeting.enter(folder)
    backbone = timm.create_model(architecture, num_classes=len(weights["classifier.bias"]))
    backbone.to(memory_format=torch.channels_last).load_state_dict(weights)
    path, *columns = kept
    _train(backbone, Shown(np.load(path, mmap_mode="r"), *columns), spec, how, meeting, lambda step: None)
