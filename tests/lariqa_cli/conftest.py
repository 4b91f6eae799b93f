"""Commands run inside the test process, on an export made once: the tiny model's, in ONNX.

Signals, absent packages and closed pipes get processes of their own (``tests.support.commands.start``).
"""

import functools
import json
import os
import shutil
import struct
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from PIL import Image

from export.formats import FORMATS
from export.formats.onnx.convert import METADATA_KEY
from export.proof.proof_photos import photos_to_prove
from export.rewrite.export_ready import ExportRequest
from lariqa.runtimes.runtime import runtimes
from lariqa_cli import main as command_line
from lariqa_cli import screen
from lariqa_train.model.checkpoint import load_checkpoint, save_checkpoint
from tests.support.commands import ONNX, Ended, converted_by


@pytest.fixture(autouse=True)
def single_threaded(one_thread):
    """Tiny models gain nothing from a second thread."""
    with one_thread():
        yield


@pytest.fixture
def run(monkeypatch, capfd):
    """A function that runs one command as ``lariqa ARGUMENTS...`` would, and returns how it ended."""

    def run_command(*arguments) -> Ended:
        monkeypatch.setattr(sys, "argv", ["lariqa", *map(str, arguments)])
        capfd.readouterr()
        # pytest's own sys.stderr goes past the descriptor, which lariqa redirects while a converter works.
        for number, name in ((1, "stdout"), (2, "stderr")):
            stream = open(number, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115 - outlives us
            monkeypatch.setattr(sys, name, stream)
        with os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace") as stderr:
            monkeypatch.setattr(screen, "stderr", stderr)
            with pytest.raises(SystemExit) as ended:
                command_line.main()
        return Ended(ended.value.code, *capfd.readouterr())

    return run_command


@pytest.fixture(scope="session")
def export_folder(shared_exports):
    """One proved export of the tiny model. Do not change it: ``exported`` is a copy."""
    folder, _ = shared_exports(ExportRequest("pixels", 150, 200))
    return folder


@pytest.fixture
def exported(export_folder, tmp_path):
    return shutil.copytree(export_folder, tmp_path / "exported")


cached_photos = functools.cache(photos_to_prove)


@pytest.fixture
def quick_onnx(export_folder, monkeypatch):
    """Conversion to ONNX by copying the file of the session: for tests of what happens around a conversion.

    Returns what is called while the file is being written; a test may put something there.
    """
    meanwhile = []

    def write(ready, path: Path, embedded: str) -> dict[str, str]:
        model = onnx.load(str(export_folder / ONNX))
        onnx.helper.set_model_props(model, {METADATA_KEY: embedded})
        data = model.SerializeToString()
        with path.open("wb") as file:
            file.write(data[:1000])
            for happen in meanwhile:
                happen()
            file.write(data[1000:])
        return {"copied": "1"}

    monkeypatch.setitem(FORMATS, "onnx", converted_by(FORMATS["onnx"], write))
    (row,) = json.loads((export_folder / "lariqa.json").read_text())["artifacts"]
    monkeypatch.setattr("export.pipeline.count_macs", lambda ready, example: row["macs"])
    monkeypatch.setattr("export.pipeline.photos_to_prove", cached_photos)
    return meanwhile


@pytest.fixture
def quick_tflite(quick_onnx, monkeypatch):
    """A second format that costs nothing: in truth the ONNX file, under the name and the suffix of TFLite."""
    runtime = replace(FORMATS["onnx"].runtime, format="tflite", suffix=".tflite")
    monkeypatch.setitem(FORMATS, "tflite", replace(FORMATS["onnx"], runtime=runtime))
    monkeypatch.setitem(runtimes(), "tflite", runtime)


@pytest.fixture(scope="session")
def another_checkpoint(tiny_checkpoint, tmp_path_factory):
    """The same weights with another story, so another file: it scores the same, which keeps ``quick_onnx`` true."""
    model = load_checkpoint(tiny_checkpoint)
    model.provenance = replace(model.provenance, made_by="another run")
    path = tmp_path_factory.mktemp("another") / "another.safetensors"
    save_checkpoint(model, path)
    return path


def png(width: int, height: int) -> bytes:
    """A small file whose header promises width x height pixels."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(1000)))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in [*chunks, (b"IEND", b"")]
    )


@pytest.fixture
def photos(photo_folder, tmp_path):
    """A folder with one good photo of 200x150 and every bad one, by name."""
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(photo_folder / "original.png", folder / "good.png")
    Image.open(folder / "good.png").save(folder / "whole.jpg")
    whole = (folder / "whole.jpg").read_bytes()
    (folder / "whole.jpg").unlink()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "text.jpg").write_text("Dear Sir or Madam")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "bomb.png").write_bytes(png(60_000, 60_000))
    Image.new("RGB", (1, 1)).save(folder / "one pixel.png")
    return folder
