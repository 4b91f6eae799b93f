"""The tables of a report on work: MACs, parameters and bytes per part, where the time went, the machine's limit."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.baselines.quoted import PAPER_BOUND_GMACS, QUOTED, SOURCE
from benchmarks.report.conclusions import view_words
from benchmarks.report.number_format import MISSING, digits, listed, ms, percent, whole
from benchmarks.report.page import Cell, Column, Table
from benchmarks.report.summary import Figures, Place, Summary
from benchmarks.report.tables import NUMBER_AND_NAME, known_by

OPERATORS_NAMED = 6
LEAST_SHARE = 0.01  # of the time; smaller parts are summed up
CONVENTION = (
    "One MAC is one multiplication and one addition; twice as many FLOPs. Counted are the convolutions and matrix "
    "products of the file itself, for one photo, with a resize in the graph where it is one of these; not biases, "
    "activations, normalisations and sums. "
    f"The paper gives ≤ {PAPER_BOUND_GMACS} G for 3840x2160 and the full view, and does not name its counter: counters "
    "agree on the network within 4 % (35.8 G to 37.3 G), and differ in whether they count batch norm and activations."
)


def work_table(summary: Summary) -> Table:
    """The work of one run, with the paper's figure next to ours."""
    columns = [
        *NUMBER_AND_NAME,
        Column("ours", "GMACs"),
        Column("paper", "GMACs"),
        Column("parameters", "M"),
        Column("weights", "MB"),
        Column("operators"),
    ]
    rows = []
    for figures in (figures for figures in summary.figures if figures.row.work):
        work, subject = figures.row.work, figures.row.subject
        is_paper_size = figures.view == "full" and {subject.photo_width_px, subject.photo_height_px} == {3840, 2160}
        rows.append(
            [
                *known_by(figures, view_words(figures.view) if figures.view else ""),
                Cell(_giga(work.macs)),
                Cell(f"≤ {PAPER_BOUND_GMACS}" if is_paper_size else MISSING),
                Cell(digits(work.parameters / 1e6) if work.parameters else MISSING),
                Cell(digits(work.weight_bytes / 1e6) if work.weight_bytes else MISSING),
                Cell(whole(sum(work.operators.values())) if work.operators else MISSING, _operators(work.operators)),
            ]
        )
    return Table("Work of one run", columns, rows)


def part_tables(summary: Summary) -> list[Table]:
    """MACs, weights and bytes part by part: one table for all rows that have the same."""
    alike: list[list[Figures]] = []
    for figures in (figures for figures in summary.figures if figures.row.work and figures.row.work.parts):
        same = next((group for group in alike if group[0].row.work.parts == figures.row.work.parts), None)
        alike.append([figures]) if same is None else same.append(figures)
    return [_parts(group) for group in alike]


def _parts(group: Sequence[Figures]) -> Table:
    parts = group[0].row.work.parts
    whole_macs = sum(part.get("macs", 0) for part in parts.values())
    columns = [
        Column("part", kind="name"),
        Column("MACs", "M"),
        Column("of all"),
        Column("weights", "k"),
        Column("stored", "kB"),
    ]
    rows = []
    for branch, inside in _branches(parts).items():
        if len(inside) > 1:
            rows.append(_part_row(f"{branch}, all of it", inside.values(), whole_macs))
        rows += [_part_row(name, [part], whole_macs) for name, part in inside.items()]
    names = listed([f"#{figures.number}" for figures in group])
    return Table(f"Part by part: {names}", columns, rows, folded=True)


def _branches(parts: dict[str, dict[str, int]]) -> dict[str, dict[str, dict[str, int]]]:
    """ "synthetic / blocks.1" belongs to the branch "synthetic"."""
    branches: dict[str, dict[str, dict[str, int]]] = {}
    for name, part in parts.items():
        branches.setdefault(name.split(" / ")[0], {})[name] = part
    return branches


def _part_row(name: str, parts, whole_macs: int) -> list[Cell]:
    total = {key: sum(part.get(key, 0) for part in parts) for key in ("macs", "weights", "weight_bytes")}
    return [
        Cell(name),
        Cell(digits(total["macs"] / 1e6)),
        *_share(total["macs"], whole_macs),
        Cell(digits(total["weights"] / 1e3)),
        Cell(digits(total["weight_bytes"] / 1e3)),
    ]


