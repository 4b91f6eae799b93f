"""The tables of a report on how long and how faithful; on memory, see :mod:`benchmarks.report.memory_tables`, on work,
:mod:`benchmarks.report.mac_tables`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from benchmarks.measure.measurement import Measurement
from benchmarks.measure.statistics import Ratio, Samples, paired_ratio
from benchmarks.report.conclusions import view_words
from benchmarks.report.number_format import (
    MISSING,
    correlation,
    count,
    difference,
    digits,
    interval,
    mib,
    ms,
    percent,
    times,
    whole,
)
from benchmarks.report.page import Cell, Column, Table
from benchmarks.report.summary import Figures, Place, Summary
from export.proof.limits import MOS_POINTS
from lariqa.errors import Refusal

NUMBER_AND_NAME = [Column("#", kind="text"), Column("file", kind="name")]
WORST_PHOTOS = 10


def known_by(figures: Figures, sub: str = "") -> list[Cell]:
    """The two cells that every row begins with."""
    return [Cell(f"#{figures.number}"), Cell(figures.name, sub)]


def alike_but(figures: Iterable[Figures], *differing: str) -> list[list[Figures]]:
    """Artifacts measured in bursts, in groups that differ in nothing but these: names of a subject or a setting."""
    of_subject = ("checkpoint_sha256", "format", "precision", "memory", "input", "synthetic_view")
    of_subject = (*of_subject, "photo_width_px", "photo_height_px")
    of_setting = ("runtime", "threads", "accelerator", "weight_cache")
    groups: dict[tuple, list[Figures]] = {}
    for one in figures:
        row = one.row
        if row.subject.role == "artifact" and row.mode == "burst":
            same = [getattr(row.subject, name) for name in of_subject if name not in differing]
            same += [getattr(row.setting, name) for name in of_setting if name not in differing]
            groups.setdefault((row.report, *same), []).append(one)
    return list(groups.values())


def paired(figures: Figures, base: Figures, samples: Callable[[Measurement], list[float]]) -> Ratio | None:
    """Figures' samples as a multiple of the base's, run by run; None for itself, and where times mean nothing."""
    if figures is base or not (figures.is_timed and base.is_timed):
        return None
    try:
        return paired_ratio(figures.row, base.row, samples)
    except Refusal:
        return None


def ratio_cell(ratio: Ratio | None) -> Cell:
    """The ratio with its interval below."""
    return Cell(times(ratio), interval(ratio.interval)) if ratio else Cell(MISSING)


def main_table(place: Place, view: str) -> Table:
    """One line per row of one view: the figures to choose a file by."""
    shown = place.of_view(view)
    slowest = max((figures.run.p50 for figures in shown if figures.run), default=1.0)
    highest = max((figures.row.memory.peak_mib for figures in shown if figures.row.memory), default=1.0)
    columns = [
        *NUMBER_AND_NAME,
        Column("size", "MB"),
        Column("load", "ms"),
        Column("first", "ms"),
        Column("p50", "ms"),
        Column("p90", "ms"),
        Column("p99", "ms"),
        Column("time", "×"),
        Column("peak", "MiB"),
        Column("above base", "MiB"),
        Column("worst diff."),
        Column("SRCC"),
        Column("of limit"),
        Column("flags", kind="text"),
    ]
    rows = [_main_row(figures, slowest, highest) for figures in shown]
    baselines = {figures.ratio_to.subject.name for figures in shown if figures.ratio}
    against = f" Time ×: as a multiple of {' or '.join(sorted(baselines))}, run by run." if baselines else ""
    note = f"p50 to p99: from decoded pixels to score, without decoding.{against}"
    return Table(f"{place.title}: {view_words(view)}", columns, rows, note, as_cards=True)


def _main_row(figures: Figures, slowest: float, highest: float) -> list[Cell]:
    row, run, parity = figures.row, figures.run, figures.parity
    latency, memory = row.latency if figures.is_timed else None, row.memory
    flags = [count(len(figures.flags), "flag")] if figures.flags else []
    flags = ["error", *flags] if row.error else flags
    return [
        *known_by(figures, how_it_was_run(figures)),
        Cell(digits(row.subject.bytes / 1e6) if row.subject.bytes else MISSING),
        Cell(ms(latency.load_ms) if latency else MISSING, "cold" if latency and latency.load_was_cold else ""),
        Cell(ms(latency.first_ms) if latency else MISSING),
        Cell(ms(run.p50), share=run.p50 / slowest) if run else Cell(MISSING),
        Cell(ms(run.p90) if run else MISSING),
        Cell(ms(run.p99) if run else MISSING),
        Cell(times(figures.ratio), interval(figures.ratio.interval))
        if figures.ratio
        else Cell("baseline" if figures.ratio_to is row else MISSING),
        Cell(mib(memory.peak_mib), share=memory.peak_mib / highest) if memory else Cell(MISSING),
        Cell(mib(figures.above_baseline_mib)),
        _worst(figures),
        Cell(correlation(parity.srcc) if parity else MISSING),
        Cell(percent(figures.limit_share)),
        Cell(", ".join(flags) or "none", tone="bad" if row.error else "warn" if flags else "plain"),
    ]


def how_it_was_run(figures: Figures) -> str:
    """Runtime, precision, view and whatever else distinguishes rows of one name."""
    subject, setting = figures.row.subject, figures.row.setting
    size = f"{subject.photo_width_px}x{subject.photo_height_px}" if subject.photo_width_px else "any size"
    words = [
        {"reference": "reference", "baseline": "baseline"}.get(subject.role, ""),
        setting.runtime,
        subject.precision,
        subject.memory,
        subject.input,
        size if subject.input else "",
        count(setting.threads, "thread") if setting.threads else "",
        setting.accelerator if setting.accelerator != "cpu" else "",
        figures.row.mode if figures.row.mode != "burst" else "",
    ]
    return " · ".join(word for word in words if word)


def _worst(figures: Figures) -> Cell:
    parity = figures.parity
    if parity is None:
        return Cell("reference" if figures.row.subject.role == "reference" else MISSING)
    if parity.proves_nothing:
        return Cell(difference(parity.worst), "proves nothing", tone="warn")
    if parity.passed is None:
        return Cell(difference(parity.worst), "no limit set")
    return Cell(difference(parity.worst), "" if parity.passed else "past the limit", tone=_tone(parity.passed))


def _tone(passed: bool) -> str:
    return "good" if passed else "bad"


def parts_table(place: Place) -> Table:
    """Where one run's time goes, step by step, in medians."""
    parts = ("decode_ms", "preprocess_ms", "inference_ms", "post_ms", "total_ms", "cpu_ms")
    columns = [
        *NUMBER_AND_NAME,
        *(Column(part.removesuffix("_ms"), "ms") for part in parts),
        Column("cores busy"),
        Column("drift", "×"),
        Column("runs"),
    ]
    rows = []
    for figures in (figures for figures in place.figures if figures.run):
        found = [figures.part(part) for part in parts]
        total, cpu = found[4], found[5]
        busy = digits(cpu.p50 / total.p50, 2) if total and cpu and total.p50 else MISSING
        run = figures.run
        cells = [*(_median(part) for part in found), busy, digits(run.drift), whole(run.n)]
        rows.append([*known_by(figures), *map(Cell, cells)])
    return Table(
        f"One run, step by step: {place.title}", columns, rows, "Medians; a median of sums is no sum of medians."
    )


