"""A name shows the old thing or the new one, never a half: whatever breaks in between, and nothing else is left."""

import os
from pathlib import Path

import pytest

from lariqa.atomic import remove, replace, staging, writing
from lariqa.errors import Refusal


def files(folder: Path) -> dict[str, str]:
    """Everything below a folder, hidden leftovers too: relative path -> text ("/" for a folder)."""
    return {
        str(path.relative_to(folder)): "/" if path.is_dir() else path.read_text() for path in sorted(folder.rglob("*"))
    }


def write_package(folder: Path, text: str) -> None:
    """A folder that counts as one thing, as an .mlpackage does."""
    (folder / "Data").mkdir(parents=True)
    (folder / "Data" / "weights.bin").write_text(text)


def test_the_name_shows_the_old_file_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "good"
    path.write_text("old")
    with writing(path) as beside:
        beside.write_text("ne")
        assert path.read_text() == "old"
        beside.write_text("new")
    assert files(tmp_path) == {"good": "new"}


@pytest.mark.parametrize("broken", [RuntimeError("a bug"), KeyboardInterrupt(), SystemExit(1), MemoryError()])
def test_an_interruption_leaves_the_old_file_and_nothing_else(tmp_path, broken):
    (tmp_path / "good").write_text("old")
    with pytest.raises(type(broken)), writing(tmp_path / "good") as beside:
        beside.write_text("half")
        raise broken
    assert files(tmp_path) == {"good": "old"}


def test_an_interruption_leaves_no_file_where_none_was(tmp_path):
    with pytest.raises(KeyboardInterrupt), writing(tmp_path / "good") as beside:
        beside.write_text("half")
        raise KeyboardInterrupt
    assert files(tmp_path) == {}


def test_a_full_disk_is_told_in_one_sentence_and_leaves_the_old_file(tmp_path, no_file_above):
    (tmp_path / "good").write_text("old")
    told = pytest.raises(Refusal, match=r"cannot write in .*File too large.*nothing was changed")
    with told as refused, no_file_above(1000), writing(tmp_path / "good") as beside:
        beside.write_bytes(bytes(2000))
    assert str(tmp_path) in str(refused.value) and "\n" not in str(refused.value)
    assert files(tmp_path) == {"good": "old"}


def test_a_folder_takes_the_place_of_an_older_folder_as_a_whole(tmp_path):
    write_package(tmp_path / "model.mlpackage", "old")
    (tmp_path / "model.mlpackage" / "more").write_text("old")
    with writing(tmp_path / "model.mlpackage") as beside:
        write_package(beside, "new")
    assert files(tmp_path) == {
        "model.mlpackage": "/",
        "model.mlpackage/Data": "/",
        "model.mlpackage/Data/weights.bin": "new",
    }


def test_an_older_folder_comes_back_when_the_new_one_cannot_take_its_name(tmp_path, monkeypatch):
    write_package(tmp_path / "model.mlpackage", "old")
    before, rename = files(tmp_path), os.replace

    def fails_for_the_new_one(source, target):
        if ".writing-" in str(source):
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "replace", fails_for_the_new_one)
    with pytest.raises(Refusal, match="Input/output error"), writing(tmp_path / "model.mlpackage") as beside:
        write_package(beside, "new")
    assert files(tmp_path) == before


def test_a_file_never_takes_the_place_of_a_folder(tmp_path):
    (tmp_path / "photos.safetensors").mkdir()
    (tmp_path / "photos.safetensors" / "precious").write_text("mine")
    before = files(tmp_path)
    told = pytest.raises(Refusal, match=r"photos\.safetensors is a folder")
    with told, writing(tmp_path / "photos.safetensors") as beside:
        beside.write_text("weights")
    assert files(tmp_path) == before


def test_a_folder_never_takes_the_place_of_a_file(tmp_path):
    (tmp_path / "model.mlpackage").write_text("mine")
    with pytest.raises(Refusal, match="cannot write"), writing(tmp_path / "model.mlpackage") as beside:
        write_package(beside, "new")
    assert files(tmp_path) == {"model.mlpackage": "mine"}


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/lariqa"])
def test_a_place_that_cannot_be_a_folder_is_refused_and_stays_as_it_is(tmp_path, place):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(Refusal, match="cannot write in"), staging(tmp_path / place):
        pytest.fail("there is nothing to write in")
    assert files(tmp_path) == {"file": "mine"}


def test_a_folder_that_was_made_for_nothing_is_removed_again(tmp_path):
    with pytest.raises(Refusal), staging(tmp_path / "new"):
        raise Refusal("a request that cannot be served")
    assert files(tmp_path) == {}


def test_a_folder_that_was_there_stays_even_if_it_is_empty(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(Refusal), staging(tmp_path / "mine"):
        raise Refusal("a request that cannot be served")
    assert files(tmp_path) == {"mine": "/"}


def test_what_was_finished_stays_when_the_rest_fails(tmp_path):
    with pytest.raises(KeyboardInterrupt), staging(tmp_path / "new") as stage:
        (stage / "first").write_text("done")
        replace(stage / "first", tmp_path / "new" / "first")
        (stage / "second").write_text("half")
        raise KeyboardInterrupt
    assert files(tmp_path) == {"new": "/", "new/first": "done"}


def test_two_writers_in_one_folder_do_not_meet(tmp_path):
    with writing(tmp_path / "a") as one, writing(tmp_path / "b") as other:
        assert one.parent != other.parent
        one.write_text("1")
        other.write_text("2")
    assert files(tmp_path) == {"a": "1", "b": "2"}


def test_remove_takes_files_folders_and_what_is_not_there(tmp_path):
    write_package(tmp_path / "model.mlpackage", "old")
    (tmp_path / "file").write_text("old")
    for name in ("model.mlpackage", "file", "absent"):
        remove(tmp_path / name)
    assert files(tmp_path) == {}
