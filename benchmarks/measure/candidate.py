"""A model in a measurement: the facts for its row, and how a fresh process opens it.

Everything here is pickled to another process, so it is plain data and module-level functions. It is also light: a
worker imports this module before it takes the baseline of its memory. What a model needs is imported by ``open``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure.measurement import Subject, Work

if TYPE_CHECKING:  # it imports torch
    from lariqa.runtimes.scorer import Scorer


@dataclass(frozen=True)
class Candidate:
    """One model in one runtime."""

    subject: Subject
    open: Callable[[int], Scorer]  # threads -> ready to score; called in the fresh process
    runtime_modules: tuple[str, ...] = ()  # imported before the baseline of memory is taken
    files: tuple[Path, ...] = ()  # read while loading; dropped from the page cache before
    work: Work | None = None
    view: str | None = None  # of the reference that its scores are compared with; None: none
    same_as_reference: bool = True  # whether its score should equal the reference's
    input_bytes: int = 0
    predicted_mib: float | None = None  # peak above the bare process, on paper
    weight_cache: bool = False  # whether its packed weights are mapped from a file
    most_runs: int | None = None  # for a model whose single run takes long
    part_of_operator: dict[str, str] = field(default_factory=dict)  # operator's or result's name in the file -> part
    worker: Callable[[Candidate, int, float], Any] | None = None  # what runs it; None: a process of this program

    def with_parts(self, parts: dict[str, str]) -> Candidate:
        """The same, knowing which part of the model each operator belongs to."""
        return replace(self, part_of_operator=parts)

    def for_photos(self, size_px: tuple[int, int]) -> Candidate:
        """The same, for photos of one size (height, width)."""
        height, width = size_px
        size = {"photo_height_px": height, "photo_width_px": width}
        return replace(self, subject=self.subject.model_copy(update=size))

    @property
    def size_px(self) -> tuple[int, int] | None:
        """(height, width) of the photos that it takes; None: any."""
        height, width = self.subject.photo_height_px, self.subject.photo_width_px
        return None if height is None or width is None else (height, width)


@dataclass(frozen=True)
class NotBuilt:
    """A baseline that could not be made, and why; this is a result too."""

    subject: Subject
    error: str


def import_modules(names: tuple[str, ...]) -> None:
    """Import runtimes; one that is missing is refused, with its name, when the model is opened."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
