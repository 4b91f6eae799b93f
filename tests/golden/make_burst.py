"""Write burst.json: bursts, and what both phone apps must say of them. The rules are here; the apps are held to it.

    python tests/golden/make_burst.py

margin    what two scores must differ by to be told apart, in score units, from the file's own proof (`parity` in
          lariqa.json): in fp32 twice the worst error; below it, where `sd` is known, 2 sqrt(2) sd, as both scores have
          the error; on an accelerator at least twice the worst difference that its audition saw. None: not proved.
order     the best first; of equal scores the earlier photo's.
groups    neighbours in that order that differ by less than the margin, or by nothing, cannot be told apart.
sentence  which one to keep, by how much it leads, and what may be as good. Figures have two significant digits.

Scores are float32, as runtimes give them; differences are taken in float64.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

PLACE = Path(__file__).with_name("burst.json")


def margin(worst: float | None, sd: float | None, audition_worst: float | None) -> float | None:
    """See the module; `audition_worst` of an accelerator alone. In score units."""
    if worst is None:
        return None
    own = 2 * worst if sd is None else 2 * math.sqrt(2) * sd
    return own if audition_worst is None else max(own, 2 * audition_worst)


def figure(value: float) -> str:
    """Two significant digits, never an exponent: 0.11, 0.0036, 12."""
    if value == 0:
        return "0"
    return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f}"


def ranked(photos: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """The best first; sorting is stable."""
    return sorted(photos, key=lambda photo: -photo[1])


def groups(order: list[tuple[str, float]], limit: float | None) -> list[list[str]]:
    """See the module."""
    grouped: list[list[str]] = []
    for place, (name, score) in enumerate(order):
        lead = order[place - 1][1] - score if place else math.inf
        if lead == 0 or lead < (limit or 0):
            grouped[-1].append(name)
        else:
            grouped.append([name])
    return grouped


def sentence(order: list[tuple[str, float]], limit: float | None) -> str:
    """See the module."""
    if not order:
        return "No photo was scored."
    if len(order) == 1:
        return f"Keep {order[0][0]}: the only one that was scored."
    (kept, best), (second, score) = order[:2]
    leads = f"Keep {kept}: it leads {second} by {figure(best - score)}"
    as_good = ", ".join(groups(order, limit)[0][1:])
    if limit is None:
        unknown = "this export was not compared with PyTorch, so what that means is not known."
        return f"{leads}; {unknown}"
    if as_good:
        return f"{leads}, but less than {figure(limit)} cannot be told apart: {as_good} may be as good."
    return f"{leads}; two that differ by less than {figure(limit)} could not be told apart."


MARGINS = [  # worst, sd, what the audition saw
    (4.9e-6, None, None),
    (4.9e-6, None, 1.5e-3),
    (2.1e-3, 4.1e-4, None),
    (2.1e-3, 4.1e-4, 3.0e-4),
    (2.1e-3, 4.1e-4, 2.2e-3),
    (None, None, None),
    (None, None, 2.2e-3),
]
BURSTS = [
    (1e-4, [("a", 0.41), ("b", 0.63), ("c", 0.52), ("d", 0.62995)]),
    (1e-4, [("a", 0.25), ("b", 0.5)]),
    (1e-4, [("a", 0.25)]),
    (1e-4, []),
    (1e-5, [("first", 0.5), ("second", 0.5), ("third", 0.4)]),
    (2e-2, [("a", 0.50), ("b", 0.485), ("c", 0.47), ("d", 0.44), ("e", 0.43), ("f", 0.1)]),
    (9.8e-6, [("a", 0.730004), ("b", 0.730001), ("c", 0.72)]),
    (3.3e-3, [("a", 12.5), ("b", -1.25)]),
    (None, [("a", 0.4), ("b", 0.7), ("c", 0.4)]),
]


def make() -> dict:
    """The whole file."""
    bursts = []
    for limit, photos in BURSTS:
        exact = [(name, float(np.float32(score))) for name, score in photos]
        order = ranked(exact)
        bursts.append(
            {
                "margin": limit,
                "photos": [{"photo": name, "score": score} for name, score in exact],
                "order": [name for name, _ in order],
                "groups": groups(order, limit),
                "sentence": sentence(order, limit),
            }
        )
    names = ("worst", "sd", "audition_worst")
    return {
        "schema": "lariqa-golden-burst/1",
        "made_by": "python tests/golden/make_burst.py",
        "margins": [dict(zip(names, row, strict=True)) | {"margin": margin(*row)} for row in MARGINS],
        "bursts": bursts,
    }


if __name__ == "__main__":
    PLACE.write_text(json.dumps(make(), indent=1) + "\n")
