"""Photos shared out to worker processes; rows as they are finished. Whatever happens to a worker, no photo is lost."""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import lariqa
from lariqa.cpus import usable_cpus
from lariqa.errors import Refusal
from lariqa.library.row import Row
from lariqa.library.work import About, Photo, Work
from lariqa.names import as_text

Named = tuple[Photo, str | os.PathLike | None]
BEGINNINGS = 3  # of a worker that ends before it is ready, until the run is given up
LOOK_EVERY_S = 0.2  # whether the run was stopped, while a queue is full
_ENDED = object()


def score_in_workers(work: Work, photos: Iterable[Named], workers: int, batch: int = 1) -> Iterator[About | Row]:
    """Score photos in processes.

    Args:
        work: the model; ``threads`` None: each worker's share of the processors.
        photos: (photo, name); drawn as they are needed, so that any number takes the same memory.
        workers: processes, each with its own session.
        batch: photos in one run, where the file takes batches.

    Yields:
        First what the model is; then a row for every photo, in the order in which they are finished.

    Raises:
        Refusal: the model cannot be opened, or workers end before they are ready.
    """
    if work.threads is None:
        work = replace(work, threads=max(1, usable_cpus() // workers))
    shared = _Shared(work, photos, batch, workers)
    threads = [threading.Thread(target=_Keeper(shared).keep, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    running, told = workers, False
    try:
        while running:
            came = shared.done.get()
            if came is _ENDED:
                running -= 1
            elif isinstance(came, BaseException):
                raise came
            elif not isinstance(came, About):
                yield from came
            elif not told:  # every worker says it
                told = True
                yield came
    finally:
        shared.stop()
        for thread in threads:
            thread.join()


class _Shared:
    """What the threads that keep one worker each have in common."""

    def __init__(self, work: Work, photos: Iterable[Named], batch: int, workers: int) -> None:
        self.work, self.photos, self.batch = work, iter(photos), batch
        self.done: queue.Queue = queue.Queue(4 * workers)  # bounded: a reader that stands still stops the workers
        self.lock, self.stopped, self.alive = threading.Lock(), False, set()

    def draw(self) -> list[Named]:
        """The next photos; none where nothing is left."""
        with self.lock:
            return [] if self.stopped else list(itertools.islice(self.photos, self.batch))

    def put(self, what: object) -> None:
        """Give it to the reader, if there still is one."""
        while not self.stopped:
            with contextlib.suppress(queue.Full):
                return self.done.put(what, timeout=LOOK_EVERY_S)
        return None

    def begin(self) -> _Worker | None:
        """Start a worker; None where the run was stopped."""
        with self.lock:
            if self.stopped:
                return None
            worker = _Worker(self.work)
            self.alive.add(worker)
            return worker

    def stop(self) -> None:
        """End every worker, whatever it does."""
        with self.lock:
            self.stopped = True
            for worker in self.alive:
                worker.process.kill()


class _Keeper:
    """Gives photos to one worker after the other, and begins another one when one has died."""

    def __init__(self, shared: _Shared) -> None:
        self.shared, self.worker, self.last_words = shared, None, ""

    def keep(self) -> None:
        """Until nothing is left, or the run is stopped."""
        try:
            while chunk := self.shared.draw():
                self.shared.put(self._rows_of(chunk))
        except BaseException as error:
            self.shared.put(error)
        finally:
            if self.worker:
                self._bury()
            self.shared.put(_ENDED)

    def _rows_of(self, chunk: list[Named]) -> list[Row]:
        """A photo that two workers died of is a row with its error; the second try is for one that was killed."""
        rows = self._asked(chunk)
        if rows is not None:
            return rows
        if len(chunk) > 1:
            return [row for photo in chunk for row in self._rows_of([photo])]
        return self._asked(chunk) or [self._lost(*chunk[0])]

    def _asked(self, chunk: list[Named]) -> list[Row] | None:
        """The worker's answer; None where it died of the question, or the run was stopped."""
        if self.worker is None:
            self._begin()
        if self.worker is None:
            return None
        rows = self.worker.ask(chunk)
        if rows is None:
            self._bury()
        return rows

    def _begin(self) -> None:
        for _ in range(BEGINNINGS):
            self.worker = self.shared.begin()
            if self.worker is None:
                return
            ready = self.worker.ask(self.shared.work)
            if isinstance(ready, Refusal):
                raise ready
            if ready is not None:
                self.shared.put(ready)
                return
            self._bury()
        if not self.shared.stopped:
            raise Refusal(f"a worker process {self.last_words} before it was ready; take fewer --workers")

    def _bury(self) -> None:
        self.last_words = self.worker.end()
        with self.shared.lock:
            self.shared.alive.discard(self.worker)
        self.worker = None

    def _lost(self, photo: Photo, name: str | os.PathLike | None) -> Row:
        shown = as_text(name if name is not None else "the photo" if isinstance(photo, bytes) else photo)
        return Row(
            shown,
            error=f"{shown}: the process that scored it {self.last_words}, twice; is memory short, the photo damaged?",
            model=as_text(self.shared.work.model),
            model_sha256=self.shared.work.sha256 or "",
        )


class _Worker:
    """One process."""

    def __init__(self, work: Work) -> None:
        here = str(Path(lariqa.__file__).parents[1])
        paths = [path for path in sys.path if path] + [here]  # as this process finds modules, so does that one
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "lariqa.library.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": str(work.threads)},
        )

    def ask(self, what: Work | Sequence[Named]) -> object | None:
        """The answer; None where the process has ended."""
        try:
            pickle.dump(what, self.process.stdin)
            self.process.stdin.flush()
            return pickle.load(self.process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            return None

    def end(self) -> str:
        """How it ended, in words."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()  # it ends by itself
        self.process.stdout.close()
        status = self.process.wait()
        if status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended with status {status}"
