"""A damaged .aimodel ends in one sentence, and never takes our process with it, whatever Apple's runtime does."""

import hashlib
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from export.formats import FORMATS
from lariqa.errors import Refusal
from lariqa.photos.golden import golden_photo
from lariqa.runtimes import coreai
from lariqa.runtimes.artifacts import describe, open_artifact
from tests.support.commands import Ended, refused, run_here

PROGRAM = coreai.PROGRAM


@pytest.fixture
def alone(asset, tmp_path) -> Path:
    """A copy without lariqa.json, so that its own check sum must do."""
    return Path(shutil.copytree(asset, tmp_path / "alone" / asset.name))


@pytest.fixture
def beside(exported, tmp_path) -> Path:
    """A copy with lariqa.json."""
    shutil.copytree(exported[0], tmp_path / "beside")
    return tmp_path / "beside" / exported[1].path.name


def truncate(path: Path) -> None:
    (path / PROGRAM).write_bytes((path / PROGRAM).read_bytes()[:-1000])


def flip_a_weight(path: Path) -> None:
    data = bytearray((path / PROGRAM).read_bytes())
    data[len(data) // 2] ^= 0x40
    (path / PROGRAM).write_bytes(data)


def empty(path: Path) -> None:
    (path / PROGRAM).write_bytes(b"")


def take_the_program_away(path: Path) -> None:
    (path / PROGRAM).unlink()


def spoil_the_metadata(path: Path) -> None:
    (path / coreai.METADATA).write_text('{"creatorDefinedMetadata": ')


def swap_the_program(path: Path) -> None:
    """Another program with its own right main.hash, as if two folders were mixed up."""
    other = (path / PROGRAM).read_bytes() + b"\0"
    (path / PROGRAM).write_bytes(other)
    (path / coreai.HASH).write_bytes(hashlib.sha256(other).digest())


DAMAGES = [truncate, flip_a_weight, empty, take_the_program_away, spoil_the_metadata, swap_the_program]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_it_is_refused_before_anything_runs(alone, beside, damage, photo_folder, monkeypatch, capfd):
    monkeypatch.setattr(coreai, "_Child", lambda path: pytest.fail("it was opened"))
    for path in (alone, beside):
        damage(path)
        status, stdout, stderr = run_here(monkeypatch, capfd, "score", path, photo_folder / "original.png")
        sentence = refused(Ended(status, stdout, stderr), path.name)
        assert "export again" in sentence
        with pytest.raises(Refusal):
            FORMATS["coreai"].operators(path)  # which would parse it in this process


def test_a_foreign_file_is_refused(alone, monkeypatch):
    monkeypatch.setattr(coreai, "_Child", lambda path: pytest.fail("it was opened"))
    metadata = json.loads((alone / coreai.METADATA).read_text())
    metadata["creatorDefinedMetadata"] = {"author": "somebody"}
    (alone / coreai.METADATA).write_text(json.dumps(metadata))
    with pytest.raises(Refusal, match="carries no lariqa manifest"):
        describe(alone)
    with pytest.raises(Refusal, match="is damaged"):
        coreai.CoreAIRunner(alone)


def test_a_program_that_aborts_the_runtime_is_a_sentence(alone):
    """One whose check sums are right and whose bytes are no program: Apple's parser aborts its process."""
    truncate(alone)
    metadata = json.loads((alone / coreai.METADATA).read_text())
    program = (alone / PROGRAM).read_bytes()
    metadata["creatorDefinedMetadata"][coreai.PROGRAM_KEY] = hashlib.sha256(program).hexdigest()
    (alone / coreai.METADATA).write_text(json.dumps(metadata))
    with pytest.raises(Refusal, match=r"failed at opening it.*export it again"):
        open_artifact(alone)


def test_a_runtime_that_dies_or_hangs_is_a_sentence_each_time(asset, monkeypatch):
    scorer = open_artifact(asset)
    inputs = scorer.inputs(golden_photo(150, 200))
    assert np.isfinite(scorer.runner.run(inputs))
    os.kill(scorer.runner._child._process.pid, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(Refusal, match=r"failed at running it.*SIGKILL"):
            scorer.runner.run(inputs)
    scorer = open_artifact(asset)
    os.kill(scorer.runner._child._process.pid, signal.SIGSTOP)
    monkeypatch.setattr(coreai, "TIME_LIMIT_S", 0.2)
    with pytest.raises(Refusal, match=r"no answer within 0.2 s"):
        scorer.runner.run(inputs)
    assert scorer.runner._child._process.wait(10) == -signal.SIGKILL


def test_an_input_of_another_shape_is_a_sentence(asset):
    runner = open_artifact(asset).runner
    with pytest.raises(Refusal, match="failed at running it"):
        runner.run({"authentic": np.zeros((1, 8, 8, 3), np.uint8)})


def test_no_child_outlives_its_runner(asset):
    scorer = open_artifact(asset)
    process = scorer.runner._child._process
    assert process.poll() is None
    del scorer
    assert process.poll() is not None


def test_without_the_package_one_sentence_says_where_there_are_builds(asset, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setitem(sys.modules, "coreai", None)
    assert describe(asset)[1].format == "coreai"  # what it is can be read without
    with pytest.raises(Refusal, match=r"pip install 'lariqa\[coreai\]'.*Linux on x86-64"):
        open_artifact(asset)