def spread_table(place: Place) -> Table:
    """Every percentile of the time from decoded pixels to score."""
    names = ("min", "p50", "p90", "p95", "p99", "max", "mad")
    columns = [*NUMBER_AND_NAME, Column("runs"), *(Column(name, "ms") for name in names), Column("p50, 95 %", "ms")]
    rows = [
        [
            *known_by(figures),
            Cell(whole(figures.run.n)),
            *(Cell(ms(getattr(figures.run, name))) for name in names),
            Cell(interval(figures.run.interval)),
        ]
        for figures in place.figures
        if figures.run
    ]
    return Table(f"Every percentile: {place.title}", columns, rows, folded=True)


def _median(samples: Samples | None) -> str:
    return ms(samples.p50) if samples else MISSING


def parity_table(summary: Summary) -> Table:
    """Every figure of score parity."""
    columns = [
        *NUMBER_AND_NAME,
        Column("photos"),
        *(Column(name) for name in ("worst", "limit", "mean", "sd", "spread", "PLCC", "SRCC", "flips")),
        Column("worst", "MOS points"),
        Column("sd of paper's sd"),
    ]
    rows = []
    for figures in (figures for figures in summary.figures if figures.parity):
        found = figures.parity
        cells = [
            Cell(whole(len(found.photos))),
            _worst(figures),
            Cell(difference(found.limit)),
            Cell(difference(found.mean)),
            Cell(difference(found.sd)),
            Cell(digits(found.spread, 2)),
            Cell(correlation(found.plcc)),
            Cell(correlation(found.srcc)),
            Cell(f"{found.flips} of {found.pairs}", percent(found.flip_share)),
            Cell(difference(MOS_POINTS * found.worst)),
            Cell(percent(found.sd_share)),
        ]
        rows.append([*known_by(figures), *cells])
    return Table("Scores against the PyTorch reference", columns, rows)


