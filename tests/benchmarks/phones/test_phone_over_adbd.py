"""The phone's part of the benchmark over a real connection: Debian's adb on one end, its adbd on the other.

The device is this machine, kept in a network namespace of its own, with a stand-in app that scores with the exported
file. Skipped, with the reason, where the two programs cannot be had (tests/phone/set_up_adbd.py).
"""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from benchmarks.phones.adb import Adb, DeviceLost
from benchmarks.phones.phone import PhoneRequest, bench_on_phone
from export.proof.limits import LIMITS
from export.rewrite.export_ready import ExportRequest
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.photos.photo import open_photo
from lariqa_train.model.reference import reference_scorer

PHONE = Path(__file__).parents[2] / "support" / "phone"
DAEMON_PORT, SERVER_PORT = "5599", "5138"  # none of them adb's own, in case the developer's adb is running
SERIAL = f"127.0.0.1:{DAEMON_PORT}"


@pytest.fixture(scope="module")
def tools():
    """(folder with adb and adbd, their LD_LIBRARY_PATH); unpacked once for the checkout."""
    made = subprocess.run(
        [sys.executable, PHONE / "set_up_adbd.py"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PHONE.parents[1])},
    )
    if made.returncode == 3:
        pytest.skip(made.stderr.strip())
    assert made.returncode == 0, made.stderr
    folder, libraries = made.stdout.splitlines()
    return Path(folder), libraries


