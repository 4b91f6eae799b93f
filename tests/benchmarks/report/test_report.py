"""The report: what it says follows from the rows, in all three files, and nothing half-written is left."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from benchmarks.baselines.quoted import QUOTED, quoted_rows
from benchmarks.measure.measurement import Setting, read_rows
from benchmarks.report.conclusions import judge
from benchmarks.report.number_format import correlation, difference, digits, ms, percent
from benchmarks.report.report import TERMS, page_of, write_report
from benchmarks.report.summary import summarise
from export.proof.limits import LIMITS
from lariqa.errors import Refusal
from tests.support.made_rows import EMULATED, HOST, LIMIT, PHONE, failed, made_row, made_rows, old_row, sustained

NOW = datetime(2026, 11, 24, 16, tzinfo=UTC)
VOID = {"meta", "link", "wbr", "br"}


@pytest.fixture(scope="module")
def rows():
    return made_rows()


@pytest.fixture(scope="module")
def page(rows):
    """What that report says, before it is written. Plots take seconds and are looked at in a browser, not here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmarks.report.report.plots_of", lambda *given: [])
        return page_of(summarise(rows), "lariqa bench run exported -o report", NOW)


@pytest.fixture
def without_plots(monkeypatch):
    """Reports that are quick to write."""
    monkeypatch.setattr("benchmarks.report.report.plots_of", lambda *given: [])


@pytest.fixture(scope="module")
def folder(rows, tmp_path_factory):
    """The report of every kind of row."""
    path = tmp_path_factory.mktemp("report")
    assert write_report(path, rows, command="lariqa bench run exported -o report", created=NOW) == path / "report.html"
    return path


def said(rows, **options) -> dict[str, str]:
    """Label -> sentence of the last verdict that has it."""
    verdicts = judge(summarise(rows, **options))
    return {line.label: f"{line.text} {line.detail}" for verdict in verdicts for line in verdict.sentences}


# The files


def test_report_json_holds_the_rows_as_they_were_and_figures_for_each(folder, rows):
    text = (folder / "report.json").read_text()
    report = json.loads(text)
    assert (report["schema"], report["created"]) == ("lariqa-report/1", "2026-11-24T16:00:00+00:00")
    assert read_rows(text, "report.json") == rows
    figures = report["summary"]["rows"]
    assert figures.keys() == {row.id for row in rows if row.subject.role != "quoted"}
    found = figures[rows[0].id]
    assert found["run_ms"]["n"] == 30 and found["run_ms"]["interval"]["low"] < found["run_ms"]["p50"]
    assert found["ratio"]["median"] < 1 and found["parity"]["photos"] == 24
    assert found["above_baseline_mib"] == pytest.approx(470 - 96)
    assert report["summary"]["verdict"][0]["sentences"][0]["label"] == "Fastest"


