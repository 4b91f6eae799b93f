"""Phones in the same report: push an export over ``adb``, run the app's benchmark there, fetch its rows.

    find the device -> ask what it is -> push what it does not have -> start -> wait -> pull -> check -> rows

The protocol, each step as one types it: docs/measurement.md, "The phone's part". A device that is missing or lost is a
Refusal. An app that fails, crashes or never ends gives a row with its reason, and the next artifact follows.
"""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from benchmarks.measure.measurement import Measurement, Setting, read_rows
from benchmarks.measure.participants import Exported, subject_of
from benchmarks.phones.adb import Adb
from benchmarks.phones.phone_checks import beside, check, check_session_options, for_android
from benchmarks.phones.phone_rows import EMULATOR, accept
from export.proof.memory_model import predict
from lariqa.errors import Refusal
from lariqa.photos.golden import FILE_NAME as GOLDEN
from lariqa.photos.photo import open_photo
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.reference import reference_scorer

PACKAGE = "org.lariqa.demo"
ACTIVITY = f"{PACKAGE}/.BenchmarkActivity"
PROCESSES = f"{PACKAGE}:benchmark {PACKAGE}"  # the activity's own, or the app's
FOLDER = PurePosixPath("/data/local/tmp/lariqa")
APPS_FOLDER = PurePosixPath(f"/sdcard/Android/data/{PACKAGE}/files/benchmark")
PACE_S = 10  # seconds between two looks at the phone: each look costs its processor a little
LOSSLESS = (".png", ".bmp")  # a phone's JPEG decoder gives other pixels than this computer's, and so another score


@dataclass(frozen=True)
class PhoneRequest:
    """What to measure on the phone, and how."""

    targets: Sequence[Path]  # export folders, artifacts
    photos: Sequence[Path] = ()  # files, of the size that the artifacts take; the golden photo is always pushed
    serial: str | None = None  # None: the only device connected
    adb_path: str | None = None
    folder: PurePosixPath = FOLDER  # on the device
    command: str | None = None  # a program on the device, started instead of the app
    out_folder: PurePosixPath | None = None  # where the rows are written; None: the app's own, a command's in `folder`
    runs: int = 30
    sustained_s: int = 0
    accelerator: str = "cpu"
    session_options: Mapping[str, str] = field(default_factory=dict)  # config entries of ONNX Runtime's sessions
    timeout_s: float | None = None  # for one artifact; None: ten minutes, and `sustained_s`

    @property
    def patience_s(self) -> float:
        """How long one artifact may take."""
        return self.timeout_s or 600.0 + self.sustained_s


def bench_on_phone(request: PhoneRequest, progress: Callable[[str], None]) -> Iterator[Measurement]:
    """Measure artifacts on an Android device, one after the other, each in a fresh process.

    Args:
        request: what, where and how.
        progress: called with each step in words, and while the phone works.

    Yields:
        The rows of each artifact as they come: schema ``lariqa-measurement/2``, ``machine.kind`` "phone".

    Raises:
        Refusal: the request is wrong, the device cannot be used or was lost, or its rows are about something else.
    """
    exported = for_android(request.targets, progress)
    for one in exported:
        check(one, request.photos)
    check_session_options(request.session_options, request.command, exported)
    adb = Adb.find(request.serial, request.adb_path)
    machine, is_phone = adb.machine()
    progress(f"{machine.model}, {machine.system or 'no Android properties'}")
    report = uuid.uuid4().hex
    references = _References(request.photos, progress)
    for one in exported:
        subject = subject_of(one)
        folder = request.folder / subject.sha256[:12]  # holds this artifact's files and no others
        files = [one.path, *(one.path.parent / name for name in beside(one)), *request.photos]
        progress(f"pushing {one.path.name} ({sum(file.stat().st_size for file in files) / 1e6:.0f} MB) to {folder}")
        pushed = adb.push(files, folder)
        progress(f"pushed {len(pushed)} of {len(files)} files; the others were there already")
        _remove_others(adb, folder, files)
        out_folder = request.out_folder or (request.folder if request.command else APPS_FOLDER)
        out = out_folder / f"rows-{uuid.uuid4().hex[:12]}.jsonl"
        failure = _run(adb, request, folder, one.path.name, out, progress)
        rows = _pull(adb, out, failure)
        told = predict(one.manifest, one.artifact)
        rows = accept(
            rows, f"{out} of {adb.serial}", subject, machine, is_phone, references.of(one), report,
            round(told.peak_mib, 2) if told else None,
        )  # fmt: skip
        yield from rows
        if failure and not any(row.error for row in rows):
            yield Measurement(
                report=report,
                subject=subject,
                machine=machine.model_copy(update={} if is_phone else {"kind": "emulated"}),
                setting=Setting(accelerator=request.accelerator, session_options=dict(request.session_options)),
                flags=[] if is_phone else [EMULATOR],
                error=failure,
            )


