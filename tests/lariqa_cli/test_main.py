"""What all commands share: help, exit statuses, pipes, Ctrl-C, absent packages."""

import ast
import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.commands import AS_EXPORTED, HOUSE, LARIQA, ONNX, SIZE, ended, refused, snapshot, start

COMMANDS = (
    *("import", "export", "score", "verify", "inspect", "demo", "bench", "compare"),
    *("datasets", "train", "evaluate", "reproduce", "update-grid", "bundle", "web"),
)


def test_the_help_names_every_command_and_each_has_its_own(run):
    shown = run("--help")
    assert shown.status == 0 and all(name in shown.stdout for name in COMMANDS)
    assert all(run(name, "--help").status == 0 for name in COMMANDS)


def test_without_any_argument_the_help_is_shown_and_the_status_says_that_nothing_was_done(run):
    shown = run()
    assert shown.status == 2 and "score" in shown.stdout + shown.stderr
    assert "error" not in shown.stderr and "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (["scores"], ["scores", "lariqa --help"]),
        (["score"], ["model", "lariqa score --help"]),
        (["score", "model.onnx"], ["photos", "lariqa score --help"]),
        (["export", "x.safetensors"], ["output", "lariqa export --help"]),
        (["export", "x.safetensors", "-o", "y", "--fast"], ["--fast", "lariqa export --help"]),
        (["score", "m", "p", "--synthetic-view", "up"], ["--synthetic-view", "'up'", "'crop'", "'full'"]),
        (["export", "m", "-o", "y", "--limit", "low"], ["--limit", "'low'", "float"]),
        (["demo", "--seed", "-1"], ["--seed", "0"]),
    ],
)
def test_a_command_line_that_cannot_be_parsed_is_refused_in_one_sentence(run, arguments, facts):
    refused(run(*arguments), *facts)


@pytest.fixture
def no_torch(tmp_path):
    """An environment in which ``import torch`` fails, so that an answer proves that it was not needed."""
    (tmp_path / "torch.py").write_text("raise RuntimeError('torch was imported')")
    return {"PYTHONPATH": str(tmp_path)}


def test_the_help_and_errors_about_paths_come_without_importing_torch(no_torch, tiny_checkpoint, export_folder):
    wrong = {
        ("score", "absent.onnx", "photo.jpg"): "absent.onnx",
        ("score", tiny_checkpoint, "absent.jpg"): "absent.jpg",
        ("score", export_folder, "photo.jpg"): ONNX,
        ("export", "absent.safetensors", "-o", "x"): "absent.safetensors",
        ("export", tiny_checkpoint, "-o", tiny_checkpoint): "is a file",
        ("verify", "absent"): "absent",
        ("inspect", "absent"): "absent",
        ("import", "absent.pth", "-o", "x.safetensors"): "absent.pth",
        ("update-grid", "absent.safetensors", "--photos", "p", "-o", "x.safetensors"): "absent.safetensors",
        ("update-grid", tiny_checkpoint, "--photos", "p", "-o", "x.onnx"): "x.onnx",
        ("demo", "-o", tiny_checkpoint): "is a file",
    }
    # All in one process: a second of Python for each would be a long wait for the same answer.
    script = (
        "import contextlib, sys\n"
        "from lariqa_cli import main as command_line\n"
        "for line in sys.stdin.read().splitlines():\n"
        "    sys.argv = ['lariqa', *line.split('\\t')]\n"
        "    with contextlib.suppress(SystemExit):\n"
        "        command_line.main()\n"
    )
    process = start(sys.executable, "-c", script, env=no_torch, stdin=subprocess.PIPE)
    lines = "".join("\t".join(map(str, arguments)) + "\n" for arguments in [("--help",), *wrong])
    stdout, stderr = process.communicate(lines, timeout=60)
    assert process.returncode == 0 and "Show what an exported file" in stdout
    told = stderr.splitlines()
    assert len(told) == len(wrong)
    for sentence, fact in zip(told, wrong.values(), strict=True):
        assert sentence.startswith("error: ") and fact in sentence


