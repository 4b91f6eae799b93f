"""Whatever is wrong ends in one sentence, and the page is alive afterwards."""

import json
import shutil

import pytest

from benchmarks.browser import chromium
from tests.support.web_page import BOTH, ONNX, TFLITE, Page


@pytest.fixture
def copy(exported, tmp_path):
    """The export, to be spoilt."""
    return shutil.copytree(exported, tmp_path / "copy")


def works_again(page, serve, photo) -> None:
    page.open(serve().address).wait_for("Ready")
    page.pick(photo)
    assert len(page.scored()) == 1


@pytest.mark.parametrize("file", BOTH)
def test_a_tampered_model_is_refused_and_another_file_can_be_chosen(page, serve, exported, tmp_path, file):
    data = bytearray((exported / file).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / file).write_bytes(data)
    other = ONNX if file == TFLITE else TFLITE
    page.open(serve(beside={f"model/{file}": tmp_path / file}).address)
    if file == ONNX:
        page.wait_for("Ready")
        page.choose(file)
    said = page.wait_for("Failed")
    assert said == f"{file} is not the file that lariqa.json beside it describes (its sha256 differs); export again"
    page.choose(other)
    assert "Self-test passed" in page.wait_for("Ready")


def test_a_model_that_is_cut_short_or_not_there_is_refused(page, serve, exported, tmp_path):
    (tmp_path / TFLITE).write_bytes((exported / TFLITE).read_bytes()[:-1000])
    page.open(serve(beside={f"model/{TFLITE}": tmp_path / TFLITE}).address)
    assert "its sha256 differs" in page.wait_for("Failed")
    page.open(serve(beside={f"model/{TFLITE}": tmp_path / "absent"}).address)
    assert page.wait_for("Failed") == f"no model at {TFLITE}; `lariqa export` makes one"


def test_a_model_that_scores_the_golden_photo_otherwise_shows_no_score(page, serve):
    server = serve()
    manifest = json.loads(server.made["model/lariqa.json"])
    for row in manifest["artifacts"]:
        for photo in row["parity"]["photos"]:
            photo["reference"] += 0.01
    server.made["model/lariqa.json"] = json.dumps(manifest).encode()
    said = page.open(server.address).wait_for("Failed")
    assert "the golden photo scores" in said and "its scores cannot be trusted" in said and "within 0.0001" in said
    assert page.run("return document.getElementById('pick').disabled")


def test_a_manifest_that_is_none_is_refused_and_can_be_tried_again(page, serve):
    server = serve()
    good = server.made["model/lariqa.json"]
    server.made["model/lariqa.json"] = b"{"
    assert page.open(server.address).wait_for("Failed").startswith("lariqa.json is not JSON: ")
    server.made["model/lariqa.json"] = good
    page.browser.find_element("id", "again").click()
    assert "Self-test passed" in page.wait_for("Ready")


def test_photos_that_cannot_be_scored_are_refused_in_pythons_words(page, serve, exported):
    vectors = exported.parent
    sentences = json.loads((vectors / "bad.json").read_text())
    page.open(serve().address).wait_for("Ready")
    page.pick(*(vectors / "bad" / name for name in sentences))
    said = dict(zip(sentences, page.refused(), strict=True))  # in the order in which they were picked
    assert len(sentences) >= 12 and page.scored() == {}
    for name, sentence in sentences.items():
        if name == "small.png":  # Python's is about the photo, the page puts its name before it
            sentence = f"{name}: {sentence}"
        assert said[name].startswith(sentence), name
        assert said[name].count("; ") == 1 and "\n" not in said[name]
    page.pick(vectors / "photos" / "101x97.jpg")
    assert list(page.scored()) == ["101x97.jpg"]


def test_a_device_without_room_scores_and_says_that_it_keeps_nothing(page, serve, exported, browser):
    server = serve()
    quota = {"origin": server.address.rstrip("/"), "quotaSize": 3_000_000}
    browser.execute_cdp_cmd("Storage.overrideQuotaForOrigin", quota)
    page.open(server.address).wait_for("Ready")
    said = page.until("return document.getElementById('notice').textContent")
    assert "could not be kept on this device" in said and said.endswith("fetched again next time.")
    page.pick(exported.parent / "photos" / "101x97.jpg")
    assert len(page.scored()) == 1


def test_webgpu_is_refused_where_there_is_none_and_nothing_takes_its_place(page, serve):
    page.open(serve().address).wait_for("Ready")
    page.choose(ONNX, "webgpu")
    assert page.wait_for("Failed") == (
        "this browser cannot use WebGPU on this device: it offers no adapter; choose WASM"
    )
    page.choose(ONNX)
    assert "Self-test passed" in page.wait_for("Ready")


def test_a_browser_without_simd_is_told_so(serve, tmp_path_factory):
    old = "--js-flags=--no-enable-sse3 --no-enable-ssse3 --no-enable-sse4-1 --no-enable-sse4-2 --no-enable-avx"
    driver = chromium.start(tmp_path_factory.mktemp("old"), [old])
    try:
        said = Page(driver).open(serve().address).wait_for("Failed")
        assert said == (
            "this browser's WebAssembly has no SIMD, which the model runs on; update it, or use another one"
        )
        assert Page(driver).run("return document.title").startswith("LAR-IQA")
    finally:
        driver.quit()
