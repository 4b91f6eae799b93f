"""What a lower precision gains and costs: each file compared with the float32 file that is otherwise the same."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure.statistics import cpu_ms, run_ms
from benchmarks.report.conclusions import view_words
from benchmarks.report.number_format import MISSING, correlation, difference, digits, mib
from benchmarks.report.page import Cell, Column, Table
from benchmarks.report.summary import Figures, Place
from benchmarks.report.tables import NUMBER_AND_NAME, alike_but, known_by, paired, ratio_cell
from export.proof.limits import PAPER_SCORE_SD
from lariqa_train.quantization.precision import PRECISIONS

FLOAT = "fp32"


def precision_tables(place: Place) -> list[Table]:
    """One table for each runtime, view, size and way of execution of which there is a float32 file and a lower one."""
    return [table for group in alike_but(place.figures, "precision") if (table := _precision_table(group))]


def _precision_table(group: Sequence[Figures]) -> Table | None:
    whole = next((figures for figures in group if figures.row.subject.precision == FLOAT), None)
    if whole is None or len(group) == 1:
        return None
    columns = [
        *NUMBER_AND_NAME,
        Column("precision", kind="text"),
        Column("size", "MB"),
        Column("size", "×"),
        Column("time", "×"),
        Column("CPU time", "×"),
        Column("running", "MiB"),
        Column("running", "×"),
        Column("sd of diff."),
        Column("on the paper's scale"),
        Column("worst diff."),
        Column("SRCC"),
    ]
    rows = []
    for figures in sorted(group, key=_place_of):
        subject, parity = figures.row.subject, figures.parity
        running = figures.running_mib
        cells = [
            Cell(subject.precision),
            Cell(digits(subject.bytes / 1e6) if subject.bytes else MISSING),
            _share(subject.bytes, whole.row.subject.bytes, figures is whole),
            ratio_cell(paired(figures, whole, run_ms)),
            ratio_cell(paired(figures, whole, cpu_ms)),
            Cell(mib(running)),
            _share(running, whole.running_mib, figures is whole),
            Cell(difference(parity.sd) if parity else MISSING),
            Cell(difference(parity.sd_on_paper_scale) if parity else MISSING),
            Cell(difference(parity.worst) if parity else MISSING),
            Cell(correlation(parity.srcc) if parity else MISSING),
        ]
        rows.append([*known_by(figures), *cells])
    subject = whole.row.subject
    return Table(
        f"Precisions: {whole.row.setting.runtime}, {view_words(subject.synthetic_view)}, "
        f"{subject.memory or 'plain graph'}, {subject.input}, {subject.photo_width_px}x{subject.photo_height_px}",
        columns,
        rows,
        "Against the float32 file of the same runtime and way of execution, measured in turns; time and CPU time run "
        "by run. Running: the peak above the bare runtime while the model runs. Differences: to the PyTorch reference, "
        "on this benchmark's photos; on the paper's scale: as if the scores of these photos had the sd of the paper's, "
        f"{PAPER_SCORE_SD}. What each file was accepted on, a hundred other pictures, is in lariqa.json.",
    )


def _place_of(figures: Figures) -> int:
    """float32 first, then ever lower; an unknown precision comes last."""
    precision, order = figures.row.subject.precision, list(PRECISIONS)
    return order.index(precision) if precision in order else len(order)


def _share(part: float | None, whole: float | None, is_whole: bool) -> Cell:
    if is_whole:
        return Cell("baseline" if whole else MISSING)
    return Cell(f"{digits(part / whole, 3)}×") if part and whole else Cell(MISSING)