def test_whoever_stops_reading_ends_the_program_without_a_word():
    process = start(
        sys.executable, "-c", "from lariqa_cli.screen import say\nfor i in range(100_000): say('0.5  photo.jpg')"
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == "" and process.wait(60) == 141
    process.stderr.close()


def test_ctrl_c_in_the_middle_of_a_file_leaves_the_older_one(run, tiny_checkpoint, exported, quick_onnx, tmp_path):
    quick_onnx.append(lambda: os.kill(os.getpid(), signal.SIGINT))
    before = snapshot(exported)
    for folder in (exported, tmp_path / "new"):
        stopped = run("export", tiny_checkpoint, "-o", folder, *AS_EXPORTED)
        assert (stopped.status, stopped.stdout) == (130, "")
        assert stopped.said == ["error: interrupted; nothing half-written was left"]
    assert snapshot(exported) == before and not (tmp_path / "new").exists()


def test_ctrl_c_that_a_package_swallows_still_ends_the_export(run, tiny_checkpoint, exported, quick_onnx):
    def swallow() -> None:
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        swallowed.append(True)

    swallowed, before = [], snapshot(exported)
    quick_onnx.append(swallow)
    stopped = run("export", tiny_checkpoint, "-o", exported, *AS_EXPORTED)
    assert swallowed and (stopped.status, stopped.stdout) == (130, "")
    assert stopped.said == ["error: interrupted; nothing half-written was left"]
    assert snapshot(exported) == before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_while_a_converter_works_leaves_the_older_export(tiny_checkpoint, exported):
    before = snapshot(exported)
    process = start(*LARIQA, "export", tiny_checkpoint, "-o", exported, *AS_EXPORTED)
    said = ""
    while "converting" not in said:
        said = process.stderr.readline()
        assert said, "it ended before it converted anything"
    assert any(path.name.startswith(".writing-") for path in exported.iterdir())
    process.send_signal(signal.SIGINT)
    stopped = ended(process)
    assert (stopped.status, stopped.stdout) == (130, "")
    assert stopped.said == ["error: interrupted; nothing half-written was left"]
    assert snapshot(exported) == before


BACKENDS = ("onnx", "onnxruntime", "onnxscript", "coremltools", "litert_torch", "ai_edge_litert", "tflite_runtime")


@pytest.fixture
def no_backends(monkeypatch):
    """As where none of the extras is installed: importing one raises ModuleNotFoundError."""
    loaded = [name for name in sys.modules if name.split(".")[0] in BACKENDS]
    for name in {*BACKENDS, *loaded}:
        monkeypatch.setitem(sys.modules, name, None)


def test_an_absent_backend_is_named_with_the_extra_that_brings_it(
    run, no_backends, tiny_checkpoint, export_folder, photo_folder, tmp_path
):
    (tmp_path / "model.tflite").write_bytes(b"\0\0\0\0TFL3")
    (tmp_path / "model.mlpackage").mkdir()
    before = snapshot(tmp_path)
    for extra, model in (
        ("onnx", export_folder / ONNX),
        ("tflite", tmp_path / "model.tflite"),
        ("coreml", tmp_path / "model.mlpackage"),
    ):
        refused(run("score", model, photo_folder), "not installed", f"pip install 'lariqa[{extra}]'")
        refused(run("inspect", model), "not installed", f"pip install 'lariqa[{extra}]'")
        to_folder = ("-o", tmp_path / "out", "--size", SIZE, "--format", extra)
        refused(run("export", tiny_checkpoint, *to_folder), "not installed", f"pip install 'lariqa[{extra}]'")
    assert snapshot(tmp_path) == before
    assert run("score", tiny_checkpoint, photo_folder).status == 0  # PyTorch alone is enough for a checkpoint


def test_no_file_needs_a_backend_to_be_imported():
    for file in (
        file for floor in ("lariqa", "export", "benchmarks", "lariqa_cli") for file in (HOUSE / floor).rglob("*.py")
    ):
        for node in ast.parse(file.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in BACKENDS], file


def test_a_table_whose_reader_leaves_ends_as_a_shell_expects():
    show = "from rich.table import Table; from lariqa_cli.screen import show; import os; show(Table('x' * 200_000))"
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing) as closed:
        assert subprocess.run([sys.executable, "-c", show], stdout=closed, cwd=HOUSE).returncode == 141
