"""The plots of one machine's rows: latency, pace, memory, score against reference, and what is worth its price.

In every plot a row has its number from the table, and the colour of its format.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from benchmarks.measure.statistics import run_ms
from benchmarks.report.page import Plot
from benchmarks.report.summary import Figures, Place
from benchmarks.report.svg import (
    AROUND,
    BAD,
    INK,
    QUIET,
    RIGHT,
    SERIES,
    drawing,
    number_points,
    scale,
    scale_in_decades,
    to_svg,
)

MOST_DOTS = 300  # of one row; of more, every nth is drawn
NAME_LENGTH = 46
GOLDEN = 0.6180339887  # multiples of it, modulo 1, scatter evenly: dots of equal value do not hide each other
LEAST_DIFFERENCE = 1e-9  # where a difference of zero is drawn on a logarithmic axis


def plots_of(place: Place, view: str, prefix: str) -> list[Plot]:
    """Every plot that the rows of one view have samples for.

    Args:
        place: one machine's rows.
        view: of the synthetic branch; rows of another do other work.
        prefix: makes the plots' names unique in the page.
    """
    rows = place.of_view(view)
    burst = [figures for figures in rows if figures.row.mode == "burst"]
    drawn = [
        _latency(burst, f"{prefix}-latency"),
        _memory(burst, f"{prefix}-memory"),
        _pareto(burst, f"{prefix}-pareto"),
        _scores(burst, f"{prefix}-scores"),
        *(_pace(figures, f"{prefix}-pace{figures.number}") for figures in rows),
    ]
    return [plot for plot in drawn if plot]


def colour(figures: Figures) -> str:
    """Of the row's format."""
    return SERIES.get(figures.row.subject.format, SERIES["other"])


def _latency(shown: Sequence[Figures], name: str) -> Plot | None:
    rows = [figures for figures in shown if figures.run]
    if not rows:
        return None
    with drawing(max(2.2, 0.7 + 0.44 * len(rows))) as (figure, (axes,)):
        scale(axes, "x", [time for figures in rows for time in run_ms(figures.row)])
        for index, figures in enumerate(rows):
            times = thinned(run_ms(figures.row))
            y = index + 0.32 * ((np.arange(len(times)) * GOLDEN) % 1 - 0.5)
            axes.plot(times, y, "o", color=colour(figures), markersize=3.2, alpha=0.55, markeredgewidth=0)
            axes.plot([figures.run.p50] * 2, [index - 0.27, index + 0.27], color=INK, linewidth=1.6)
            if figures.run.interval:
                axes.plot([figures.run.interval.low, figures.run.interval.high], [index] * 2, color=INK, linewidth=1.1)
            axes.annotate(shortened(figures.label), (0, index - 0.42), xycoords=("axes fraction", "data"), fontsize=8.5)
        axes.set(ylim=(len(rows) - 0.5, -0.85), yticks=[], xlabel="ms from decoded pixels to score")
        axes.spines["left"].set_visible(False)
        axes.grid(False, axis="y")
        svg = to_svg(figure, name, f"Latency of every run of {len(rows)} rows")
    return Plot(name, "Latency: every run a dot, the median a bar, its 95 % interval across.", svg)


def _pareto(shown: Sequence[Figures], name: str) -> Plot | None:
    rows = [figures for figures in shown if figures.run and figures.row.memory]
    if len(rows) < 2:
        return None
    faithful = [figures for figures in rows if figures.parity and not figures.parity.proves_nothing]
    with drawing(5.2 if faithful else 2.8, 2 if faithful else 1, sharex=True) as (figure, axes):
        scale(axes[0], "x", [figures.run.p50 for figures in rows])
        scale(axes[0], "y", [figures.above_baseline_mib for figures in rows])
        axes[0].set_ylabel("peak above bare runtime, MiB")
        axes[-1].set_xlabel("median ms from decoded pixels to score")
        if faithful:
            worst = [max(figures.parity.worst, LEAST_DIFFERENCE) for figures in faithful]
            limits = sorted({figures.parity.limit for figures in faithful} - {None})
            scale_in_decades(axes[1], [*worst, *limits])
            _limit_lines(axes[1], limits)
            axes[1].set_ylabel("worst score difference")
            _trade(axes[1], faithful, worst)
        _trade(axes[0], rows, [figures.above_baseline_mib for figures in rows])
        svg = to_svg(figure, name, f"Latency against memory and against parity of {len(rows)} rows")
    return Plot(
        name,
        "What is worth its price: nearer to the lower left is better. Filled: the files to choose from; hollow: "
        "reference and baselines. The line joins the files that no other beats in both.",
        svg,
    )


def _trade(axes: Axes, rows: Sequence[Figures], heights: list[float]) -> None:
    """Each row a mark, and a line through the files that no other beats in both."""
    points = [(figures.run.p50, height, figures) for figures, height in zip(rows, heights, strict=True)]
    front: list[tuple[float, float]] = []
    for time, height, figures in sorted(points, key=lambda point: point[:2]):
        if is_ours(figures) and (not front or height < front[-1][1]):
            front.append((time, height))
    if front:
        axes.plot(*zip(*front, strict=True), color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)))
    for time, height, figures in points:
        filled = "full" if is_ours(figures) else "none"
        axes.plot(time, height, "o", color=colour(figures), fillstyle=filled, markersize=6)
    _numbers(axes, points)


