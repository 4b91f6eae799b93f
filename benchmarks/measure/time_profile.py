"""Where the time of a run goes, by operator and by part of the model, as the runtime's own profiler saw it.

An operator belongs to the part whose weight it reads; one without a weight (an activation, a sum, a change of layout)
to the part of the operator that ran before it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measure.candidate import Candidate
from benchmarks.measure.measurement import Profile
from lariqa.runtimes.runtime import TimesOperators

if TYPE_CHECKING:  # it imports torch
    from lariqa.runtimes.scorer import Scorer

# What runtimes append to an operator's name: ONNX Runtime's layout passes, and counters that keep names apart.
SUFFIX = re.compile(r"(_nchwc|_token_\d+|/\w+)+$")


def profile_of(scorer: Scorer, inputs: Mapping[str, np.ndarray], candidate: Candidate, runs: int) -> Profile | None:
    """The profile of a few runs; None where the runtime has none to give."""
    if not isinstance(scorer.runner, TimesOperators):
        return Profile(tool=f"{scorer.runner.runtime} gives no operator times")
    tool, times = scorer.runner.operator_times(inputs, runs)
    operators, parts, part = Counter(), Counter(), ""
    for time in times:
        operators[time.operator] += time.time_ms
        part = candidate.part_of_operator.get(SUFFIX.sub("", time.name), part)
        parts[part] += time.time_ms
    before = parts.pop("", 0.0)
    if before:
        parts["before the first layer"] = before
    return Profile(tool=tool, parts_ms=_rounded(parts), operators_ms=_rounded(operators))


def _rounded(times: Counter[str]) -> dict[str, float]:
    return {name: round(ms, 4) for name, ms in times.most_common()}
