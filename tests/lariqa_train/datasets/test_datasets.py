"""Data sets: each published layout is read back, groups never leak, and everything wrong is named at once."""

import csv

import pytest

from lariqa.errors import Refusal
from lariqa_train.datasets.catalogue import CATALOGUE, data_set_named, locate
from lariqa_train.datasets.rows import DataSet, RawRow, read_rows
from lariqa_train.datasets.split import split_rows
from tests.support.published_layouts import (
    CONTENTS,
    LEVELS,
    WRITERS,
    shares,
    write_csv,
    write_kadid10k,
    write_koniq10k,
    write_tid2013,
)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_tree_in_the_published_layout_is_read_back(name, tmp_path):
    WRITERS[name](tmp_path / name)
    found = locate(CATALOGUE[name], tmp_path)
    assert found.complete and found.folder == tmp_path / name
    rows = read_rows(CATALOGUE[name], found.folder)
    expected = sorted(share for _, _, share in shares())
    assert len(set(expected)) > 20
    assert sorted(row.mos for row in rows) == pytest.approx(expected, abs=1e-5)
    assert all(row.image.is_file() for row in rows)
    if CATALOGUE[name].kind == "synthetic":
        assert len({row.group for row in rows}) == CONTENTS


@pytest.mark.parametrize("name", CATALOGUE)
def test_no_content_is_on_two_sides_of_a_split(name, tmp_path):
    WRITERS[name](tmp_path)
    rows = read_rows(CATALOGUE[name], tmp_path)
    split = split_rows(rows, folds=4)
    train, held = ({row.group for row in part} for part in (split.training, split.validation))
    assert train and held and not train & held
    assert {row.group for row in split.part("all")} == {row.group for row in rows}
    assert split == split_rows(rows[::-1], folds=4) or {row.image for row in split.training} == {
        row.image for row in split_rows(rows[::-1], folds=4).training
    }
    if CATALOGUE[name].official_split:
        assert len(split.test) and split.test != split.validation
        assert all(row.official == "training" for row in split.training)


def test_ten_folds_hold_every_content_out_once(tmp_path):
    write_kadid10k(tmp_path)
    rows = read_rows(CATALOGUE["kadid10k"], tmp_path)
    held = [row.image for fold in range(5) for row in split_rows(rows, folds=5, fold=fold).validation]
    assert sorted(held) == sorted(row.image for row in rows)


def test_dmos_where_less_is_better_is_turned_over(tmp_path):
    image = tmp_path / "a.png"
    image.touch()
    dmos = DataSet(
        "d", "d", "synthetic", 1, (0, 100), False, "", "", (), lambda root: iter([RawRow(image, 20, "a", "row 1")])
    )
    assert read_rows(dmos, tmp_path)[0].mos == pytest.approx(0.8)


def test_all_faults_are_named_at_once_with_file_and_row(tmp_path):
    write_koniq10k(tmp_path)
    table = tmp_path / "koniq10k_distributions_sets.csv"
    lines = table.read_text().splitlines()
    lines[1] = lines[1].replace(lines[1].split(",")[7], "nan")
    lines[2] = lines[2].replace(lines[2].split(",")[7], "431")
    lines[3] = lines[3].replace("02.jpg", "gone.jpg")
    lines[5] = lines[4]
    lines[6] = lines[6].rsplit(",", 1)[0] + ",traning"
    table.write_text("\n".join(lines) + "\n")
    with pytest.raises(Refusal) as refusal:
        read_rows(CATALOGUE["koniq10k"], tmp_path)
    text = str(refusal.value)
    assert "5 faults" in text
    for words in (
        "row 2: the score 'nan' is not a number",
        "row 3: the score 431 is outside 1..100",
        "row 4: no image at",
        "gone.jpg",
        "row 6: 10.jpg is already in koniq10k_distributions_sets.csv, row 5",
        "row 7: the set 'traning'",
    ):
        assert words in text, words


def test_a_missing_part_and_a_missing_column_are_named(tmp_path):
    write_kadid10k(tmp_path / "a")
    (tmp_path / "a" / "dmos.csv").unlink()
    with pytest.raises(Refusal, match=r"dmos\.csv missing; get it from database\.mmsp"):
        read_rows(CATALOGUE["kadid10k"], tmp_path / "a")
    (tmp_path / "a" / "dmos.csv").write_text("dist_img,score\nx,1\n")
    with pytest.raises(Refusal, match="has no column ref_img, dmos; it has dist_img, score"):
        read_rows(CATALOGUE["kadid10k"], tmp_path / "a")
    (tmp_path / "a" / "dmos.csv").write_text("dist_img,ref_img,dmos\n")
    with pytest.raises(Refusal, match="no row in"):
        read_rows(CATALOGUE["kadid10k"], tmp_path / "a")


def test_a_broken_excel_file_is_refused(tmp_path):
    WRITERS["bid"](tmp_path)
    (tmp_path / "DatabaseGrades.xlsx").write_bytes(b"no zip")
    with pytest.raises(Refusal, match="cannot be read as an Excel file"):
        read_rows(CATALOGUE["bid"], tmp_path)


def test_an_empty_side_of_a_split_is_refused(tmp_path):
    write_kadid10k(tmp_path)
    rows = [row for row in read_rows(CATALOGUE["kadid10k"], tmp_path) if row.group == "I00.png"]
    with pytest.raises(Refusal, match="split is empty"):
        split_rows(rows)
    with pytest.raises(Refusal, match="fold 10 of 10"):
        split_rows(rows, fold=10)


