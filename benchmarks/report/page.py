"""What a report is made of, whatever it is written as: sections of paragraphs, tables and plots."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from benchmarks.report.conclusions import Tone, Verdict


@dataclass(frozen=True)
class Cell:
    """One field of a table."""

    text: str
    sub: str = ""  # a second, quieter line
    share: float | None = None  # 0..1: drawn as a bar, if the page can draw
    tone: Tone = "plain"

    @property
    def line(self) -> str:
        """Both lines in one."""
        return f"{self.text} ({self.sub})" if self.sub else self.text


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    label: str
    unit: str = ""
    kind: Literal["number", "name", "text", "prose"] = "number"  # name: what a row is known by; prose: sentences

    @property
    def heading(self) -> str:
        """With its unit."""
        return f"{self.label}, {self.unit}" if self.unit else self.label


@dataclass(frozen=True)
class Table:
    """Rows of cells under columns."""

    caption: str
    columns: list[Column]
    rows: list[list[Cell]]
    note: str = ""
    folded: bool = False  # shown on request, where a page can fold
    as_cards: bool = False  # on a narrow page each row is a card; otherwise the table is scrolled


@dataclass(frozen=True)
class Plot:
    """One drawing, as SVG whose colours are the page's CSS variables."""

    name: str
    caption: str
    svg: str


@dataclass(frozen=True)
class Section:
    """Part of a report. ``name`` is its address in the page."""

    name: str
    title: str
    paragraphs: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    plots: dict[str, list[Plot]] = field(default_factory=dict)  # heading -> drawings
    terms: dict[str, str] = field(default_factory=dict)
    command: str = ""


@dataclass(frozen=True)
class Page:
    """A whole report, before it is written."""

    title: str
    subtitle: str
    created: str
    verdicts: list[Verdict]
    sections: list[Section]
