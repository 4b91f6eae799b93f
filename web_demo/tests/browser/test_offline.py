"""Once loaded it works without a network, from any static server; and it connects to nothing but its own files."""

import functools
import http.server
import shutil
import threading

import pytest

from export.app_bundle import bundle
from export.web_server import SITE
from tests.support.web_page import ONNX

ELSEWHERE = """
    const tried = {};
    const note = async (name, attempt) => { tried[name] = await attempt().then(() => 'sent', error => String(error)); };
    await note('fetch', () => fetch(args[0], { mode: 'no-cors' }));
    await note('beacon', async () => { if (navigator.sendBeacon(args[0], 'x')) return; throw 'refused'; });
    await note('image', () => new Promise((load, refuse) => {
        const image = new Image();
        Object.assign(image, { onload: load, onerror: () => refuse('refused'), src: args[0] });
    }));
    await note('socket', () => new Promise((open, refuse) => {
        Object.assign(new WebSocket(args[0].replace('http', 'ws')), { onopen: open, onerror: () => refuse('refused') });
    }));
    return tried;"""
PROBE = """
    onmessage = ({ data }) => fetch(data, { mode: 'no-cors' })
        .then(() => postMessage('sent'), error => postMessage(String(error)));"""


class Listening(http.server.SimpleHTTPRequestHandler):
    """A static server as people have one: no header of ours."""

    def log_message(self, *arguments):
        self.server.asked.append(self.path)


@pytest.fixture
def static(tmp_path):
    """static(folder) -> (address, paths that were asked for, stop)."""
    running = []

    def start(folder):
        handler = functools.partial(Listening, directory=folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.asked = []
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        running.append(server)

        def stop():
            server.shutdown()
            server.server_close()
            running.remove(server)

        return f"http://127.0.0.1:{server.server_port}/", server.asked, stop

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def site(exported, tmp_path_factory):
    """What `make web MODEL_DIR=...` makes, with a probe."""
    folder = tmp_path_factory.mktemp("site") / "site"
    shutil.copytree(SITE, folder, ignore=shutil.ignore_patterns("model"))
    bundle(exported, "web", folder / "model")
    (folder / "runtime" / "probe.js").write_text(PROBE)
    return folder


def test_on_any_static_server_it_has_threads_and_works_when_the_server_is_gone(page, static, site, exported, scores):
    address, asked, stop = static(site)
    page.open(address)
    page.until("return crossOriginIsolated && document.getElementById('state').dataset.state === 'Ready'")
    assert "2 threads" in page.text("model-facts") and f"/model/{ONNX}" not in asked
    page.until("return caches.keys().then(names => names.length === 2)")
    stop()
    page.open(address).wait_for("Ready")
    page.pick(exported.parent / "photos" / "641x427.jpg")
    ((name, text),) = page.scored().items()
    assert abs(float(text) - scores[name]["reference"]) <= 1e-4
    page.choose(ONNX)  # was never fetched
    assert page.wait_for("Failed").startswith(
        f"{ONNX} could not be fetched (TypeError: Failed to fetch); go online once"
    )


@pytest.mark.parametrize("kind", ("lariqa web", "a static server"))
def test_neither_the_page_nor_its_worker_reaches_anything_else(page, serve, static, site, kind, tmp_path):
    (tmp_path / "open").mkdir()
    other, reached, _ = static(tmp_path / "open")
    if kind == "lariqa web":
        address = serve(beside={"runtime/probe.js": site / "runtime" / "probe.js"}).address
    else:
        address, _, _ = static(site)
    page.open(address)
    page.until("return crossOriginIsolated && document.getElementById('state').dataset.state === 'Ready'")
    tried = page.ask(ELSEWHERE, f"{other}page")
    assert tried["fetch"].startswith("TypeError") and "sent" not in (tried["fetch"], tried["image"], tried["socket"]), (
        tried
    )
    said = page.ask(
        """const worker = new Worker('runtime/probe.js');
        worker.postMessage(args[0]);
        return new Promise(resolve => { worker.onmessage = ({ data }) => resolve(data); });""",
        f"{other}worker",
    )
    assert said.startswith("TypeError"), said
    assert reached == []
    page.browser.get(f"{other}plain")  # the listener does hear
    assert "/plain" in reached


def test_a_page_of_a_newer_export_takes_the_newer_file(page, static, site, exported, tmp_path):
    """The cache has an older file of that name: its sum differs, and the network is asked again."""
    folder = shutil.copytree(site, tmp_path / "site")
    model = next((folder / "model").glob("*.tflite"))
    whole = model.read_bytes()
    model.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    address, _, _ = static(folder)
    page.open(address)
    page.until("return document.getElementById('state').dataset.state === 'Failed' && crossOriginIsolated")
    model.write_bytes(whole)
    page.open(address)
    assert "Self-test passed" in page.wait_for("Ready")