def test_the_csv_is_read_with_a_header_and_without(tmp_path):
    write_csv(tmp_path)
    without = read_rows(CATALOGUE["csv"], tmp_path)
    table = tmp_path / "labels.csv"
    table.write_text("image,score,content\n" + table.read_text())
    assert read_rows(CATALOGUE["csv"], tmp_path) == without and len(without) == CONTENTS * LEVELS


HEADERS = {  # columns by name, in any order; what is further there is left alone
    "image,score,content": "{image},{score},{group}",
    "split,image_name,mos": "{split},{image},{score}",
    "img_name,std,mos,set": "{image},0.1,{score},{split}",
    "mos , filename": "{score},{image}",
}


@pytest.mark.parametrize("header", HEADERS)
def test_the_columns_of_a_csv_are_found_by_their_names(header, tmp_path):
    write_csv(tmp_path)
    without = read_rows(CATALOGUE["csv"], tmp_path)
    assert len({row.mos for row in without}) > 4
    lines, splits = [header], ["train", "val", "test", "training", "valid"]
    for number, row in enumerate(without):
        image, split = row.image.relative_to(tmp_path), splits[number % 5]
        lines.append(HEADERS[header].format(image=image, score=row.mos, group=row.group, split=split))
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    found = read_rows(CATALOGUE["csv"], tmp_path)
    assert [(row.image, row.mos) for row in found] == [(row.image, pytest.approx(row.mos)) for row in without]
    sets = ["training", "validation", "test", "training", "validation"]
    official = [sets[n % 5] if "{split}" in HEADERS[header] else None for n in range(len(found))]
    assert [row.official for row in found] == official


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name_of_picture,how_good\na.png,0.5\n", "begins with 'name_of_picture,how_good'"),
        ("a.png,0.5,0.1,train\nb.png,0.4,0.1,val\n", "begins with 'a.png,0.5,0.1,train'"),
        ("image;score\na.png;0,5\n", "has ; between its columns"),
        ('image,score\na.png,"0,5"\n', "has a decimal comma"),
        ("image,score\nsub\\a.png,0.5\n", "Windows separators"),
        ("a.png,good\nb.png,0.5\n", "begins with 'a.png,good'"),
        ("image,score\n,0.5\n", "is a folder, not an image"),
        ("image,score\nsub,0.5\n", "is a folder, not an image"),
        ("image,score\n../a.png,0.5\n", "leads out of"),
        ("image,score\na.png,0.05\nb.png,0.1\n", "another scale, it seems"),
        ("image,score,split\na.png,0.5,somewhere\n", "'somewhere' is none of"),
    ],
)
def test_a_csv_that_cannot_be_read_as_it_was_meant_says_why(text, says, tmp_path):
    root = tmp_path / "set"
    (root / "sub").mkdir(parents=True)
    for name in ("a.png", "b.png", "../a.png"):
        (root / name).write_bytes(b"x")
    (root / "labels.csv").write_text(text)
    with pytest.raises(Refusal) as refusal:
        read_rows(CATALOGUE["csv"], root)
    assert says in str(refusal.value)


def test_a_csv_in_utf_16_says_so(tmp_path):
    (tmp_path / "labels.csv").write_text("image,score\na.png,0.5\n", encoding="utf-16")
    with pytest.raises(Refusal, match="UTF-16"):
        read_rows(CATALOGUE["csv"], tmp_path)


def test_koniqs_two_tables_are_told_apart_by_their_columns(tmp_path):
    write_koniq10k(tmp_path)
    table = tmp_path / "koniq10k_distributions_sets.csv"
    rows = list(csv.DictReader(table.open()))
    right = [row.mos for row in read_rows(CATALOGUE["koniq10k"], tmp_path)]
    assert max(right) - min(right) > 0.5

    def write(name: str, columns: dict) -> None:
        table.unlink(missing_ok=True)
        with (tmp_path / name).open("w", newline="") as file:
            written = csv.DictWriter(file, ["image_name", "MOS", *columns])
            written.writeheader()
            for row in rows:
                five = 1 + (float(row["MOS"]) - 1) / 99 * 4
                further = {column: make(row) for column, make in columns.items()}
                written.writerow({"image_name": row["image_name"], "MOS": five, **further})

    write("koniq10k_scores_and_distributions.csv", {"MOS_zscore": lambda row: row["MOS"]})
    found = read_rows(CATALOGUE["koniq10k"], tmp_path)
    assert [row.mos for row in found] == right and {row.official for row in found} == {None}
    (tmp_path / "koniq10k_scores_and_distributions.csv").unlink()
    write("koniq10k_distributions_sets.csv", {"set": lambda row: row["set"]})  # 1..5 under the other's name
    with pytest.raises(Refusal, match=r"another scale, it seems: get the table from .*subpic/koniq"):
        read_rows(CATALOGUE["koniq10k"], tmp_path)


def test_tid2013_is_found_whatever_the_case_of_its_names(tmp_path):
    write_tid2013(tmp_path)
    assert {row.image.name[0] for row in read_rows(CATALOGUE["tid2013"], tmp_path)} == {"I"}


def test_a_misspelt_data_set_gets_the_nearest_name():
    with pytest.raises(Refusal, match="did you mean 'kadid10k'"):
        data_set_named("kadid-10k")


def test_what_is_not_there_is_reported_as_missing_whole(tmp_path):
    found = locate(CATALOGUE["spaq"], tmp_path)
    assert not found.complete and len(found.missing) == 2
