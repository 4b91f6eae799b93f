"""The command line as a hostile user meets it: status, one sentence, what is on stdout, and what is left on the disk.

Most commands run inside the test process, with the same standard streams as on a terminal; signals, absent packages
and closed pipes get processes of their own. The models are tiny and the ONNX file is converted once.
"""

import ast
import contextlib
import functools
import hashlib
import json
import os
import pickle
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import time
import types
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from export.formats import FORMATS
from export.formats.onnx.convert import METADATA_KEY
from export.pipeline import export_proved
from export.proof.proof_photos import proof_photos
from export.rewrite.export_ready import ExportRequest
from lariqa.manifest.model_config import LarIqaConfig
from lariqa_cli import main as command_line
from lariqa_cli import screen
from lariqa_train.model.checkpoint import load_checkpoint, save_checkpoint
from lariqa_train.model.heads import PAPER_HEADS
from lariqa_train.model.model import LarIqa

HOUSE = Path(__file__).parents[2]
SIZE = "200x150"
ONNX = f"lariqa_pixels_crop_{SIZE}_fp32.onnx"
TFLITE = f"lariqa_pixels_crop_{SIZE}_fp32.tflite"
AS_EXPORTED = ("--size", SIZE, "--format", "onnx")
STEP = re.compile(r"\[ *\d+ s\] ")  # how a line of progress begins
NOT_TRAINED = "NOT TRAINED:"


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


