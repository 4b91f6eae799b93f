"""``lariqa import``: the authors' files become checkpoints; nothing in a file is run, nothing half-written is left."""

import os
import pickle
from pathlib import Path

import pytest
import torch

from lariqa.manifest.model_config import LarIqaConfig
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.heads import PAPER_HEADS
from lariqa_train.model.model import LarIqa
from tests.support.commands import refused, snapshot


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
