"""Rows -> what a report says about each: derived figures, in reading order, and a ratio to its baseline.

A row's baseline is the row that the caller names, else the PyTorch reference of the same report and view, else the
report's first row of that view. Its number (#1, #2, ...) names it in every table and plot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from benchmarks.measure.measurement import Machine, Measurement
from benchmarks.measure.statistics import (
    Ratio,
    Samples,
    decodes_otherwise,
    describe,
    leaves_out,
    paired_ratio,
    parity_of,
    run_ms,
)
from export.proof.parity import Parity
from lariqa.errors import Refusal

KINDS = ("phone", "host", "emulated")  # phones first: the files are made for them


@dataclass(frozen=True)
class Figures:
    """One row and what follows from it."""

    number: int
    row: Measurement
    ratio: Ratio | None = None
    ratio_to: Measurement | None = None
    no_ratio: str = ""  # why there is none

    @property
    def name(self) -> str:
        """As the report calls it."""
        return f"{self.row.subject.name}{', sustained' * (self.row.mode == 'sustained')}"

    @property
    def label(self) -> str:
        """Its number and name."""
        return f"#{self.number} {self.name}"

    @property
    def view(self) -> str:
        """Its view: rows with another view do other work."""
        return self.row.subject.synthetic_view

    @property
    def is_timed(self) -> bool:
        """Whether its times and memory mean anything: an emulator's, or a stand-in's for the runtime, do not."""
        return is_timed(self.row)

    @cached_property
    def run(self) -> Samples | None:
        """Decoded pixels -> score, ms."""
        return describe(run_ms(self.row)) if self.is_timed else None

    def part(self, name: str) -> Samples | None:
        """One of the lists of ``latency`` (``decode_ms``, ...), ms; or ``total_ms``, photo file -> score."""
        return describe(getattr(self.row.latency, name)) if self.row.latency and self.is_timed else None

    @cached_property
    def parity(self) -> Parity | None:
        """Against the reference, where the row has reference scores; of the reference itself, None."""
        return None if self.row.subject.role == "reference" else parity_of(self.row.scores, self.row.subject.precision)

    @property
    def above_baseline_mib(self) -> float | None:
        """Peak memory without what the runtime takes before a model is loaded."""
        memory = self.row.memory
        return memory.peak_mib - memory.baseline_mib if memory else None

    @property
    def running_mib(self) -> float | None:
        """Peak memory while the model ran, above the baseline: memory for decoding the photo is not counted.

        Where the two were not separated (phones, whose system decodes), the peak of everything.
        """
        memory = self.row.memory
        if memory is None or memory.running_peak_mib is None:
            return self.above_baseline_mib
        return memory.running_peak_mib - memory.baseline_mib

    @property
    def activations_mib(self) -> float | None:
        """What of the peak is neither baseline, weights nor input: activations and the runtime's own. At least 0:
        weights that stay in the file, mapped and not read, can make the sum of the parts larger than the peak."""
        memory = self.row.memory
        if memory is None or memory.weights_mib is None:
            return None
        return max(0.0, memory.peak_mib - memory.baseline_mib - memory.weights_mib - (memory.input_mib or 0.0))

    @cached_property
    def gmacs_per_s(self) -> float | None:
        """10^9 MACs per second of the median inference."""
        inference, work = self.part("inference_ms"), self.row.work
        if not inference or not inference.p50 or not work or not work.macs:
            return None
        return work.macs / inference.p50 / 1e6

    @property
    def limit_share(self) -> float | None:
        """``gmacs_per_s`` as a share of the faster of the machine's matrix product and convolution."""
        limit = self.row.limit
        if limit is None or self.gmacs_per_s is None:
            return None
        return self.gmacs_per_s / max(limit.matmul_gmacs_per_s, limit.convolution_gmacs_per_s)

    @property
    def past_limit(self) -> bool:
        """Whether its scores differ too much for it to be chosen, whatever its speed."""
        return self.parity is not None and self.parity.passed is False

    @cached_property
    def flags(self) -> list[str]:
        """Reasons to doubt its figures: the row's own flags, and those derived from it."""
        found = [*self.row.flags, self.row.setting.fallback, leaves_out(self.row), *decodes_otherwise(self.row)]
        if self.row.machine.kind == "emulated" and self.row.latency:
            found.append("emulated processor: its times are not meaningful and are left out")
        return list(dict.fromkeys(flag for flag in found if flag))

    def to_json(self) -> dict[str, Any]:
        """Every derived figure, as in the ``summary`` of ``report.json``."""
        parts = ("decode_ms", "preprocess_ms", "inference_ms", "post_ms", "total_ms", "cpu_ms")
        samples = {"run_ms": self.run, **{part: self.part(part) for part in parts}}
        return {
            "number": self.number,
            "name": self.name,
            **{name: asdict(found) for name, found in samples.items() if found},
            "ratio": self.ratio.to_json() if self.ratio else None,
            "no_ratio": self.no_ratio,
            "above_baseline_mib": self.above_baseline_mib,
            "running_mib": self.running_mib,
            "activations_mib": self.activations_mib,
            "gmacs_per_s": self.gmacs_per_s,
            "limit_share": self.limit_share,
            "parity": self.parity.figures() if self.parity else None,
            "flags": self.flags,
        }