def snapshot(folder: Path) -> dict[str, str]:
    """Everything below a folder, hidden leftovers too: relative path -> sha256 ("/" for a folder)."""
    return {
        str(path.relative_to(folder)): "/" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(autouse=True)
def single_threaded(one_thread):
    """Tiny models gain nothing from a second thread."""
    with one_thread():
        yield


@pytest.fixture
def run(monkeypatch, capfd):
    """A function that runs one command as ``lariqa ARGUMENTS...`` would, and returns how it ended."""
    monkeypatch.setattr(screen, "out", screen.Screen(width=10_000))  # as in a pipe, wherever pytest itself prints to

    def run_command(*arguments) -> Ended:
        monkeypatch.setattr(sys, "argv", ["lariqa", *map(str, arguments)])
        capfd.readouterr()
        # pytest's own sys.stderr goes past the descriptor, which lariqa redirects while a converter works.
        for number, name in ((1, "stdout"), (2, "stderr")):
            stream = open(number, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115 - outlives us
            monkeypatch.setattr(sys, name, stream)
        with os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace") as stderr:
            monkeypatch.setattr(screen.progress_console, "file", stderr)
            with pytest.raises(SystemExit) as ended:
                command_line.main()
        return Ended(ended.value.code, *capfd.readouterr())

    return run_command


def start(*command, **options) -> subprocess.Popen:
    """A process whose output comes as text; one thread each, so that parallel ones do not wait for each other."""
    options["env"] = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", **options.get("env", {})}
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=HOUSE, **options
    )


LARIQA = (sys.executable, "-m", "lariqa_cli")


def ended(process: subprocess.Popen) -> Ended:
    stdout, stderr = process.communicate(timeout=120)
    return Ended(process.returncode, stdout, stderr)


@pytest.fixture(scope="session")
def export_folder(tiny_model, tmp_path_factory, one_thread):
    """One proved export of the tiny model. Do not change it: ``exported`` is a copy."""
    folder = tmp_path_factory.mktemp("export") / "exported"
    with one_thread():
        (proved,) = export_proved(tiny_model, ExportRequest("pixels", 150, 200), ["onnx"], folder)
    assert proved.parity.passed and proved.parity.spread > 0.01
    return folder


@pytest.fixture
def exported(export_folder, tmp_path):
    return shutil.copytree(export_folder, tmp_path / "exported")


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

    monkeypatch.setitem(FORMATS, "onnx", replace(FORMATS["onnx"], write=write))
    (row,) = json.loads((export_folder / "lariqa.json").read_text())["artifacts"]
    monkeypatch.setattr("export.pipeline.count_macs", lambda ready, example: row["macs"])
    monkeypatch.setattr("export.pipeline.proof_photos", cached_photos)
    return meanwhile


cached_photos = functools.cache(proof_photos)


@pytest.fixture
def quick_tflite(quick_onnx, monkeypatch):
    """A second format that costs nothing: in truth the ONNX file, under the name and the suffix of TFLite."""
    monkeypatch.setitem(FORMATS, "tflite", replace(FORMATS["onnx"], name="tflite", suffix=".tflite"))


@pytest.fixture(scope="session")
def another_checkpoint(tiny_checkpoint, tmp_path_factory):
    """The same weights with another story, so another file: it scores the same, which keeps ``quick_onnx`` true."""
    model = load_checkpoint(tiny_checkpoint)
    model.provenance = replace(model.provenance, made_by="another run")
    path = tmp_path_factory.mktemp("another") / "another.safetensors"
    save_checkpoint(model, path)
    return path


# The door


COMMANDS = (
    *("import", "export", "score", "verify", "inspect", "demo", "bench", "compare"),
    *("datasets", "train", "evaluate", "reproduce", "update-grid"),
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
        (["export", "m", "-o", "y", "--limit", "low"], ["--limit", "number"]),
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
    assert process.returncode == 0 and "Show what a checkpoint" in stdout
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


# Photos


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


BAD_PHOTOS = {
    "truncated.jpg": ["truncated"],
    "text.jpg": ["JPEG", "b'Dear Sir or '"],
    "empty.jpg": ["empty", "0 bytes"],
    "bomb.png": ["at most 200 megapixels"],
    "one pixel.png": ["1x1 px", "32"],
}


@pytest.mark.parametrize("name", BAD_PHOTOS)
def test_a_bad_photo_is_refused_by_its_name(run, tiny_checkpoint, photos, name):
    refused(run("score", tiny_checkpoint, photos / name), f"{photos / name}: ", *BAD_PHOTOS[name])


@pytest.mark.parametrize("model", ["checkpoint", "artifact"])
def test_among_bad_photos_the_good_ones_are_scored_and_the_status_tells(
    run, tiny_checkpoint, export_folder, photos, model
):
    ended = run("score", tiny_checkpoint if model == "checkpoint" else export_folder / ONNX, photos)
    assert ended.status == 2
    assert re.fullmatch(rf"-?\d\.\d{{6}}  {re.escape(str(photos / 'good.png'))}\n", ended.stdout)
    errors = [line for line in ended.said if line.startswith("error: ")]
    assert len(errors) == len(BAD_PHOTOS) == len(ended.said) - 1
    for name, facts in BAD_PHOTOS.items():
        (sentence,) = [line for line in errors if str(photos / name) in line]
        assert all(fact in sentence for fact in facts)


def test_in_json_a_bad_photo_has_an_error_instead_of_a_score(run, tiny_checkpoint, photos):
    ended = run("score", tiny_checkpoint, photos / "text.jpg", photos / "good.png", "--json")
    bad, good = ended.results()
    assert ended.status == 2
    assert "score" not in bad and "text.jpg" in bad["error"] and bad["photo"] == str(photos / "text.jpg")
    assert "error" not in good and isinstance(good["score"], float)


@pytest.mark.parametrize(
    ("given", "facts"),
    [
        ("empty folder", ["folder with photos", "without"]),
        ("*.jpeg", ["pattern", "0 paths"]),
        ("absent.jpg", ["nothing is there"]),
    ],
)
def test_where_no_photo_is_none_is_scored(run, tiny_checkpoint, tmp_path, given, facts):
    (tmp_path / "empty folder").mkdir()
    refused(run("score", tiny_checkpoint, tmp_path / given), tmp_path / given, *facts)


def test_a_photo_of_another_size_is_refused_and_resampled_only_on_request(run, export_folder, tmp_path):
    Image.fromarray(np.arange(96 * 64 * 3, dtype=np.uint8).reshape(64, 96, 3)).save(tmp_path / "small.png")
    wanted = ("score", export_folder / ONNX, tmp_path / "small.png")
    refused(run(*wanted), "small.png", "96x64", SIZE, "--size 96x64", "--fit")
    fitted = run(*wanted, "--fit")
    assert fitted.status == 0 and fitted.stdout.endswith(f"{tmp_path / 'small.png'}\n")


def test_scores_in_json_say_what_was_scored_by_what_and_how(run, tiny_checkpoint, export_folder, photo_folder):
    for model, runtime in ((tiny_checkpoint, "PyTorch"), (export_folder / ONNX, "ONNX Runtime")):
        rows = run("score", model, photo_folder, "--json").results()
        assert [row["photo"] for row in rows] == [str(path) for path in sorted(photo_folder.iterdir())]
        assert len({round(row["score"], 4) for row in rows}) == 5
        for row in rows:
            assert row.keys() == {"photo", "score", "model", "runtime", "views", "trained"}
            assert row["model"] == str(model) and row["runtime"].startswith(runtime) and row["trained"] is False
            assert row["views"].keys() == {"authentic", "synthetic"}
            assert "128x128" in row["views"]["authentic"] and "centre crop" in row["views"]["synthetic"]


def test_stdout_has_results_alone(run, tiny_checkpoint, photo_folder):
    ended = run("score", tiny_checkpoint, photo_folder)
    assert ended.status == 0 and [line[:11] for line in ended.said] == [NOT_TRAINED[:11]]
    scored = dict(reversed(line.split("  ", 1)) for line in ended.stdout.splitlines())
    assert list(scored) == [str(path) for path in sorted(photo_folder.iterdir())]
    assert all(re.fullmatch(r"-?\d\.\d{6}", score) for score in scored.values())


ODD_NAMES = ["with  two spaces", "Grüße 日本", "[red]set[bold]", "[/]", ":smile:", "[[x]]\\[y]", "x" * 150]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_are_printed_as_they_are_and_never_wrapped(run, tiny_checkpoint, photo_folder, tmp_path, name):
    folder = tmp_path / name.replace("/", "|") / name.replace("/", "|")
    folder.mkdir(parents=True)
    photo, checkpoint = folder / "photo.png", shutil.copy(tiny_checkpoint, folder / "model.safetensors")
    shutil.copy(photo_folder / "original.png", photo)
    good = run("score", checkpoint, photo)
    assert good.status == 0 and good.stdout.split("  ", 1)[1] == f"{photo}\n"
    assert any(line.endswith(f"opening {checkpoint}") for line in good.stderr.splitlines())
    photo.write_text("no photo")
    refused(run("score", checkpoint, photo), f"error: {photo}: expected a photo")


def test_a_name_that_is_no_text_does_not_stop_the_scoring(run, tiny_checkpoint, photo_folder, tmp_path):
    try:
        photo = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
        shutil.copy(photo_folder / "original.png", photo)
    except (OSError, UnicodeError):
        pytest.skip("this file system takes text alone")
    assert run("score", tiny_checkpoint, photo).stdout.endswith("\\udcff.png\n")
    photo.write_text("no photo")
    refused(run("score", tiny_checkpoint, photo), "udcff.png: expected a photo")


def test_the_tables_keep_long_and_odd_names_whole(run, exported, photo_folder, tmp_path):
    folder = shutil.copytree(exported, tmp_path / f"[red] {'long ' * 30}export")
    photos = shutil.copytree(photo_folder, tmp_path / f"[/bold] {'very ' * 30}long".replace("/", "|"))
    shown = run("verify", folder, "--photos", photos)
    assert shown.status == 0 and shown.stdout.splitlines()[0] == str(folder)
    assert all(str(photo) in shown.stdout for photo in photos.iterdir())


# Models


def wrong_models(folder: Path, tiny_checkpoint: Path) -> dict[str, tuple[Path, list[str]]]:
    """Kind -> (a file or folder that is no checkpoint of ours, facts in the refusal), all written below ``folder``."""
    state, data = load_file(tiny_checkpoint), tiny_checkpoint.read_bytes()
    description = {"schema_version": 1, **load_checkpoint(tiny_checkpoint).describe()}

    def written(name: str, content: bytes) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    def saved(name: str, tensors: dict, **change) -> Path:
        save_file(tensors, folder / name, metadata={"lariqa": json.dumps(description | change)})
        return folder / name

    def stored(name: str, tensors: dict, **metadata) -> Path:
        save_file(tensors, folder / name, metadata=metadata)
        return folder / name

    config = folder / "other project"
    config.mkdir()
    (config / "config.json").write_text('{"model_type": "bert"}')
    stored("other project/model.safetensors", {"weight": torch.zeros(2)})
    encoder = {name: tensor for name, tensor in state.items() if ".backbone." in name}
    return {
        "authors' file": (written("authors.pth", b"whatever"), ["authors.pth", " import "]),
        "bare encoder": (saved("encoder.safetensors", encoder, head=None), ["bare encoder", "train a head"]),
        "another project's": (stored("other.safetensors", {"weight": torch.zeros(2)}), ["no lariqa description"]),
        "another project's folder": (config, ["other project", "provenance"]),
        "truncated": (written("cut.safetensors", data[:100_000]), ["cut.safetensors", "download complete?"]),
        "empty": (written("empty.safetensors", b""), ["empty.safetensors", "download complete?"]),
        "text": (written("text.safetensors", b"weights, honestly"), ["text.safetensors", "not a readable"]),
        "newer schema": (saved("newer.safetensors", state, schema_version=2), ["schema 2", "upgrade"]),
        "no JSON": (stored("json.safetensors", state, lariqa="{"), ["json.safetensors", "not JSON"]),
        "deep JSON": (stored("deep.safetensors", state, lariqa="[" * 100_000), ["deep.safetensors", "not JSON"]),
        "wrong width": (saved("wide.safetensors", state, features=17), ["wide.safetensors", "size mismatch"]),
        "wrong words": (
            saved("words.safetensors", state, preprocess=description["preprocess"] | {"mean": ["a", "b", "c"]}),
            ["words.safetensors", "'a'"],
        ),
        "number for a name": (saved("number.safetensors", state, backbone=5), ["number.safetensors"]),
        "missing weights": (
            saved("less.safetensors", {key: state[key] for key in state if "regressor" not in key}),
            ["less.safetensors", "regressor.layers.0.base_weight"],
        ),
    }


def test_score_and_export_refuse_every_wrong_checkpoint_and_write_nothing(run, tiny_checkpoint, photo_folder, tmp_path):
    (tmp_path / "models").mkdir()
    for kind, (model, facts) in wrong_models(tmp_path / "models", tiny_checkpoint).items():
        print(kind)
        refused(run("score", model, photo_folder), *facts)
        refused(run("export", model, "-o", tmp_path / "out", *AS_EXPORTED), *facts)
        assert not (tmp_path / "out").exists()


def test_weights_that_are_no_numbers_give_no_score(run, tiny_checkpoint, photo_folder, tmp_path):
    model = load_checkpoint(tiny_checkpoint)
    model.regressor.layers[0].base_weight.data.fill_(float("nan"))
    save_checkpoint(model, tmp_path / "nan.safetensors")
    ended = run("score", tmp_path / "nan.safetensors", photo_folder / "dark.png", "--json")
    (row,) = ended.results()
    assert ended.status == 2 and "not a number" in row["error"] and "score" not in row
    refused(run("export", tmp_path / "nan.safetensors", "-o", tmp_path / "out", *AS_EXPORTED), "not finite")
    assert not (tmp_path / "out").exists()


def test_export_takes_checkpoints_and_says_where_one_is(run, exported, tmp_path):
    refused(run("export", exported / ONNX, "-o", tmp_path / "out"), "no checkpoint", ONNX, "reference.safetensors")
    refused(run("export", exported, "-o", tmp_path / "out"), "no checkpoint", "reference.safetensors")
    assert not (tmp_path / "out").exists()


def other_onnx(path: Path) -> Path:
    value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "other", value[:1], value[1:])
    onnx.save(onnx.helper.make_model(graph), str(path))
    return path


def test_files_of_the_three_formats_that_are_not_ours_or_not_whole_are_refused(run, export_folder, photos, tmp_path):
    def refuses(path: Path, *facts: str) -> None:
        for command in (("score", path, photos / "good.png"), ("inspect", path)):
            refused(run(*command), path, *facts)

    refuses(other_onnx(tmp_path / "other.onnx"), "not written by `lariqa export`")
    for name, content in {
        "cut.onnx": (export_folder / ONNX).read_bytes()[:-1000],
        "text.onnx": b"not a model",
        "text.tflite": b"not a model either",
        "cut.tflite": struct.pack("<I4s", 4000, b"TFL3") + bytes(100),  # its root lies behind the end
    }.items():
        (tmp_path / name).write_bytes(content)
        refuses(tmp_path / name, "is the download complete?")
    for name in ("folder.onnx", "folder.tflite"):
        (tmp_path / name).mkdir()
        refuses(tmp_path / name, "not a readable")
    package = tmp_path / "cut.mlpackage"
    package.mkdir()
    refuses(package, "Manifest.json")
    (package / "Manifest.json").write_text('{"itemInfoEntries": {"x": {"path": "com.ap')
    refuses(package, "not a readable .mlpackage")
    (tmp_path / "model.bin").write_bytes(b"model")
    refuses(tmp_path / "model.bin", ".onnx, .mlpackage, .tflite")


def test_an_artifact_whose_bytes_were_changed_is_refused(run, exported, photo_folder):
    data = bytearray((exported / ONNX).read_bytes())
    data[len(data) // 2] ^= 1
    (exported / ONNX).write_bytes(data)
    for command in (("score", exported / ONNX, photo_folder), ("inspect", exported / ONNX), ("verify", exported)):
        refused(run(*command), ONNX, "sha256 differs")


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("{", ["not JSON"]),
        ("[" * 100_000, ["not JSON"]),
        ("[]", ["schema None", "lariqa-manifest/2"]),
        ('{"schema": "lariqa-manifest/3"}', ["lariqa-manifest/3", "lariqa-manifest/2"]),
        ('{"schema": "lariqa-manifest/1"}', ["not a complete manifest"]),
        ('{"schema": "lariqa-manifest/2"}', ["not a complete manifest"]),
        ("\udcff", ["cannot be read"]),
    ],
)
def test_a_damaged_manifest_is_refused_and_left_as_it_is(
    run, exported, tiny_checkpoint, photo_folder, quick_onnx, text, facts
):
    (exported / "lariqa.json").write_text(text, errors="surrogateescape")
    before = snapshot(exported)
    for command in (
        ("score", exported / ONNX, photo_folder),
        ("inspect", exported / ONNX),
        ("verify", exported),
        ("export", tiny_checkpoint, "-o", exported, *AS_EXPORTED),
    ):
        refused(run(*command), exported / "lariqa.json", *facts)
    assert snapshot(exported) == before


