"""A process and its children: a runtime may do its work in one of its own, and what it takes there counts as well."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import psutil

PROC = Path("/proc")


def family(pid: int | None = None) -> list[int]:
    """The process (None: this one), then its children and theirs; where Linux's /proc is missing, the process alone."""
    found, waiting = [], [pid or os.getpid()]
    while waiting:
        one = waiting.pop()
        found.append(one)
        for children in (PROC / str(one) / "task").glob("*/children"):
            with contextlib.suppress(OSError):  # that thread has ended
                waiting += map(int, children.read_text().split())
    return found


def cpu_s() -> float:
    """Processor time of this process and of its children so far, seconds; the children's in steps of 10 ms."""
    spent = time.process_time()
    for pid in family()[1:]:
        with contextlib.suppress(psutil.Error):  # it has ended
            times = psutil.Process(pid).cpu_times()
            spent += times.user + times.system
    return spent
