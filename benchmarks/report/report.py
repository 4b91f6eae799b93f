"""Rows -> one report: ``report.json`` for programs, ``report.md`` for reviews, ``report.html`` for people.

    rows -> summary (derived figures) -> verdicts, tables, plots -> page -> three files, which appear together

``report.json``: {"schema": "lariqa-report/1", "created", "command", "rows": as measured, "summary": {"baseline",
"verdict", "rows": {row id: derived figures}}}. ``report.html`` is one file: no script, nothing fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from benchmarks.baselines.quoted import PAPER_BOUND_GMACS
from benchmarks.measure.measurement import Measurement
from benchmarks.measure.statistics import FEWEST_RUNS
from benchmarks.report.conclusions import judge, view_words
from benchmarks.report.mac_tables import (
    CONVENTION,
    limits_table,
    part_tables,
    profile_tables,
    quoted_table,
    without_profile,
    work_table,
)
from benchmarks.report.memory_tables import execution_tables, memory_table
from benchmarks.report.number_format import count, listed
from benchmarks.report.page import Page, Plot, Section, Table
from benchmarks.report.plots import plots_of
from benchmarks.report.precision_tables import precision_tables
from benchmarks.report.summary import Figures, Place, Summary, summarise
from benchmarks.report.tables import (
    budget_table,
    conditions_table,
    main_table,
    parity_table,
    parts_table,
    spread_table,
    worst_photos_table,
)
from export.formats import FORMATS
from export.proof.limits import LEAST_SPREAD, MOS_POINTS, PAPER_SCORE_SD
from lariqa.atomic import replace, staging
from lariqa.errors import Refusal

SCHEMA = "lariqa-report/1"
JSON_NAME, MARKDOWN_NAME, HTML_NAME = "report.json", "report.md", "report.html"
TEMPLATES = Path(__file__).parent / "templates"

LEGEND = (("torch", "PyTorch"), *((row.name, row.label) for row in FORMATS.values()), ("other", "other"))
TERMS = {
    "MAC": "multiply-accumulate: one multiplication and one addition. G: 10^9, M: 10^6.",
    "p50, p90, p95, p99": "percentiles of the runs: that many per cent of them took no longer; linear between the two "
    "nearest samples (numpy's default). p50 is the median. A p99 of fewer than 100 runs is close to the slowest.",
    "[low, high]": "95 % bootstrap interval of a median (percentile method, seeded); given from "
    f"{FEWEST_RUNS} runs on.",
    "mad": "median absolute deviation from the median.",
    "time ×": "median over the runs of this row's time divided by the baseline's in the same turn; below 1 is faster. "
    "An interval that holds 1 means: no difference was shown.",
    "drift ×": "median of the last third of the runs divided by that of the first third; above 1 it became slower.",
    "load": "opening the file until it is ready to run. Cold: its pages were not in the system's file cache.",
    "first": "the first run after the load; not among the counted runs.",
    "MB, MiB": "10^6 bytes; 2^20 bytes.",
    "peak, above base": "most memory that the process held from the load on; the same without what the runtime takes "
    "before any model is loaded.",
    "execution": "low, balanced, fast: in strips and groups of channels (`lariqa inspect --plan`); naive: the graph as "
    "the network is written.",
    "worst diff.": "largest |score of the file - score of PyTorch| over the photos, from the same decoded pixels.",
    "limit": "what the worst difference may be for the precision (export/proof/parity.py). On photos whose "
    f"reference scores lie within {LEAST_SPREAD} limits a comparison proves nothing, and the report says so.",
    "PLCC, SRCC": "Pearson's and Spearman's correlation, here with the reference's scores (parity), not with people's.",
    "flips": "pairs of photos that the reference ranks and the file ranks otherwise, of all pairs that it ranks.",
    "MOS points": f"score x {MOS_POINTS}: mean opinion scores run from 0 to 100.",
    "sd of paper's sd": "standard deviation of the differences as a share of "
    f"{PAPER_SCORE_SD}, the standard deviation of the paper's model over the UHD-IQA test photos (the authors' "
    "published predictions).",
    "of limit": "MACs per second of the median inference, as a share of the faster of a matrix product and a "
    "convolution measured on the same threads in the same run.",
    "crop, full": "the view of the synthetic branch: the middle of the photo at its native pixels, or every pixel.",
    "pixels, tensors": "what the file takes: the decoded photo, with all preprocessing inside; or the two prepared "
    "views.",
    "reference, baseline": "the PyTorch model that scores are compared with; an alternative to our files.",
    "host, phone, emulated": "a computer; a phone; an emulated processor, whose times are not meaningful.",
}


def write_report(
    folder: Path,
    rows: Sequence[Measurement],
    *,
    baseline: str | None = None,
    command: str = "",
    created: datetime | None = None,
) -> Path:
    """Write ``report.json``, ``report.md`` and ``report.html`` into a folder; older ones are replaced together.

    Args:
        folder: made if need be.
        rows: measured ones, of any machines and reports; and quoted ones.
        baseline: name of the row that times are ratios to; default: the PyTorch reference of the same view.
        command: what reproduces the report, as one types it.
        created: when; default: now.

    Returns:
        The path of ``report.html``.

    Raises:
        Refusal: no measured row, an unknown baseline, the same row twice, or the folder cannot be written.
    """
    summary = summarise(rows, baseline)
    if not summary.figures:
        raise Refusal("a report needs at least one measured row; only quoted ones, or none, were given")
    created = created or datetime.now(UTC)
    page = page_of(summary, command, created)
    data = {
        "schema": SCHEMA,
        "created": created.isoformat(timespec="seconds"),
        "command": command,
        "rows": [json.loads(row.to_line()) for row in rows],
        "summary": {
            "baseline": baseline,
            "verdict": [
                {"title": verdict.title, "sentences": [asdict(line) for line in verdict.sentences]}
                for verdict in page.verdicts
            ],
            "rows": summary.to_json(),
        },
    }
    texts = {
        JSON_NAME: json.dumps(data, indent=1, allow_nan=False) + "\n",
        MARKDOWN_NAME: _render("report.md.j2", page),
        HTML_NAME: _render("report.html.j2", page),
    }
    with staging(folder) as stage:
        for name, text in texts.items():
            (stage / name).write_text(text, encoding="utf-8")
        for name in texts:
            replace(stage / name, folder / name)
    return folder / HTML_NAME


def page_of(summary: Summary, command: str, created: datetime) -> Page:
    """Everything in a report, in the order in which a reader needs it."""
    figures, places = summary.figures, summary.places
    machines = listed([place.title for place in places])
    return Page(
        title="LAR-IQA benchmark",
        subtitle=f"{count(len(figures), 'row')} on {machines}",
        created=f"{created:%Y-%m-%d %H:%M} UTC",
        verdicts=judge(summary),
        sections=[section for section in _sections(summary, command) if _says_something(section)],
    )


def _sections(summary: Summary, command: str) -> list[Section]:
    figures, places = summary.figures, summary.places
    phones = any(place.machine.kind == "phone" for place in places)
    host = "" if phones else "These are host figures. There is no phone figure without a phone."
    trained = {row.row.subject.trained for row in figures}
    untrained = (
        "The weights are not trained: these scores show that the files agree; they are not the quality of a photo."
    )
    photos = [worst_photos_table(row) for row in figures if row.parity]
    return [
        Section(
            "table",
            "All rows",
            [host] if host else [],
            [main_table(place, view) for place in places for view in place.views],
        ),
        Section("plots", "Plots", plots={heading: plots for heading, plots in _drawn(summary) if plots}),
        Section(
            "time",
            "Where the time goes",
            without_profile(summary),
            [
                *(parts_table(place) for place in places),
                *_each(profile_tables, places),
                *(spread_table(place) for place in places),
            ],
        ),
        Section("limit", "How near to the machine's limit", [], [limits_table(place) for place in places]),
        Section("macs", "MACs, parameters, bytes", [CONVENTION], [work_table(summary), *part_tables(summary)]),
        Section(
            "quoted",
            "Other methods, as the paper quotes them",
            [
                "Quoted, not measured: nothing in this table was run here. The paper's comparison of cost is one of "
                f'MACs, its "5.7 times faster" being 211 / {PAPER_BOUND_GMACS}.'
            ]
            if summary.quoted
            else [],
            [quoted_table(summary)] if summary.quoted else [],
        ),
        Section(
            "memory",
            "Memory, part by part",
            [],
            [*(memory_table(place) for place in places), *_each(execution_tables, places)],
        ),
        Section("precision", "What a lower precision buys", [], _each(precision_tables, places)),
        Section(
            "scores",
            "Score parity",
            [untrained] if False in trained else [],
            [parity_table(summary), *(budget_table(row) for row in figures if row.row.error_budget), *photos],
        ),
        Section("conditions", "Conditions of the measurement", [], [conditions_table(place) for place in places]),
        Section("flags", "Flags", terms=_by_flag(figures)),
        Section("errors", "Errors", terms={row.label: row.row.error for row in figures if row.row.error}),
        Section("notes", "Notes", terms={row.label: note for row in figures if (note := row.row.subject.note)}),
        Section("again", "How to reproduce this", [_how_to_repeat(command)], command=command),
        Section("terms", "Every abbreviation", terms=TERMS),
    ]


def _each(tables: Callable[[Place], list[Table]], places: list[Place]) -> list[Table]:
    return [table for place in places for table in tables(place)]


def _drawn(summary: Summary) -> Iterator[tuple[str, list[Plot]]]:
    """Heading -> the plots of one machine's rows of one view."""
    groups = [(place, view) for place in summary.places for view in place.views]
    for number, (place, view) in enumerate(groups):
        yield f"{place.title}: {view_words(view)}", plots_of(place, view, f"g{number}")


