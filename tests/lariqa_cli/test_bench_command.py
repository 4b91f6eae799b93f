"""``lariqa bench`` and its sub-commands: what each takes, what it refuses, and rows that join a report."""

import json
import re
import shutil
from functools import partial

import pytest

from benchmarks.measure.measurement import Machine, Measurement, Subject
from benchmarks.report.report_folder import add_rows, rows_in
from export.rewrite.export_ready import ExportRequest
from tests.support.commands import run_here
from tests.support.made_rows import made_rows

PHONE = Measurement(subject=Subject(name="on a phone", format="onnx"), machine={"kind": "phone", "model": "Pixel 99"})
ONLY_HERE = ("--threads", "--baselines", "--find-divergence", "--weight-cache", "--checkpoint", "--seed")
ONLY_ON_PHONES = ("--accelerator", "--adb", "--adb-path", "--adb-dir", "--adb-command", "--adb-timeout")
OF_BOTH = ("--output", "--photos", "--runs", "--quick", "--sustained", "--rows")


@pytest.fixture(scope="module")
def exported(shared_exports):
    """A folder with the tiny model as ONNX."""
    folder, _ = shared_exports(ExportRequest("pixels", 150, 200))
    return folder


@pytest.fixture
def run(monkeypatch, capfd):
    """A function that runs ``lariqa bench ARGUMENTS...`` and returns (status, stdout, stderr)."""
    return partial(run_here, monkeypatch, capfd, "bench")


def refused(ended: tuple) -> str:
    """Asserts that a command ended with one sentence and nothing else; returns it."""
    status, stdout, stderr = ended
    assert (status, stdout) == (2, "") and "Traceback" not in stderr
    (sentence,) = [line for line in stderr.splitlines() if line.startswith("error: ")]
    return sentence


def file_of(folder, *rows: Measurement):
    path = folder / "phone.jsonl"
    path.write_text("".join(f"{row.to_line()}\n" for row in rows))
    return path


# What each takes


@pytest.mark.parametrize(
    ("command", "has"),
    [("run", OF_BOTH + ONLY_HERE), ("phone", OF_BOTH + ONLY_ON_PHONES), ("import", ("--output",))],
)
def test_each_sub_command_has_only_the_options_that_mean_something_to_it(run, command, has):
    status, shown, _ = run(command, "--help")
    assert status == 0 and set(re.findall(r"--[a-z-]+", shown)) & {*OF_BOTH, *ONLY_HERE, *ONLY_ON_PHONES} >= set(has)
    for option in {*OF_BOTH, *ONLY_HERE, *ONLY_ON_PHONES} - set(has):
        assert not re.search(rf"{option}\s", shown), option
        assert "No such option" in refused(run(command, "x", option))


def test_the_help_lists_the_sub_commands(run):
    status, shown, _ = run("--help")
    assert status == 0 and all(re.search(rf"\b{name}\b", shown) for name in ("run", "phone", "import"))


