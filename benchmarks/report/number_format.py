"""Figures as people read them: three digits, a unit, and one way to write what is missing."""

from __future__ import annotations

import math

from benchmarks.measure.statistics import Interval, Ratio

MISSING = "–"


def digits(value: float | None, least: int = 3) -> str:
    """``least`` significant digits, never an exponent: 0.0123, 1.23, 123, 1234."""
    if value is None:
        return MISSING
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, least - 1 - math.floor(math.log10(abs(value)) + 1e-9))
    return f"{value:,.{min(decimals, 6)}f}".replace(
        ",", "\N{NARROW NO-BREAK SPACE}"
    )  # 12 345: no comma that could be a point


def ms(value: float | None) -> str:
    """Milliseconds: three digits, and nothing finer than 0.01."""
    if value is None or value >= 1:
        return digits(value)
    return f"{value:.2f}" if value >= 0.005 or value == 0 else "<0.01"


def mib(value: float | None) -> str:
    """MiB: whole from 10 on."""
    return digits(value, 2) if value is not None and abs(value) < 10 else whole(value)


def whole(value: float | None) -> str:
    """No decimals."""
    return MISSING if value is None else f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def difference(value: float | None) -> str:
    """A score difference: 7.2e-07, and 0 where there is none at all."""
    return MISSING if value is None else "0" if value == 0 else f"{value:.1e}"


def percent(share: float | None) -> str:
    """A share: 45 %."""
    if share is None:
        return MISSING
    if share == 0 or share >= 0.0995:
        return f"{100 * share:.0f} %"
    return f"{100 * share:.2g} %" if share >= 0.0001 else "<0.01 %"


def interval(found: Interval | None, shown=digits) -> str:
    """A 95 % interval: [0.12, 0.14]."""
    return MISSING if found is None else f"[{shown(found.low)}, {shown(found.high)}]"


def times(ratio: Ratio | None) -> str:
    """A ratio without its interval: 0.123×."""
    return MISSING if ratio is None else f"{digits(ratio.median)}×"


def correlation(value: float | None) -> str:
    """Five decimals, since parity is in the last ones; never rounded up to a perfect 1."""
    if value is None:
        return MISSING
    return "1" if value >= 1 - 1e-12 else f"{min(value, 0.99999):.5f}"


def listed(words: list[str]) -> str:
    """ "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "none"


def count(number: int, thing: str) -> str:
    """ "1 photo", "5 photos"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"