@pytest.mark.parametrize(
    "change",
    [
        {"input": "tensors"},
        {"input": "bytes"},
        {"photo_width_px": 201},
        {"photo_width_px": None},
        {"photo_height_px": "150"},
        {"file": f"../exported/{ONNX}"},
        {"file": ".."},
        {"format": "tflite"},
        {"precision": "fp64"},
        {"synthetic_view": "whole"},
        {"inputs": []},
        {"surprise": 1},
    ],
    ids=lambda change: f"{change}",
)
def test_a_manifest_row_that_cannot_be_true_is_refused(run, exported, photo_folder, change):
    manifest = json.loads((exported / "lariqa.json").read_text())
    manifest["artifacts"][0] |= change
    (exported / "lariqa.json").write_text(json.dumps(manifest))
    for command in (("score", exported / ONNX, photo_folder, "--fit"), ("verify", exported)):
        refused(run(*command))


def test_a_file_that_the_manifest_beside_it_does_not_list_speaks_for_itself(run, exported, photo_folder):
    (exported / ONNX).rename(exported / "renamed.onnx")
    again = run("score", exported / "renamed.onnx", photo_folder)
    assert again.status == 0 and len(again.stdout.splitlines()) == 5
    refused(run("verify", exported / "renamed.onnx"), "does not list renamed.onnx", ONNX)
    refused(run("verify", exported), ONNX, "no model at")


