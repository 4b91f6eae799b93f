"""Which layers may be low: chosen by what each does to the score of the exported file.

    everything low -> does the score hold on the choosing pictures? -> done
                      else: each group of layers alone low -> its error, the table of sensitivities
                            -> the group with the largest error one level up -> does it hold? -> ...

The choosing pictures are neither those that calibrate nor those that judge at the end. They are fewer, so the error
must hold with a margin here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.parity import GATES, Fidelity
from export.precision import PRECISIONS, Level, is_exact

MARGIN = 0.7  # of the gate's sd


@dataclass(frozen=True)
class Choice:
    """The levels that hold, and what was measured on the way."""

    levels: dict[str, Level]
    sensitivity: tuple[dict, ...]
    holds: bool


def choose_levels(
    precision: str,
    groups: set[str],
    pinned: tuple[str, ...],
    measure: Callable[[Mapping[str, Level]], Fidelity],
    progress: Callable[[str], None],
    margin: float = MARGIN,
    start: Mapping[str, Level] | None = None,
) -> Choice:
    """Start with everything low and raise the worst group until the score holds.

    Args:
        precision: a name in PRECISIONS.
        groups: of the file's layers.
        pinned: groups that stay float32.
        measure: levels -> how faithful the file with these levels is, on the choosing pictures.
        progress: called with each step in words.
        start: levels that held in another format's file of this model; tried first.
        margin: share of the gate's sd that the choosing pictures may use up.
    """
    ladder = PRECISIONS[precision].ladder
    fixed = {group for group in groups if is_exact(group) or group in pinned}
    levels: dict[str, Level] = {group: "fp32" if group in fixed else ladder[0] for group in sorted(groups)}

    def sd_of(tried: Mapping[str, Level], doing: str) -> float:
        progress(doing)
        return measure(tried).sd

    def alone(group: str) -> float:
        only = dict.fromkeys(groups, "fp32") | {group: levels[group]}
        return sd_of(only, f"{group} alone in {levels[group]}")

    first = measure({**levels, **(start or {})})
    limit = margin * GATES[precision].sd([photo.reference for photo in first.photos])
    if first.sd <= limit:
        return Choice({**levels, **(start or {})}, (), True)
    if start and sd_of(levels, "everything low") <= limit:
        return Choice(levels, (), True)
    errors = {group: alone(group) for group in levels if group not in fixed}
    table = [{"group": group, "level": levels[group], "sd": sd} for group, sd in errors.items()]
    table.sort(key=lambda row: -row["sd"])
    while True:
        # Errors of groups are nearly independent: their squares add up. As many steps as that needs, then measure.
        while errors and sum(sd**2 for sd in errors.values()) > limit**2:
            worst = max(errors, key=errors.get)
            levels[worst] = ladder[ladder.index(levels[worst]) + 1]
            if levels[worst] == "fp32":
                del errors[worst]
            else:
                errors[worst] = alone(worst)
        if sd_of(levels, "all of them together") <= limit:
            return Choice(levels, tuple(table), True)
        if not errors:
            return Choice(levels, tuple(table), False)
        worst = max(errors, key=errors.get)
        errors[worst] = max(errors[worst], 2 * limit)  # together they are worse than the sum says: one step more
