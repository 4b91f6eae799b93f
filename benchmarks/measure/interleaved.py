"""Several candidates measured in turns, A B C, B C A, C A B, so that a drifting machine does not decide the winner.

Each candidate has its own process, which lives for all of its runs. First, one after the other: load, first run and a
few more, with the memory curve (in some runtimes the peak comes with the second run). Then the counted runs: one run of
each candidate per round, each round on another photo. Finally each reports its peak memory and its profile.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure.candidate import Candidate
from benchmarks.measure.conditions import Moment, conditions_between, cpu_seconds
from benchmarks.measure.measurement import Conditions
from benchmarks.measure.memory import MemoryCurve
from benchmarks.measure.worker import Failed, Finished, Loaded, Run, Worker

WARM_UP_RUNS = 3  # after the first; not counted
SETTLE_S = 0.02  # between two turns, until threads that spin for another run of their model go to sleep


@dataclass
class Measured:
    """What was measured of one candidate so far."""

    candidate: Candidate
    loaded: Loaded | None = None
    first: Run | None = None
    runs: list[Run] = field(default_factory=list)
    started_s: list[float] = field(default_factory=list)
    photos: list[Path] = field(default_factory=list)  # of each counted run
    curve: list[tuple[float, float]] = field(default_factory=list)
    finished: Finished | None = None
    conditions: Conditions = field(default_factory=Conditions)
    error: str | None = None

    @property
    def scores(self) -> dict[Path, float]:
        """Photo -> score, of every counted run; the last score of a photo that was used several times."""
        return {photo: run.score for photo, run in zip(self.photos, self.runs, strict=True)}


def measure_in_turns(
    candidates: Sequence[Candidate],
    photos: Callable[[Candidate], Sequence[Path]],
    runs: int,
    threads: int,
    progress: Callable[[str], None],
    *,
    profile: bool = True,
    timeout_s: float = 600,
) -> list[Measured]:
    """Measure all candidates in one go.

    Args:
        candidates: models to measure; one that fails is left out from then on, the others continue.
        photos: the photo files for a candidate; taken in turn.
        runs: counted runs of each.
        threads: of each runtime.
        progress: called with each step in words.
        profile: also ask what ran where, and where the time went.
        timeout_s: for one answer of a worker.
    """
    with ExitStack() as stack:
        measured, workers = [Measured(candidate) for candidate in candidates], {}
        for number, one in enumerate(measured):
            progress(f"loading {one.candidate.subject.name}")
            try:
                worker = stack.enter_context(_worker_of(one.candidate, threads, timeout_s))
                _load_and_warm_up(worker, one, photos(one.candidate), runs)
                workers[number] = worker
            except Failed as failed:
                one.error = str(failed)
        _take_turns(workers, measured, photos, runs, progress)
        for number, worker in workers.items():
            one = measured[number]
            if one.error is None:
                progress(f"where the time goes in {one.candidate.subject.name}")
                try:
                    one.finished = worker.finish(photos(one.candidate)[0] if profile else None)
                except Failed as failed:
                    one.error = str(failed)
            worker.__exit__()  # frees its memory before the next profile
    return measured


def run_back_to_back(
    candidate: Candidate,
    photos: Sequence[Path],
    seconds: float,
    threads: int,
    progress: Callable[[str], None],
    timeout_s: float = 600,
) -> Measured:
    """Sustained mode: one candidate alone, without a pause, for as long as ``seconds``."""
    one = Measured(candidate)
    try:
        with _worker_of(candidate, threads, timeout_s) as worker:
            _load_and_warm_up(worker, one, photos, warm_ups=0)
            before, own, began = Moment.now(), _own_cpu([worker]), time.perf_counter()
            while (elapsed := time.perf_counter() - began) < seconds:
                progress(f"sustained, {elapsed:.0f} of {seconds:.0f} s: {candidate.subject.name}")
                _one_run(worker, one, photos, elapsed)  # the same clock decides the end: no run begins after it
            one.conditions = conditions_between(before, Moment.now(), _own_cpu([worker]) - own)
            one.finished = worker.finish(None)
    except Failed as failed:
        one.error = str(failed)
    return one


def _worker_of(candidate: Candidate, threads: int, timeout_s: float) -> Worker:
    return (candidate.worker or Worker)(candidate, threads, timeout_s)


def _load_and_warm_up(worker: Worker, one: Measured, photos: Sequence[Path], warm_ups: int = WARM_UP_RUNS) -> None:
    worker.ready()
    with MemoryCurve(worker.pid) as curve:
        try:
            one.loaded = worker.load()
            one.first = worker.run(photos[0])
            for number in range(min(warm_ups, WARM_UP_RUNS)):
                worker.run(photos[number % len(photos)])
        finally:
            one.curve = curve.points


def _take_turns(
    workers: dict[int, Worker],
    measured: list[Measured],
    photos: Callable[[Candidate], Sequence[Path]],
    runs: int,
    progress: Callable[[str], None],
) -> None:
    before, own, began = Moment.now(), _own_cpu(workers.values()), time.perf_counter()
    for turn in range(runs):
        order = list(workers)
        order = order[turn % max(1, len(order)) :] + order[: turn % max(1, len(order))]
        for number in order:
            one = measured[number]
            most = one.candidate.most_runs
            if one.error is None and (most is None or turn < most):
                progress(f"run {turn + 1} of {runs}: {one.candidate.subject.name}")
                time.sleep(SETTLE_S)
                try:
                    _one_run(workers[number], one, photos(one.candidate), time.perf_counter() - began)
                except Failed as failed:
                    one.error = str(failed)
    conditions = conditions_between(before, Moment.now(), _own_cpu(workers.values()) - own)
    for one in measured:
        one.conditions = conditions


def _one_run(worker: Worker, one: Measured, photos: Sequence[Path], started: float) -> None:
    photo = photos[len(one.runs) % len(photos)]
    one.runs.append(worker.run(photo))
    one.started_s.append(started)
    one.photos.append(photo)


def _own_cpu(workers) -> float:
    return cpu_seconds(os.getpid()) + sum(cpu_seconds(worker.pid) for worker in workers)
