"""Worker processes: the scores of one by one, and no photo lost whatever happens to a worker."""

import os
import signal
from dataclasses import replace

import pytest

from lariqa.errors import Refusal
from lariqa.library import workers as workers_module
from lariqa.library.row import COLUMNS
from lariqa.library.scoring import FEW, score_photos, workers_for
from lariqa.library.work import Work
from lariqa.library.workers import score_in_workers
from lariqa.loading import load

SOLITARY = {"seconds": None}  # what differs between two runs of one photo


def named(photos) -> list:
    return [(photo, None) for photo in photos]


def scored(rows) -> dict:
    return {row.photo: replace(row, **SOLITARY) for row in rows}


def test_a_row_has_the_score_of_the_scorer_and_says_what_scored_it(model, album, one_by_one):
    photo = next(photo for photo, sound in album.items() if sound)
    row = one_by_one[str(photo)]
    assert row.score == load(model).score(photo) and row.error is None and row.seconds > 0
    assert (row.model, row.precision, row.input, row.device) == (str(model), "fp32", "views crop", "cpu")
    assert row.runtime.startswith("ONNX Runtime") and len(row.model_sha256) == len(row.photo_sha256) == 64
    assert (row.width_px, row.height_px) == (200, 150)


def test_a_bad_photo_is_a_row_with_its_error(one_by_one, album):
    bad = [row for row in one_by_one.values() if row.error]
    assert {row.photo for row in bad} == {str(photo) for photo, sound in album.items() if not sound}
    assert all(row.score is None and row.error.startswith(f"{row.photo}: ") and row.photo_sha256 for row in bad)


def test_bytes_give_the_row_of_their_file(model, album, one_by_one):
    score = Work(model, threads=1).open()
    for photo in list(album)[:8]:
        row = score(photo.read_bytes(), name=photo)
        assert replace(row, **SOLITARY) == replace(one_by_one[str(photo)], **SOLITARY)
    assert score(b"").error.startswith("the photo: ")


def test_an_error_that_nobody_foresaw_is_a_row_too(model, album, monkeypatch):
    score = Work(model).open()
    monkeypatch.setattr(type(score.scorer.runner), "run", lambda *given: 1 / 0)
    row = score(next(iter(album)))
    assert row.score is None and "ZeroDivisionError" in row.error and "fault of lariqa itself" in row.error


@pytest.mark.parametrize("count", [1, 2, 3])
def test_workers_give_the_rows_of_one_by_one_bit_for_bit(model, album, one_by_one, count):
    about, *rows = score_in_workers(Work(model, threads=1), named(album), count)
    assert about.views == ("authentic", "synthetic") and about.provenance is not None
    assert len(rows) == len(album) and scored(rows) == scored(one_by_one.values())


def test_threads_do_not_change_a_score(model, album, one_by_one):
    _, *rows = score_photos(Work(model, threads=2), album)
    assert scored(rows) == scored(one_by_one.values())


def kill_when(monkeypatch, count: int, number=signal.SIGKILL) -> list:
    """Each worker that has answered so often is killed while it is asked again."""
    real, killed = workers_module._Worker.ask, []

    def ask(self, what):
        self.asked = getattr(self, "asked", -1) + 1
        if self.asked == count:
            killed.append(self.process.pid)
            os.kill(self.process.pid, number)
            self.process.wait()
        return real(self, what)

    monkeypatch.setattr(workers_module._Worker, "ask", ask)
    return killed


def test_a_killed_worker_loses_nothing_and_doubles_nothing(model, album, one_by_one, monkeypatch):
    killed = kill_when(monkeypatch, 20)
    _, *rows = score_in_workers(Work(model, threads=1), named(album), 2)
    assert len(killed) >= 2 and len(rows) == len(album) and scored(rows) == scored(one_by_one.values())


def test_a_photo_that_kills_its_worker_twice_is_a_row_and_the_rest_goes_on(model, album, one_by_one, monkeypatch):
    real, fatal = workers_module._Worker.ask, list(album)[9]

    def ask(self, what):
        if not isinstance(what, Work) and what[0][0] == fatal:
            self.process.kill()
        return real(self, what)

    monkeypatch.setattr(workers_module._Worker, "ask", ask)
    _, *rows = score_in_workers(Work(model, threads=1), named(album), 2)
    found = scored(rows)
    lost = found.pop(str(fatal))
    assert lost.score is None and lost.error.startswith(f"{fatal}: ") and "SIGKILL, twice" in lost.error
    assert found == {photo: row for photo, row in scored(one_by_one.values()).items() if photo != str(fatal)}


def test_workers_that_end_before_they_are_ready_are_said_not_waited_for(model, album, monkeypatch):
    kill_when(monkeypatch, 0)
    with pytest.raises(Refusal, match="SIGKILL before it was ready"):
        list(score_in_workers(Work(model), named(album), 2))


def test_a_model_that_does_not_open_is_refused_as_by_load(tmp_path, album):
    with pytest.raises(Refusal, match="no model at"):
        list(score_in_workers(Work(tmp_path / "absent.onnx"), named(album), 2))


def test_whoever_stops_reading_leaves_no_process_behind(model, album, monkeypatch):
    begun, real = [], workers_module._Worker.__init__

    def begin(self, work):
        real(self, work)
        begun.append(self.process)

    monkeypatch.setattr(workers_module._Worker, "__init__", begin)
    rows = score_in_workers(Work(model, threads=1), named(album), 2)
    next(rows), next(rows)
    rows.close()
    assert len(begun) == 2 and all(process.poll() is not None for process in begun)


def test_photos_are_drawn_as_they_are_needed(model, album):
    drawn = []

    def endless():
        photos = list(album)
        while True:
            drawn.append(1)
            yield photos[len(drawn) % 5], None

    rows = score_in_workers(Work(model, threads=1), endless(), 2)
    for _ in range(10):
        next(rows)
    rows.close()
    assert len(drawn) < 60


def test_few_photos_are_scored_here_and_many_by_a_process_for_each_processor(monkeypatch):
    monkeypatch.setattr("lariqa.library.scoring.usable_cpus", lambda: 4)
    assert [workers_for(count) for count in (1, FEW, FEW + 1, 10_000)] == [0, 0, 4, 4]
    assert COLUMNS[:7] == ("photo", "score", "error", "width_px", "height_px", "photo_sha256", "seconds")
