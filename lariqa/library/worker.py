"""A worker process: ``python -m lariqa.library.worker``, told by pickles on stdin, answering by pickles on stdout.

A process of its own, not a thread: Pillow's settings belong to the process, so that threads would decode one after the
other; and a decoder that crashes takes one worker with it, not the run. Not by multiprocessing, which would import the
program's main module again in each worker.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys

from lariqa.errors import Refusal
from lariqa.library.work import Work


def serve() -> None:
    """Read a Work, answer what the opened model is or why it does not open; then lists of photos, answered by rows."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the parent ends this one
    with contextlib.suppress(EOFError, BrokenPipeError):  # the parent is gone
        asks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)  # whatever native code prints is no answer
        work: Work = pickle.load(asks)
        try:
            score_photos = work.open()
        except Refusal as refusal:
            _send(answers, refusal)
            return
        _send(answers, score_photos.about())
        while True:
            _send(answers, score_photos.rows(pickle.load(asks)))


def _send(answers, what: object) -> None:
    pickle.dump(what, answers)
    answers.flush()


if __name__ == "__main__":
    sys.exit(serve())