class Page(HTMLParser):
    """Checks that every element is closed, and gathers text, addresses and identifiers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.words, self.addresses, self.ids, self.tags = [], [], [], [], []
        self.feed(text)
        assert self.open == []
        self.text = re.sub(r"[ \t\r\n]+", " ", "".join(self.words))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "xlink:href", "action")]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data):
        self.words.append(data)


def test_report_html_is_one_file_that_fetches_nothing(folder):
    text = (folder / "report.html").read_text()
    page = Page(text)
    assert "script" not in page.tags and "@import" not in text and not re.search(r"url\((?!#)", text)
    assert all(address.startswith(("#", "data:,")) for address in page.addresses)
    assert len(page.ids) == len(set(page.ids)), "an identifier stands twice"
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)
    assert not re.search(r"#0102[0-9a-f]{2}", text), "a placeholder colour is left in a plot"
    assert len(text) < 5_000_000


def test_markdown_and_page_say_the_same(folder, page):
    shown = Page((folder / "report.html").read_text()).text
    markdown = (folder / "report.md").read_text()
    for verdict in page.verdicts:
        for line in verdict.sentences:
            assert line.text in shown and line.text in markdown
    for section in page.sections:
        assert section.title in shown and f"## {section.title}" in markdown
        for table in section.tables:
            for cell in (cell for row in table.rows for cell in row):
                assert cell.text in shown and cell.text in markdown and cell.sub in shown
    assert all(term in markdown for term in TERMS)


def test_every_table_of_the_markdown_is_a_table(folder):
    lines = (folder / "report.md").read_text().splitlines()
    heads = [number for number, line in enumerate(lines) if re.match(r"\|( -+:? \|)+$", line)]
    assert len(heads) > 20
    for number in heads:
        width = lines[number - 1].count("|")
        assert lines[number - 2] == "" and lines[number].count("|") == width
        following = number + 1
        while lines[following].startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", lines[following])) == width
            following += 1
        assert following > number + 1


def test_every_column_is_explained_or_explains_itself(page):
    plain = {"#", "file", "size", "peak", "flags", "runs", "photos", "part", "note", "method", "parameters", "paper"}
    words = " ".join(TERMS) + " ".join(TERMS.values())
    main = page.sections[0].tables[0]
    for column in main.columns:
        assert column.label in plain or column.label in words, column.label


def test_names_from_rows_are_text_and_never_markup(without_plots, tmp_path):
    nasty = "<img src=x onerror=alert(1)> | a & b_c"
    row = made_row(nasty, flags=["<b>hot</b> | flag"]).model_copy(update={"error": "<script>x</script>"})
    write_report(tmp_path, [row, made_row("b")], command="lariqa bench run '<x>'")
    page = Page((tmp_path / "report.html").read_text())
    assert not {"img", "script", "b"} & set(page.tags)
    assert nasty in page.text and "<b>hot</b> | flag." in page.text
    assert nasty.replace("|", "\\|") in (tmp_path / "report.md").read_text()


def test_a_report_is_written_whole_or_not_at_all(rows, without_plots, monkeypatch, tmp_path):
    write_report(tmp_path, rows[:2], created=NOW)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert before.keys() == {"report.json", "report.md", "report.html"}
    monkeypatch.setattr(
        "benchmarks.report.report.replace", lambda *paths: (_ for _ in ()).throw(OSError(28, "disk full"))
    )
    with pytest.raises(Refusal, match="cannot write"):
        write_report(tmp_path, rows[2:4])
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_the_same_rows_give_the_same_report(rows, tmp_path):
    for name in ("one", "other"):
        write_report(tmp_path / name, [rows[0], rows[8]], created=NOW)
    for name in ("report.json", "report.md", "report.html"):
        assert (tmp_path / "one" / name).read_text() == (tmp_path / "other" / name).read_text()


def test_nothing_to_report_is_refused(tmp_path):
    for rows, fact in (([], "at least one"), (quoted_rows(), "at least one")):
        with pytest.raises(Refusal, match=fact):
            write_report(tmp_path / "x", rows)
    with pytest.raises(Refusal, match="the rows: a"):
        write_report(tmp_path / "x", [made_row("a")], baseline="b")
    with pytest.raises(Refusal, match="same id"):
        write_report(tmp_path / "x", [made_row("a", id="1"), made_row("b", id="1")])
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "row",
    [
        old_row(),
        failed("dead", "killed"),
        sustained("long", 100, 20, 1.5),
        made_row("emulated", machine=EMULATED),
        made_row("phone", machine=PHONE),
        made_row("no scores", scores=[]),
        made_row("one run", runs=1),
        made_row("alike", spread=0.0, error=0.0),
        made_row("exact", error=0.0),
    ],
    ids=lambda row: row.subject.name,
)
def test_any_single_row_makes_a_report(row, tmp_path):
    write_report(tmp_path, [row])
    assert row.subject.name in "".join(Page((tmp_path / "report.html").read_text()).words)


# What it says


def test_the_planted_fastest_leanest_and_most_faithful_are_named():
    rows = [
        made_row("quick", 300, peak_mib=900, error=3e-6),
        made_row("small", 500, peak_mib=400, error=2e-6),
        made_row("exact", 600, peak_mib=800, error=1e-7),
        made_row("torch", 900, format="torch", peak_mib=2000, subject={"role": "reference"}),
        made_row("theirs", 450, peak_mib=300, subject={"role": "baseline"}),
    ]
    found = said(rows)
    assert "quick" in found["Fastest"].split(".")[0] and "the time of torch" in found["Fastest"]
    assert "fastest baseline, #5 theirs" in found["Fastest"]
    assert "small: 304 MiB" in found["Leanest"] and "exact" in found["Most faithful"].split(":")[0]
    assert "3 of 3 files within" in found["Most faithful"]


def test_rows_that_cannot_be_told_apart_are_called_so():
    found = said([made_row("one", 500, noise=0.2), made_row("other", 501, noise=0.2)])["Fastest"]
    assert "Not told apart from" in found
    found = said([made_row("one", 500), made_row("other", 600)])["Fastest"]
    assert "Not told apart" not in found and "of the next, #2 other" in found


def test_rows_of_different_reports_get_no_ratio():
    found = said([made_row("one", 500), made_row("other", 600, report="run-2")])["Fastest"]
    assert "not measured in turns" in found and "×" not in found


def test_a_file_past_the_limit_is_never_the_choice():
    found = said([made_row("wrong", 100, error=1e-2, peak_mib=200), made_row("right", 500)])
    assert "right" in found["Fastest"] and "right" in found["Leanest"] and "right" in found["Most faithful"]
    assert "wrong" in found["Past the limit"] and difference(LIMITS["fp32"]) in found["Past the limit"]


def test_a_flag_on_the_winner_is_said_with_it_and_the_next_sound_one_named():
    rows = [made_row("hot", 300, flags=["throttled"]), made_row("cool", 500)]
    fastest = said(rows)["Fastest"]
    assert "hot" in fastest and "flagged: throttled" in fastest and "without such a flag is #2 cool" in fastest
    assert said(rows)["Flagged"].startswith("#1.")


def test_what_all_rows_are_flagged_for_speaks_against_none_of_them(without_plots, tmp_path):
    shared = "12 runs: their p99 is nearly their maximum"
    rows = [made_row("one", 300, flags=[shared]), made_row("other", 500, flags=[shared, "hot"])]
    assert "But" not in said(rows)["Fastest"] and "#1 and #2" in said(rows)["Flagged"]
    write_report(tmp_path, rows)
    text = (tmp_path / "report.md").read_text()
    assert text.count(shared) == 1 and f"**all rows**: {shared}." in text and "**#2 other**: hot." in text


def test_a_fallback_is_a_flag_even_where_the_row_has_none():
    row = made_row("npu").model_copy(
        update={"setting": made_row("x").setting.model_copy(update={"fallback": "to cpu"})}
    )
    (figures,) = summarise([row]).figures
    assert figures.flags == ["to cpu"]


def test_scores_that_do_not_differ_are_said_to_prove_nothing():
    found = said([made_row("a", spread=0.0), made_row("b", spread=0.0)])
    assert "too alike" in found["Proves nothing"] and "Most faithful" not in found


def test_a_precision_without_a_limit_is_not_called_within_it():
    found = said([made_row("a", subject={"precision": "int3"})])
    assert "No limit is set" in found["Most faithful"] and "No parity limit is set for int3" in found["Fastest"]


def test_an_emulator_has_scores_and_no_time():
    (figures,) = summarise([made_row("arm", machine=EMULATED)]).figures
    assert figures.run is None and figures.gmacs_per_s is None and figures.parity.passed
    found = said([made_row("arm", machine=EMULATED)])
    assert "Fastest" not in found and "Leanest" not in found and "Most faithful" in found


def test_a_stand_in_for_the_runtime_is_never_fastest_or_leanest():
    evaluated = made_row("core.mlpackage", 10, format="coreml", peak_mib=120, error=1e-8)
    setting = evaluated.setting.model_copy(update={"executes_artifact": False})
    evaluated = evaluated.model_copy(update={"setting": setting})
    found = said([evaluated, made_row("a.onnx", 500)])
    assert "a.onnx" in found["Fastest"] and "a.onnx" in found["Leanest"] and "core" in found["Most faithful"]
    assert "mlpackage" not in found["Fastest"] + found["Leanest"]
    by_name = {figures.name: figures for figures in summarise([evaluated, made_row("a.onnx")]).figures}
    assert by_name["core.mlpackage"].ratio is None and by_name["a.onnx"].ratio_to.subject.name == "a.onnx"


def test_host_figures_and_untrained_weights_are_called_so(tmp_path):
    found = said([made_row("a")])
    assert "No phone figure without a phone" in found["Host figures"] and "Not trained" in found
    found = said([made_row("a", machine=PHONE, subject={"trained": True})])
    assert "Host figures" not in found and "Not trained" not in found


def test_views_and_machines_are_never_mixed():
    rows = [made_row("c", 100), made_row("f", 500, view="full"), made_row("p", 10, machine=PHONE, report="phone")]
    summary = summarise(rows)
    assert [(place.machine, place.views) for place in summary.places] == [(PHONE, ["crop"]), (HOST, ["crop", "full"])]
    verdicts = judge(summary)
    assert ["p" in verdicts[0].sentences[0].text, "c" in verdicts[1].sentences[0].text] == [True, True]
    (cost,) = [line for line in verdicts[2].sentences if line.label == "Full or crop"]
    assert float(re.search(r"([\d.]+)×", cost.text)[1]) == pytest.approx(5, rel=0.1)


def test_between_inputs_the_report_says_what_each_costs():
    rows = [made_row(name, ms, subject={"input": name}) for name, ms in (("views", 70), ("pixels", 100))]
    found = said(rows)["Which input"]
    assert "#1 views:" in found and "any size" in found and "pixels" in found
    assert float(re.search(r"([\d.]+)×", found)[1]) == pytest.approx(0.7, rel=0.1)
    assert "Which input" not in said([rows[0], made_row("other", 100, format="tflite", subject={"input": "pixels"})])
    in_browser = Setting(runtime="ONNX Runtime Web 1.30.0, Chromium 156", threads=2)
    twin = made_row("views, Chromium", 200, subject={"input": "views"}, setting=in_browser)
    assert "Which input" not in said([rows[0], twin])  # one file in two runtimes has one input
    assert "Chromium" not in said([*rows, twin])["Which input"]


def test_the_baseline_is_the_reference_of_the_same_view_or_the_one_that_is_named():
    rows = [made_row("c", 100), made_row("f", 500, view="full")]
    rows += [made_row(f"torch {view}", 1000, view=view, subject={"role": "reference"}) for view in ("crop", "full")]
    by_name = {figures.name: figures for figures in summarise(rows).figures}
    assert by_name["c"].ratio_to.subject.name == "torch crop" and by_name["f"].ratio_to.subject.name == "torch full"
    assert by_name["c"].ratio.median == pytest.approx(0.1, rel=0.1)
    by_name = {figures.name: figures for figures in summarise(rows, "f").figures}
    assert by_name["c"].ratio.median == pytest.approx(0.2, rel=0.1) and by_name["f"].ratio is None


def test_the_share_of_the_limit_by_hand():
    row = made_row("a").model_copy(update={"limit": LIMIT})
    latency = row.latency.model_copy(update={"inference_ms": [100.0] * 30})
    (figures,) = summarise([row.model_copy(update={"latency": latency})]).figures
    assert figures.gmacs_per_s == pytest.approx(76.6) and figures.limit_share == pytest.approx(76.6 / 104.2)


def test_quoted_methods_are_shown_as_quoted_with_the_papers_bound(folder):
    text = (folder / "report.md").read_text()
    assert text.count("quoted, not measured") == len(QUOTED)
    assert "| LAR-IQA (KAN head) (quoted, not measured) | ≤ 37 | 21.1 |" in text
    full = next(line for line in text.splitlines() if "full_3840x2160_fp32.onnx (full view)" in line)
    assert "| 35.9 | ≤ 37 |" in full


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (digits(0.01234), "0.0123"), (digits(999.6), "1\u202f000"), (digits(12345.6), "12\u202f346"), (digits(0), "0"),
        (digits(None), "–"), (ms(0.002), "<0.01"), (ms(0.12), "0.12"), (ms(1234.5), "1\u202f234"),
        (percent(0.456), "46 %"), (percent(0), "0 %"), (percent(1e-6), "<0.01 %"), (percent(0.0012), "0.12 %"),
        (difference(7.23e-7), "7.2e-07"), (difference(0.0), "0"),
        (correlation(1.0), "1"), (correlation(0.9999999), "0.99999"), (correlation(0.987654), "0.98765"),
    ],
)  # fmt: skip
def test_figures_read_as_people_write_them(shown, text):
    assert shown == text