def test_an_artifact_shows_only_the_view_that_it_was_made_with(run, exported, photo_folder):
    wanted = ("score", exported / ONNX, photo_folder, "--synthetic-view")
    assert run(*wanted, "crop").status == 0
    refused(run(*wanted, "full"), ONNX, "crop view", "--synthetic-view full")


# import


@pytest.fixture(scope="session")
def authors_files(tmp_path_factory):
    """Kind of the authors' files -> one with our random weights under their names."""
    folder = tmp_path_factory.mktemp("authors")
    both = LarIqa().state_dict()
    single = LarIqa(LarIqaConfig(branches=("authentic",), head=PAPER_HEADS["kan-small"])).state_dict()
    theirs = {
        "authentic.backbone.": "authentic.",
        "synthetic.backbone.": "syntetic.",
        "authentic.reducer.": "aut_dw.",
        "synthetic.reducer.": "syn_dw.",
        "regressor.": "head.",
    }

    def saved(name: str, state: dict, names: dict[str, str]) -> Path:
        for ours, other in names.items():
            state = {
                other + key.removeprefix(ours) if key.startswith(ours) else key: tensor for key, tensor in state.items()
            }
        torch.save(state, folder / name)
        return folder / name

    backbone = {key: tensor for key, tensor in single.items() if key.startswith("authentic.backbone.")}
    return {
        "two-branch KAN": saved("two.pth", both, theirs),
        "one-branch KAN": saved("one.pth", single, theirs | {"authentic.backbone.": "base."}),
        "bare backbone": saved("backbone.pth", backbone, {"authentic.backbone.": ""}),
    }


