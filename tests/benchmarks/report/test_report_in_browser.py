"""report.html as a reader meets it: in headless Chromium, as wide as a phone and as a desk, in light and in dark.

Needs Chromium and its driver (``make browser`` installs them on Debian). Screenshots go to a folder of pytest, or the
one that LARIQA_SCREENSHOTS names, to be looked at.
"""

import base64
import json
import os
import shutil
from pathlib import Path

import pytest

from benchmarks.report.plots import plots_of
from benchmarks.report.report import write_report
from benchmarks.report.summary import summarise
from tests.support.made_rows import made_rows

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars"
)
WIDTHS, THEMES = (390, 1280), ("light", "dark")
READABLE = 4.5  # contrast of text, WCAG 2 AA
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium with chromedriver on this machine; `make browser` installs them"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
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
    scheme = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(report.as_uri())
    browser.execute_script("for (const folded of document.querySelectorAll('details')) folded.open = true;")
    browser.logged = {kind: browser.get_log(kind) for kind in ("browser", "performance")}


def screenshot(browser, path: Path) -> bytes:
    """The whole page, as PNG."""
    height = browser.execute_script("return document.documentElement.scrollHeight")
    width = browser.execute_script("return document.documentElement.clientWidth")
    area = {"x": 0, "y": 0, "width": width, "height": min(height, 16_000), "scale": 1}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": area})
    path.write_bytes(base64.b64decode(shot["data"]))
    return path.read_bytes()


def test_the_browser_logs_what_goes_wrong(browser, tmp_path):
    """Before its silence is taken for a good sign."""
    bad = tmp_path / "bad.html"
    bad.write_text("<!doctype html><img src='absent.png'><script>console.error('planted'); planted()</script>")
    open_page(browser, bad, 390, "light")
    said = " ".join(entry["message"] for entry in browser.logged["browser"])
    assert "planted" in said and "ReferenceError" in said and "absent.png" in said
    assert any(method == "Network.loadingFailed" for method, _ in network(browser))


def network(browser) -> list[tuple[str, dict]]:
    """(method, parameters) of everything that the page had to do with the network, files included."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.logged["performance"]]
    return [(m["method"], m["params"]) for m in messages if m["method"].startswith("Network.")]


def test_nothing_is_complained_of_and_nothing_is_fetched(opened, report):
    assert opened.logged["browser"] == []
    asked = [params["request"]["url"] for method, params in network(opened) if method == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert not [params for method, params in network(opened) if method == "Network.loadingFailed"]


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
    inside, wide, outside = opened.execute_script("""
        const limit = document.documentElement.clientWidth;
        const scrolled = element => element.closest('.scroll, pre') !== null;
        return [document.documentElement.scrollWidth, limit,
            [...document.querySelectorAll('body *')].filter(element => !scrolled(element)
                && element.getBoundingClientRect().right > limit + 1)
                .map(element => element.outerHTML.slice(0, 80))];""")
    assert inside <= wide and outside == []


def test_the_main_tables_need_no_scrolling(opened):
    hidden = opened.execute_script("""
        return [...document.querySelectorAll('.scroll.cards')].filter(box => box.scrollWidth > box.clientWidth + 1)
            .map(box => box.getAttribute('aria-label'));""")
    assert hidden == []


def test_all_text_is_readable(opened):
    faint = opened.execute_script(
        """
        const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
        const light = colour => numbers(colour).slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const behind = element => {
            for (let at = element; at; at = at.parentElement) {
                const colour = getComputedStyle(at).backgroundColor;
                if ((numbers(colour)[3] ?? 1) > 0) return colour;
            }
            return 'rgb(255, 255, 255)';
        };
        const told = [];
        for (const element of document.querySelectorAll('body *')) {
            const hasText = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
            const style = getComputedStyle(element);
            if (!hasText || style.display === 'none') continue;
            const colour = element.closest('svg') ? style.fill : style.color;
            const [a, b] = [light(colour), light(behind(element))].sort((x, y) => y - x);
            const contrast = (a + 0.05) / (b + 0.05);
            if (contrast < arguments[0]) told.push([contrast, colour, element.textContent.slice(0, 40)]);
        }
        return told;""",
        READABLE,
    )
    assert faint == []


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
