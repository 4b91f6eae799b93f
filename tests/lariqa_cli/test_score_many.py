"""``lariqa score`` for a library: its table, going on with it, workers, the best, and where it runs."""

import json
import shutil
from dataclasses import replace

import pytest

from lariqa.library import scoring
from lariqa.library.table_files import read_table
from lariqa.library.work import Work
from tests.support.commands import NOT_TRAINED, ONNX, refused


@pytest.fixture
def score(run, export_folder, photos, tmp_path):
    """A function that scores five good photos and five bad ones into a table; and the table's path."""

    def scored(*more, table="t.csv"):
        return run("score", export_folder / ONNX, photos, "-o", tmp_path / table, *more)

    return scored


def rows_of(path) -> dict:
    return {row.photo: replace(row, seconds=None) for row in read_table(path)}


@pytest.mark.parametrize("table", ["t.csv", "t.jsonl", "t.parquet"])
def test_the_table_has_a_row_for_every_photo_and_the_summary_says_how_many(
    score, export_folder, photos, tmp_path, table
):
    ended = score(table=table)
    assert ended.status == 2 and ended.stdout == ""
    one_by_one = Work(export_folder / ONNX).open()
    expected = {row.photo: replace(row, seconds=None) for row in map(one_by_one, sorted(photos.iterdir()))}
    assert rows_of(tmp_path / table) == expected and sum(row.score is not None for row in expected.values()) == 1
    said = [line for line in ended.said if not line.startswith((NOT_TRAINED, "error: "))]
    assert said[0].startswith("6 photos: 1 scored, 5 refused") and said[-1] == f"wrote {tmp_path / table}"
    assert len(said) == 7 and all(line.split()[0] == "1" for line in said[1:-1])


def test_resume_scores_only_what_is_left_and_needs_no_engine_for_nothing(
    score, run, export_folder, photo_folder, tmp_path, monkeypatch
):
    assert score("--resume").status == 2, "a table that is not there is begun"
    before = (tmp_path / "t.csv").read_bytes()
    refused(score(), "already at", "--resume", "--overwrite")
    monkeypatch.setattr(scoring, "score_photos", lambda *given: pytest.fail("nothing is left"))
    ended = score("--resume")
    assert ended.status == 0 and "6 photos already; 0 of 6 are left" in ended.stderr
    assert (tmp_path / "t.csv").read_bytes() == before
    monkeypatch.undo()
    ended = run("score", export_folder / ONNX, photo_folder, "-o", tmp_path / "t.csv", "--resume")
    assert ended.status == 0 and len(rows_of(tmp_path / "t.csv")) == 11
    assert (tmp_path / "t.csv").read_bytes().startswith(before)


def test_ctrl_c_keeps_the_rows_and_says_how_to_go_on(run, export_folder, photo_folder, tmp_path, monkeypatch):
    real, count = Work.open, iter(range(9))

    def open_once(self, raises=False):
        scorer = real(self, raises)

        def interrupted(photo):
            if next(count) >= 3:
                raise KeyboardInterrupt
            return type(scorer).__call__(scorer, photo)

        return replace_call(scorer, interrupted)

    monkeypatch.setattr(Work, "open", open_once)
    table = ("-o", tmp_path / "t.csv")
    ended = run("score", export_folder / ONNX, photo_folder, *table)
    assert ended.status == 130 and "3 rows are kept; the same command with --resume goes on" in ended.stderr
    assert not (tmp_path / "t.csv").exists()
    monkeypatch.undo()
    ended = run("score", export_folder / ONNX, photo_folder, *table, "--resume")
    assert ended.status == 0 and "2 of 5 are left" in ended.stderr
    assert len(rows_of(tmp_path / "t.csv")) == 5


def replace_call(scorer, call):
    """The opened model, with another way to score a photo."""

    class Replaced:
        about = staticmethod(scorer.about)
        __call__ = staticmethod(call)

    return Replaced()


def test_the_best_come_last_and_sorted_over_the_whole_table(run, export_folder, photo_folder, tmp_path):
    everything = run("score", export_folder / ONNX, photo_folder).stdout.splitlines()
    highest = sorted(everything, reverse=True)[:2]
    assert len({line[:8] for line in everything}) == 5
    assert run("score", export_folder / ONNX, photo_folder, "--best", 2).stdout.splitlines() == highest
    table = ("-o", tmp_path / "t.csv", "--best", 2)
    assert run("score", export_folder / ONNX, photo_folder, *table).stdout.splitlines() == highest
    assert run("score", export_folder / ONNX, photo_folder, *table, "--resume").stdout.splitlines() == highest


def test_workers_print_the_rows_of_one_process(run, export_folder, photo_folder):
    alone = run("score", export_folder / ONNX, photo_folder, "--workers", 0)
    shared = run("score", export_folder / ONNX, photo_folder, "--workers", 2)
    assert shared.status == 0 and sorted(shared.stdout.splitlines()) == sorted(alone.stdout.splitlines())
    shared = run("score", export_folder / ONNX, photo_folder, "--workers", 2, "--json")
    assert len(json.loads(shared.stdout)) == 5


def test_errors_are_tried_again_only_when_asked(score, photos, export_folder, photo_folder, tmp_path):
    score()
    shutil.copy(photo_folder / "noisy.png", photos / "empty.jpg")
    assert "0 of 6 are left" in score("--resume").stderr
    ended = score("--resume", "--retry-errors")
    assert ended.status == 2 and "5 of 6 are left" in ended.stderr
    row = rows_of(tmp_path / "t.csv")[str(photos / "empty.jpg")]
    assert row.error is None and row.score is not None and len(rows_of(tmp_path / "t.csv")) == 6


def test_a_photo_that_vanishes_is_a_row(run, export_folder, photo_folder, tmp_path, monkeypatch):
    folder = shutil.copytree(photo_folder, tmp_path / "folder")
    real = Work.open

    def removing(self, raises=False):
        (folder / "noisy.png").unlink()
        return real(self, raises)

    monkeypatch.setattr(Work, "open", removing)
    ended = run("score", export_folder / ONNX, folder, "-o", tmp_path / "t.csv")
    rows = rows_of(tmp_path / "t.csv")
    assert ended.status == 2 and len(rows) == 5
    assert "nothing is there" in rows[str(folder / "noisy.png")].error


def test_a_table_of_another_model_is_refused(run, score, tiny_checkpoint, photos, tmp_path):
    score()
    refused(run("score", tiny_checkpoint, photos, "-o", tmp_path / "t.csv", "--resume"), "belongs to another model")


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (["--resume"], "name it with -o"),
        (["--overwrite"], "name it with -o"),
        (["-o", "t.csv", "--resume", "--overwrite"], "choose one"),
        (["-o", "t.csv", "--retry-errors"], "give --resume as well"),
        (["--best", "3", "--json"], "leave out --json"),
        (["-o", "t.xlsx"], "names no kind of table"),
        (["--device", "tpu"], "not on 'tpu'"),
        (["--device", "cuda"], "CUDAExecutionProvider"),
        (["--workers", "2", "--device", "cuda"], "CUDAExecutionProvider"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    run, export_folder, photo_folder, tmp_path, monkeypatch, words, fact
):
    monkeypatch.chdir(tmp_path)
    refused(run("score", export_folder / ONNX, photo_folder, *words), fact)
    assert not list(tmp_path.glob("t.*"))
