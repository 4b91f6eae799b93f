"""Progress of a long series of equal steps, and the time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
TELL_EVERY_S = 2.0  # a terminal's line may change often; a file should not fill with numbers


def counted(items: Iterable[Item], total: int, what: str, progress: Callable[[str], None]) -> Iterator[Item]:
    """The same items; before each, ``progress`` hears which it is, and how long the rest will take at this pace."""
    began = last = 0.0
    for number, item in enumerate(items):
        now = time.monotonic()
        if number == 0 or now - last >= TELL_EVERY_S:
            # From the first item on, for what comes before it may be a long preparation.
            began = began or now
            left = (now - began) / number * (total - number) if number else None
            progress(f"{what}, {number + 1} of {total}" + (f", about {said(left)} left" if left else ""))
            last = now
        yield item


def said(seconds: float) -> str:
    """ "40 s", "3 min"."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
