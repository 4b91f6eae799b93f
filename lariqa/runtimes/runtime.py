"""What a runtime file gives: the protocols of its runner, and one ``RUNTIME`` row by which a file's suffix finds it.

A new runtime is one module in this folder with a ``RUNTIME``; nothing else names it.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from lariqa.errors import Refusal

if TYPE_CHECKING:  # a list of runtimes needs no NumPy; neither does `lariqa --help`
    import numpy as np


DEVICE = "device"  # an option of a session: where it runs


@dataclass(frozen=True)
class OperatorTime:
    """One operator of one run, as a runtime's own profiler saw it."""

    name: str  # of the operator in the runtime's graph, which begins with its name in the file where it is one of it
    operator: str
    ran_on: str  # provider, delegate or backend
    time_ms: float


class Runner(Protocol):
    """What opens one model and runs it."""

    runtime: str  # name and version, as shown to people
    executes_artifact: bool  # whether this is the runtime that the file is made for

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """Input name -> array; returns the score."""
        ...


@runtime_checkable
class Places(Protocol):
    """A runner that can say what really ran its operators."""

    def placement(self, inputs: Mapping[str, np.ndarray]) -> dict[str, int]:
        """Provider, delegate or backend -> operators that it ran."""
        ...


@runtime_checkable
class RunsBatches(Protocol):
    """A runner of files that take several photos at once."""

    def run_batch(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Input name -> arrays of n photos; returns their n scores."""
        ...


@runtime_checkable
class TimesOperators(Protocol):
    """A runner with a profiler."""

    def operator_times(self, inputs: Mapping[str, np.ndarray], runs: int) -> tuple[str, list[OperatorTime]]:
        """(name of the profiler, one entry for each operator and run, in ms of one run)."""
        ...


@runtime_checkable
class ShowsTensors(Protocol):
    """A runner that can show what it computes on the way."""

    def tensors(self, inputs: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
        """Every float tensor inside, with its name, in the order of the file."""
        ...


@dataclass(frozen=True)
class Runtime:
    """One kind of exported file, and how it is opened on this machine.

    Args:
        format: the name by which manifests know it.
        suffix: of its files.
        precisions: those that it runs.
        sessions: way of execution (``--memory``) -> the runtime's options, kept in the manifest.
        batch_session: further options where a file takes batches.
        devices: where it can run; ``open`` finds one other than "cpu" in the options, under DEVICE.
        experimental: whether its maker still changes it: such files are written only where somebody names them.
        modules: what opening a file imports; the benchmark imports them before it takes its baseline of memory.
        open: (file, threads or None, options) -> runner.
        metadata: file -> the text of the manifest inside it, or None.
    """

    format: str
    suffix: str
    precisions: tuple[str, ...]
    sessions: Mapping[str, dict[str, Any]]
    modules: tuple[str, ...]
    open: Callable[[Path, int | None, Mapping[str, Any]], Runner]
    metadata: Callable[[Path], str | None]
    batch_session: Mapping[str, Any] = field(default_factory=dict)
    devices: tuple[str, ...] = ("cpu",)
    experimental: bool = False


@functools.cache
def runtimes() -> dict[str, Runtime]:
    """Format -> its runtime: the ``RUNTIME`` of every module in this folder that has one."""
    package = importlib.import_module(__package__)
    modules = (
        importlib.import_module(f"{__package__}.{entry.name}") for entry in pkgutil.iter_modules(package.__path__)
    )
    return {module.RUNTIME.format: module.RUNTIME for module in modules if hasattr(module, "RUNTIME")}


def runtime_of(path: Path) -> Runtime:
    """The runtime for a model file, by the file's suffix.

    Raises:
        Refusal: none opens such files.
    """
    for runtime in runtimes().values():
        if path.suffix == runtime.suffix:
            return runtime
    suffixes = ", ".join(runtime.suffix for runtime in runtimes().values())
    raise Refusal(f"{path} is not a model: its name ends in none of {suffixes}")
