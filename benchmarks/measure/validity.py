"""Flags: reasons to doubt a row's figures, one sentence each. A flag is not an error; the figures stay."""

from __future__ import annotations

import numpy as np

from benchmarks.measure.measurement import Conditions, Latency, Setting
from benchmarks.measure.statistics import drift

FEW_RUNS = 20  # with fewer, the median itself is uncertain
OTHER_LOAD_CORES = 0.1
SLOWED_DOWN = 1.10  # last third of the runs against the first third
WARM_UNSETTLED = 0.25  # half width of the middle half of the runs, as a share of the median


def flags_for(latency: Latency, conditions: Conditions, setting: Setting) -> list[str]:
    """Every flag of one row."""
    return [
        *_about_runs(latency),
        *_about_the_machine(latency, conditions),
        *([setting.fallback] if setting.fallback else []),
    ]


def fallback_of(accelerator: str, placement: dict[str, int] | None, expected: frozenset[str]) -> str:
    """What did not run on the accelerator asked for, in words; empty if all did, or if the runtime does not report it.

    Args:
        accelerator: what was asked for.
        placement: what ran it: name -> operators.
        expected: the names that count as that accelerator in this runtime.
    """
    strayed = {name: count for name, count in (placement or {}).items() if name not in expected}
    if not strayed:
        return ""
    where = ", ".join(f"{count} on {name}" for name, count in strayed.items())
    return f"silent fallback: asked for {accelerator}, but of {sum(placement.values())} operators ran {where}"


def _about_runs(latency: Latency) -> list[str]:
    samples, found = latency.inference_ms, []
    if len(samples) < FEW_RUNS:
        found.append(f"too few runs: {len(samples)}, where {FEW_RUNS} make a median")
    if len(samples) >= FEW_RUNS:
        low, middle, high = np.percentile(samples, (25, 50, 75))
        if (high - low) / 2 > WARM_UNSETTLED * middle:
            found.append(f"unsteady: the middle half of the runs spreads over {low:.0f} to {high:.0f} ms")
    return found


def _about_the_machine(latency: Latency, conditions: Conditions) -> list[str]:
    found = []
    if (other := conditions.other_load_cores or 0) > OTHER_LOAD_CORES:
        found.append(f"other load: {other:.2f} cores were busy with something else")
    if (factor := drift(latency.inference_ms) or 1) > SLOWED_DOWN:
        found.append(f"slowed down by {factor:.2f}x from its first to its last third: throttling, or other load")
    if conditions.thermal_status not in ("", "none", "nominal", "light", "fair"):
        found.append(f"throttling: the system's thermal status was {conditions.thermal_status!r}")
    return found