def test_the_authors_files_become_checkpoints_once_the_branch_is_clear(run, authors_files, tmp_path):
    output = tmp_path / "made" / "model.safetensors"
    for kind, file in authors_files.items():
        branch = () if kind == "two-branch KAN" else ("--branch", "synthetic")
        done = run("import", file, "-o", output, *branch)
        assert done.status == 0 and done.stdout.startswith(f"{kind}: ") and str(output) in done.stdout
        assert load_checkpoint(output).provenance.trained
        assert snapshot(tmp_path / "made").keys() == {"model.safetensors"}
        shown = run("inspect", output)
        assert shown.status == 0 and kind in shown.results()["provenance"]["made_by"]


def test_the_branch_is_asked_for_where_it_is_unknown_and_nowhere_else(run, authors_files, tmp_path):
    output = ("-o", tmp_path / "model.safetensors")
    for kind in ("one-branch KAN", "bare backbone"):
        refused(run("import", authors_files[kind], *output), kind, "--branch authentic or --branch synthetic")
        refused(run("import", authors_files[kind], *output, "--branch", "left"), "'left'", "authentic, synthetic")
    two = authors_files["two-branch KAN"]
    refused(run("import", two, *output, "--branch", "authentic"), "both branches", "leave --branch out")
    assert snapshot(tmp_path) == {}


def test_keys_that_are_missing_unknown_or_misshaped_are_all_listed(run, authors_files, tmp_path):
    state = torch.load(authors_files["one-branch KAN"], weights_only=True)
    del state["head.layers.0.grid"]
    state["base.surprise"] = torch.zeros(1)
    state["aut_dw.layers.0.base_weight"] = torch.zeros(3, 3)
    torch.save(state, tmp_path / "odd.pth")
    ended = run("import", tmp_path / "odd.pth", "-o", tmp_path / "x.safetensors", "--branch", "authentic")
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.said[0].startswith("error: ") and "one-branch KAN" in ended.said[0] and "3 keys" in ended.said[0]
    assert sorted(ended.said[1:]) == [
        "  missing: regressor.layers.0.grid",
        "  shape: aut_dw.layers.0.base_weight is (3, 3), expected (128, 1000)",
        "  unknown: base.surprise",
    ]
    assert snapshot(tmp_path).keys() == {"odd.pth"}