class _References:
    """PyTorch's scores of lossless photos, whose pixels are the same everywhere; the golden one's from the manifest."""

    def __init__(self, photos: Sequence[Path], progress: Callable[[str], None]) -> None:
        self.photos = [photo for photo in photos if photo.suffix.lower() in LOSSLESS]
        self.progress = progress
        self.known: dict[tuple[Path, str], dict[str, float]] = {}

    def of(self, one: Exported) -> dict[str, float]:
        """Photo name -> score, for one artifact."""
        proved = (one.artifact.parity or {}).get("photos", [])
        golden = {photo["photo"]: photo["reference"] for photo in proved if photo["photo"] == GOLDEN}
        return {**golden, **(self._scores(one.reference, one.artifact.synthetic_view) if one.reference else {})}

    def _scores(self, checkpoint: Path, view: str) -> dict[str, float]:
        if (checkpoint, view) not in self.known and self.photos:
            self.progress(f"reference scores of {len(self.photos)} photos")
            reference = reference_scorer(load_checkpoint(checkpoint), view)
            self.known[checkpoint, view] = {photo.name: reference.score(open_photo(photo)) for photo in self.photos}
        return self.known.get((checkpoint, view), {})


def _remove_others(adb: Adb, folder: PurePosixPath, files: Sequence[Path]) -> None:
    """Remove files of earlier runs: the app measures on every photo in the folder."""
    listed = adb.shell("ls", "-1A", folder).stdout.splitlines()
    others = [folder / name for name in listed if name and name not in {file.name for file in files}]
    if others:
        adb.shell("rm", "-rf", *others)


def _run(
    adb: Adb, request: PhoneRequest, folder: PurePosixPath, file: str, out: PurePosixPath, progress: Callable
) -> str | None:
    """Run the benchmark to its end; returns why it failed, or None."""
    if request.command:
        return _run_command(adb, request, folder, file, out, progress)
    options = {"dir": folder, "model": file, "out": out, "accelerator": request.accelerator}
    if request.session_options:
        options["session_options"] = ",".join(f"{key}={value}" for key, value in request.session_options.items())
    numbers = {"runs": request.runs, "sustained_s": request.sustained_s}
    words = [word for key, value in options.items() for word in ("--es", key, value)]
    words += [word for key, value in numbers.items() for word in ("--ei", key, str(value))]
    finished = False
    try:
        progress(f"starting {ACTIVITY}")
        started = adb.shell("am", "start", "-S", "-W", "-n", ACTIVITY, *words)  # -S: a fresh process
        refused = [line.strip() for line in (started.stdout + started.stderr).splitlines() if "Error" in line]
        if started.status or refused:
            reason = refused[-1] if refused else started.last_words
            raise Refusal(f"the app could not be started on {adb.serial}: {reason}; is it installed? See android_demo")
        failure = _wait_for_app(adb, request, out, progress)
        finished = failure is None
        return failure
    finally:
        if not finished:
            with contextlib.suppress(Refusal):  # a lost phone cannot be asked to stop
                adb.shell("am", "force-stop", PACKAGE)


