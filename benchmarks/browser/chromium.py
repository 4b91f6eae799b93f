"""Headless Chromium with nothing of a user's in it, driven by its own driver.

Needs Chromium with chromedriver (``make browser`` installs them on Debian) and the package selenium.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from lariqa.errors import Refusal

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

NAMES = ("chromium", "chromium-browser", "google-chrome")
MARK_BYTES = 64 << 20
SCRIPT_S = 600  # for one answer of a page
ABSENT = "no Chromium with chromedriver on this machine; `make browser` installs them"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


def is_here() -> bool:
    """Whether there is a Chromium, and its driver."""
    return _chromium() is not None and shutil.which("chromedriver") is not None


def start(profile: Path, flags: Sequence[str] = (), without: Sequence[str] = ()) -> Chrome:
    """A browser of its own; ``quit()`` ends it.

    Args:
        profile: an empty folder, for what it keeps.
        flags: more of the command line.
        without: of FLAGS, what to leave out.

    Raises:
        Refusal: there is no browser, or no selenium.
    """
    if not is_here():
        raise Refusal(ABSENT)
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
    except ImportError as missing:
        raise Refusal("driving a browser needs the package 'selenium': pip install 'lariqa[dev]'") from missing
    options = webdriver.ChromeOptions()
    options.binary_location = _chromium()
    for flag in [*(flag for flag in FLAGS if flag not in without), *flags, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_script_timeout(SCRIPT_S)
    driver.command_executor.client_config.timeout = SCRIPT_S + 30  # of its connection, which would give up before
    return driver


def tab_pid(driver: Chrome) -> int:
    """The process that runs the page that is open, its workers included.

    A browser has several, and does not say which is whose: it is the one that grows when the page takes memory.
    """
    processes = psutil.Process(driver.service.process.pid).children(recursive=True)
    renderers = [process for process in processes if "--type=renderer" in _command_of(process)]
    before = {process.pid: process.memory_info().rss for process in renderers}
    driver.execute_script(f"globalThis.lariqaMark = new Uint8Array({MARK_BYTES}).fill(1);")
    grown = {process.pid: process.memory_info().rss - before[process.pid] for process in renderers}
    driver.execute_script("delete globalThis.lariqaMark;")
    return max(grown, key=grown.get)


def _command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _chromium() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)
