"""Serve the browser app with one export, to this machine alone.

    /           the page's files, which `make web` builds into web_demo/site
    /model/     lariqa.json with the files that a browser runs, the golden photo, those files

Every answer has the headers of web_demo/src/headers.ts: the page may connect to nothing but this server, and is
isolated, so that it may use threads. They come with the page, in built.json.
"""

from __future__ import annotations

import json
import mimetypes
import shutil
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from export.app_bundle import HOUSE, checked, pictures_of
from lariqa.errors import Refusal
from lariqa.manifest.manifest import FILE_NAME

SITE = HOUSE / "web_demo" / "site"
BUILT = "built.json"  # what build.mjs writes last
LOOPBACK = "127.0.0.1"
TYPES = {".mjs": "text/javascript", ".wasm": "application/wasm", ".webmanifest": "application/manifest+json"}


class WebServer(ThreadingHTTPServer):
    """One page, one export.

    Args:
        folder: what `lariqa export` wrote.
        port: 0: any that is free.
        site: the built page.
        beside: path below the page -> another file, for measurements and tests.

    Raises:
        Refusal: the page is not built, the export is not whole, or the port is taken.
    """

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0, site: Path = SITE, beside: dict[str, Path] | None = None) -> None:
        manifest = checked(folder, "web")
        if not (site / BUILT).is_file():
            raise Refusal(f"no page at {site}; `make web MODEL_DIR={folder}` builds it once (it needs Node 20)")
        built = json.loads((site / BUILT).read_text(encoding="utf-8"))
        self.headers_of_all: dict[str, str] = built["headers"]
        self.manifest = manifest
        self.made = {f"model/{FILE_NAME}": json.dumps(manifest.to_json()).encode()}
        names = [*pictures_of(manifest), *(row.file for row in manifest.artifacts)]
        self.files = {f"model/{name}": folder / name for name in names} | (beside or {})
        for file in site.rglob("*"):
            path = file.relative_to(site).as_posix()
            if file.is_file() and not path.startswith("model/"):
                self.files[path] = file
        self.files[""] = site / "index.html"
        try:
            super().__init__((LOOPBACK, port), _Answer)
        except OSError as error:
            raise Refusal(f"port {port} cannot be used: {error.strerror}; give another one by --port") from error

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://{LOOPBACK}:{self.server_port}/"


class _Answer(BaseHTTPRequestHandler):
    server: WebServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path).lstrip("/")
        made, file = self.server.made.get(path), self.server.files.get(path)
        try:
            size = len(made) if made is not None else file.stat().st_size if file else 0
        except OSError:
            file = None
        if made is None and file is None:
            self._head(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", 0)
            return
        name = path or "index.html"
        kind = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._head(HTTPStatus.OK, kind, size)
        if with_body and made is not None:
            self.wfile.write(made)
        elif with_body:
            with file.open("rb") as stream:
                shutil.copyfileobj(stream, self.wfile, 1 << 20)

    def _head(self, status: HTTPStatus, kind: str, size: int) -> None:
        self.send_response(status)
        for name, value in self.server.headers_of_all.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing: the page says what goes wrong."""
