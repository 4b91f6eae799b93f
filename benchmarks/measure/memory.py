"""Resident memory of a process: its peak from a moment on, and its curve over time.

The peak is the kernel's own high-water mark, which no sampling can miss. Linux lets a process set the mark back to what
it holds now (``/proc/self/clear_refs``), so that what the imports took before does not count. Elsewhere the mark covers
the whole life of the process; the figures say so by a flag.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import resource
import sys
import threading
import time
from collections.abc import Callable

import psutil

from benchmarks.measure.family import PROC, family

MIB = 2**20
STATUS, CLEAR = "status", "clear_refs"  # in a process's folder of PROC
CLEAR_PEAK = "5"  # proc(5), clear_refs: "reset the peak resident set size"


def resident_mib(pid: int | None = None) -> float:
    """Resident memory now, of this process or another and of its children, MiB."""
    process, *children = family(pid)
    total = psutil.Process(process).memory_info().rss
    for child in children:
        with contextlib.suppress(psutil.Error):  # it has ended
            total += psutil.Process(child).memory_info().rss
    return total / MIB


def reset_peak(pid: int | None = None) -> bool:
    """Reset the peak of this process (or another) and its children to what they hold now; False: the system cannot."""
    try:
        for one in family(pid):
            (PROC / str(one) / CLEAR).write_text(CLEAR_PEAK)
    except OSError:
        return False
    return True


def peak_mib(pid: int | None = None) -> float:
    """The highest resident memory of this process, or another, since :func:`reset_peak`, or ever, MiB.

    With children: the sum of their peaks, which need not have been at the same moment.
    """
    statuses = [PROC / str(one) / STATUS for one in family(pid)]
    if statuses[0].exists():
        lines = (line for status in statuses for line in status.read_text().splitlines())
        peaks = (int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
        return sum(peaks) / 1024  # kB, by which proc(5) means 1024 bytes
    if pid is not None:
        return resident_mib(pid)  # other systems tell a process its own peak alone
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (MIB if sys.platform == "darwin" else 1024)


def peak_while_mib(run: Callable[[], object]) -> float | None:
    """The highest resident memory while ``run`` runs, MiB; None if the system cannot reset the peak.

    What was freed before, but not given back, goes back first (glibc's ``malloc_trim``): memory that a decoder left
    behind is none of the model's.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
    if not reset_peak():
        return None
    run()
    return peak_mib()


class MemoryCurve:
    """Samples another process's resident memory in a thread; a context manager.

    Attributes:
        points: (seconds since entering, MiB), in order.
    """

    def __init__(self, pid: int, every_s: float = 0.01) -> None:
        self.points: list[tuple[float, float]] = []
        self._process, self._every_s, self._over = psutil.Process(pid), every_s, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> MemoryCurve:
        self._began = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.is_set():
            try:
                mib = resident_mib(self._process.pid)
            except psutil.Error:  # the process is gone; the worker's error says why
                return
            self.points.append((round(time.perf_counter() - self._began, 4), round(mib, 2)))
            self._over.wait(self._every_s)