def _wait_for_app(adb: Adb, request: PhoneRequest, out: PurePosixPath, progress: Callable) -> str | None:
    done = shlex.quote(f"{out}.done")
    look = (
        f"i=0; while [ $i -lt {PACE_S} ] && [ ! -e {done} ]; do sleep 1; i=$((i+1)); done; "
        f"if [ -e {done} ]; then echo done; cat {done}; "
        f"elif pidof {PROCESSES} >/dev/null; then echo runs; else echo gone; fi"
    )
    began, looks_without_process = time.monotonic(), 0
    while True:
        state, _, said = adb.script(look).stdout.strip().partition("\n")
        waited_s = time.monotonic() - began
        if state == "done":
            return (
                None if said.strip() == "ok" else f"the app says: {said.strip() or 'nothing, in an empty .done file'}"
            )
        # It may end between the two questions of one look; by the second look there would be a .done file.
        looks_without_process = looks_without_process + 1 if state == "gone" else 0
        if looks_without_process == 2:
            return f"the app ended without a word after {waited_s:.0f} s; `adb logcat -d -b crash` may tell why"
        if waited_s > request.patience_s:
            return _too_long("app", waited_s)
        progress(f"the app works, {waited_s:.0f} s so far")


def _run_command(
    adb: Adb, request: PhoneRequest, folder: PurePosixPath, file: str, out: PurePosixPath, progress: Callable
) -> str | None:
    words = shlex.join(map(str, (folder, file, out, request.runs)))
    progress(f"starting {request.command}")
    began, finished = time.monotonic(), False
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        # adb runs each command in its own process group; its number stops the whole group.
        process = adb.start(f"echo $$; {request.command} {words}", stdout=output, stderr=subprocess.STDOUT)
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(min(PACE_S, max(0.1, request.patience_s - (time.monotonic() - began))))
                    finished = True
                waited_s, lines = time.monotonic() - began, _lines(output)
                last = lines[-1] if len(lines) > 1 else ""
                if finished:
                    break
                if waited_s > request.patience_s:
                    return _too_long("command", waited_s)
                progress(f"the command works, {waited_s:.0f} s so far{last and ': '}{last}")
        finally:
            if not finished:
                process.kill()
                process.wait()
                with contextlib.suppress(Refusal):
                    group = next(iter(_lines(output)), "")
                    if group.isdecimal():
                        adb.script(f"kill -s TERM -- -{group}")
    said = adb.script(f"cat {shlex.quote(f'{out}.done')}")  # raises if the device is lost
    if said.status:
        reason = f" and said last: {last}" if last else ""
        return f"the command ended with status {process.returncode} and without a .done file{reason}"
    return None if said.stdout.strip() == "ok" else f"the command says: {said.stdout.strip() or 'nothing'}"


def _too_long(what: str, waited_s: float) -> str:
    return f"the {what} had not ended after {waited_s:.0f} s and was stopped; --adb-timeout gives it longer"


def _lines(output) -> list[str]:
    output.seek(0)
    return [line.strip() for line in output if line.strip()]


def _pull(adb: Adb, out: PurePosixPath, failure: str | None) -> list[Measurement]:
    """Fetch the rows and remove them from the phone; after a failure, the complete rows only."""
    if failure and adb.shell("test", "-s", out).status:
        return []
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / out.name
        adb.pull(out, here)
        text = here.read_text(encoding="utf-8", errors="replace")
    if failure:
        text = text[: text.rfind("\n") + 1]  # the app may have been stopped in the middle of a row
        if not text.strip():
            return []
    rows = read_rows(text, f"{out} of {adb.serial}")
    adb.shell("rm", "-f", out, f"{out}.done")
    return rows
