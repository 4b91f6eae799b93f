"""How a photo file is judged: right pixels, a refusal in one sentence, or wrong.

Each file is opened in a process of its own kind, so that a crash or an endless loop of a decoder is an outcome too and
ends neither the sweep nor the machine.
"""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LONGEST_S = 60  # for one file
MOST_MEMORY = 6 << 30  # bytes of address space: a header may claim what it likes
RIGHT, REFUSED, WRONG = "right", "refused", "WRONG"


@dataclass(frozen=True)
class Case:
    """One file, and what must come of it."""

    group: str  # a row of the summary
    name: str
    write: Callable[[Path], object]  # makes the file
    shown: np.ndarray | None  # (height, width, 3) uint8, what a viewer shows; None: only a refusal is right
    mean: float = 0.0  # allowed, in levels: of lossy formats
    most: int = 0  # allowed at one pixel, where ``mean`` is 0
    may_be_refused: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came of a file."""

    case: Case
    verdict: str
    words: str  # of the refusal, or of what is wrong


def sweep(cases: Iterable[Case], folder: Path) -> Iterator[Outcome]:
    """Write, open and judge every case; a wrong one's file stays in ``folder``."""
    opener = _Opener()
    try:
        for number, case in enumerate(cases):
            path = folder / f"{number:05d}"
            case.write(path)
            verdict, words = judge(case, *opener.open(path), path)
            if verdict != WRONG:
                path.unlink()
            yield Outcome(case, verdict, words if verdict != WRONG else f"{words} [{path}]")
    finally:
        opener.close()


def judge(case: Case, kind: str, found: object, path: Path) -> tuple[str, str]:
    """(verdict, words) of what :class:`_Opener` gave for the case's file."""
    if kind == "refusal":
        text = str(found)
        if "\n" in text or str(path) not in text:
            return WRONG, f"a refusal that is not one sentence with the file's name: {text}"
        if case.shown is not None and not case.may_be_refused:
            return WRONG, f"refused: {text}"
        return REFUSED, text.replace(f"{path}: ", "")
    if kind != "pixels":
        return WRONG, f"{kind}: {found}"
    if case.shown is None:
        return WRONG, f"came pixels {found.shape}, where only a refusal is right"
    if found.shape != case.shown.shape:
        return WRONG, f"came {found.shape}, right is {case.shown.shape}"
    difference = np.abs(found.astype(int) - case.shown)
    if difference.mean() > case.mean if case.mean else difference.max() > case.most:
        return WRONG, f"pixels differ by {difference.mean():.2f} on average, {difference.max()} at most"
    return RIGHT, ""


class _Opener:
    """Opens photos in a process; another one where that died or hung."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_open_all, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def open(self, path: Path) -> tuple[str, object]:
        """("pixels", array), ("refusal", text), ("traceback", text), ("crash", text) or ("hang", text)."""
        self._ours.send(path)
        try:
            if self._ours.poll(LONGEST_S):
                return self._ours.recv()
            answer = ("hang", f"no answer in {LONGEST_S} s")
        except EOFError:
            self._process.join()
            answer = ("crash", f"the process ended with {self._process.exitcode}")
        self.close()
        self._start()
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.join()


def _open_all(pipe) -> None:
    from lariqa.errors import Refusal
    from lariqa.photos.photo import open_photo

    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    while True:
        path = pipe.recv()
        try:
            pipe.send(("pixels", open_photo(path)))
        except Refusal as refusal:
            pipe.send(("refusal", str(refusal)))
        except Exception as fault:
            pipe.send(("traceback", f"{type(fault).__name__}: {fault}"))
