"""Photographs on request: every source's files with their licences, or none and one sentence; never unasked."""

import json
import sys

import pytest

from benchmarks.accuracy import photographs
from benchmarks.accuracy.photographs import SOURCES, Source, fetch_photographs
from lariqa.errors import Refusal
from lariqa_cli import main as command_line


@pytest.fixture
def packages(monkeypatch):
    """Packages that hold what is told of them, without a mirror; (package, release, alone) of each asked for."""
    asked = []

    def unpack(names, into, *, release="", alone=False):
        (package,) = names
        asked.append((package, release, alone))
        (source,) = (source for source in photographs.SOURCES if source.package == package)
        for name in source.names:
            path = into / source.place.format(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"picture of " + name.encode())
        (into / "usr/share/doc" / package).mkdir(parents=True)
        (into / "usr/share/doc" / package / "copyright").write_text(f"who made {package}")

    monkeypatch.setattr(photographs, "unpack", unpack)
    return asked


def test_every_photograph_comes_with_where_it_is_from(packages, tmp_path):
    fetched = fetch_photographs(tmp_path / "photos")
    assert packages == [(source.package, source.release, True) for source in SOURCES]
    paths = [path for paths in fetched.values() for path in paths]
    assert len(set(paths)) == len(paths) == sum(len(source.names) for source in SOURCES) == 49
    assert all(path.read_bytes() == b"picture of " + path.stem.encode() for path in paths)
    told = (tmp_path / "photos" / "SOURCES.md").read_text()
    assert all(source.licence in told and source.package in told for source in SOURCES)
    assert (tmp_path / "photos" / "copyright" / "mate-backgrounds").read_text() == "who made mate-backgrounds"
    fetch_photographs(tmp_path / "photos")  # again, over the same files
    assert len(list((tmp_path / "photos").glob("*.jpg"))) == 49 and not list((tmp_path / "photos").glob(".*"))


def test_a_package_that_changed_leaves_nothing_behind(packages, monkeypatch, tmp_path):
    def changed(names, into, **options):
        into.mkdir()

    monkeypatch.setattr(photographs, "unpack", changed)
    monkeypatch.setattr(photographs, "SOURCES", (Source("p", "trixie", "CC0-1.0", "{}.jpg", ("a", "b")),))
    with pytest.raises(Refusal, match="p in trixie has no a, b any more"):
        fetch_photographs(tmp_path / "photos")
    assert not (tmp_path / "photos").exists()


def test_the_command_fetches_only_when_told(packages, monkeypatch, capsys, tmp_path):
    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lariqa", "datasets", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        assert not ended.value.code
        return capsys.readouterr().out

    run("list", "--root", tmp_path)
    assert packages == []
    out = run("fetch-photographs", tmp_path / "photos")
    assert "49 photographs" in out and "CC0-1.0" in out and "GPL-2+" in out
    told = json.loads(run("fetch-photographs", tmp_path / "photos", "--json"))
    assert len(told["budgie-backgrounds"]["photographs"]) == 14 and told["mate-backgrounds"]["licence"] == "GPL-2+"
