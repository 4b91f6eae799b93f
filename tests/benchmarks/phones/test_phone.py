"""The phone's part of the benchmark, against an ``adb`` without a device: every way to fail ends in one sentence."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from benchmarks.measure import participants
from benchmarks.phones.adb import Adb, DeviceLost
from benchmarks.phones.phone import PhoneRequest, bench_on_phone
from benchmarks.phones.phone_rows import import_rows
from benchmarks.report.report_folder import rows_in
from export.proof import memory_model
from export.rewrite.export_ready import ExportRequest
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa_cli import main as command_line
from lariqa_cli import screen

PHONE = Path(__file__).parents[2] / "support" / "phone"
ROW = {"schema": "lariqa-measurement/2", "subject": {"name": "x"}, "machine": {"kind": "phone"}}


@pytest.fixture(scope="module")
def artifact(shared_exports):
    """A tiny ONNX file in its export folder. Do not change it."""
    _, (proved,) = shared_exports(ExportRequest("pixels", 150, 200))
    return proved.path


@pytest.fixture
def phone(tmp_path, monkeypatch):
    """A folder for a device that is this machine, behind the fake adb; ``app`` in it is the installed app."""
    folder = tmp_path / "phone"
    folder.mkdir()
    adb = tmp_path / "bin" / "adb"
    adb.parent.mkdir()
    adb.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{PHONE / "fake_adb.py"}" "$@"\n')
    adb.chmod(0o755)
    monkeypatch.setenv("PATH", f"{adb.parent}:{PHONE / 'bin'}:{os.environ['PATH']}")
    for name, value in {
        "TEST_PHONE": folder,
        "TEST_PHONE_IS_EMULATOR": "",
        "FAKE_ADB_DEVICES": "one:device",
        "FAKE_ADB_PUSH_FAILS": "",
        "FAKE_ADB_LOST": tmp_path / "lost",
        "FAKE_ADB_LOG": tmp_path / "log",
    }.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    monkeypatch.setattr("benchmarks.phones.phone.PACE_S", 1)
    return folder


@pytest.fixture
def install(phone):
    """A function that installs an app: the shell lines that it is, started with FOLDER FILE OUT RUNS."""

    def write(lines: str) -> Path:
        app = phone / "app"
        app.write_text(f"#!/bin/sh\n{lines}\n")
        app.chmod(0o755)
        return app

    return write


@pytest.fixture
def bench(phone, artifact):
    """A function that runs the benchmark: (rows, progress)."""

    def run(**options):
        said = []
        request = PhoneRequest(**{"targets": [artifact], "folder": PurePosixPath(phone, "lariqa"), **options})
        if not request.command:
            request = PhoneRequest(**{**vars(request), "out_folder": PurePosixPath(phone)})
        return list(bench_on_phone(request, said.append)), said

    return run


def row_of(file: Path, **changes) -> str:
    """A row about a file, as a shell word."""
    row = {**ROW, "subject": {"name": file.name, "sha256": sha256_of(file)}, **changes}
    return "'" + json.dumps(row) + "'"


def writes(row: str, verdict: str = "ok") -> str:
    return f'echo {row} >>"$3"\necho "{verdict}" >"$3.done"'


def commands(tmp_path: Path) -> list[list[str]]:
    return [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]


def test_rows_come_back_labelled_with_the_phone_and_the_file(bench, install, artifact):
    install(writes(row_of(artifact, scores=[{"photo": "golden.png", "score": 0.5}, {"photo": "a.png", "score": 0.1}])))
    (row,), said = bench()
    assert (row.machine.kind, row.machine.model) == ("phone", "Example One (Arm Stand-in)")
    assert row.machine.system == "Android 15, API 35, x86_64"
    assert row.machine.cores >= 1 and row.machine.memory_mib > 100
    assert (row.subject.format, row.subject.input, row.subject.photo_width_px) == ("onnx", "pixels", 200)
    golden = next(
        photo
        for photo in json.loads((artifact.parent / "lariqa.json").read_text())["artifacts"][0]["parity"]["photos"]
        if photo["photo"] == "golden.png"
    )
    assert [score.reference for score in row.scores] == [golden["reference"], None]
    assert row.report and row.error is None and row.flags == []
    assert any("pushed 7 of 7 files" in step for step in said)


def test_what_the_phone_has_is_not_pushed_again_and_what_is_not_meant_goes(bench, install, artifact, phone, tmp_path):
    install(writes(row_of(artifact)))
    bench()
    (there,) = (phone / "lariqa").iterdir()
    (there / "photo of last week.png").touch()
    (there / "golden.png").write_bytes(b"half a file")
    (tmp_path / "log").unlink()
    _, said = bench()
    assert any("pushed 1 of 7 files" in step for step in said)
    pushes = [words for words in commands(tmp_path) if words[2:3] == ["push"]]
    assert [Path(word).name for (push,) in [pushes] for word in push[3:-1]] == ["golden.png"]
    assert sorted(path.name for path in there.iterdir()) == [
        "golden.heic",
        "golden.jpg",
        "golden.png",
        "golden_heic.png",
        "golden_jpg.png",
        "lariqa.json",
        artifact.name,
    ]
    assert sha256_of(there / "golden.png") == sha256_of(artifact.parent / "golden.png")


def test_a_command_in_the_apps_place_is_given_four_words(bench, phone, artifact):
    program = phone / "a program"
    program.write_text(f'#!/bin/sh\necho "$#: $2 $4" >"{phone}/words"\n{writes(row_of(artifact))}\n')
    program.chmod(0o755)
    rows, _ = bench(command=f"'{program}'", runs=7)
    assert len(rows) == 1
    assert (phone / "words").read_text() == f"4: {artifact.name} 7\n"
    assert not list((phone / "lariqa").glob("rows-*"))  # fetched, so not left on the phone


def test_the_command_brings_a_phones_rows_into_the_report(phone, artifact, tmp_path, monkeypatch, capsys):
    program = phone / "program"
    program.write_text(f'#!/bin/sh\necho "$4" >"{phone}/runs"\n{writes(row_of(artifact))}\n')
    program.chmod(0o755)
    device = ("--adb", "one", "--adb-dir", phone / "lariqa", "--adb-command", program, "--quick")
    command = ["lariqa", "bench", "phone", artifact, *device, "-o", tmp_path / "report"]
    monkeypatch.setattr(sys, "argv", list(map(str, command)))
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 0 and artifact.name in capsys.readouterr().out
    (row,) = rows_in(tmp_path / "report")
    assert (row.machine.kind, row.subject.sha256) == ("phone", sha256_of(artifact))
    assert (phone / "runs").read_text() == "5\n" and (tmp_path / "report" / "report.html").exists()


def test_session_options_reach_the_app_and_a_command_is_refused_any(bench, install, artifact, tmp_path):
    install(writes(row_of(artifact, setting={"session_options": {"mlas.disable_kleidiai": "1"}})))
    (row,), _ = bench(session_options={"mlas.disable_kleidiai": "1", "session.disable_prepacking": "0"})
    assert row.setting.session_options == {"mlas.disable_kleidiai": "1"}
    (start,) = [" ".join(words) for words in commands(tmp_path) if "am start" in " ".join(words)]
    assert "--es session_options mlas.disable_kleidiai=1,session.disable_prepacking=0" in start.replace("'", "")
    with pytest.raises(Refusal, match="session options are for the app"):
        bench(session_options={"mlas.disable_kleidiai": "1"}, command="anything")


@pytest.mark.parametrize("option", ["mlas.disable_kleidiai", "=1", "a=1,b=2"])
def test_a_session_option_that_is_none_is_refused(artifact, option, monkeypatch):
    monkeypatch.setattr(screen, "stderr", said := io.StringIO())
    monkeypatch.setattr(sys, "argv", ["lariqa", "bench", "phone", str(artifact), "--session-option", option])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 2 and "expected --session-option KEY=VALUE" in said.getvalue()


@pytest.mark.parametrize(("times", "flags"), [(1.4, 0), (1.6, 1)])
def test_a_runtime_that_takes_far_more_memory_than_the_file_needs_is_flagged(bench, install, artifact, times, flags):
    exported = participants.exported_in([artifact])[0]
    predicted = memory_model.predict(exported.manifest, exported.artifact).peak_mib
    memory = {"baseline_mib": 50, "peak_mib": 50 + times * predicted}
    install(writes(row_of(artifact, memory=memory, setting={"runtime": "ONNX Runtime 1.26.0"})))
    (row,), _ = bench()
    assert row.memory.predicted_mib == pytest.approx(predicted, abs=0.01)
    assert len(row.flags) == flags and all("ONNX Runtime 1.26.0 took" in flag for flag in row.flags)


def test_an_emulator_is_no_phone(bench, install, artifact, monkeypatch):
    monkeypatch.setenv("TEST_PHONE_IS_EMULATOR", "1")
    install(writes(row_of(artifact)))
    (row,), _ = bench()
    assert row.machine.kind == "emulated" and "emulator" in row.flags[0]


@pytest.mark.parametrize(
    ("devices", "serial", "sentence"),
    [
        ("", None, "no Android device is connected"),
        ("", "two", "no device two is connected; connected: none"),
        ("one:device,two:device", None, "2 devices are connected: choose one, --adb one or --adb two"),
        ("one:device,three:offline", "two", "no device two is connected; connected: one, three"),
        ("one:unauthorized", None, "device one is unauthorized; .*accept the question about USB debugging"),
        ("one:offline", None, "device one is offline; it does not answer"),
        ("one:no permissions (user not in plugdev group)", None, "device one is no permissions; this user may not"),
        ("one:device,two:recovery", "two", "device two is recovery; .*start Android"),
        ("one:host", None, "device one is host; adb cannot use it so"),
    ],
)
def test_a_device_that_cannot_be_used_is_named(phone, monkeypatch, devices, serial, sentence):
    monkeypatch.setenv("FAKE_ADB_DEVICES", devices)
    with pytest.raises(Refusal, match=sentence):
        Adb.find(serial)


def test_the_one_usable_device_is_found_beside_others_and_the_environment_names_one(phone, monkeypatch):
    monkeypatch.setenv("FAKE_ADB_DEVICES", "one:unauthorized,two:device")
    assert Adb.find().serial == "two"
    monkeypatch.setenv("FAKE_ADB_DEVICES", "one:device,two:device")
    assert Adb.find("one").serial == "one"
    monkeypatch.setenv("ANDROID_SERIAL", "two")
    assert Adb.find().serial == "two"


def test_without_adb_the_sentence_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refusal, match="adb is not on the PATH: install the Android platform-tools"):
        Adb.find()
    with pytest.raises(Refusal, match="nosuch is no program that can be run"):
        Adb.find(adb_path="nosuch")


def test_an_adb_that_never_answers_does_not_hang(phone, monkeypatch, tmp_path):
    slow = tmp_path / "slow-adb"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr("benchmarks.phones.adb.PATIENCE_S", 0.2)
    with pytest.raises(Refusal, match="no answer within"):
        Adb.find(adb_path=str(slow))


def test_a_push_that_fails_says_what_adb_said(bench, install, monkeypatch, artifact):
    install(writes(row_of(artifact)))
    monkeypatch.setenv(
        "FAKE_ADB_PUSH_FAILS", "adb: error: failed to copy: remote write failed: No space left on device"
    )
    with pytest.raises(Refusal, match=r"pushing \d+ MB to .* on one failed: .*No space left on device"):
        bench()


def test_a_folder_that_cannot_be_made_is_named(bench, phone):
    (phone / "file").touch()
    with pytest.raises(Refusal, match=r"cannot be made on one .*--adb-dir"):
        bench(folder=PurePosixPath(phone, "file", "lariqa"))


def test_a_phone_without_the_app_is_refused(bench):
    with pytest.raises(Refusal, match=r"could not be started on one: Error: Activity class .* is it installed"):
        bench()


def test_an_app_that_fails_is_a_row_with_its_reason(bench, install, artifact):
    install('echo "out of memory in the GPU delegate" >"$3.done"')
    (row,), _ = bench(accelerator="gpu")
    assert row.error == "the app says: out of memory in the GPU delegate"
    assert (row.subject.sha256, row.machine.kind) == (sha256_of(artifact), "phone")
    assert row.setting.accelerator == "gpu" and row.latency is None


def test_rows_of_an_app_that_fails_are_kept(bench, install, artifact):
    whole = row_of(artifact, flags=["the first"])
    install(f'echo {whole} >>"$3"\nprintf %s {whole} | cut -c 1-40 | tr -d "\\n" >>"$3"\necho "too hot" >"$3.done"')
    (first, last), _ = bench()
    assert (first.flags, first.error) == (["the first"], None)
    assert last.error == "the app says: too hot"


def test_an_app_that_dies_without_a_word_is_noticed_long_before_the_limit(bench, install):
    install("exit 0")
    (row,), _ = bench(timeout_s=60)
    assert row.error.startswith("the app ended without a word") and "logcat" in row.error


def test_an_app_that_never_ends_is_stopped(bench, install, phone):
    install("exec sleep 60")
    (row,), said = bench(timeout_s=1.5)
    assert "had not ended after" in row.error
    assert any("the app works" in step for step in said)
    assert (phone / "stopped").read_text() == "org.lariqa.demo\n"
    assert not is_alive((phone / "app.pid").read_text())


def test_a_command_that_never_ends_is_stopped_with_all_that_it_started(bench, phone):
    command = f"sh -c 'echo $$ >{phone}/pid; echo loading; sleep 60; true' --"
    (row,), said = bench(command=command, timeout_s=1.5)
    assert "the command had not ended after" in row.error
    assert any(step.endswith("so far: loading") for step in said)
    assert not is_alive((phone / "pid").read_text())


def test_a_command_that_ends_without_its_word_is_quoted(bench):
    (row,), _ = bench(command="echo no such option; false")
    assert "without a .done file" in row.error
    (row,), _ = bench(command="sh -c 'echo cannot open the model >&2; exit 3' --")
    assert row.error == "the command ended with status 3 and without a .done file and said last: cannot open the model"


def test_after_an_artifact_that_fails_the_next_one_is_measured(bench, install, artifact, tmp_path):
    second = tmp_path / "second"
    shutil.copytree(artifact.parent, second)
    install(f'if [ -e "$3.once" ] || [ -e "{tmp_path}/once" ]; then {writes(row_of(artifact))}\n'
            f'else touch "{tmp_path}/once"; echo crashed >"$3.done"; fi')  # fmt: skip
    rows, _ = bench(targets=[artifact, second / artifact.name])
    assert [row.error for row in rows] == ["the app says: crashed", None]
    assert len({row.report for row in rows}) == 1


def test_rows_of_another_file_are_refused(bench, install, artifact):
    install(writes(row_of(artifact, subject={"name": "x", "sha256": "0" * 64})))
    with pytest.raises(Refusal, match=r"row 1 of .* is about another file .* came 000000000000"):
        bench()
    install(writes(row_of(artifact, subject={"name": "x"})))
    with pytest.raises(Refusal, match="came none; the app must measure the file it was given"):
        bench()


@pytest.mark.parametrize("kind", ["host", "emulated"])
def test_rows_that_claim_another_kind_of_machine_are_refused(bench, install, artifact, kind):
    install(writes(row_of(artifact, machine={"kind": kind})))
    with pytest.raises(Refusal, match=f"measured on a machine of kind '{kind}', but it came from the phone"):
        bench()


def test_a_row_that_does_not_say_where_it_was_measured_is_the_phones(bench, install, artifact):
    install(writes(row_of(artifact, machine={"model": "Another Name"})))
    (row,), _ = bench()
    assert (row.machine.kind, row.machine.model) == ("phone", "Another Name")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{}", "schema None"),
        ('{"schema": "lariqa-measurement/9"}', "this version reads"),
        ("not json", "is not JSON"),
        ("", "holds no rows"),
    ],
)
def test_rows_that_are_none_are_refused(bench, install, text, sentence):
    install(f"printf '%s\\n' '{text}' >\"$3\"\necho ok >\"$3.done\"")
    with pytest.raises(Refusal, match=sentence):
        bench()


def test_an_app_that_says_ok_and_wrote_nothing_is_refused(bench, install):
    install('echo ok >"$3.done"')
    with pytest.raises(Refusal, match=r"rows-.*\.jsonl could not be fetched from one: .*No such file"):
        bench()


def test_a_device_lost_in_the_middle_is_one_sentence(bench, install, tmp_path, artifact):
    install(f'touch "{tmp_path}/lost"; exec sleep 5')
    with pytest.raises(DeviceLost, match=r"the connection to one was lost .* what was pushed is not pushed again"):
        bench()
    (tmp_path / "lost").unlink()
    with pytest.raises(DeviceLost, match="the connection to one was lost"):
        bench(command=f"touch {tmp_path}/lost; true")


def test_ctrl_c_stops_the_app(phone, install, artifact, tmp_path):
    install("exec sleep 60")
    program = (
        "import sys\nfrom pathlib import Path, PurePosixPath\nfrom benchmarks.phones.phone import *\n"
        "folder = PurePosixPath(sys.argv[2])\n"
        "request = PhoneRequest([Path(sys.argv[1])], folder=folder / 'lariqa', out_folder=folder)\n"
        "list(bench_on_phone(request, lambda step: print(step, flush=True)))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, artifact, phone],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=PHONE.parents[1],
    )
    for line in process.stdout:
        if line.startswith("starting"):
            break
    wait_until(lambda: (phone / "app.pid").exists())
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: adb gets it too
    process.wait(30)
    assert "KeyboardInterrupt" in process.stderr.read()
    assert (phone / "stopped").exists()
    wait_until(lambda: not is_alive((phone / "app.pid").read_text()))


def test_what_the_phone_could_only_fail_on_is_refused_before_anything_is_pushed(bench, artifact, tmp_path):
    small, twin = tmp_path / "a" / "p.png", tmp_path / "b" / "p.png"
    for path, size in ((small, (20, 10)), (twin, (200, 150))):
        path.parent.mkdir()
        Image.new("RGB", size, (90, 20, 30)).save(path)
    with pytest.raises(Refusal, match=r"p\.png is 20x10 px, .* takes 200x150: export one with --size 20x10"):
        bench(photos=[small])
    with pytest.raises(Refusal, match=r"two files are named p\.png"):
        bench(photos=[small, twin])
    alone = tmp_path / artifact.name
    shutil.copy(artifact, alone)
    with pytest.raises(Refusal, match=r"holds no lariqa\.json, which the phone needs"):
        bench(targets=[alone])
    assert not (tmp_path / "log").exists()


def test_what_is_not_for_android_is_left_out_of_a_folder_and_refused_by_its_name(bench, install, artifact, tmp_path):
    folder = tmp_path / "both"
    shutil.copytree(artifact.parent, folder)
    manifest = json.loads((folder / "lariqa.json").read_text())
    package = {**manifest["artifacts"][0], "file": "x.mlpackage", "format": "coreml"}
    (folder / "x.mlpackage").mkdir()
    package["sha256"] = sha256_of(folder / "x.mlpackage")
    manifest["artifacts"].append(package)
    (folder / "lariqa.json").write_text(json.dumps(manifest))
    install(writes(row_of(artifact)))
    (row,), said = bench(targets=[folder])
    assert row.subject.format == "onnx" and "x.mlpackage is not for Android: left out" in said
    with pytest.raises(Refusal, match=r"x\.mlpackage is not for Android, which runs onnx and tflite files"):
        bench(targets=[folder, folder / "x.mlpackage"])


def test_rows_exported_by_hand_are_imported_once(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps({**ROW, "id": name}) + "\n" for name in "ab"))
    rows = import_rows(file)
    assert [(row.id, row.machine.kind) for row in rows] == [("a", "phone"), ("b", "phone")]
    assert [row.id for row in import_rows(file, known={"a"})] == ["b"]


def test_what_cannot_be_imported_is_refused(tmp_path):
    file = tmp_path / "rows.jsonl"
    for content, sentence in (
        (json.dumps({**ROW, "machine": {"model": "iPhone"}}).encode(), "row 1 of .* machine.kind is missing"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"", "holds no rows"),
    ):
        file.write_bytes(content)
        with pytest.raises(Refusal, match=sentence):
            import_rows(file)
    with pytest.raises(Refusal, match="is a folder; expected a file of rows"):
        import_rows(tmp_path)
    with pytest.raises(Refusal, match="cannot be read: No such file"):
        import_rows(tmp_path / "nosuch")


def is_alive(pid: str) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid.strip()], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


def wait_until(condition, limit_s: float = 20.0) -> None:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit_s
        time.sleep(0.05)
