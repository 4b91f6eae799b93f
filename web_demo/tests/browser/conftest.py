"""A real Chromium, a built page, a server for each test: each has an origin of its own, so nothing is kept between."""

import json
import os
import threading
from pathlib import Path

import pytest

from benchmarks.browser import chromium
from benchmarks.browser.browser_worker import BLANK
from export.web_server import SITE, WebServer
from tests.support.web_page import Page

VECTORS = Path(os.environ.get("LARIQA_VECTORS", ""))


@pytest.fixture(scope="session")
def exported() -> Path:
    return VECTORS / "export"


@pytest.fixture(scope="session")
def scores() -> dict:
    """photo -> what Python makes of it."""
    return json.loads((VECTORS / "scores.json").read_text())


@pytest.fixture(scope="session")
def shots(tmp_path_factory) -> Path:
    folder = Path(os.environ.get("LARIQA_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    driver = chromium.start(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def serve(exported):
    """serve(folder=..., beside=...) -> a server that runs until the test is over."""
    running = []

    def start(folder: Path = exported, beside: dict[str, Path] | None = None) -> WebServer:
        server = WebServer(folder, site=SITE, beside={"blank.html": BLANK, **(beside or {})})
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def page(browser):
    browser.get_log("browser")
    opened = Page(browser)
    yield opened
    browser.get("about:blank")  # ends its workers, and with them the memory of their models


@pytest.fixture
def module(page, serve):
    """module(file) -> a page in which `scorer` is an open model, by the module alone."""

    def load(file: str, threads: int = 2, **beside) -> Page:
        page.open(serve(**beside).address + "blank.html")
        page.opened = page.ask(
            """const { load } = await import('./lariqa.js');
            window.scorer = await load('model/', { file: args[0], threads: args[1] });
            return scorer.loaded;""",
            file,
            threads,
        )
        return page

    return load