@pytest.mark.parametrize("arguments", [["EXPORT"], ["EXPORT", "-o", "x"], ["-o", "x", "EXPORT"], ["--adb", "any"], []])
def test_without_a_sub_command_the_one_for_this_machine_is_named(run, exported, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    sentence = refused(run(*[str(exported) if word == "EXPORT" else word for word in arguments]))
    assert "`lariqa bench run EXPORTED`" in sentence and "phone" in sentence and "import" in sentence
    assert not list(tmp_path.iterdir())


# What is refused


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (("run",), ["'EXPORTED'", "lariqa bench run --help"]),
        (("run", "absent"), ["nothing is at absent"]),
        (("run", "EXPORT", "--rows", "absent.jsonl"), ["no file at absent.jsonl"]),
        (("run", "EXPORT", "--photos", "absent"), ["absent", "nothing is there"]),
        (("run", "EXPORT", "-o", "EXPORT/lariqa.json"), ["is a file"]),
        (("run", "EXPORT", "--weight-cache", "EXPORT/lariqa.json"), ["is a file"]),
        (("run", "EXPORT", "--checkpoint", "EXPORT/lariqa.json"), ["no checkpoint"]),
        (("run", "EXPORT", "--runs", "0"), ["--runs"]),
        (("run", "EXPORT", "--sustained", "-1"), ["--sustained"]),
        (("run", "EXPORT", "--rows", "EXPORT/lariqa.json"), ["lariqa-manifest/2", "lariqa-measurement/2"]),
        (("phone",), ["'EXPORTED'", "lariqa bench phone --help"]),
        (("phone", "absent"), ["nothing is at absent"]),
        (("phone", "EXPORT", "--photos", "absent"), ["absent", "nothing is there"]),
        (("phone", "EXPORT", "-o", "EXPORT/lariqa.json"), ["is a file"]),
        (("phone", "EXPORT", "--accelerator", "tpu"), ["--accelerator", "'tpu'"]),
        (("phone", "EXPORT", "--adb-timeout", "0"), ["--adb-timeout"]),
        (("phone", "EXPORT", "--adb", "any", "--adb-path", "/no/adb"), ["/no/adb", "--adb-path"]),
        (("phone", "EXPORT", "--rows", "absent.jsonl"), ["no file at absent.jsonl"]),
        (("import",), ["'ROWS'", "lariqa bench import --help"]),
        (("import", "absent.jsonl"), ["no file at absent.jsonl"]),
        (("import", "EXPORT"), ["is a folder", "rows.jsonl"]),
        (("import", "EXPORT/lariqa.json"), ["lariqa-manifest/2", "lariqa-measurement/2"]),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(run, exported, tmp_path, monkeypatch, arguments, facts):
    arguments = [argument.replace("EXPORT", str(exported)) for argument in arguments]
    before = sorted(exported.iterdir())
    monkeypatch.chdir(tmp_path)
    sentence = refused(run(*arguments))
    for fact in facts:
        assert fact in sentence
    assert sorted(exported.iterdir()) == before and not list(tmp_path.iterdir())


def test_a_wrong_file_of_rows_leaves_the_report_as_it_was(run, tmp_path):
    rows = file_of(tmp_path, PHONE)
    (tmp_path / "wrong.jsonl").write_text("no row")
    refused(run("import", rows, tmp_path / "wrong.jsonl", "-o", tmp_path / "report"))
    assert not (tmp_path / "report").exists()


# Rows that join a report


def test_imported_rows_join_those_that_are_there_once(run, tmp_path):
    folder, before = tmp_path / "report", made_rows()
    add_rows(folder, before)
    for _ in range(2):
        status, stdout, stderr = run("import", file_of(tmp_path, PHONE), "-o", folder)
        assert status == 0 and "on a phone" in stdout and "Report: " in stderr
        assert rows_in(folder) == [*before, PHONE]
    assert "Pixel 99" in (folder / "report.html").read_text() and (folder / "report.md").exists()
    assert json.loads((folder / "report.json").read_text())["command"].startswith("lariqa bench import ")


def test_the_same_rows_in_two_files_are_taken_once(run, tmp_path):
    rows = file_of(tmp_path, PHONE)
    assert run("import", rows, shutil.copy(rows, tmp_path / "again.jsonl"), "-o", tmp_path / "report")[0] == 0
    assert rows_in(tmp_path / "report") == [PHONE]


@pytest.fixture
def measured(monkeypatch):
    """A function that makes every measurement on this machine end with the given rows; returns what was asked for."""

    def answer(*rows: Measurement) -> list:
        asked = []

        def run_suite(request, progress, finished):
            asked.append(request)
            for row in rows:
                finished(row)

        monkeypatch.setattr("benchmarks.bench.run_suite", run_suite)
        return asked

    return answer


def row_off_by(difference: float) -> Measurement:
    """A row of this run whose scores differ from the reference by that much."""
    scores = [{"photo": f"{n}.jpg", "score": 0.1 * n, "reference": 0.1 * n + difference} for n in range(1, 5)]
    subject = Subject(name="a.onnx", role="artifact", format="onnx", precision="fp32")
    return Measurement(subject=subject, scores=scores, report="this run")


def test_a_run_takes_a_phones_rows_into_the_same_report(run, exported, measured, tmp_path):
    asked, here = measured(row_off_by(0)), row_off_by(0)
    status, stdout, _ = run("run", exported, "-o", tmp_path / "report", "--rows", file_of(tmp_path, PHONE))
    assert status == 0 and "on a phone" in stdout and "a.onnx" in stdout
    first, second = rows_in(tmp_path / "report")
    assert first == PHONE and second.subject == here.subject and second.scores == here.scores
    assert [request.targets for request in asked] == [(exported,)]


def test_what_was_asked_for_is_what_is_measured(run, exported, measured, tmp_path):
    asked = measured(row_off_by(0))
    output = ("-o", tmp_path / "report")
    run("run", exported, *output)
    run("run", exported, *output, "--quick", "--sustained", "0.5", "--threads", "3", "--seed", "7", "--baselines")
    usual, quick = asked
    assert (usual.runs, usual.pictures, usual.threads, usual.sustained_s, usual.seed) == (30, 30, None, 0, 0)
    assert (quick.runs, quick.pictures, quick.threads, quick.sustained_s, quick.seed) == (5, 5, 3, 30, 7)
    assert quick.baselines and not (usual.baselines or usual.find_divergence or usual.photos or usual.weight_cache)


def test_an_artifact_past_its_limit_ends_a_run_with_1_and_is_named(run, exported, measured, tmp_path):
    measured(row_off_by(0.05))
    status, stdout, stderr = run("run", exported, "-o", tmp_path / "report")
    (sentence,) = [line for line in stderr.splitlines() if line.startswith("Missed: ")]
    assert status == 1 and "a.onnx" in stdout
    assert "a.onnx is past its parity limit" in sentence and "bench run --find-divergence" in sentence
    assert (tmp_path / "report" / "report.html").exists()


def test_rows_that_were_only_imported_do_not_end_with_1(run, exported, measured, tmp_path):
    wrong = row_off_by(0.05).model_copy(update={"machine": Machine(kind="phone")})
    assert run("import", file_of(tmp_path, wrong), "-o", tmp_path / "report")[0] == 0
    measured(row_off_by(0).model_copy(update={"report": "another"}))
    assert run("run", exported, "-o", tmp_path / "report")[0] == 0