def profile_tables(place: Place) -> list[Table]:
    """Where the time of one run went, part by part, with the rate that each part reached."""
    tables = []
    for figures in (figures for figures in place.figures if figures.row.profile):
        profile, work = figures.row.profile, figures.row.work
        parts_ms = profile.parts_ms or profile.operators_ms
        if not parts_ms:
            continue
        total, macs = sum(parts_ms.values()), work.parts if work else {}
        ranked = sorted(parts_ms.items(), key=lambda part: -part[1])
        shown = [part for part in ranked if part[1] >= LEAST_SHARE * total]
        rows = []
        for name, time in shown:
            done = macs.get(name, {}).get("macs") if profile.parts_ms else None
            rate = digits(done / time / 1e6) if done and time > 0 else MISSING
            rows.append([Cell(name), Cell(ms(time)), *_share(time, total), Cell(rate)])
        rest = sum(time for _, time in ranked[len(shown) :])
        if rest:
            name = f"{len(ranked) - len(shown)} more, each below {percent(LEAST_SHARE)}"
            rows.append([Cell(name), Cell(ms(rest)), *_share(rest, total), Cell(MISSING)])
        kind = "part" if profile.parts_ms else "operator"
        columns = [Column(kind, kind="name"), Column("time", "ms"), Column("of all"), Column("rate", "GMAC/s")]
        tables.append(
            Table(f"{figures.label}: {ms(total)} ms", columns, rows, f"By {profile.tool}.", folded=bool(tables))
        )
    return tables


def _share(part: float, whole_of_it: float) -> list[Cell]:
    share = part / whole_of_it if whole_of_it else 0.0
    return [Cell(percent(share), share=share)]


def without_profile(summary: Summary) -> list[str]:
    """Which rows have none, and why, a sentence for each reason."""
    reasons: dict[str, list[str]] = {}
    for figures in summary.figures:
        profile = figures.row.profile
        if profile and not profile.parts_ms and not profile.operators_ms:
            reasons.setdefault(profile.tool, []).append(f"#{figures.number}")
    return [f"Not profiled: {listed(rows)} ({why})." for why, rows in reasons.items()]


def quoted_table(summary: Summary) -> Table:
    """The other methods of the paper's tables: quoted, not measured."""
    columns = [
        Column("method", kind="name"),
        Column("MACs", "G"),
        Column("parameters", "M"),
        Column("note", kind="prose"),
    ]
    bounds = {method.name for method in QUOTED if method.is_bound}
    rows = [
        [
            Cell(row.subject.name, "quoted, not measured"),
            Cell(f"{'≤ ' if row.subject.name in bounds else ''}{row.work.macs / 1e9:g}" if row.work else MISSING),
            Cell(digits(row.work.parameters / 1e6) if row.work and row.work.parameters else MISSING),
            Cell(row.subject.note.replace(f"quoted, not measured ({SOURCE}). ", "")),
        ]
        for row in summary.quoted
    ]
    return Table(f"Quoted, not measured: {SOURCE}", columns, rows)


def limits_table(place: Place) -> Table:
    """The machine's limit, and how near each row came."""
    columns = [
        *NUMBER_AND_NAME,
        Column("reached", "GMAC/s"),
        Column("matrix product", "GMAC/s"),
        Column("convolution", "GMAC/s"),
        Column("copy", "GB/s"),
        Column("of limit"),
    ]
    rows = []
    for figures in (figures for figures in place.figures if figures.row.limit):
        limit = figures.row.limit
        values = (figures.gmacs_per_s, limit.matmul_gmacs_per_s, limit.convolution_gmacs_per_s, limit.copy_gb_per_s)
        rows.append([*known_by(figures), *(Cell(digits(value)) for value in values), _bar(figures.limit_share)])
    return Table(f"The machine's limit, in the same run: {place.title}", columns, rows)


def _bar(share: float | None) -> Cell:
    return Cell(percent(share), share=None if share is None else min(1.0, share))


def _giga(macs: int | None) -> str:
    return MISSING if macs is None else digits(macs / 1e9)


def _operators(operators: dict[str, int]) -> str:
    most = sorted(operators.items(), key=lambda operator: (-operator[1], operator[0]))
    named = ", ".join(f"{name} {number}" for name, number in most[:OPERATORS_NAMED])
    return f"{named}, …" if len(most) > OPERATORS_NAMED else named
