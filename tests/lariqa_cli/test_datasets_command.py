"""``lariqa datasets`` and its sub-commands: what bare words mean, what each takes, what it refuses."""

import json
from functools import partial

import pytest

from lariqa_train.datasets.catalogue import CATALOGUE, listing
from tests.support.commands import run_here
from tests.support.published_layouts import write_kadid10k


@pytest.fixture
def run(monkeypatch, capfd):
    """A function that runs ``lariqa datasets ARGUMENTS...`` and returns (status, stdout, stderr)."""
    return partial(run_here, monkeypatch, capfd, "datasets")


def refused(ended: tuple) -> str:
    status, stdout, stderr = ended
    assert (status, stdout) == (2, "") and "Traceback" not in stderr
    (sentence,) = [line for line in stderr.splitlines() if line.startswith("error: ")]
    return sentence


def test_without_a_sub_command_the_data_sets_are_listed(run):
    bare, listed = run(), run("list")
    assert bare == listed and bare[0] == 0
    assert all(name in bare[1] for name in CATALOGUE)
    assert "lariqa datasets list --json" in bare[2]


def test_the_list_in_json_is_the_catalogue(run):
    assert json.loads(run("list", "--json")[1]) == listing()
    assert set(listing()) == set(CATALOGUE) and "folder" not in listing()["csv"]


def test_a_root_adds_what_is_there_and_a_check_its_rows(tmp_path):
    write_kadid10k(tmp_path / "kadid10k")
    found = listing(tmp_path)
    assert found["kadid10k"]["complete"] and "rows" not in found["kadid10k"] and found["pipal"]["missing"]
    assert listing(tmp_path, check=True)["kadid10k"]["rows"] == 36
    (tmp_path / "kadid10k" / "images" / "I00_01_00.png").unlink()
    damaged = listing(tmp_path, check=True)["kadid10k"]
    assert "I00_01_00.png" in damaged["faults"] and "rows" not in damaged


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (("list", "--root", "absent"), ["no folder at absent"]),
        (("list", "--check"), ["--check", "--root"]),
        (("list", "--scenes", "3"), ["--scenes", "lariqa datasets list --help"]),
        (("generate",), ["'ROOT'", "lariqa datasets generate --help"]),
        (("generate", "FILE"), ["is a file"]),
        (("generate", "data", "--side", "8"), ["--side", "32"]),
        (("generate", "data", "--check"), ["--check"]),
        (("generate", "data", "--photos", "absent"), ["absent"]),
        (("fetch-photographs",), ["'FOLDER'", "lariqa datasets fetch-photographs --help"]),
        (("fetch-photographs", "FILE"), ["is a file"]),
        (("fetch-photographs", "photos", "--root", "data"), ["--root"]),
        (("lst",), ["'lst'", "'list'", "lariqa datasets --help"]),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(run, tmp_path, monkeypatch, arguments, facts):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    sentence = refused(run(*[word.replace("FILE", "file") for word in arguments]))
    for fact in facts:
        assert fact in sentence
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
