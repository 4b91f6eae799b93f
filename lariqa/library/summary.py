"""What is said at the end of many photos: how many were scored, what was refused and why, how fast; and the best."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterable

from lariqa.library.row import Row

MOST_REASONS = 8


class Summary:
    """Counts rows as they come."""

    def __init__(self) -> None:
        self.scored, self.reasons = 0, Counter()

    def add(self, row: Row) -> None:
        """Count a row."""
        if row.error:
            self.reasons[reason(row)] += 1
        else:
            self.scored += 1

    @property
    def refused(self) -> int:
        """Photos without a score."""
        return self.reasons.total()

    def sentences(self, seconds: float) -> list[str]:
        """Lines for a person.

        Args:
            seconds: that it took.
        """
        count = self.scored + self.refused
        rate = f", {count / seconds:.1f} a second" if seconds >= 1 else ""
        lines = [f"{count:,} photos: {self.scored:,} scored, {self.refused:,} refused{rate}"]
        common = self.reasons.most_common(MOST_REASONS)
        lines += [f"{number:>7,}  {why}" for why, number in common]
        if rest := self.refused - sum(number for _, number in common):
            lines.append(f"{rest:>7,}  for other reasons")
        return lines


def best_of(rows: Iterable[Row], count: int) -> list[Row]:
    """So many of the highest scores, the highest first; of equal ones the first name first."""
    if not count:
        return []
    return heapq.nsmallest(count, (row for row in rows if not row.error), key=lambda row: (-row.score, row.photo))


def reason(row: Row) -> str:
    """A row's error without what is particular to this photo: its name, sizes, and what to do about it."""
    said = re.sub(r" \([^()]*\)", "", row.error.removeprefix(f"{row.photo}: ")).partition(";")[0]
    return re.sub(r"\d+", "N", said)
