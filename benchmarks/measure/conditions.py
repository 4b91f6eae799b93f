"""What else ran on this machine during a measurement, as far as the system reports it."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.measure.measurement import Conditions, Machine
from benchmarks.measure.memory import MIB

GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def this_machine() -> Machine:
    """The host."""
    return Machine(
        kind="host",
        model=_processor(),
        system=f"{platform.system()} {platform.release()}, {platform.machine()}, Python {platform.python_version()}",
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0,
        memory_mib=round(psutil.virtual_memory().total / MIB),
        governor=GOVERNOR.read_text().strip() if GOVERNOR.exists() else None,
    )


@dataclass(frozen=True)
class Moment:
    """The machine at one moment."""

    wall_s: float
    busy_s: float  # processor time of all processes, since boot
    load_average: float | None
    temperature_c: float | None
    frequency_mhz: float | None

    @classmethod
    def now(cls) -> Moment:
        """Read it."""
        cpu = psutil.cpu_times()
        idle = cpu.idle + getattr(cpu, "iowait", 0.0)
        sensors = psutil.sensors_temperatures() if hasattr(psutil, "sensors_temperatures") else {}
        degrees = [reading.current for group in sensors.values() for reading in group if reading.current]
        frequency = psutil.cpu_freq()
        # A guest's time is counted in user time as well.
        busy = sum(cpu) - idle - getattr(cpu, "guest", 0.0) - getattr(cpu, "guest_nice", 0.0)
        return cls(
            time.monotonic(),
            busy,
            os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
            max(degrees, default=None),
            frequency.current if frequency else None,
        )


def conditions_between(before: Moment, after: Moment, own_cpu_s: float) -> Conditions:
    """What a row says about the time between two moments.

    Args:
        before: when the counted runs began.
        after: when they had ended.
        own_cpu_s: processor time of the measured processes and of this one in between.
    """
    wall = max(after.wall_s - before.wall_s, 1e-9)
    return Conditions(
        load_average=before.load_average,
        other_load_cores=round(max(0.0, after.busy_s - before.busy_s - own_cpu_s) / wall, 3),
        temperature_c=_both(before.temperature_c, after.temperature_c),
        frequency_mhz=_both(before.frequency_mhz, after.frequency_mhz),
    )


def cpu_seconds(pid: int | None = None) -> float:
    """Processor time of a process so far; 0 for one that is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system


def _both(before: float | None, after: float | None) -> list[float]:
    return [] if before is None or after is None else [round(before, 1), round(after, 1)]


def _processor() -> str:
    """The processor's name, if the system reports it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