class Bomb:
    """Makes a file where a reader lets pickles run code."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("how", ["torch", "torch, legacy", "pickle 0", "pickle 2", "pickle 5"])
def test_a_file_that_would_run_code_is_refused_and_does_not_run_it(run, tmp_path, how):
    file, mark = tmp_path / "bomb.pth", tmp_path / "the bomb went off"
    if how.startswith("torch"):
        torch.save({"weight": Bomb(mark)}, file, _use_new_zipfile_serialization="legacy" not in how)
    else:
        file.write_bytes(pickle.dumps({"weight": Bomb(mark)}, int(how[-1])))
    refused(run("import", file, "-o", tmp_path / "x.safetensors"), file)
    assert snapshot(tmp_path).keys() == {"bomb.pth"}


def test_the_bomb_is_real(tmp_path):
    pickle.loads(pickle.dumps(Bomb(tmp_path / "the bomb went off")))
    assert (tmp_path / "the bomb went off").exists()


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:")
def test_what_is_no_state_dict_is_refused_without_a_warning(run, authors_files, photo_folder, tmp_path):
    good = authors_files["bare backbone"].read_bytes()
    one = torch.zeros(2, 2)
    contents = {
        "cut": good[: len(good) // 2],
        "cut early": good[:10],
        "empty": b"",
        "text": b"these are the weights",
        "photo": (photo_folder / "dark.png").read_bytes(),
        "list": [one],
        "tensor": one,
        "settings": {"lr": 0.1},
        "numbered": {1: one},
        "sparse": {"conv_stem.weight": one.to_sparse()},
        "complex": {"conv_stem.weight": one.to(torch.complex64)},
        "without data": {"conv_stem.weight": one.to("meta")},
        "whole module": torch.nn.Linear(2, 2),
        "script": torch.jit.script(torch.nn.Linear(2, 2)),
        "another network's": {"fc.weight": one},
    }
    for kind, content in contents.items():
        file = tmp_path / f"{kind}.pth"
        if isinstance(content, bytes):
            file.write_bytes(content)
        elif kind == "script":
            content.save(str(file))
        else:
            torch.save(content, file)
        refused(run("import", file, "-o", tmp_path / "x.safetensors", "--branch", "synthetic"), file)
    assert not (tmp_path / "x.safetensors").exists()


def test_import_writes_a_safetensors_file_or_nothing(run, authors_files, tmp_path, no_file_above):
    weights, branch = authors_files["bare backbone"], ("--branch", "synthetic")
    refused(run("import", weights, "-o", tmp_path / "x.pth", *branch), "x.pth", ".safetensors")
    (tmp_path / "mine.safetensors").mkdir()
    (tmp_path / "mine.safetensors" / "precious").write_text("mine")
    refused(run("import", weights, "-o", tmp_path / "mine.safetensors", *branch), "not a folder")
    below = tmp_path / "mine.safetensors" / "precious" / "x.safetensors"
    refused(run("import", weights, "-o", below, *branch), "precious", "is a file")
    refused(run("import", weights, "-o", "/proc/lariqa/x.safetensors", *branch), "cannot write in /proc/lariqa")
    (tmp_path / "older.safetensors").write_text("good")
    before = snapshot(tmp_path)
    for name in ("older.safetensors", "newer.safetensors"):
        with no_file_above(1_000_000):
            full = run("import", weights, "-o", tmp_path / name, *branch)
        refused(full, f"cannot write in {tmp_path}", "make room")
    assert snapshot(tmp_path) == before


# export


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (["--format", "onnx,gguf"], ["'gguf'", "onnx, coreml, tflite"]),
        (["--format", ","], ["--format", "onnx, coreml, tflite"]),
        (["--precision", "fp64"], ["fp64", "fp32"]),
        (["--size", "4k"], ["'4k'", "3840x2160"]),
        (["--size", "200"], ["'200'", "WIDTHxHEIGHT"]),
        (["--size", "31x31"], ["31x31", "32"]),
        (["--size", "99999x99999"], ["99999x99999", "200 megapixels"]),
        (["--input", "bytes"], ["'bytes'", "pixels", "tensors"]),
        (["--synthetic-view", "half"], ["'half'", "crop", "full"]),
        (["--limit", "-1"], ["--limit", "-1"]),
        (["--limit", "nan"], ["--limit", "nan"]),
        (["--limit", "inf"], ["--limit", "inf"]),
        (["--limit", "1"], ["too alike"]),  # a limit so wide that no photos could miss it
    ],
)
def test_a_request_that_cannot_be_served_leaves_no_trace(run, tiny_checkpoint, tmp_path, arguments, facts):
    asked = ["export", tiny_checkpoint, "-o", tmp_path / "out", *AS_EXPORTED, *arguments]
    refused(run(*asked), *facts)
    assert snapshot(tmp_path) == {}


def test_an_export_is_proved_written_and_shown(run, tiny_checkpoint, tmp_path, quick_onnx):
    folder = tmp_path / "new" / "exported to onnx.v1"
    done = run("export", tiny_checkpoint, "-o", folder, *AS_EXPORTED)
    assert done.status == 0 and ONNX in done.stdout and "ONNX Runtime" in done.stdout
    assert done.said[0].startswith(NOT_TRAINED) and f"score '{folder / ONNX}'" in done.said[1]  # ready for a shell
    assert snapshot(folder).keys() == {ONNX, "lariqa.json", "golden.png", "reference.safetensors"}
    (row,) = json.loads((folder / "lariqa.json").read_text())["artifacts"]
    assert row["parity"]["passed"] and row["status"] == "executed here"
    assert len({stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}) == 1  # all readable to the same people
    assert run("verify", folder).status == 0  # a folder whose name has a dot, as a file's has


def test_exporting_again_changes_nothing(run, tiny_checkpoint, exported):
    before = snapshot(exported)
    again = run("export", tiny_checkpoint, "-o", exported, *AS_EXPORTED)
    assert again.status == 0 and ONNX in again.stdout
    assert snapshot(exported) == before


def test_formats_exported_one_after_the_other_end_up_in_one_manifest(
    run, tiny_checkpoint, exported, photo_folder, quick_tflite
):
    before = snapshot(exported)
    done = run("export", tiny_checkpoint, "-o", exported, "--size", SIZE, "--format", "tflite")
    assert done.status == 0 and TFLITE in done.stdout and ONNX not in done.stdout
    rows = json.loads((exported / "lariqa.json").read_text())["artifacts"]
    assert [row["file"] for row in rows] == [ONNX, TFLITE]
    after = snapshot(exported)
    assert after.keys() == before.keys() | {TFLITE}
    assert all(after[name] == before[name] for name in (ONNX, "reference.safetensors"))
    scores = [run("score", exported / name, photo_folder).stdout for name in (ONNX, TFLITE)]
    assert scores[0] == scores[1]
    checked = run("verify", exported)
    assert checked.status == 0 and ONNX in checked.stdout and TFLITE in checked.stdout


def test_a_missed_limit_is_status_1_and_the_older_good_file_stays(run, tiny_checkpoint, exported, quick_onnx):
    before = snapshot(exported)
    missed = run("export", tiny_checkpoint, "-o", exported, *AS_EXPORTED, "--limit", "0")
    assert missed.status == 1 and ONNX in missed.stdout
    assert any("Past the limit" in line and str(exported / "rejected" / ONNX) in line for line in missed.said)
    after = snapshot(exported)
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {"rejected", f"rejected/{ONNX}", "rejected/lariqa.json"}
    (row,) = json.loads((exported / "rejected" / "lariqa.json").read_text())["artifacts"]
    assert row["file"] == ONNX and not row["parity"]["passed"]


def test_a_missed_limit_in_a_new_folder_leaves_no_good_file_there(run, tiny_checkpoint, tmp_path, quick_onnx):
    folder = tmp_path / "out"
    assert run("export", tiny_checkpoint, "-o", folder, *AS_EXPORTED, "--limit", "0").status == 1
    assert snapshot(folder).keys() == {"rejected", f"rejected/{ONNX}", "rejected/lariqa.json"}


def test_every_format_that_missed_is_in_the_manifest_of_the_rejected(run, tiny_checkpoint, tmp_path, quick_tflite):
    asked = ("--size", SIZE, "--format", "onnx,tflite", "--limit", "0")
    assert run("export", tiny_checkpoint, "-o", tmp_path / "out", *asked).status == 1
    rows = json.loads((tmp_path / "out" / "rejected" / "lariqa.json").read_text())["artifacts"]
    assert [row["file"] for row in rows] == [ONNX, TFLITE]


def test_another_checkpoints_export_is_replaced_on_request_alone(
    run, another_checkpoint, exported, photo_folder, quick_onnx
):
    shutil.copy(exported / ONNX, exported / "stale.onnx")  # as if the older export had one more file
    manifest = json.loads((exported / "lariqa.json").read_text())
    manifest["artifacts"].append(manifest["artifacts"][0] | {"file": "stale.onnx"})
    (exported / "lariqa.json").write_text(json.dumps(manifest))
    (exported / "notes.txt").write_text("mine")
    before, asked = snapshot(exported), ("export", another_checkpoint, "-o", exported, *AS_EXPORTED)
    refused(run(*asked), exported, "another checkpoint", "--overwrite")
    assert snapshot(exported) == before
    assert run(*asked, "--overwrite").status == 0
    after = snapshot(exported)
    assert after.keys() == before.keys() - {"stale.onnx"} and after["notes.txt"] == before["notes.txt"]
    assert (
        after[ONNX] != before[ONNX]
        and after["reference.safetensors"] == hashlib.sha256(another_checkpoint.read_bytes()).hexdigest()
    )
    assert run("verify", exported, "--photos", photo_folder).status == 0


def test_a_demo_does_not_replace_what_was_trained(run, exported):
    manifest = json.loads((exported / "lariqa.json").read_text())
    manifest["model"]["provenance"]["trained"] = True
    (exported / "lariqa.json").write_text(json.dumps(manifest))
    before = snapshot(exported)
    refused(run("demo", "-o", exported), exported, "trained weights", "choose another")
    assert snapshot(exported) == before


def test_overwriting_touches_nothing_before_a_new_file_is_proved(run, another_checkpoint, exported, quick_onnx):
    before, asked = snapshot(exported), ("export", another_checkpoint, "-o", exported, *AS_EXPORTED, "--overwrite")
    assert run(*asked, "--limit", "0").status == 1
    after = snapshot(exported)
    assert {name: after[name] for name in before} == before
    shutil.rmtree(exported / "rejected")
    quick_onnx.append(lambda: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    refused(run(*asked), f"cannot write in {exported}", "No space left")
    assert snapshot(exported) == before
    assert run("verify", exported).status == 0


def test_a_later_format_that_fails_leaves_the_earlier_ones_finished(
    run, tiny_checkpoint, tmp_path, quick_onnx, monkeypatch
):
    def fails(ready, path, embedded):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(FORMATS, "tflite", replace(FORMATS["tflite"], write=fails))
    asked = ("--size", SIZE, "--format", "onnx,tflite")
    ended = run("export", tiny_checkpoint, "-o", tmp_path / "out", *asked)
    assert ended.status == 2 and ONNX in ended.stdout and "No space left" in ended.said[-1]
    assert snapshot(tmp_path / "out").keys() == {ONNX, "lariqa.json", "golden.png", "reference.safetensors"}
    assert run("verify", tmp_path / "out").status == 0


@pytest.mark.parametrize("limit_bytes", [1_000_000, 4_800_000], ids=["at the checkpoint", "at the artifact"])
def test_a_full_disk_leaves_the_older_export_as_it_was(
    run, tiny_checkpoint, exported, quick_onnx, no_file_above, limit_bytes, tmp_path
):
    sizes = {name: (exported / name).stat().st_size for name in ("reference.safetensors", ONNX)}
    limit_bytes = {1_000_000: 1_000_000, 4_800_000: max(sizes.values()) - 1}[limit_bytes]
    before = snapshot(exported)
    for folder in (exported, tmp_path / "new"):
        with no_file_above(limit_bytes):
            full = run("export", tiny_checkpoint, "-o", folder, *AS_EXPORTED)
        refused(full, f"cannot write in {folder}: ", "make room")
    assert snapshot(exported) == before and not (tmp_path / "new").exists()


def test_the_tflite_converter_is_not_let_near_the_disk(run, tiny_checkpoint, tmp_path, monkeypatch):
    # Its own way of writing ends the process, without a word and with what it had written, when the disk is full.
    answer = types.SimpleNamespace(model_content=lambda: b"no flatbuffer")
    converter = types.SimpleNamespace(convert=lambda ready, example: answer)
    monkeypatch.setitem(sys.modules, "litert_torch", converter)
    asked = ("--size", SIZE, "--format", "tflite")
    refused(run("export", tiny_checkpoint, "-o", tmp_path / "out", *asked), "not a TFLite file")
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/lariqa"])
def test_a_place_where_nothing_can_be_written_is_refused(run, tiny_checkpoint, tmp_path, place):
    (tmp_path / "file").write_text("mine")
    for command in (
        (("export", tiny_checkpoint, *AS_EXPORTED), ("demo",))
        if place != "/proc/lariqa"
        else (("export", tiny_checkpoint, *AS_EXPORTED),)
    ):
        refused(run(*command, "-o", tmp_path / place), tmp_path / place)
    assert snapshot(tmp_path) == {"file": hashlib.sha256(b"mine").hexdigest()}


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


# verify, inspect


def test_verify_proves_again_and_says_when_it_cannot(run, exported, another_checkpoint, photo_folder, tmp_path):
    good = run("verify", exported, "--photos", photo_folder)
    assert good.status == 0 and ONNX in good.stdout and str(photo_folder / "dark.png") in good.stdout
    assert run("verify", exported / ONNX).status == 0
    missed = run("verify", exported, "--limit", "0")
    assert missed.status == 1 and any("Past the limit" in line and ONNX in line for line in missed.said)
    refused(run("verify", exported, "--checkpoint", another_checkpoint), another_checkpoint, "sha256 differs")
    alike = tmp_path / "alike"
    alike.mkdir()
    for name in ("a.png", "b.png"):
        shutil.copy(photo_folder / "original.png", alike / name)
    refused(run("verify", exported, "--photos", alike), "too alike", "different quality")
    refused(run("verify", exported, "--photos", alike, "--limit", "0"), "too alike")
    refused(run("verify", exported, "--photos", photo_folder / "dark.png"), "too alike")


def test_verify_refuses_what_is_no_export(run, exported, photo_folder, tiny_checkpoint, tmp_path):
    refused(run("verify", tmp_path / "absent"), "absent", "lariqa export")
    refused(run("verify", photo_folder), photo_folder, "lariqa.json")
    refused(run("verify", tiny_checkpoint), "lariqa.json")
    refused(run("verify", exported, "--checkpoint", exported / ONNX), "no checkpoint")
    refused(run("verify", exported, "--limit", "-1"), "--limit")
    refused(run("verify", exported, "--photos", tmp_path / "absent.jpg"), "absent.jpg")
    (exported / "reference.safetensors").unlink()
    refused(run("verify", exported), "reference.safetensors", "no checkpoint")
    assert run("verify", exported, "--checkpoint", tiny_checkpoint).status == 0


def test_inspect_tells_a_checkpoint_and_its_kan_coverage(run, tiny_checkpoint, photos):
    shown = run("inspect", tiny_checkpoint).results()
    assert shown["backbone"] == "mobilenetv3_small_050" and shown["provenance"]["trained"] is False
    assert 0 < shown["of_them_in_heads"] < shown["parameters"]
    measured = run("inspect", tiny_checkpoint, "--photos", photos / "good.png")
    assert measured.status == 0 and "regressor.layers.0" in measured.stdout and "%" in measured.stdout
    refused(run("inspect", tiny_checkpoint, "--photos", photos / "one pixel.png"), "one pixel.png", "1x1")


def test_inspect_tells_an_artifact(run, export_folder):
    shown = run("inspect", export_folder / ONNX)
    described, end = json.JSONDecoder().raw_decode(shown.stdout)
    assert shown.status == 0 and shown.said == []  # nothing in this file is known to hurt on phones
    (row,) = described["artifacts"]
    assert row["file"] == ONNX
    operators, *table = shown.stdout[end:].strip().splitlines()
    assert re.fullmatch(r"\d+ operators: .*Conv \d+.*", operators)
    parts = {line.split("  ")[1].strip(): line.split()[-2:] for line in table if " / " in line}
    assert {"authentic / conv_stem", "synthetic / blocks.1", "synthetic / KAN"} <= parts.keys()
    (total,) = [line.split()[-2] for line in table if "tables and biases" in line]
    assert float(total.replace(",", "")) == pytest.approx(row["macs"] / 1e6, abs=0.05)
    assert "input image: uint8 NHWC 1x150x200x3" in table


def test_inspect_warns_of_what_is_known_to_hurt_on_phones(run, tiny_checkpoint, tmp_path):
    options = ("--size", SIZE, "--format", "onnx", "--input", "tensors")
    run("export", tiny_checkpoint, "-o", tmp_path / "out", *options)
    (path,) = (tmp_path / "out").glob("*.onnx")
    assert any("resize filters" in line for line in run("inspect", path).said)


def test_inspect_measures_no_coverage_on_an_artifact(run, export_folder):
    refused(run("inspect", export_folder / ONNX, "--photos", "x.jpg"), "checkpoint", "leave --photos out")


def test_inspect_says_where_there_is_no_kan_to_measure(run, tiny_checkpoint, photos, tmp_path):
    encoder, _ = wrong_models(tmp_path, tiny_checkpoint)["bare encoder"]
    assert run("inspect", encoder).results()["head"] is None
    refused(run("inspect", encoder, "--photos", photos / "good.png"), "no KAN layer", "leave --photos out")
