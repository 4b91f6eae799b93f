"""Tables: every kind keeps every row exactly; what they grow in survives a kill; what is not theirs is refused."""

import json
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from lariqa.errors import Refusal
from lariqa.library.row import COLUMNS, SCHEMA, Row
from lariqa.library.score_table import ROWS_IN_A_PART, ScoreTable
from lariqa.library.summary import Summary, best_of
from lariqa.library.table_files import read_table, write_table
from lariqa.names import as_text

KINDS = (".csv", ".jsonl", ".parquet")
OURS = {"model": "m.onnx", "model_sha256": "5" * 64, "precision": "fp32", "input": "views crop", "runtime": "R 1"}


def row(number: int, **changes) -> Row:
    score = random.Random(number).random()
    known = {"width_px": 40 + number, "height_px": 30, "photo_sha256": f"{number:064x}", "seconds": 0.25}
    return Row(f"{number:03d}.jpg", **{"score": score, **known, **OURS, **changes})


ROWS = [
    row(0),
    row(1, score=None, error="001.jpg: expected a whole photo, came a damaged one; copy it again"),
    replace(row(2), photo='Grüße, "日本"\n2.jpg'),
    replace(row(3), photo=as_text(os.fsdecode(b"caf\xe9.jpg")), score=-0.1234567890123456),
    row(4, score=1e-7, width_px=None),
]


def opened(path: Path, **options) -> ScoreTable:
    return ScoreTable(path, OURS["model_sha256"], **options)


def grown(path: Path, rows, finish=True, **options) -> list[Row]:
    with opened(path, **options) as table:
        for one in rows:
            table.add(one)
        if finish:
            table.finish()
        return list(table.rows()) if not finish else list(read_table(path))


@pytest.mark.parametrize("suffix", KINDS)
def test_every_kind_of_table_gives_back_its_rows(tmp_path, suffix):
    assert grown(tmp_path / f"t{suffix}", ROWS) == ROWS
    assert [path.name for path in tmp_path.iterdir()] == [f"t{suffix}"]


def test_csv_is_utf_8_with_the_columns_by_name_whatever_the_locale(tmp_path):
    write_table(tmp_path / "t.csv", ROWS)
    text = (tmp_path / "t.csv").read_bytes().decode("utf-8")
    assert text.splitlines()[0] == ",".join(COLUMNS) and "Grüße" in text and "caf\\xe9.jpg" in text
    (tmp_path / "t.csv").write_text("\ufeff" + text, encoding="utf-8")  # as a spreadsheet saves it
    assert list(read_table(tmp_path / "t.csv")) == ROWS


def test_parquet_says_its_version(tmp_path):
    import pyarrow.parquet as parquet

    write_table(tmp_path / "t.parquet", ROWS)
    schema = parquet.read_schema(tmp_path / "t.parquet")
    assert schema.metadata[b"schema"].decode() == SCHEMA and tuple(schema.names) == COLUMNS
    assert str(schema.field("score").type) == "double" and str(schema.field("width_px").type) == "int32"