@pytest.fixture(scope="module")
def phone(tools, tmp_path_factory):
    """(adb that reaches the device, the device's folder, its daemon): alone in a network namespace."""
    programs, libraries = tools
    folder = tmp_path_factory.mktemp("device")
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": libraries,
        "ADBD_PORT": DAEMON_PORT,
        "PATH": f"{PHONE / 'bin'}:{os.environ['PATH']}",
        "TEST_PHONE": str(folder),
        "TEST_PHONE_IS_EMULATOR": "",
    }
    keeper = subprocess.Popen(
        ["unshare", "--net", sys.executable, PHONE / "own_network.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert keeper.stdout.readline() == b"up\n"
    inside = ["nsenter", f"--net=/proc/{keeper.pid}/ns/net"]
    with (folder / "adbd.log").open("w") as log:
        daemon = subprocess.Popen([*inside, programs / "adbd"], env=environment, cwd=folder, stdout=log, stderr=log)
    adb = folder / "adb"
    settings = {"HOME": folder, "LD_LIBRARY_PATH": libraries, "ANDROID_ADB_SERVER_PORT": SERVER_PORT}
    settings = [f"{name}={value}" for name, value in settings.items()]
    adb.write_text(f'#!/bin/sh\nexec {shlex.join([*inside, "env", *settings, str(programs / "adb")])} "$@"\n')
    adb.chmod(0o755)
    try:
        for _ in range(50):
            connected = subprocess.run([adb, "connect", SERIAL], capture_output=True, text=True, timeout=20)
            if connected.stdout.startswith(("connected", "already")):
                break
            time.sleep(0.2)
        else:
            pytest.fail(f"no connection: {connected.stdout} {(folder / 'adbd.log').read_text()}")
        yield adb, folder, daemon
    finally:
        subprocess.run([adb, "kill-server"], capture_output=True, timeout=20)
        for process in (daemon, keeper):
            process.kill()
            process.wait()
        keeper.stdin.close()
        keeper.stdout.close()


@pytest.fixture(scope="module")
def exported(shared_exports):
    """A tiny ONNX file in its export folder."""
    _, (proved,) = shared_exports(ExportRequest("pixels", 150, 200))
    return proved.path


@pytest.fixture(scope="module")
def references(tiny_model, photo_folder):
    """Photo name -> PyTorch's score; they differ."""
    reference = reference_scorer(tiny_model, "crop")
    scores = {path.name: reference.score(open_photo(path)) for path in sorted(photo_folder.iterdir())}
    assert len(scores) == 5 and min(np.diff(sorted(scores.values()))) > 20 * LIMITS["fp32"]
    return scores


def stand_in(program: Path = PHONE / "stand_in_app.py") -> str:
    return f"env -u LD_LIBRARY_PATH {shlex.quote(sys.executable)} {shlex.quote(str(program))}"


def install(folder: Path, lines: str) -> None:
    (folder / "app").write_text(f"#!/bin/sh\n{lines}\n")
    (folder / "app").chmod(0o755)


@pytest.mark.parametrize("way", ["command", "app"])
def test_scores_from_the_device_are_the_references(phone, exported, photo_folder, references, way, monkeypatch):
    monkeypatch.setattr("benchmarks.phones.phone.PACE_S", 1)
    adb, folder, _ = phone
    install(folder, f'exec {stand_in()} "$@"')
    request = PhoneRequest(
        [exported],
        sorted(photo_folder.iterdir()),
        adb_path=str(adb),
        folder=PurePosixPath(folder, "with space", way),
        command=stand_in() if way == "command" else None,
        out_folder=PurePosixPath(folder),
        runs=8,
    )
    (row,) = bench_on_phone(request, lambda step: None)
    assert (row.machine.kind, row.machine.model) == ("phone", "Example One (Arm Stand-in)")
    assert row.subject.sha256 == sha256_of(exported) and row.error is None and row.report
    assert row.setting.runtime.startswith("ONNX Runtime") and row.memory.peak_mib > row.memory.baseline_mib > 1
    assert len(row.latency.total_ms) == 8 and min(row.latency.inference_ms) > 0
    scores = {score.photo: score for score in row.scores}
    assert scores.keys() == {*references, "golden.png"}
    for name, score in scores.items():
        assert name == "golden.png" or score.reference == references[name]
        assert abs(score.score - score.reference) <= LIMITS["fp32"], name
    assert not list(folder.glob("rows-*"))


def test_a_file_changed_on_the_device_is_seen_and_pushed_again(phone, exported):
    adb, folder, _ = phone
    device = Adb.find(adb_path=str(adb))
    place = PurePosixPath(folder, "again")
    files = [exported, exported.parent / "lariqa.json"]
    assert device.push(files, place) == files
    assert device.push(files, place) == []
    Path(place, exported.name).write_bytes(b"other")
    assert device.push(files, place) == [exported]
    assert sha256_of(Path(place, exported.name)) == sha256_of(exported)


def test_words_arrive_on_the_device_as_they_are(phone):
    device = Adb.find(SERIAL, str(phone[0]))
    awkward = ["two words", "$HOME", "`id`", "it's", 'say "so"', "*", "a;b", "\\"]
    assert device.shell("printf", "%s\\n", *awkward).stdout.splitlines() == awkward
    assert device.script("echo out; echo err >&2; exit 7") == type(device.script("true"))(7, "out\n", "err\n")


def test_a_folder_where_none_can_be_is_refused(phone, exported):
    adb, folder, _ = phone
    (folder / "file").touch()
    with pytest.raises(Refusal, match=r"cannot be made on .*Not a directory.*--adb-dir"):
        Adb.find(adb_path=str(adb)).push([exported], PurePosixPath(folder, "file", "x"))


def test_a_command_that_never_ends_leaves_nothing_running_on_the_device(phone, exported, monkeypatch):
    monkeypatch.setattr("benchmarks.phones.phone.PACE_S", 1)
    adb, folder, _ = phone
    request = PhoneRequest(
        [exported],
        adb_path=str(adb),
        folder=PurePosixPath(folder, "endless"),
        command=f"sh -c 'echo $$ >{folder}/endless.pid; sleep 77; true' --",
        timeout_s=1.5,
    )
    (row,) = bench_on_phone(request, lambda step: None)
    assert "had not ended after" in row.error and row.machine.kind == "phone"
    pid = (folder / "endless.pid").read_text().strip()
    began = time.monotonic()
    while not dead(pid):
        assert time.monotonic() - began < 20
        time.sleep(0.05)


def test_a_daemon_that_goes_away_is_a_lost_device(phone, exported):
    """Last, for it ends the daemon."""
    adb, folder, daemon = phone
    request = PhoneRequest(
        [exported],
        adb_path=str(adb),
        folder=PurePosixPath(folder, "lost"),
        command=f"sh -c 'sleep 0.3; kill -9 {daemon.pid}; sleep 1' --",
    )
    with pytest.raises(DeviceLost, match=r"the connection to 127\.0\.0\.1:5599 was lost") as lost:
        list(bench_on_phone(request, lambda step: None))
    assert "offline" in str(lost.value) or "not found" in str(lost.value)
    assert daemon.wait(5) == -9
    with pytest.raises(Refusal, match=r"no Android device is connected|is offline"):
        Adb.find(adb_path=str(adb))


def dead(pid: str) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True).stdout.strip()
    return not state or state.startswith("Z")
