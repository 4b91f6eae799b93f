"""Another runtime as a runner: its scores, and its time in turns with that of the file's own runtime.

time    of each photo: both run it one after the other, TURNS times, the other one first each time; a turn's ratio is
        other / own. What else the machine does meets both. The first photo warms up and is not counted
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np

from export.formats.other_runtime import OtherRuntime, Way
from export.other_runtimes.process import Child, NoAnswer
from export.proof.parity import Parity

TURNS = 3
SLOW_S = 3.0  # a run that takes longer is not repeated


@dataclass(frozen=True)
class Elsewhere:
    """One row: a file in another runtime.

    Args:
        runtime, way: which, and how it was asked.
        version, threads: as it said; threads 0: unknown.
        parity: with PyTorch's scores; None: it gave none.
        failure: why it gave none, or not all; "": it gave all.
        ratios: of each turn.
        own, own_ms: name and version of the file's own runtime, and its median time in those turns.
        installed: False: its packages could not be installed.
        day: on which it was run.
        on_cpu: operators that its accelerator left to the CPU; None: it has none, or does not say.
    """

    runtime: OtherRuntime
    way: Way
    version: str = ""
    threads: int = 0
    parity: Parity | None = None
    failure: str = ""
    ratios: tuple[float, ...] = ()
    own: str = ""
    own_ms: float = float("nan")
    installed: bool = True
    day: str = ""
    on_cpu: int | None = None

    @property
    def passed(self) -> bool:
        """Whether every score is there and within the limit; always, where the way is not judged."""
        return not self.way.judged or (not self.failure and bool(self.parity and self.parity.passed))

    @property
    def ratio(self) -> float | None:
        """Median over the turns; None: nothing was timed."""
        return median(self.ratios) if self.ratios else None

    @property
    def scores(self) -> list[float]:
        """Of every photo."""
        return [photo.score for photo in self.parity.photos] if self.parity else []


class OtherRunner:
    """A runner whose scores come from a child process. A context manager.

    A child that refuses, crashes or hangs gives NaN from then on, and ``failure`` says why: the other rows go on.

    Args:
        runtime, way: which, and how it is asked.
        command: from ``environment.command_of``.
        model: the file.
        threads: to ask it for.
        folder: for its files.
        own: the child of the file's own runtime, with the model open; None: nothing is timed.
    """

    executes_artifact = True

    def __init__(
        self,
        runtime: OtherRuntime,
        way: Way,
        command: list[str | Path],
        model: Path,
        threads: int,
        folder: Path,
        own: OtherRunner | None = None,
    ) -> None:
        self.asked, self.way, self.own = runtime, way, own
        self.runtime, self.version, self.threads, self.failure = runtime.label, "", 0, ""
        self.on_cpu: int | None = None
        self.times: list[tuple[float, float]] = []  # (other, own) of each turn, in seconds
        self._folder, self._model, self._photos = folder, model, 0
        self._child = Child(command, threads)
        self._first = {"model": str(model.absolute()), "threads": threads, "options": dict(way.options)}

    def __enter__(self) -> OtherRunner:
        answer = self._ask({**self._first, "folder": str(self._folder)}, "opening the file: ")
        self.version, self.threads = answer.get("version", ""), answer.get("threads", 0)
        self.on_cpu = answer.get("on_cpu")
        self.runtime = f"{self.asked.label} {self.version}".strip()
        return self

    def __exit__(self, *ended: object) -> None:
        self._child.__exit__()

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """The score, timed in turns."""
        question = self._written(inputs)
        self._photos += 1
        score = float("nan")
        for turn in range(TURNS if self.own else 1):
            parties = (self, self.own) if turn % 2 else (self.own, self)
            answers = {id(party): party._ask(question) for party in parties if party}
            scores, seconds = self._of(answers[id(self)], 1)
            score = scores[0]
            if self.failure or not self.own:
                break
            if self._photos > 1:
                self.times.append((seconds, answers[id(self.own)]["seconds"]))
            if seconds > SLOW_S:
                break
        return float(score)

    def run_batch(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """The scores of several photos in one run, not timed."""
        count = len(next(iter(inputs.values())))
        return self._of(self._ask(self._written(inputs)), count)[0]

    def row(self, parity: Parity) -> Elsewhere:
        """What was found."""
        return Elsewhere(
            self.asked,
            self.way,
            self.version,
            self.threads,
            parity,
            self.failure,
            tuple(other / own for other, own in self.times),
            self.own.runtime if self.own else "",
            1000 * median(own for _, own in self.times) if self.times else float("nan"),
            day=date.today().isoformat(),
            on_cpu=self.on_cpu,
        )

    def _written(self, inputs: Mapping[str, np.ndarray]) -> dict[str, str]:
        path = self._folder / "inputs.npz"
        np.savez(path, **inputs)
        return {"inputs": str(path)}

    def _of(self, answer: dict, count: int) -> tuple[np.ndarray, float]:
        """Scores and seconds of an answer; NaN where there is none."""
        scores = np.array(list(itertools.islice(answer.get("scores", ()), count + 1)), np.float64)
        if not self.failure and scores.shape != (count,):
            self.failure = f"gave {len(answer.get('scores', ()))} scores for {count} photos"
        return (np.full(count, np.nan) if self.failure else scores), answer.get("seconds", float("nan"))

    def _ask(self, question: Mapping[str, object], doing: str = "") -> dict:
        if self.failure:
            return {}
        try:
            return self._child.ask(question)
        except NoAnswer as why:
            # Its words may quote where the file lies; the row is for documents as well.
            said = str(why).replace(f"{self._model.absolute().parent}/", "").replace(f"{self._folder}/", "")
            self.failure = doing + said
            return {}
