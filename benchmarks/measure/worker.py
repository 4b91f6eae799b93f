"""The fresh process in which one candidate is loaded and run, and the parent's handle on it.

    parent                          worker
    Worker(candidate, threads)      imports the runtime, notes the baseline, lets the peak begin anew
    .load()                         opens the model
    .run(photo)                     decode -> prepare -> run -> score, each part timed
    .finish()                       peak memory, that of one more run alone, what ran where, the profile

A worker that dies, or whose model raises, ends as a :class:`Failed` with the reason; the parent and the other workers
go on.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure.candidate import Candidate, import_modules
from benchmarks.measure.family import cpu_s
from benchmarks.measure.measurement import Profile
from benchmarks.measure.memory import peak_mib, peak_while_mib, reset_peak, resident_mib
from benchmarks.measure.time_profile import profile_of
from lariqa.backends import quietly
from lariqa.photos.photo import open_photo
from lariqa.runtimes.runtime import Places

if TYPE_CHECKING:  # it imports torch
    from lariqa.runtimes.scorer import Scorer

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
PROFILED_RUNS = 3


class Failed(Exception):
    """A candidate that gives no figures, or no further ones; the text says why."""


@dataclass(frozen=True)
class Loaded:
    """What is known once the model is open."""

    runtime: str
    executes_artifact: bool  # whether it is the runtime that the file is made for
    load_ms: float
    cold: bool
    baseline_mib: float
    loaded_mib: float
    peak_is_fresh: bool


@dataclass(frozen=True)
class Run:
    """One run, in ms of wall time by part, and of processor time as a whole."""

    score: float
    decode_ms: float
    preprocess_ms: float
    inference_ms: float
    post_ms: float
    cpu_ms: float


@dataclass(frozen=True)
class Finished:
    """What is read when all runs are done."""

    peak_mib: float
    running_peak_mib: float | None  # of one more run, without what decoding a photo takes
    placement: dict[str, int] | None
    profile: Profile | None


class Worker:
    """The parent's side. A context manager: whatever happens, the process is gone afterwards."""

    def __init__(self, candidate: Candidate, threads: int, timeout_s: float = 600) -> None:
        self.candidate, self.timeout_s = candidate, timeout_s
        spawning = multiprocessing.get_context("spawn")  # not fork: the parent's memory must not count
        self._connection, theirs = spawning.Pipe()
        self._process = spawning.Process(target=serve, args=(theirs, candidate, threads), daemon=True)
        with _threads_in_environment(threads):  # OpenMP, and with it torch, reads it when it is imported
            self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def ready(self) -> None:
        """Wait until the runtime is imported."""
        self._ask(None)

    def load(self) -> Loaded:
        """Open the model."""
        return self._ask(("load",))

    def run(self, photo: Path) -> Run:
        """One run on a photo file."""
        return self._ask(("run", photo))

    def finish(self, photo: Path | None) -> Finished:
        """The last figures; with a photo, what ran where and the profile as well."""
        return self._ask(("finish", photo))

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *ended: object) -> None:
        self._connection.close()
        self._process.join(1)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _ask(self, request: tuple | None):
        try:
            if request is not None:
                self._connection.send(request)
            if not self._connection.poll(self.timeout_s):
                raise Failed(f"no answer within {self.timeout_s:g} s")
            answer = self._connection.recv()
        except (EOFError, OSError) as gone:
            self._process.join(5)
            raise Failed(_how_it_ended(self._process.exitcode)) from gone
        if isinstance(answer, Failed):
            raise answer
        return answer


def serve(connection: Connection, candidate: Candidate, threads: int) -> None:
    """The worker's side: answer requests until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    scorer: Scorer | None = None
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        with quietly("importing the runtime"):
            import_modules(candidate.runtime_modules)
        baseline, fresh = resident_mib(), reset_peak()
        connection.send(None)
        while True:
            request, *arguments = connection.recv()
            try:
                if request == "load":
                    cold = _forget_pages(candidate.files)
                    began = time.perf_counter()
                    scorer = candidate.open(threads)
                    load_ms = (time.perf_counter() - began) * 1000
                    told = scorer.runner.runtime, scorer.runner.executes_artifact
                    answer = Loaded(*told, load_ms, cold, baseline, resident_mib(), fresh)
                elif request == "run":
                    answer = run_once(scorer, *arguments)
                else:
                    answer = _finished(scorer, candidate, *arguments)
            except Exception as error:  # any exception of a runtime becomes the error of its row
                answer = Failed(" ".join(f"{type(error).__name__}: {error}".split()))
            except MemoryError:
                answer = Failed("out of memory")
            connection.send(answer)


def run_once(scorer: Scorer, photo: Path) -> Run:
    """Photo file -> score, timed part by part."""
    cpu, began = cpu_s(), time.perf_counter()
    image = open_photo(photo)
    decoded = time.perf_counter()
    inputs = scorer.inputs(image, fit=True)
    prepared = time.perf_counter()
    score = scorer.runner.run(inputs)
    ran = time.perf_counter()
    score = float(score)
    ended, cpu = time.perf_counter(), cpu_s() - cpu
    parts = (decoded - began, prepared - decoded, ran - prepared, ended - ran, cpu)
    return Run(score, *(part * 1000 for part in parts))


def _finished(scorer: Scorer, candidate: Candidate, photo: Path | None) -> Finished:
    peak = peak_mib()  # before the code below allocates memory
    if photo is None:
        return Finished(peak, None, None, None)
    inputs, runner = scorer.inputs(open_photo(photo), fit=True), scorer.runner
    running = peak_while_mib(lambda: runner.run(inputs))
    placement = runner.placement(inputs) if isinstance(runner, Places) else None
    return Finished(peak, running, placement, profile_of(scorer, inputs, candidate, PROFILED_RUNS))


def _forget_pages(files: tuple[Path, ...]) -> bool:
    """Have the kernel drop a model's pages, so that loading reads the disk; False if the system has no such call."""
    if not files or not hasattr(os, "posix_fadvise"):
        return False
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())  # pages not yet written cannot be dropped
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True


@contextlib.contextmanager
def _threads_in_environment(threads: int):
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        reason = "; the system kills like that when memory is short" if -code == signal.SIGKILL else ""
        return f"its process ended by {name}{reason}"
    return f"its process ended with status {code}"
