"""The memory tables of a report: what a peak consists of, and what each way of execution saves."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure.statistics import cpu_ms, run_ms
from benchmarks.report.conclusions import view_words
from benchmarks.report.number_format import MISSING, difference, digits, mib, percent
from benchmarks.report.page import Cell, Column, Table
from benchmarks.report.summary import Figures, Place
from benchmarks.report.tables import NUMBER_AND_NAME, alike_but, known_by, paired, ratio_cell

NAIVE = "naive"
WAYS = ("low", "balanced", "fast", NAIVE)


def memory_table(place: Place) -> Table:
    """What the peak is made of, and what was predicted of it."""
    parts = ("bare runtime", "model loaded", "peak", "above base", "running", "predicted", "weights in file", "input")
    parts = (*parts, "the rest")
    columns = [*NUMBER_AND_NAME, *(Column(part, "MiB") for part in parts)]
    rows = []
    for figures in (figures for figures in place.figures if figures.row.memory):
        memory = figures.row.memory
        cells = [
            Cell(mib(memory.baseline_mib)),
            Cell(mib(memory.loaded_mib)),
            Cell(mib(memory.peak_mib)),
            Cell(mib(figures.above_baseline_mib)),
            Cell(mib(figures.running_mib)),
            _predicted(figures),
            Cell(mib(memory.weights_mib)),
            Cell(mib(memory.input_mib)),
            Cell(mib(figures.activations_mib)),
        ]
        rows.append([*known_by(figures), *cells])
    measure = {"phone": "Android: PSS; iOS: physical footprint."}.get(place.machine.kind, "Resident memory.")
    return Table(
        f"Memory: {place.title}",
        columns,
        rows,
        f"{measure} Running: the peak above base while the model runs, without memory for decoding the photo "
        "(where the two were separated). Predicted: the same, computed before any run (`lariqa inspect` shows its "
        "parts); below it, its distance from the measured one. The rest: peak without runtime, weights and input: "
        "activations and the runtime's buffers, with the copy of the weights that some runtimes pack.",
    )


def _predicted(figures: Figures) -> Cell:
    predicted, measured = figures.row.memory.predicted_mib, figures.running_mib
    if predicted is None:
        return Cell(MISSING)
    return Cell(mib(predicted), f"{round(100 * (predicted / measured - 1)):+d} %" if measured else "")


def execution_tables(place: Place) -> list[Table]:
    """Files that differ only in how they execute, compared with the plain graph: a table per runtime, view and size."""
    known = (figures for figures in place.figures if figures.row.subject.memory and figures.row.memory)
    return [table for group in alike_but(known, "memory", "weight_cache") if (table := _execution_table(group))]


def _execution_table(group: Sequence[Figures]) -> Table | None:
    naive = next((figures for figures in group if figures.row.subject.memory == NAIVE), None)
    if naive is None or len(group) == 1:
        return None
    columns = [
        *NUMBER_AND_NAME,
        Column("execution", kind="text"),
        Column("running", "MiB"),
        Column("running", "×"),
        Column("predicted", "MiB"),
        Column("with decoding", "MiB"),
        Column("time", "×"),
        Column("CPU time", "×"),
        Column("worst diff."),
        Column("work", "GMACs"),
        Column("halos", "MMACs"),
    ]
    rows = []
    for figures in sorted(group, key=_place_of):
        row, work = figures.row, figures.row.work
        share = figures.running_mib / naive.running_mib if naive.running_mib else 1.0
        cells = [
            Cell(row.subject.memory, "packed weights kept" if row.setting.weight_cache else ""),
            Cell(mib(figures.running_mib), share=max(0.0, min(1.0, share))),
            Cell("baseline" if figures is naive else f"{digits(share, 2)}×"),
            _predicted(figures),
            Cell(mib(figures.above_baseline_mib)),
            ratio_cell(paired(figures, naive, run_ms)),
            ratio_cell(paired(figures, naive, cpu_ms)),
            Cell(difference(figures.parity.worst) if figures.parity else MISSING),
            Cell(digits(work.macs / 1e9) if work and work.macs else MISSING),
            _halos(figures),
        ]
        rows.append([*known_by(figures), *cells])
    row = naive.row
    size = f"{row.subject.photo_width_px}x{row.subject.photo_height_px}"
    return Table(
        f"Ways of execution: {row.setting.runtime}, {row.subject.precision}, {view_words(row.subject.synthetic_view)}, "
        f"{row.subject.input}, {size}",
        columns,
        rows,
        "Against the plain graph (naive) in the same runtime with its default options, measured in turns. Running: the "
        "peak above the bare runtime while the model runs, with the photo and the weights; with decoding: the peak of "
        "everything, when photos are decoded while a model that has run is loaded. Time: from decoded pixels to score; "
        "CPU time: of all threads, decoding too; both run by run. Halos: computed twice, because strips overlap.",
    )


def _place_of(figures: Figures) -> int:
    """Least memory first, the plain graph last; an unknown way of execution comes after them."""
    way = figures.row.subject.memory
    return WAYS.index(way) if way in WAYS else len(WAYS)


def _halos(figures: Figures) -> Cell:
    work = figures.row.work
    if work is None or work.halo_macs is None:
        return Cell(MISSING)
    return Cell(digits(work.halo_macs / 1e6), percent(work.halo_macs / work.macs) if work.macs else "")
