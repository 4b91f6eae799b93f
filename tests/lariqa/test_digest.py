"""The sha256 of a folder is that of what was written into it, not of what a file manager left there."""

import pytest

from lariqa.digest import files_in, sha256_of
from lariqa.manifest.manifest import size_bytes


@pytest.fixture
def package(tmp_path):
    (tmp_path / "Data" / "weights").mkdir(parents=True)
    (tmp_path / "Data" / "weights" / "weight.bin").write_bytes(b"weights")
    (tmp_path / "Manifest.json").write_bytes(b"{}")
    return tmp_path


@pytest.mark.parametrize("name", [".DS_Store", "._Manifest.json", "Data/Thumbs.db", "Data/weights/desktop.ini"])
def test_what_systems_leave_in_a_folder_is_no_part_of_it(package, name):
    before = sha256_of(package), size_bytes(package), files_in(package)
    (package / name).write_bytes(b"litter")
    assert (sha256_of(package), size_bytes(package), files_in(package)) == before and before[1] == 9


@pytest.mark.parametrize("name", ["Data/more.bin", "Data/weights/DS_Store", "Data/.hidden"])
def test_anything_else_is(package, name):
    before = sha256_of(package)
    (package / name).write_bytes(b"more")
    assert sha256_of(package) != before
