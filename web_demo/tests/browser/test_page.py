"""The page as a person uses it: pick, drop, look, go by keyboard, change the runtime, measure."""

import hashlib
import json
import time

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from benchmarks.phones.phone_rows import import_rows
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.photos.photo import open_photo
from lariqa.photos.views import inputs_of
from tests.support.web_page import ONNX, TFLITE

SEEN = """
    window.seen = [];
    const banner = document.getElementById('state');
    new MutationObserver(() => {
        const name = banner.dataset.state;
        if (window.seen.at(-1) !== name) window.seen.push(name);
    }).observe(banner, { attributes: true, attributeFilter: ['data-state'] });"""


@pytest.fixture
def photos(exported):
    return exported.parent / "photos"


@pytest.fixture
def ready(page, serve):
    page.open(serve().address).wait_for("Ready")
    return page


def test_picked_photos_come_best_first_with_pytorchs_scores(ready, photos, scores):
    names = ["101x97.jpg", "641x427.webp", "333x517.png"]
    references = {name: scores[name]["reference"] for name in names}
    best_first = sorted(names, key=references.get, reverse=True)
    assert best_first != names
    ready.pick(*(photos / name for name in names))
    shown = ready.scored()
    assert list(shown) == best_first
    assert all(abs(float(text) - references[name]) <= 1e-4 for name, text in shown.items()), (shown, references)
    assert ready.text("verdict").startswith(f"Keep {best_first[0]}")
    assert ready.run("return document.querySelector('#scored .kept .name').textContent") == best_first[0]
    meaning = ready.run("return document.querySelector('#scored details').textContent")
    assert "on a scale of about 0 to 1, higher is better." in meaning and "The model looked twice" in meaning
    assert "Within 0.0001 of PyTorch's score, computed in float32." in meaning and "NOT TRAINED" in meaning


def test_the_states_follow_each_other(page, serve, photos):
    page.open(serve().address)
    page.run(SEEN)
    assert "Self-test passed: the golden photo scores" in page.wait_for("Ready")
    page.pick(photos / "641x427.jpg")
    seen = page.run("return window.seen")
    assert [name for name in seen if name != "Loading"][:3] == ["Self-test", "Ready", "Scoring"] and seen[-1] == "Ready"