def budget_table(figures: Figures) -> Table:
    """Where parity broke: the error after each stage of the trip, in its order."""
    columns = [Column("stage", kind="name"), Column("error", "of its range")]
    rows = [[Cell(stage), Cell(difference(error))] for stage, error in figures.row.error_budget.items()]
    note = "Largest difference to PyTorch after each stage, as a share of the largest value there; see the row's flags."
    return Table(f"{figures.label}: where parity broke", columns, rows, note)


def worst_photos_table(figures: Figures) -> Table:
    """The photos on which a file differs most from the reference."""
    photos = sorted(figures.parity.photos, key=lambda photo: -abs(photo.difference))[:WORST_PHOTOS]
    columns = [Column("photo", kind="name"), Column("reference"), Column("score"), Column("difference")]
    rows = [
        [Cell(photo.photo), *map(Cell, (f"{photo.reference:.6f}", f"{photo.score:.6f}", f"{photo.difference:+.1e}"))]
        for photo in photos
    ]
    total = len(figures.parity.photos)
    which = f"the {len(photos)} largest differences of {total} photos" if total > len(photos) else "every photo"
    return Table(f"{figures.label}: {which}", columns, rows, folded=True)


CONDITIONS: dict[str, Callable[[Figures], str]] = {
    "measured at": lambda figures: figures.row.measured_at[:16].replace("T", " "),
    "by": lambda figures: figures.row.measured_by or MISSING,
    "threads": lambda figures: whole(figures.row.setting.threads),
    "asked for": lambda figures: figures.row.setting.accelerator,
    "really ran on": lambda figures: _placement(figures.row.setting.placement),
    "governor": lambda figures: figures.row.machine.governor or MISSING,
    "load average": lambda figures: digits(figures.row.conditions.load_average),
    "cores taken by others": lambda figures: digits(figures.row.conditions.other_load_cores, 2),
    "temperature, °C": lambda figures: _before_after(figures.row.conditions.temperature_c),
    "clock, MHz": lambda figures: _before_after(figures.row.conditions.frequency_mhz),
    "thermal status": lambda figures: figures.row.conditions.thermal_status or MISSING,
    "battery, %": lambda figures: _before_after(figures.row.conditions.battery_percent),
    "on charger": lambda figures: {True: "yes", False: "no", None: MISSING}[figures.row.conditions.on_charger],
}


def conditions_table(place: Place) -> Table:
    """What else ran on the machine; only conditions that are known for at least one row."""
    found = {name: [read(figures) for figures in place.figures] for name, read in CONDITIONS.items()}
    found = {name: values for name, values in found.items() if set(values) != {MISSING}}
    columns = [*NUMBER_AND_NAME, *(Column(name, kind="text") for name in found)]
    rows = [
        [*known_by(figures), *(Cell(values[index]) for values in found.values())]
        for index, figures in enumerate(place.figures)
    ]
    machine = place.machine
    facts = [machine.system, count(machine.cores, "core") if machine.cores else ""]
    facts += [f"{whole(machine.memory_mib)} MiB of memory" if machine.memory_mib else ""]
    return Table(place.title, columns, rows, "; ".join(fact for fact in facts if fact), folded=True)


def _before_after(values: Sequence[float]) -> str:
    return " → ".join(map(whole, values)) if values else MISSING


def _placement(placement: dict[str, int] | None) -> str:
    if placement is None:
        return "not told"
    return ", ".join(f"{name} {number}" for name, number in placement.items()) or "not told"
