"""The examples of docs/api.md and of the public docstrings, run; and the wheel, installed into an empty environment."""

import doctest
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lariqa
from export.rewrite.export_ready import ExportRequest
from lariqa.loading import load
from lariqa.photos.photo_files import photos_in
from lariqa.runtimes.runtime import runtimes

HOUSE = Path(__file__).parents[2]
HEIGHT, WIDTH = 150, 200
PUBLIC = (
    "lariqa",
    "lariqa.library.scoring",
    "lariqa.library.work",
    "lariqa.loading",
    "lariqa.photos.photo",
    "lariqa.photos.views",
    "lariqa.runtimes.scorer",
)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL


@pytest.fixture(scope="module")
def exported(shared_exports):
    """The folder of an export to every format that executes here."""
    return shared_exports(ExportRequest(), ["onnx", "tflite"])[0]


@pytest.fixture(scope="module")
def names(exported, photo_folder):
    """What the examples take for granted."""
    (model,) = exported.glob("*.onnx")
    photo = photo_folder / "original.png"
    return {"model": str(model), "photo": str(photo), "folder": str(photo_folder), "Image": Image, "np": np}


def test_the_photos_scores_differ(names):
    scorer = load(names["model"])
    scores = [scorer.score(photo) for photo in photos_in([names["folder"]])]
    assert len(scores) == 5 and max(scores) - min(scores) > 0.01


def test_the_examples_in_the_guide_are_right(names):
    result = doctest.testfile(
        str(HOUSE / "docs" / "api.md"), module_relative=False, globs={**names, "__file__": __file__}, optionflags=FLAGS
    )
    assert result.attempted > 15 and not result.failed


@pytest.mark.parametrize("module", PUBLIC)
def test_the_examples_in_the_docstrings_are_right(names, module):
    result = doctest.testmod(importlib.import_module(module), extraglobs={**names, "lariqa": lariqa}, optionflags=FLAGS)
    assert not result.failed


def test_the_public_names_are_there_and_have_examples():
    assert set(lariqa.__all__) == {"Refusal", "Scorer", "__version__", "load"}
    assert all(hasattr(lariqa, name) and name in dir(lariqa) for name in lariqa.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lariqa.nothing
    for called in (lariqa.load, lariqa.Scorer.score):
        assert ">>>" in called.__doc__
    assert (HOUSE / "lariqa" / "py.typed").exists()


# The wheel

RUNTIMES = {"onnx": "onnxruntime", "tflite": "ai-edge-litert"}  # extra -> the one package that it adds


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=HOUSE, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """An environment with the wheel and both runtimes alone, in the versions of the lock."""
    uv = Path(sys.executable).parent / "uv"
    if not uv.exists():
        pytest.skip("no uv beside this Python, which `make setup` installs; it makes the empty environment")
    folder = tmp_path_factory.mktemp("environment") / "venv"
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], **quiet)
    extras = ",".join(RUNTIMES)
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", f"lariqa[{extras}] @ file://{wheel}",
         "-c", HOUSE / "requirements.lock"], **quiet,
    )  # fmt: skip
    return folder


def run_in(environment: Path, *command, status: int = 0, cwd: Path | None = None) -> tuple[str, str]:
    """What a command of the environment says, on stdout and stderr; away from the checkout."""
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [environment / "bin" / command[0], *map(str, command[1:])],
        cwd=cwd or environment, env=clean, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def test_the_wheel_holds_what_scores_photos_and_nothing_else(wheel):
    listed = subprocess.run([sys.executable, "-m", "zipfile", "-l", wheel], capture_output=True, text=True, check=True)
    tops = {line.split("/")[0] for line in listed.stdout.splitlines()[1:]}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"lariqa", "lariqa_cli"}
    assert "lariqa/photos/golden.png" in listed.stdout and "lariqa/py.typed" in listed.stdout


def test_the_empty_environment_has_no_training_library(environment):
    listed, _ = run_in(
        environment, "python", "-c", "import importlib.metadata as m; print([d.name for d in m.distributions()])"
    )
    assert "onnxruntime" in listed and "torch" not in listed and "coremltools" not in listed
    probe = "import importlib.util as u; print([n for n in ('export', 'benchmarks', 'lariqa_train') if u.find_spec(n)])"
    assert run_in(environment, "python", "-c", probe)[0].strip() == "[]"


def test_the_wheel_scores_a_photo_as_the_checkout_does(environment, exported, names, tmp_path):
    alone = tmp_path / "alone"  # the file by itself: what it is stands inside it
    alone.mkdir()
    for suffix in (runtimes()[name].suffix for name in RUNTIMES):
        (model,) = exported.glob(f"*{suffix}")
        expected = load(model).score(names["photo"])
        shutil.copyfile(model, alone / model.name)
        for path in (model, alone / model.name):
            said, _ = run_in(environment, "lariqa", "score", path, names["photo"])
            assert float(said.split()[0]) == pytest.approx(expected, abs=1e-6)
    program = f"import lariqa; print(lariqa.load({str(model)!r}).score({names['photo']!r}))"
    assert float(run_in(environment, "python", "-c", program)[0]) == pytest.approx(expected, abs=1e-6)


def test_the_wheel_inspects_and_verifies(environment, exported):
    (model,) = exported.glob("*.onnx")
    shown, note = run_in(environment, "lariqa", "inspect", model)
    assert '"lariqa-manifest/2"' in shown and "whole toolkit" in note
    shown, _ = run_in(environment, "lariqa", "verify", exported, "--golden")
    assert shown.count("ONNX Runtime") == 1 and shown.count("LiteRT") == 1


@pytest.mark.parametrize(
    "command",
    [
        ("export", "MODEL", "-o", "x"),
        ("demo",),
        ("train", "uhd_heads_512"),
        ("bench", "run", "FOLDER"),
        ("verify", "FOLDER"),
    ],
    ids=lambda command: command[0],
)
def test_what_the_wheel_does_not_hold_is_said_in_one_sentence(
    environment, exported, tiny_checkpoint, command, tmp_path
):
    words = {"MODEL": tiny_checkpoint, "FOLDER": exported}
    _, said = run_in(environment, "lariqa", *(words.get(word, word) for word in command), status=2, cwd=tmp_path)
    assert said.startswith("error: ") and "whole toolkit" in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_needs_the_whole_toolkit(environment, tiny_checkpoint, names):
    _, said = run_in(environment, "lariqa", "score", tiny_checkpoint, names["photo"], status=2)
    assert "opening a checkpoint needs the whole toolkit" in said
