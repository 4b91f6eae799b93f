"""Matplotlib drawings that belong to the page: its colours in light and dark, its font, no identifier twice.

Colours are drawn as placeholders and written as the page's CSS variables, so one drawing serves both themes. Text stays
text. A drawing is 360 units wide, about a phone: the same lettering fits there and, two side by side, on a desk.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from export.formats import FORMATS

WIDTH_IN = 5.0  # at 72 units per inch
INK, QUIET, LINE, BAD = "#010203", "#010204", "#010205", "#010206"
SERIES = {name: f"#0102{7 + number:02x}" for number, name in enumerate(("torch", *FORMATS, "other"))}
VARIABLES = {
    INK: "var(--ink)",
    QUIET: "var(--quiet)",
    LINE: "var(--line)",
    BAD: "var(--bad)",
    **{colour: f"var(--{name})" for name, colour in SERIES.items()},
}
SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
WIDE_RANGE = 8.0  # highest / lowest value from which an axis is logarithmic
STYLE = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same drawing everywhere
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": QUIET,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": QUIET,
    "ytick.labelcolor": QUIET,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
}


@contextmanager
def drawing(height_in: float, rows: int = 1, **options) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure in the page's style, and its axes from top to bottom."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure, list(figure.subplots(rows, 1, squeeze=False, **options)[:, 0])


def settle(figure: Figure) -> None:
    """Lay it out, once: a layout costs as much as a drawing, and afterwards it is known where things stand."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def to_svg(figure: Figure, name: str, describes: str) -> str:
    """One ``<svg>`` element to stand in a page.

    Args:
        figure: made by :func:`drawing`, and still inside it.
        name: begins every identifier, so that several drawings share a page.
        describes: what a screen reader says.
    """
    settle(figure)
    buffer = io.StringIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(buffer.getvalue())
    for unwanted in ("metadata", "defs/style"):
        for parent in root.iter():
            for child in [child for child in parent if child.tag in (f"{{{SVG}}}{unwanted.split('/')[-1]}",)]:
                parent.remove(child)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    for element in root.iter():
        if "id" in element.attrib:
            element.set("id", f"{name}-{element.get('id')}")
        for key, value in element.attrib.items():
            element.set(key, _ours(key, value, name))
    root.set("role", "img")
    root.set("aria-label", describes)
    return ElementTree.tostring(root, encoding="unicode")


def _ours(key: str, value: str, name: str) -> str:
    """An attribute with the page's colours and font, and with this drawing's identifiers."""
    if key.endswith("href"):
        return value.replace("#", f"#{name}-")
    value = re.sub(r"url\(#", f"url(#{name}-", value)
    value = re.sub(r"(font: [\d.]+px) [^;]*", r"\1 var(--font)", value)
    return re.sub(r"#[0-9a-f]{6}", lambda colour: VARIABLES.get(colour[0], colour[0]), value)


def scale(axes: Axes, axis: str, values: list[float]) -> None:
    """Linear from zero, or logarithmic where the values range widely, with ticks that read as numbers."""
    positive = [value for value in values if value > 0]
    its = getattr(axes, f"{axis}axis")
    if not positive or max(positive) / min(positive) < WIDE_RANGE:
        getattr(axes, f"set_{axis}lim")(0, 1.08 * max(positive, default=1))
        its.set_major_locator(MaxNLocator(6, steps=(1, 2, 2.5, 5, 10)))
    else:
        getattr(axes, f"set_{axis}scale")("log")
        getattr(axes, f"set_{axis}lim")(min(positive) / 1.3, max(positive) * 1.3)
        decades = max(positive) / min(positive)
        its.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 300 else (1,)))
        its.set_minor_formatter(NullFormatter())
    its.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}".replace(",", "\N{NARROW NO-BREAK SPACE}")))


def scale_in_decades(axes: Axes, values: list[float]) -> None:
    """The y axis logarithmic, in whole decades, written as 1e-05."""
    low, high = np.floor(np.log10(min(values))), np.ceil(np.log10(max(values)))
    axes.set_yscale("log")
    axes.set_ylim(10.0 ** (low - 0.2), 10.0 ** (max(high, low + 1) + 0.2))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0e}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


# Offsets in points, right and up, nearest first.
AROUND = [
    (5, -4),
    (-5, -4),
    (0, 5),
    (0, -13),
    (5, 5),
    (-5, 5),
    (5, -13),
    (-5, -13),
    (5, 14),
    (5, -22),
    (5, 23),
    (5, -31),
]
RIGHT = [(5, -4 + 9.0 * step * sign) for step in range(12) for sign in (1, -1)]


def number_points(axes: Axes, points: list[tuple[float, float, str, str]], places=AROUND) -> None:
    """Write (x, y, words, colour) next to each point, in the first of the places that is still free."""
    settle(axes.figure)
    at = [axes.transData.transform((x, y)) for x, y, _, _ in points]
    taken = [(x - 3, y - 3, x + 3, y + 3) for x, y in at]
    for (x_px, y_px), (x, y, words, colour) in zip(at, points, strict=True):
        width, height = 5.6 * len(words), 8.5
        for right, up in places:
            left = x_px + (right if right > 0 else right - width if right < 0 else -width / 2)
            box = (left, y_px + up, left + width, y_px + up + height)
            if not any(_overlap(box, other) for other in taken):
                break
        taken.append(box)
        # So far off that it could be another point's, a line leads to it.
        line = {"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 2}
        axes.annotate(words, (x, y), xytext=(left - x_px, up + 1), textcoords="offset points", fontsize=8, color=colour,
                      annotation_clip=False, arrowprops=None if -14 < up < 6 else line)  # fmt: skip


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
