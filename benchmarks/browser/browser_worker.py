"""A file in the browser app as one candidate of a measurement: the same five steps as a process of this program.

    Worker in another process        here
    imports the runtime              a fresh Chromium, the app's module imported, no model
    load                             fetch, sha256, open; the golden self-test that follows is not in `load_ms`
    run                              fetch the photo (not timed), then what the module says of decoding, views, model
    finish                           the peak of the tab's process

Memory is that of the process that runs the page and its workers. The page is served on loopback, as `lariqa web` does.
"""

from __future__ import annotations

import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from benchmarks.browser import chromium
from benchmarks.measure.candidate import Candidate
from benchmarks.measure.memory import peak_mib, reset_peak, resident_mib
from benchmarks.measure.participants import Exported
from benchmarks.measure.worker import Failed, Finished, Loaded, Run
from export.formats import FORMATS
from export.web_server import WebServer
from lariqa.errors import Refusal

BLANK = Path(__file__).parent / "blank.html"
PLATFORM = "web"
_LOAD = """
    const began = performance.now();
    const { load } = await import('./lariqa.js');
    globalThis.scorer = await load('model/', { file: args[0], threads: args[1] });
    return { ...scorer.loaded, ms: performance.now() - began - scorer.loaded.firstMs };"""
_RUN = """
    const photo = new File([await (await fetch(args[0])).blob()], args[0]);
    const { score, timed, thumbnail } = await scorer.score(photo);
    thumbnail?.close();
    return { score, ...timed };"""


def runs_in_a_page(exported: Exported) -> bool:
    """Whether the browser app takes the file: one photo of any size."""
    row = exported.artifact
    runs = PLATFORM in FORMATS[row.format].platforms
    return runs and row.input == "views" and row.synthetic_view == "crop" and row.batch == 1


def in_chromium(candidate: Candidate, exported: Exported) -> Candidate:
    """The same file in headless Chromium."""
    subject = candidate.subject.model_copy(update={"name": f"{candidate.subject.name}, Chromium"})
    # What a runtime of this machine was predicted to hold, and which of its operators is which, is not the browser's.
    return replace(
        candidate,
        subject=subject,
        files=(exported.path,),
        worker=BrowserWorker,
        predicted_mib=None,
        part_of_operator={},
    )


class BrowserWorker:
    """As ``benchmarks.measure.worker.Worker``."""

    def __init__(self, candidate: Candidate, threads: int, timeout_s: float = 600) -> None:
        self.candidate, self.threads, self.timeout_s = candidate, threads, timeout_s
        self._profile = tempfile.TemporaryDirectory(prefix="lariqa-chromium-", ignore_cleanup_errors=True)
        self._driver = self._server = None
        self.pid = psutil.Process().pid  # until there is a tab

    def ready(self) -> None:
        """Start the server and the browser."""
        (path,) = self.candidate.files
        try:
            self._server = WebServer(path.parent, beside={"blank.html": BLANK})
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
            self._driver = chromium.start(Path(self._profile.name))
        except Refusal as refusal:
            raise Failed(str(refusal)) from refusal
        self._driver.set_script_timeout(min(self.timeout_s, chromium.SCRIPT_S))
        self._driver.get(f"{self._server.address}blank.html")
        self._ask("await import('./lariqa.js'); return true;")
        self.pid = chromium.tab_pid(self._driver)
        self._version = self._driver.capabilities["browserVersion"].split(".")[0]

    def load(self) -> Loaded:
        """Open the model."""
        fresh, baseline = reset_peak(self.pid), resident_mib(self.pid)
        told = self._ask(_LOAD, self.candidate.subject.file, self.threads)
        runtime = f"{told['runtime']}, Chromium {self._version}"
        return Loaded(runtime, True, told["ms"], False, baseline, resident_mib(self.pid), fresh)

    def run(self, photo: Path) -> Run:
        """One run on a photo file."""
        before = self._cpu_ms()
        told = self.ask_about(_RUN, photo)
        parts = [told[part] for part in ("decodeMs", "preprocessMs", "inferenceMs", "postMs")]
        return Run(told["score"], *parts, self._cpu_ms() - before)

    def ask_about(self, script: str, photo: Path) -> Any:
        """What a script returns; ``args[0]`` in it is where the page fetches the photo from.

        Raises:
            Failed: the script was refused, or the tab is gone.
        """
        name = f"photos/{photo.name}"
        self._server.files[name] = photo
        return self._ask(script, name)

    def finish(self, photo: Path | None) -> Finished:
        """The peak; a browser tells neither what ran where nor what one run alone takes."""
        return Finished(peak_mib(self.pid), None, None, None)

    def __enter__(self) -> BrowserWorker:
        return self

    def __exit__(self, *ended: object) -> None:
        if self._driver is not None:
            self._driver.quit()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._driver = self._server = None
        self._profile.cleanup()

    def _ask(self, script: str, *arguments: Any) -> Any:
        from selenium.common.exceptions import WebDriverException

        whole = f"""
            const done = arguments[arguments.length - 1];
            (async (...args) => {{ {script} }})(...[...arguments].slice(0, -1)).then(told => done({{ told }}),
                error => done({{ refused: error.sentence ?? String(error) }}));"""
        try:
            answer = self._driver.execute_async_script(whole, *arguments)
        except WebDriverException as error:  # the tab is gone, or does not answer
            raise Failed(" ".join(f"Chromium: {error.msg}".split())) from error
        if "refused" in answer:
            raise Failed(answer["refused"])
        return answer["told"]

    def _cpu_ms(self) -> float:
        times = psutil.Process(self.pid).cpu_times()
        return (times.user + times.system) * 1000