def _by_flag(figures: list[Figures]) -> dict[str, str]:
    """The flags in full: first those of all rows, then row by row."""
    shared = (
        [flag for flag in figures[0].flags if all(flag in row.flags for row in figures)] if len(figures) > 1 else []
    )
    found = {"all rows": shared} | {row.label: [flag for flag in row.flags if flag not in shared] for row in figures}
    return {who: " ".join(f"{flag.rstrip('.')}." for flag in flags) for who, flags in found.items() if flags}


def _how_to_repeat(command: str) -> str:
    compare = "Two reports are compared by `lariqa compare BEFORE AFTER`; all samples are in report.json."
    return compare if command else f"The command was not recorded. {compare}"


def _says_something(section: Section) -> bool:
    return bool(
        [table for table in section.tables if table.rows] or section.plots or section.terms or section.command
        or section.name == "again"
    )  # fmt: skip


def _render(template: str, page: Page) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=template.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # A long file name may break after an underscore or a slash, rather than anywhere.
    environment.filters["breakable"] = lambda text: Markup(re.sub(r"([_/])(?=\w)", r"\1<wbr>", str(escape(text))))
    environment.filters["marked"] = lambda text: Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
    environment.filters["one_line"] = lambda text: re.sub(r"[ \t\r\n]+", " ", str(text)).replace("|", "\\|")
    return environment.get_template(template).render(
        page=page,
        css=Markup(format_colours() + (TEMPLATES / "report.css").read_text(encoding="utf-8")),
        legend=LEGEND,
        markup=Markup,
        columns_and=lambda columns, row: zip(columns, row, strict=True),
    )


def format_colours() -> str:
    """CSS variables with the colour of each format's marks, for light pages and dark ones."""
    light, dark = (" ".join(f"--{row.name}: {row.colours[shade]};" for row in FORMATS.values()) for shade in (0, 1))
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