def is_ours(figures: Figures) -> bool:
    """Whether it is one of the files to choose from."""
    return figures.row.subject.role == "artifact"


def _memory(shown: Sequence[Figures], name: str) -> Plot | None:
    rows = [figures for figures in shown if figures.is_timed and figures.row.memory]
    rows = [figures for figures in rows if len(figures.row.memory.curve_s_mib) > 1]
    if not rows:
        return None
    with drawing(3.0) as (figure, (axes,)):
        curves = [np.array(figures.row.memory.curve_s_mib) for figures in rows]
        axes.set_ylim(0, 1.12 * max(curve[:, 1].max() for curve in curves))
        end = max(curve[-1, 0] for curve in curves)
        axes.set_xlim(0, 1.07 * end or 1)
        for figures, curve in zip(rows, curves, strict=True):
            axes.plot(curve[:, 0], curve[:, 1], color=colour(figures), linewidth=1.3)
        axes.set(xlabel="seconds since the load began", ylabel="MiB of the process")
        _numbers(axes, [(curve[-1, 0], curve[-1, 1], row) for row, curve in zip(rows, curves, strict=True)], RIGHT)
        svg = to_svg(figure, name, f"Memory over time of {len(rows)} rows")
    return Plot(name, "Memory over time, from the load on; the number stands at a curve's end.", svg)


def _scores(shown: Sequence[Figures], name: str) -> Plot | None:
    rows = [figures for figures in shown if figures.parity]
    if not rows:
        return None
    with drawing(5.2, 2, sharex=True) as (figure, (above, below)):
        pairs = [(photo.reference, photo.score) for figures in rows for photo in figures.parity.photos]
        low, high = np.min(pairs), np.max(pairs)
        room = 0.04 * (high - low) or 0.01
        above.plot([low, high], [low, high], color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)))
        above.set(xlim=(low - room, high + room), ylim=(low - room, high + room), ylabel="score of the file")
        limits = sorted({figures.parity.limit for figures in rows} - {None})
        differences = [max(abs(d), LEAST_DIFFERENCE) for figures in rows for d in figures.parity.differences]
        scale_in_decades(below, [*differences, *limits])
        _limit_lines(below, limits)
        for figures in rows:
            photos = thinned(figures.parity.photos)
            reference = [photo.reference for photo in photos]
            marker = {"color": colour(figures), "markersize": 3.6, "alpha": 0.6, "markeredgewidth": 0}
            above.plot(reference, [photo.score for photo in photos], "o", **marker)
            distance = [max(abs(photo.difference), LEAST_DIFFERENCE) for photo in photos]
            below.plot(reference, distance, "o", **marker)
        below.set(xlabel="PyTorch's reference score", ylabel="|difference|")
        svg = to_svg(figure, name, f"Scores of {len(rows)} rows against the reference")
    return Plot(
        name,
        "Score against reference. Above: on the line they are the same, and they must differ from photo to photo. "
        "Below: how far they are from it, with the limit.",
        svg,
    )


def _pace(figures: Figures, name: str) -> Plot | None:
    times = run_ms(figures.row)
    if figures.row.mode != "sustained" or not figures.is_timed or not times:
        return None
    latency = figures.row.latency
    started = latency.started_s or list(np.cumsum([0, *times[:-1]]) / 1000)
    with drawing(2.5) as (figure, (axes,)):
        dots = thinned(list(zip(started, times, strict=True)))
        axes.plot(*zip(*dots, strict=True), "o", color=colour(figures), markersize=2.6, alpha=0.5, markeredgewidth=0)
        pieces = np.array_split(np.column_stack([started, times]), min(20, max(1, len(times) // 5)))
        middle = [np.median(piece, axis=0) for piece in pieces]
        axes.plot(*zip(*middle, strict=True), color=INK, linewidth=1.4)
        axes.set_ylim(0, 1.1 * np.percentile(times, 99))
        axes.set(xlabel="seconds", ylabel="ms from pixels to score")
        svg = to_svg(figure, name, f"Pace of {figures.label} run back to back")
    return Plot(name, f"{figures.label}, back to back: each run a dot, and the running median.", svg)


def _limit_lines(axes: Axes, limits: list[float]) -> None:
    for limit in limits:
        axes.axhline(limit, color=BAD, linewidth=0.9)
        axes.annotate(f"limit {limit:.0e}", (1, limit), xycoords=("axes fraction", "data"), xytext=(0, 3),
                      textcoords="offset points", ha="right", fontsize=8, color=BAD)  # fmt: skip


def _numbers(axes: Axes, points: list[tuple[float, float, Figures]], places=AROUND) -> None:
    """Write the rows' numbers next to their points; last, when labels have fixed the place of the axes."""
    number_points(axes, [(x, y, f"#{figures.number}", colour(figures)) for x, y, figures in points], places)


def thinned(values: Sequence) -> list:
    """At most MOST_DOTS of them, evenly chosen."""
    return list(values[:: -(-len(values) // MOST_DOTS)]) if values else []


def shortened(name: str) -> str:
    """A name that fits above a strip; the middle goes, since files differ at both ends."""
    half = NAME_LENGTH // 2
    return name if len(name) <= NAME_LENGTH else f"{name[:half]}…{name[-half:]}"
