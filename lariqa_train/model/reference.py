"""Run a model in PyTorch: the reference that every artifact is compared with."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from lariqa.cpus import usable_cpus
from lariqa.errors import Refusal
from lariqa.runtimes.runtime import OperatorTime
from lariqa.runtimes.scorer import Scorer
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.hooks import watching
from lariqa_train.model.model import LarIqa


def open_checkpoint(path: Path, synthetic_view: str | None = None, threads: int | None = None) -> Scorer:
    """A checkpoint as a Scorer; errors as :func:`lariqa_train.model.checkpoint.load_checkpoint`."""
    return reference_scorer(load_checkpoint(path), synthetic_view, threads)


def reference_scorer(model: LarIqa, synthetic_view: str | None = None, threads: int | None = None) -> Scorer:
    """The checkpoint's model as a Scorer for photos of any size; None: the view that it was trained with."""
    spec = model.config.preprocess.with_view(synthetic_view)
    return Scorer(
        TorchRunner(model, threads),
        spec,
        model.config.branches,
        "tensors",
        None,
        provenance=model.provenance,
        threads=threads or usable_cpus(),
    )


class TorchRunner:
    """A checkpoint's model, unfused, in float32 on the CPU.

    Args:
        model: with a head.
        threads: inside one run; None: PyTorch's own choice. Its sums, and so the last digits of a score, depend on it.
    """

    executes_artifact = False

    def __init__(self, model: LarIqa, threads: int | None = None) -> None:
        if model.config.head is None:
            raise Refusal("this checkpoint is a bare encoder: it has features but gives no score; train a head first")
        self.model, self.threads = model.eval(), threads
        self.runtime = f"PyTorch {torch.__version__}"

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """View name -> (1, 3, h, w) float32, normalised; returns the score."""
        with _threads(self.threads), torch.inference_mode():
            return self.model(**{name: torch.from_numpy(value) for name, value in inputs.items()}).item()

    def operator_times(self, inputs: Mapping[str, np.ndarray], runs: int) -> tuple[str, list[OperatorTime]]:
        """The time inside each innermost module, by forward hooks; what lies between modules is not in it."""
        times, began = [], {}

        def enter(name: str, module: torch.nn.Module, given: tuple, named: dict) -> None:
            began[name] = time.perf_counter()

        def leave(name: str, module: torch.nn.Module, made: torch.Tensor) -> None:
            took_ms = (time.perf_counter() - began[name]) * 1000
            times.append(OperatorTime(name, type(module).__name__, "PyTorch", took_ms / runs))

        innermost = {name: module for name, module in self.model.named_modules() if not any(module.children())}
        with watching(innermost, before=enter, after=leave):
            for _ in range(runs):
                self.run(inputs)
        return "PyTorch module hooks", times


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """So many while the block runs: the number belongs to the process."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
