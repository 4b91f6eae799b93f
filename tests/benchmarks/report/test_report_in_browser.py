"""report.html as a reader meets it: in headless Chromium, as wide as a phone and as a desk, in light and in dark.

Needs Chromium and its driver (``make browser`` installs them on Debian). Screenshots go to a folder of pytest, or the
one that LARIQA_SCREENSHOTS names, to be looked at.
"""

import os
from pathlib import Path

import pytest

from benchmarks.browser import chromium
from benchmarks.report.plots import plots_of
from benchmarks.report.report import write_report
from benchmarks.report.summary import summarise
from tests.support.made_rows import made_rows
from tests.support.page import faint_text, network_of, screenshot, set_screen, too_wide

WIDTHS, THEMES = (390, 1280), ("light", "dark")
pytestmark = pytest.mark.skipif(not chromium.is_here(), reason=chromium.ABSENT)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = chromium.start(tmp_path_factory.mktemp("profile"), ["--hide-scrollbars"])
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of every kind of row."""
    return write_report(tmp_path_factory.mktemp("report"), made_rows(), command="lariqa bench run exported -o report")


@pytest.fixture(scope="module")
def plot_names() -> set[str]:
    summary = summarise(made_rows())
    groups = [(place, view) for place in summary.places for view in place.views]
    return {f"plot-{plot.name}" for i, (place, view) in enumerate(groups) for plot in plots_of(place, view, f"g{i}")}


@pytest.fixture(scope="module")
def shots(tmp_path_factory) -> Path:
    folder = Path(os.environ.get("LARIQA_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(params=[(width, theme) for width in WIDTHS for theme in THEMES], ids=lambda at: f"{at[0]}-{at[1]}")
def opened(browser, report, request):
    """The browser with the page open; what it logged while opening is in ``browser.logged``."""
    open_page(browser, report, *request.param)
    return browser


def open_page(browser, report: Path, width: int, theme: str) -> None:
    set_screen(browser, width, theme)
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(report.as_uri())
    browser.execute_script("for (const folded of document.querySelectorAll('details')) folded.open = true;")
    browser.logged = {kind: browser.get_log(kind) for kind in ("browser", "performance")}


def test_the_browser_logs_what_goes_wrong(browser, tmp_path):
    """Before its silence is taken for a good sign."""
    bad = tmp_path / "bad.html"
    bad.write_text("<!doctype html><img src='absent.png'><script>console.error('planted'); planted()</script>")
    open_page(browser, bad, 390, "light")
    said = " ".join(entry["message"] for entry in browser.logged["browser"])
    assert "planted" in said and "ReferenceError" in said and "absent.png" in said
    assert any(method == "Network.loadingFailed" for method, _ in network_of(browser.logged["performance"]))


def test_nothing_is_complained_of_and_nothing_is_fetched(opened, report):
    assert opened.logged["browser"] == []
    asked = [
        params["request"]["url"]
        for method, params in network_of(opened.logged["performance"])
        if method == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert not [
        params for method, params in network_of(opened.logged["performance"]) if method == "Network.loadingFailed"
    ]


def test_every_plot_is_there_and_has_its_size(opened, plot_names):
    assert (
        len(plot_names) >= 12 and {"plot-g1-latency", "plot-g1-memory", "plot-g1-scores", "plot-g1-pareto"} < plot_names
    )
    boxes = opened.execute_script("""
        return Object.fromEntries([...document.querySelectorAll('figure')].map(figure => {
            const drawn = figure.querySelector('svg').getBoundingClientRect();
            return [figure.id, [drawn.width, drawn.height, figure.querySelectorAll('svg path, svg use').length]];
        }));""")
    assert boxes.keys() == plot_names
    assert all(width > 280 and height > 90 and shapes > 10 for width, height, shapes in boxes.values()), boxes


def test_no_label_of_a_plot_is_cut_off(opened):
    cut = opened.execute_script("""
        return [...document.querySelectorAll('figure svg')].flatMap(svg => {
            const whole = svg.getBoundingClientRect();
            return [...svg.querySelectorAll('text')].filter(text => {
                const box = text.getBoundingClientRect();
                return box.left < whole.left - 1 || box.right > whole.right + 1
                    || box.top < whole.top - 1 || box.bottom > whole.bottom + 1;
            }).map(text => {
                const box = text.getBoundingClientRect();
                const over = [whole.left - box.left, box.right - whole.right, whole.top - box.top,
                    box.bottom - whole.bottom];
                return `${svg.parentElement.id}: ${text.textContent} by ${Math.max(...over).toFixed(1)} px`;
            });
        });""")
    assert cut == []


def test_the_page_is_never_wider_than_the_screen(opened):
    inside, wide = opened.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth];"
    )
    assert inside <= wide and too_wide(opened) == []


def test_the_main_tables_need_no_scrolling(opened):
    hidden = opened.execute_script("""
        return [...document.querySelectorAll('.scroll.cards')].filter(box => box.scrollWidth > box.clientWidth + 1)
            .map(box => box.getAttribute('aria-label'));""")
    assert hidden == []


def test_all_text_is_readable(opened):
    assert faint_text(opened) == []


def test_the_themes_differ_and_leave_screenshots(browser, report, shots):
    colours, pictures = {}, {}
    for width in WIDTHS:
        for theme in THEMES:
            open_page(browser, report, width, theme)
            colours[width, theme] = browser.execute_script("""
                const seen = (element, what) => getComputedStyle(document.querySelector(element))[what];
                return [seen('body', 'backgroundColor'), seen('body', 'color'), seen('figure svg text', 'fill')];""")
            pictures[width, theme] = screenshot(browser, shots / f"report-{width}-{theme}.png")
    for width in WIDTHS:
        pairs = zip(colours[width, "light"], colours[width, "dark"], strict=True)
        assert all(light != dark for light, dark in pairs)
        assert pictures[width, "light"] != pictures[width, "dark"]
    assert all(len(picture) > 50_000 for picture in pictures.values())