@dataclass(frozen=True)
class Place:
    """The rows of one machine, in reading order."""

    machine: Machine
    figures: list[Figures] = field(default_factory=list)

    @property
    def title(self) -> str:
        """Its kind and name."""
        kind = {"host": "host, not a phone", "phone": "phone", "emulated": "emulated processor"}[self.machine.kind]
        return f"{self.machine.model or 'Unnamed machine'} ({kind})"

    @property
    def views(self) -> list[str]:
        """The views that its rows have, each once."""
        return list(dict.fromkeys(figures.view for figures in self.figures))

    def of_view(self, view: str) -> list[Figures]:
        """Those with one view: they do the same work, and can be compared."""
        return [figures for figures in self.figures if figures.view == view]


@dataclass(frozen=True)
class Summary:
    """All rows of a report: the measured ones by place, and the quoted ones."""

    places: list[Place]
    quoted: list[Measurement]

    @property
    def figures(self) -> list[Figures]:
        """Of every measured row, by number."""
        return [figures for place in self.places for figures in place.figures]

    def to_json(self) -> dict[str, Any]:
        """Row id -> derived figures."""
        return {figures.row.id: figures.to_json() for figures in self.figures}


def is_timed(row: Measurement) -> bool:
    """Whether a row's times and memory mean anything: an emulator's, or a stand-in's for the runtime, do not."""
    return row.machine.kind != "emulated" and row.setting.executes_artifact


def summarise(rows: Sequence[Measurement], baseline: str | None = None) -> Summary:
    """Derive every figure of a report.

    Args:
        rows: of any machines and reports.
        baseline: name of the row that the others are ratios to; default: see the module.

    Raises:
        Refusal: no row has that name; or two rows have the same id.
    """
    if len({row.id for row in rows}) < len(rows):
        raise Refusal("two rows have the same id: the same measurement was given twice; leave one of the files out")
    measured = [row for row in rows if row.subject.role != "quoted"]
    if baseline is not None and baseline not in {row.subject.name for row in measured}:
        names = ", ".join(dict.fromkeys(row.subject.name for row in measured)) or "none"
        raise Refusal(f"no row is named {baseline!r} to be the baseline; the rows: {names}")
    places, number = [], 0
    for machine in _machines(measured):
        place = Place(machine)
        for row in sorted((row for row in measured if _same(row.machine, machine)), key=_reading_order):
            number += 1
            place.figures.append(_figures(number, row, _baseline_of(row, measured, baseline)))
        places.append(place)
    return Summary(places, [row for row in rows if row.subject.role == "quoted"])


def _machines(rows: Sequence[Measurement]) -> list[Machine]:
    """Each machine once, phones first."""
    machines: list[Machine] = []
    for row in rows:
        if not any(_same(row.machine, machine) for machine in machines):
            machines.append(row.machine)
    return sorted(machines, key=lambda machine: KINDS.index(machine.kind))


def _same(one: Machine, other: Machine) -> bool:
    return (one.kind, one.model, one.system) == (other.kind, other.model, other.system)


def _reading_order(row: Measurement) -> tuple:
    """Rows of one view together, ours before the reference before baselines, the fastest first, failures last."""
    times = describe(run_ms(row))
    return (
        row.subject.synthetic_view,
        row.error is not None and times is None,
        ("artifact", "reference", "baseline", "quoted").index(row.subject.role),
        row.mode,
        times.p50 if times else float("inf"),
        row.subject.name,
    )


def _baseline_of(row: Measurement, rows: Sequence[Measurement], name: str | None) -> Measurement | None:
    """The row that ``row`` is a ratio to; None where there is nothing to compare with."""
    able = [other for other in rows if other.report == row.report and other.mode == "burst" and is_timed(other)]
    able = [other for other in able if run_ms(other)]
    if row.mode != "burst":
        return None
    if name is not None:
        return next((other for other in able if other.subject.name == name), None)
    view = row.subject.synthetic_view
    same_view = [other for other in able if other.subject.synthetic_view == view]
    references = [other for other in same_view or able if other.subject.role == "reference"]
    return next(iter(references or same_view), None)


def _figures(number: int, row: Measurement, baseline: Measurement | None) -> Figures:
    if not is_timed(row):
        return Figures(number, row, no_ratio="times of an emulated processor or of a stand-in are not compared")
    if baseline is None:
        return Figures(number, row, no_ratio="nothing was measured in turns with it")
    if baseline is row:
        return Figures(number, row, ratio_to=row, no_ratio="the baseline")
    try:
        return Figures(number, row, paired_ratio(row, baseline), baseline)
    except Refusal as refusal:
        return Figures(number, row, ratio_to=baseline, no_ratio=str(refusal))