@pytest.mark.parametrize("suffix", KINDS)
def test_a_table_is_gone_on_with_whether_its_run_ended_or_not(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    grown(path, ROWS[:2], finish=False)
    assert not path.exists()
    grown(path, ROWS[2:3], finish=False, resume=True)
    with opened(path, resume=True) as table:
        assert table.count == 3 and "001.jpg" in table and "004.jpg" not in table
        table.finish()
    assert grown(path, ROWS[3:], resume=True) == ROWS


def test_resume_begins_a_table_that_is_not_there(tmp_path):
    assert grown(tmp_path / "t.csv", ROWS, resume=True) == ROWS


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_there_is_not_written_over_unasked(tmp_path, whole):
    path = tmp_path / "t.csv"
    grown(path, ROWS[:2], finish=whole)
    with pytest.raises(Refusal, match="--resume, or write it anew by --overwrite"):
        opened(path)
    assert grown(path, ROWS[3:], overwrite=True) == ROWS[3:]


def test_an_old_table_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "t.csv"
    grown(path, ROWS[:2])
    grown(path, ROWS[2:3], finish=False, overwrite=True)
    assert list(read_table(path)) == ROWS[:2]
    assert grown(path, ROWS[3:], resume=True) == ROWS[2:], "resume goes on with the new one, not with the old"


def test_a_line_that_a_kill_cut_is_no_row(tmp_path):
    path = tmp_path / "t.csv"
    grown(path, ROWS[:3], finish=False)
    (part,) = (tmp_path / "t.csv.parts").glob("rows-*.jsonl")
    part.write_bytes(part.read_bytes()[:-7])
    with opened(path, resume=True) as table:
        assert table.count == 2 and ROWS[2].photo not in table
        table.add(ROWS[2])
        table.finish()
    assert list(read_table(path)) == ROWS[:3]


def test_a_kill_between_the_table_and_its_parts_doubles_nothing(tmp_path):
    """The table is whole and has its name, its parts are still there."""
    path = tmp_path / "t.csv"
    grown(path, ROWS[:2])
    with opened(path, resume=True) as table:
        table.add(ROWS[2])
        write_table(path, list(table.rows()))
    assert grown(path, ROWS[3:], resume=True) == ROWS


def test_errors_are_tried_again_on_request_and_the_score_counts(tmp_path):
    path = tmp_path / "t.csv"
    grown(path, ROWS)
    good = row(1)
    with opened(path, resume=True) as table:
        assert ROWS[1].photo in table
    with opened(path, resume=True, retry_errors=True) as table:
        assert ROWS[1].photo not in table and table.count == 4
        table.add(good)
    with opened(path, resume=True) as table:  # killed before its end, and gone on with
        assert table.count == 5
        table.finish()
    assert sorted(read_table(path), key=repr) == sorted([*(one for one in ROWS if not one.error), good], key=repr)


def test_errors_that_come_again_stay_one_row(tmp_path):
    path, again = tmp_path / "t.csv", replace(ROWS[1], error="001.jpg: another reason")
    grown(path, ROWS)
    found = grown(path, [again], resume=True, retry_errors=True)
    assert len(found) == 5 and [one for one in found if one.error] == [again]


def test_many_rows_are_many_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("lariqa.library.score_table.ROWS_IN_A_PART", 2)
    assert grown(tmp_path / "t.csv", ROWS, finish=False) == ROWS
    assert len(list((tmp_path / "t.csv.parts").glob("rows-*.jsonl"))) == 3 and ROWS_IN_A_PART > 1000


OTHERS = {
    "another model": (
        lambda text: text.replace("5" * 64, "6" * 64),
        "belongs to another model (its sha256 begins with 666666",
    ),
    "an older version": (lambda text: text.replace("seconds", "ms"), "without seconds"),
    "a newer version": (lambda text: text.replace("device", "device,more").replace("cpu", "cpu,1"), "with more"),
    "another order": (lambda text: text.replace("photo,score", "score,photo"), "another order"),
    "no number": (lambda text: text.replace("0.25", "quick"), "could not convert string to float: 'quick'"),
    "a row cut short": (lambda text: text.rsplit(",", 3)[0], "cannot be read"),
    "no text": (lambda text: text.encode("utf-16").decode("latin-1"), "cannot be read"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_table_that_is_not_this_models_is_refused_and_left(tmp_path, name):
    changed, fact = OTHERS[name]
    path = tmp_path / "t.csv"
    grown(path, ROWS[:1])
    path.write_text(changed(path.read_text()), encoding="latin-1")
    before = path.read_bytes()
    with pytest.raises(Refusal) as refused, opened(path, resume=True):
        pass
    assert str(path) in str(refused.value) and fact in str(refused.value)
    assert path.read_bytes() == before and [entry.name for entry in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"schema": "lariqa-scores/9"}, "another version (lariqa-scores/9"),
        ({"model_sha256": "6" * 64}, "another model"),
    ],
)
def test_the_beginning_of_another_table_is_refused(tmp_path, change, fact):
    grown(tmp_path / "t.csv", ROWS[:1], finish=False)
    about = tmp_path / "t.csv.parts" / "about.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), **change}))
    with pytest.raises(Refusal) as refused, opened(tmp_path / "t.csv", resume=True):
        pass
    assert fact in str(refused.value)


def test_scores_of_another_view_do_not_mix(tmp_path):
    grown(tmp_path / "t.csv", ROWS[:1])
    with (
        pytest.raises(Refusal, match="'views crop', these are of 'views full'"),
        opened(tmp_path / "t.csv", resume=True) as table,
    ):
        table.add(row(9, input="views full"))


def test_two_runs_do_not_write_one_table(tmp_path):
    with (
        opened(tmp_path / "t.csv"),
        pytest.raises(Refusal, match="another run is writing"),
        opened(tmp_path / "t.csv", resume=True),
    ):
        pass


def test_a_full_disk_keeps_what_was_told(tmp_path, no_file_above):
    path, kept = tmp_path / "t.csv", []
    told = pytest.raises(Refusal, match=r"cannot write .*every row before is kept")
    with opened(path) as table, told, no_file_above(2_000):
        for number in range(50):
            table.add(row(number))
            kept.append(row(number))
    assert 2 < len(kept) < 20
    with opened(path, resume=True) as table:
        assert list(table.rows()) == kept
        with no_file_above(300), pytest.raises(Refusal, match="cannot write in"):
            table.finish()
        assert not path.exists() and list(table.rows()) == kept
        table.finish()
    assert list(read_table(path)) == kept


@pytest.mark.parametrize(
    ("name", "fact"), [("t.xlsx", ".csv or .jsonl or .parquet"), ("t", "ends in"), ("folder.csv", "is a folder")]
)
def test_a_name_that_no_table_can_have_is_refused(tmp_path, name, fact):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(Refusal, match=fact):
        opened(tmp_path / name)


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match="cannot write in"), opened(tmp_path / "file" / "t.csv"):
        pass


def test_the_summary_counts_reasons_not_photos():
    summary = Summary()
    for number in range(7):
        summary.add(row(number))
    for number, came in enumerate(["a damaged one (x 1)", "a damaged one (x 2)", "20 px", "31 px"]):
        name = f"{number:03d}.jpg"
        summary.add(row(number, score=None, error=f"{name}: expected a photo (JPEG; PNG), came {came}; copy it again"))
    first, *reasons = summary.sentences(2.0)
    assert first == "11 photos: 7 scored, 4 refused, 5.5 a second"
    assert sorted(line.split(maxsplit=1) for line in reasons) == [
        ["2", "expected a photo, came N px"],
        ["2", "expected a photo, came a damaged one"],
    ]


def test_the_best_are_the_highest_scores_without_the_errors():
    assert [one.photo for one in best_of(ROWS, 2)] == [
        one.photo for one in sorted((one for one in ROWS if not one.error), key=lambda one: -one.score)[:2]
    ]
    assert best_of(ROWS, 0) == [] and len(best_of(ROWS, 99)) == 4
