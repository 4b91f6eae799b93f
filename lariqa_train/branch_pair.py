"""Train several backbones side by side, each in a process of its own: two threads in one process gain little here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch

from lariqa_train.branch_training import BranchSteps, Shown, train_branch
from lariqa_train.model import LarIqa, LarIqaConfig

FEW = 20  # steps that are done sooner than another process is started


def train_branches(
    model: LarIqa,
    shown: Mapping[str, Shown],
    how: Mapping[str, BranchSteps],
    deadline: float,
    progress: Callable[[int], None] = lambda step: None,
) -> bool:
    """Train the backbones of the views in ``shown``, the last of them in this process.

    Args:
        model: whose backbones are trained, on the CPU.
        shown: view -> what it learns from.
        how: view -> how.
        deadline: of ``time.monotonic``; after it no further step begins.
        progress: called with the number of each step of the last view.

    Returns:
        Whether the deadline cut any of them short.
    """
    *others, own = shown
    late = []
    if not others or (os.cpu_count() or 1) == 1 or max(how[view].steps for view in shown) <= FEW:
        for view in shown:
            told = progress if view == own else lambda step: None
            late.append(_train(model, view, shown[view], how[view], deadline, told))
        return any(late)
    threads = torch.get_num_threads()
    with ProcessPoolExecutor(len(others), get_context("spawn")) as pool:
        jobs = {
            view: pool.submit(_in_worker, model.config, view, _weights(model, view), shown[view], how[view], deadline)
            for view in others
        }
        torch.set_num_threads(max(1, threads - len(others)))
        try:
            late.append(_train(model, own, shown[own], how[own], deadline, progress))
        finally:
            torch.set_num_threads(threads)
        for view, job in jobs.items():
            weights, cut_short = job.result()
            getattr(model, view).backbone.load_state_dict(weights)
            late.append(cut_short)
    return any(late)


def _train(model: LarIqa, view: str, shown: Shown, how: BranchSteps, deadline: float, progress) -> bool:
    late = False

    def over() -> bool:
        nonlocal late
        late = late or time.monotonic() > deadline
        return late

    state = torch.get_rng_state()
    torch.manual_seed(how.seed)  # of the helpers: the same in any process
    train_branch(getattr(model, view).backbone, shown, model.config.preprocess, how, over, progress)
    torch.set_rng_state(state)
    return late


def _weights(model: LarIqa, view: str) -> dict[str, torch.Tensor]:
    return getattr(model, view).backbone.state_dict()


def _in_worker(
    config: LarIqaConfig, view: str, weights: dict, shown: Shown, how: BranchSteps, deadline: float
) -> tuple[dict[str, torch.Tensor], bool]:
    torch.set_num_threads(1)
    model = LarIqa(config)
    backbone = getattr(model, view).backbone.to(memory_format=torch.channels_last)
    backbone.load_state_dict(weights)
    late = _train(model, view, shown, how, deadline, lambda step: None)
    return _weights(model, view), late
