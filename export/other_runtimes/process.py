"""The parent's handle on a runtime's child process: a question, an answer, and a sentence where none comes."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LIMIT_S = 300.0  # for one answer: opening a model is the longest, 20 s for the slowest known
LAST_WORDS = 200  # characters of what a child wrote before it ended


class NoAnswer(Exception):
    """A child that refused, crashed or did not answer in time; the text says which."""


class Child:
    """A process that answers lines of JSON (``child``). A context manager: afterwards it is gone.

    Args:
        command: how to start it.
        threads: for libraries that take their number from the environment.
        limit_s: for each answer; None: LIMIT_S.
    """

    def __init__(self, command: Sequence[str | Path], threads: int, limit_s: float | None = None) -> None:
        self.limit_s = limit_s or LIMIT_S
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        self._process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            env={**os.environ, **dict.fromkeys(names, str(threads))},
            start_new_session=True,  # its helpers end with it
        )
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """One answer.

        Raises:
            NoAnswer: it has none.
        """
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended: its last answer, or how it ended, is read below
        try:
            line = self._lines.get(timeout=self.limit_s)
        except queue.Empty:
            raise NoAnswer(f"no answer within {self.limit_s:g} s") from None
        if line is None:
            self._lines.put(None)  # and so it stays
            raise NoAnswer(self._how_it_ended())
        try:
            answer = json.loads(line)
        except ValueError:
            raise NoAnswer("it answered with something that is no JSON") from None
        if "refused" in answer:
            raise NoAnswer(answer["refused"])
        return answer

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *ended: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._words):
            with contextlib.suppress(OSError):  # a pipe with a question that nobody read
                stream.close()

    def _listen(self) -> None:
        with contextlib.suppress(ValueError):  # closed
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put(None)

    def _how_it_ended(self) -> str:
        status = self._process.wait()
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        self._words.seek(max(0, self._words.seek(0, os.SEEK_END) - LAST_WORDS))
        last = " ".join(self._words.read().decode(errors="replace").split())
        return how + (f"; its last words: {last}" if last else "")
