"""`lariqa web`: a page and an export on loopback, with the headers that keep photos in; nothing else is served."""

import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from export.rewrite.export_ready import ExportRequest
from export.web_server import WebServer
from lariqa.errors import Refusal

HOUSE = Path(__file__).parents[2]
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.fixture
def site(tmp_path):
    """As built, in what the server needs of it."""
    folder = tmp_path / "site"
    (folder / "runtime").mkdir(parents=True)
    (folder / "index.html").write_text("<title>page</title>")
    (folder / "runtime" / "a.mjs").write_text("export {}")
    (folder / "built.json").write_text(json.dumps({"version": "1", "headers": HEADERS}))
    (folder / "model").mkdir()
    (folder / "model" / "old.onnx").write_text("of another export")
    return folder


@pytest.fixture
def exported(shared_exports):
    return shared_exports(ExportRequest(input="views"))[0]


@pytest.fixture
def server(exported, site):
    with WebServer(exported, site=site) as running:
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        yield running
        running.shutdown()


def get(server, path: str, method: str = "GET"):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
    connection.request(method, path)
    answer = connection.getresponse()
    return answer, answer.read()


def test_page_and_export_are_served_with_the_headers(server, exported):
    manifest = json.loads(get(server, "/model/lariqa.json")[1])
    (row,) = manifest["artifacts"]
    assert row["input"] == "views"
    for path, kind, body in (
        ("/", "text/html", b"<title>page</title>"),
        ("/index.html?x=1", "text/html", b"<title>page</title>"),
        ("/runtime/a.mjs", "text/javascript", b"export {}"),
        (f"/model/{row['file']}", "application/octet-stream", (exported / row["file"]).read_bytes()),
        ("/model/golden.png", "image/png", (exported / "golden.png").read_bytes()),
    ):
        answer, came = get(server, path)
        assert (answer.status, answer.headers["Content-Type"], came) == (200, kind, body), path
        assert all(answer.headers[name] == value for name, value in HEADERS.items())
        head, nothing = get(server, path, "HEAD")
        assert (head.headers["Content-Length"], nothing) == (str(len(body)), b"")


@pytest.mark.parametrize(
    "path", ["/absent", "/model/old.onnx", "/model/reference.safetensors", "/../built.json", "/%2e%2e/x", "/runtime"]
)
def test_nothing_else_is_served(server, path):
    answer, came = get(server, path)
    assert (answer.status, came) == (404, b"") and answer.headers["Content-Security-Policy"]


def test_it_listens_to_this_machine_alone(server):
    assert server.server_address[0] == "127.0.0.1" and server.address == f"http://127.0.0.1:{server.server_port}/"


def test_what_cannot_be_served_is_refused_in_one_sentence(exported, site, tmp_path):
    with pytest.raises(Refusal, match=r"no page at .*; `make web MODEL_DIR=.*` builds it once \(it needs Node 20\)"):
        WebServer(exported, site=tmp_path / "absent")
    with pytest.raises(Refusal, match="no folder at"):
        WebServer(tmp_path / "absent", site=tmp_path / "absent")  # before anybody builds a page for it
    spoilt = shutil.copytree(exported, tmp_path / "spoilt")
    model = next(spoilt.glob("*.onnx"))
    model.write_bytes(model.read_bytes() + b"x")
    with pytest.raises(Refusal, match="its sha256 differs"):
        WebServer(spoilt, site=site)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Refusal, match=r"port \d+ cannot be used: .*; give another one by --port"):
            WebServer(exported, taken.getsockname()[1], site=site)


def test_the_command_ends_with_one_sentence_and_status_2(tmp_path):
    words = [sys.executable, "-m", "lariqa_cli", "web", tmp_path / "absent"]
    done = subprocess.run(words, cwd=HOUSE, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"error: no (folder|page) at [^\n]+\n", done.stderr), done.stderr


def test_the_command_serves_until_it_is_ended(exported, site, monkeypatch):
    code = f"""
from pathlib import Path
import export.web_server
from lariqa_cli.main import main
export.web_server.WebServer.__init__.__defaults__ = (0, Path({str(site)!r}), None)
main()"""
    words = [sys.executable, "-c", code, "web", str(exported), "--port", "0"]
    with subprocess.Popen(words, cwd=HOUSE, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        said = next(line for line in running.stderr if "open http" in line)
        port = int(re.search(r"127\.0\.0\.1:(\d+)/", said).group(1))
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"<title>page</title>"
        running.send_signal(2)
        assert running.wait(20) == 0 and "sha256 checked" in running.stdout.read()