def test_a_dropped_photo_is_scored(ready, photos, scores, browser):
    box = ready.run("const box = document.getElementById('drop').getBoundingClientRect(); return [box.x, box.y]")
    data = {"items": [], "files": [str(photos / "333x517.jpg")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": box[0] + 40, "y": box[1] + 40, "data": data}
        browser.execute_cdp_cmd("Input.dispatchDragEvent", event)
        if kind == "dragOver":
            assert ready.run("return document.getElementById('drop').classList.contains('over')")
    ready.wait_until_done(1)
    ((name, text),) = ready.scored().items()
    assert name == "333x517.jpg" and abs(float(text) - scores[name]["reference"]) <= 1e-4
    assert not ready.run("return document.getElementById('drop').classList.contains('over')")


def test_both_views_are_shown_as_the_model_saw_them(ready, photos, exported):
    ready.pick(photos / "641x427.png")
    ready.run("document.querySelector('#scored details').open = true")
    ready.until("return document.querySelectorAll('#scored .views canvas').length === 2")
    shown = ready.ask("""
        const sums = {};
        for (const canvas of document.querySelectorAll('#scored .views canvas')) {
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const rgb = data.filter((_, i) => i % 4 < 3);
            const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', rgb));
            sums[canvas.dataset.view] = [...sum].map(byte => byte.toString(16).padStart(2, '0')).join('');
        }
        return sums;""")
    spec = PreprocessSpec.from_json(json.loads((exported / "lariqa.json").read_text())["model"]["preprocess"])
    made = inputs_of(open_photo(photos / "641x427.png"), "views", spec)
    assert shown == {name: hashlib.sha256(pixels.tobytes()).hexdigest() for name, pixels in made.items()}


def test_it_goes_by_keyboard_alone(ready, photos, browser):
    names = []
    for _ in range(12):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        active = browser.switch_to.active_element
        names.append(active.get_attribute("id") or active.tag_name)
    assert names.index("pick") < names.index("take") < names.index("summary")  # model and runtime, benchmark
    ready.pick(photos / "101x97.jpg")
    summary = browser.find_element("css selector", "#scored summary")
    summary.send_keys(Keys.ENTER)
    ready.until("return document.querySelectorAll('#scored .views canvas').length === 2")
    browser.find_element("id", "clear").send_keys(Keys.ENTER)
    assert ready.count() == 0 and browser.switch_to.active_element.get_attribute("id") == "pick"


def test_another_runtime_can_be_chosen_and_what_was_scored_stays(ready, photos, scores):
    assert "LiteRT.js" in ready.text("model-facts") and "2 threads" in ready.text("model-facts")
    ready.pick(photos / "641x427.jpg")
    ready.choose(ONNX)
    ready.until("return document.getElementById('model-facts').textContent.includes('ONNX Runtime Web')")
    ready.wait_for("Ready")
    assert "2 threads" in ready.text("model-facts")
    ready.pick(photos / "333x517.webp")
    shown = ready.scored()
    assert len(shown) == 2
    assert all(abs(float(text) - scores[name]["reference"]) <= 1e-4 for name, text in shown.items())


def test_photos_that_wait_are_scored_by_the_runtime_that_is_chosen_meanwhile(ready, photos, scores):
    names = ["1920x1080.jpg", "1080x1920.jpg", "641x427.jpg", "333x517.jpg"]
    ready.browser.find_element("id", "pick").send_keys("\n".join(str(photos / name) for name in names))
    ready.until("return document.getElementById('state').dataset.state === 'Scoring'")
    ready.choose(ONNX)
    ready.wait_until_done(len(names))
    assert sorted(ready.scored()) == sorted(names) and ready.refused() == []


def test_the_benchmark_writes_rows_that_import_takes(ready, photos, tmp_path):
    ready.pick(photos / "641x427.jpg", photos / "333x517.jpg")
    ready.run("document.getElementById('benchmark').open = true; document.getElementById('runs').value = 3;")
    ready.browser.find_element("id", "measure").click()
    said = ready.until("""
        const text = document.getElementById('figures').textContent;
        return /^(Measured|Not measured)/.test(text) ? text : '';""")
    assert said.startswith("Measured: 3 runs. Load "), said
    text = ready.ask("return (await fetch(document.getElementById('rows').href)).text()")
    assert "refused" in text  # the page may not even fetch what it made itself; a person saves it by the link
    text = ready.ask("return window.lariqaRows()")
    (tmp_path / "rows.jsonl").write_text(text)
    (row,) = import_rows(tmp_path / "rows.jsonl")
    assert row.error is None and len(row.latency.total_ms) == 3 and all(ms > 0 for ms in row.latency.total_ms)
    assert row.latency.load_ms > 0 and row.latency.first_ms > 0 and row.subject.file == TFLITE
    assert row.machine.kind == "host" and "Chromium" in row.machine.system and row.setting.threads == 2
    assert [score.photo for score in row.scores] == ["641x427.jpg", "333x517.jpg"]
    assert "only 3 counted runs: p95 says little" in row.flags
    ready.wait_for("Ready")  # the model is loaded again


def test_a_measurement_can_be_stopped(ready, photos):
    ready.run("document.getElementById('benchmark').open = true; document.getElementById('runs').value = 900;")
    ready.browser.find_element("id", "measure").click()
    ready.until("return /: [1-9]\\d* of/.test(document.getElementById('figures').textContent)")
    time.sleep(0.1)
    ready.browser.find_element("id", "stop").click()
    ready.until("return document.getElementById('figures').textContent.startsWith('Measured: ')")
    assert "stopped by the user after" in ready.ask("return window.lariqaRows()")
