"""Splits without leaks: all images of one reference (a group) stay on one side.

Official splits where the publishers gave one (KonIQ-10k, UHD-IQA). Elsewhere groups are dealt at random into
``folds`` parts; part ``fold`` is held out: 10 folds hold out 10 % (Section 4.5) and make a 10-fold cross-validation
(Section 4.2). The deal depends on the groups' names and the seed only, not on the order of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lariqa.errors import Refusal
from lariqa_train.datasets.rows import Row


@dataclass(frozen=True)
class Split:
    """Rows to train on, to select by, and to report on (the held-out rows where there is no official test set)."""

    training: list[Row]
    validation: list[Row]
    test: list[Row]

    def part(self, name: str) -> list[Row]:
        """One of them, or "all" together."""
        if name != "all":
            return getattr(self, name)
        return list(dict.fromkeys([*self.training, *self.validation, *self.test]))


def split_rows(rows: list[Row], folds: int = 10, fold: int = 0, seed: int = 1, title: str = "the data set") -> Split:
    """Split by the official sets if every row has one, else by group.

    Raises:
        Refusal: a side would be empty; or impossible folds.
    """
    if not 0 <= fold < folds or folds < 2:
        raise Refusal(
            f"fold {fold} of {folds} does not exist; expected at least 2 folds and a fold from 0 on below that"
        )
    if rows and all(row.official for row in rows):
        split = Split(*([row for row in rows if row.official == name] for name in ("training", "validation", "test")))
    else:
        groups = np.array(sorted({row.group for row in rows}))
        dealt = np.random.default_rng(seed).permutation(len(groups))
        held = set(groups[dealt % folds == fold].tolist())
        out = [row for row in rows if row.group in held]
        split = Split([row for row in rows if row.group not in held], out, out)
    for name in ("training", "validation"):
        if not getattr(split, name):
            raise Refusal(
                f"{title}: the {name} split is empty ({len(rows)} rows, {len({row.group for row in rows})} groups, "
                f"{folds} folds); it needs more groups or fewer folds"
            )
    return split
