"""The command line as tests meet it: how a command ended, what it left on the disk, and a process of its own for it."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from export.formats.format import Format
from export.rewrite.ready_model import ExportReady
from lariqa_cli import main as command_line
from lariqa_cli import screen

HOUSE = Path(__file__).parents[2]
SIZE = "200x150"
ONNX = f"lariqa_pixels_crop_{SIZE}_fp32.onnx"
TFLITE = f"lariqa_pixels_crop_{SIZE}_fp32.tflite"
AS_EXPORTED = ("--size", SIZE, "--input", "pixels", "--format", "onnx")
STEP = re.compile(r"\[ *\d+ s\] ")  # how a line of progress begins
NOT_TRAINED = "NOT TRAINED:"
LARIQA = (sys.executable, "-m", "lariqa_cli")


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def said(self) -> list[str]:
        """The lines of stderr without the progress."""
        return [line for line in self.stderr.splitlines() if not STEP.match(line)]

    def results(self) -> list:
        return json.loads(self.stdout)


def refused(ended: Ended, *facts: str, stdout: str = "") -> str:
    """Asserts that a command ended with one clear sentence, and nothing else but progress; returns it."""
    assert (ended.status, ended.stdout) == (2, stdout), ended
    (sentence,) = [line for line in ended.said if not line.startswith(NOT_TRAINED)]
    assert sentence.startswith("error: ") and "Traceback" not in sentence and "Warning" not in sentence
    assert len(sentence) < 700
    for fact in facts:
        assert str(fact) in sentence, (fact, sentence)
    return sentence


def run_here(monkeypatch, capfd, *words) -> tuple[int, str, str]:
    """Runs ``lariqa WORDS...`` in this process: (status, stdout, stderr)."""
    monkeypatch.setattr(sys, "argv", ["lariqa", *map(str, words)])
    capfd.readouterr()
    stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115 - the console's own copy goes past capfd
    monkeypatch.setattr(screen, "stderr", stderr)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    return ended.value.code, *capfd.readouterr()


def snapshot(folder: Path) -> dict[str, str]:
    """Everything below a folder, hidden leftovers too: relative path -> sha256 ("/" for a folder)."""
    return {
        str(path.relative_to(folder)): "/" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
    }


def start(*command, **options) -> subprocess.Popen:
    """A process whose output comes as text; one thread each, so that parallel ones do not wait for each other."""
    options["env"] = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", **options.get("env", {})}
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=HOUSE, **options
    )


def ended(process: subprocess.Popen) -> Ended:
    stdout, stderr = process.communicate(timeout=120)
    return Ended(process.returncode, stdout, stderr)


def converted_by(row: Format, convert: Callable[[ExportReady, Path, str], dict[str, str]]) -> Format:
    """The same format with another conversion: (export-ready model, path, embedded manifest) -> package versions."""
    kind = type(type(row).__name__, (type(row),), {"convert": staticmethod(convert)})
    return kind(**{field.name: getattr(row, field.name) for field in fields(row)})
