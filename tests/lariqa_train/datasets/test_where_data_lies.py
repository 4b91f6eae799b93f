"""Data sets where people have them: in folders of their own names, as challenges rename them, in other spellings."""

import shutil
import unicodedata
from pathlib import Path

import pytest

from lariqa.errors import Refusal
from lariqa_train.datasets.catalogue import CATALOGUE, locate
from lariqa_train.datasets.rows import Row, read_rows
from tests.support.published_layouts import WRITERS, shares, write_csv, write_spaq, write_uhd_iqa


def rows_under(name: str, root: Path) -> list[Row]:
    """As the commands read a data set."""
    return read_rows(CATALOGUE[name], locate(CATALOGUE[name], root).folder)


def is_whole(rows: list[Row]) -> bool:
    mos = sorted(row.mos for row in rows)
    return mos == pytest.approx(sorted(share for _, _, share in shares()), abs=1e-5) and all(
        row.image.is_file() for row in rows
    )


TITLES = {"csv": "CSV", "generated": "Generated"}


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_set_in_folders_of_its_own_name_is_found(name, tmp_path):
    title = TITLES.get(name, CATALOGUE[name].title)  # KonIQ-10k, as its archive is called
    inside = tmp_path / "all" / title / title
    WRITERS[name](inside)
    for root in (tmp_path / "all", tmp_path / "all" / title, inside):
        assert locate(CATALOGUE[name], root).folder == inside
        assert is_whole(rows_under(name, root))


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_archive_of_any_name_that_was_unpacked_into_a_folder_of_that_name_is_found(name, tmp_path):
    WRITERS[name](tmp_path / "download (3)" / "download (3)")
    assert is_whole(rows_under(name, tmp_path / "download (3)"))


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_is_missing_is_missing_in_a_folder_that_is_there(name, tmp_path):
    title = TITLES.get(name, CATALOGUE[name].title)
    with pytest.raises(Refusal) as refusal:
        rows_under(name, tmp_path)
    assert f"under {tmp_path}:" in str(refusal.value)
    (tmp_path / title / title).mkdir(parents=True)
    with pytest.raises(Refusal) as refusal:
        rows_under(name, tmp_path)
    assert f"under {tmp_path / title}:" in str(refusal.value)
    if len(CATALOGUE[name].layout) > 1:  # with one of its parts: where that is
        WRITERS[name](tmp_path / "made")
        part = next((tmp_path / "made").iterdir())
        shutil.move(part, tmp_path / title / title / part.name)
        shutil.rmtree(tmp_path / "made")
        with pytest.raises(Refusal) as refusal:
            rows_under(name, tmp_path)
        assert f"under {tmp_path / title / title}:" in str(refusal.value)
    with pytest.raises(Refusal, match="no folder at"):
        rows_under(name, tmp_path / "misspelt")


@pytest.mark.parametrize("table", ["uhd-iqa-training-metadata.csv", "challenge/uhd-iqa-training-metadata.csv"])
def test_the_training_part_of_the_uhd_iqa_challenge_is_read(table, tmp_path):
    root = tmp_path / "UHD-IQA"
    write_uhd_iqa(root)
    (root / "challenge" / "training").mkdir(parents=True)
    for folder in ("training", "validation", "test"):
        for image in (root / folder).iterdir():
            shutil.move(image, root / "challenge" / "training" / image.name)
        (root / folder).rmdir()
    lines = (root / "uhd-iqa-metadata.csv").read_text().splitlines()
    (root / "uhd-iqa-metadata.csv").unlink()
    (root / table).write_text("\n".join(",".join(line.split(",")[:2]) for line in lines) + "\n")
    for where in (tmp_path, root, root / "challenge") if table.startswith("challenge") else (tmp_path, root):
        rows = rows_under("uhd_iqa", where)
        assert is_whole(rows) and {row.official for row in rows} == {None}


@pytest.mark.parametrize(
    ("table", "folder"),
    [
        ("Annotations/MOS_and_Image_attribute_scores.xlsx", "img"),
        ("SPAQ_dataset/Annotations/MOS_and_Image_attribute_scores.xlsx", "TestImage"),
        ("annotations/MOS and Image attribute scores.xlsx", "img_resize"),
        ("MOS_and_Image_attribute_scores.csv", "testimage"),
    ],
)
def test_spaq_is_read_as_the_loaders_of_other_projects_call_its_parts(table, folder, tmp_path):
    write_spaq(tmp_path / "SPAQ")
    sheet = tmp_path / "SPAQ" / "Annotations" / "MOS and Image attribute scores.xlsx"
    rows = rows_under("spaq", tmp_path)
    text = "Image name,MOS,Brightness\n" + "".join(f"{row.image.name},{100 * row.mos},50\n" for row in rows)
    shutil.move(tmp_path / "SPAQ" / "TestImage", tmp_path / folder)
    (tmp_path / table).parent.mkdir(parents=True, exist_ok=True)
    if table.endswith("csv"):
        (tmp_path / table).write_text(text)
    else:
        shutil.move(sheet, tmp_path / table)
    shutil.rmtree(tmp_path / "SPAQ")
    assert is_whole(rows_under("spaq", tmp_path))


def test_the_archives_of_koniq10k_and_of_the_pipal_challenge_are_read(tmp_path):
    WRITERS["koniq10k"](tmp_path / "KonIQ_10K")
    (tmp_path / "KonIQ_10K" / "koniq10k_1024x768").mkdir()
    shutil.move(tmp_path / "KonIQ_10K" / "1024x768", tmp_path / "KonIQ_10K" / "koniq10k_1024x768" / "1024x768")
    assert is_whole(rows_under("koniq10k", tmp_path))
    WRITERS["pipal"](tmp_path / "PIPAL")
    shutil.move(tmp_path / "PIPAL" / "Train_Dist", tmp_path / "PIPAL" / "Train_Distort")
    (tmp_path / "PIPAL" / "Train_Label" / "._A0001.txt").write_bytes(b"\0\5\x16\7\xb0")
    assert is_whole(rows_under("pipal", tmp_path))


def images_of(name: str, root: Path) -> list[Path]:
    WRITERS[name](root)
    return [row.image for row in read_rows(CATALOGUE[name], root)]


@pytest.mark.parametrize("name", CATALOGUE)
def test_names_in_another_case_are_found_if_one_is_meant(name, tmp_path):
    images = images_of(name, tmp_path)
    for image in images:
        image.rename(image.with_name(image.name.swapcase()))
    assert is_whole(rows_under(name, tmp_path))
    first = images[0].with_name(images[0].name.swapcase())
    twin = images[0].with_name(images[0].stem.swapcase() + images[0].suffix.title())
    named = next(CATALOGUE[name].read(tmp_path)).image  # as the table has it
    if twin.exists():  # the disk knows no case
        return
    shutil.copy(first, twin)
    with pytest.raises(Refusal) as refusal:
        rows_under(name, tmp_path)
    assert "has 1 faults" in str(refusal.value)
    assert f"'{first.name}'" in str(refusal.value) and f"'{twin.name}'" in str(refusal.value)
    shutil.copy(first, named)  # that one is meant
    assert is_whole(rows_under(name, tmp_path))


@pytest.mark.parametrize(("on_disk", "in_table"), [("NFD", "NFC"), ("NFC", "NFD"), ("NFD", "NFD")])
def test_composed_and_decomposed_names_are_one_name(on_disk, in_table, tmp_path):
    write_csv(tmp_path)
    named = "Größe è 한글/Blüte "
    (tmp_path / unicodedata.normalize(on_disk, named)).parent.mkdir()
    for photo in (tmp_path / "photos").iterdir():
        photo.rename(tmp_path / unicodedata.normalize(on_disk, named + photo.name))
    text = (tmp_path / "labels.csv").read_text().replace("photos/", unicodedata.normalize(in_table, named))
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    rows = rows_under("csv", tmp_path)
    assert is_whole(rows)
    if on_disk != in_table:  # both forms beside each other, and a third in the table: which one is meant cannot be told
        other = rows[0].image.with_name(unicodedata.normalize(in_table, rows[0].image.name))
        if other.exists():  # the disk knows no forms
            return
        shutil.copy(rows[0].image, other)
        (tmp_path / "labels.csv").write_text(text.replace("Bl", "BL"), encoding="utf-8")
        with pytest.raises(Refusal, match=r"'Bl\\xfcte 0-0\.png'") as refusal:
            rows_under("csv", tmp_path)
        assert "'Blu\\u0308te 0-0.png'" in str(refusal.value)


def test_two_spellings_of_one_image_are_one_image(tmp_path):
    write_csv(tmp_path)
    table = tmp_path / "labels.csv"
    table.write_text(table.read_text() + "photos/0-0.PNG,0.5,0\n")
    with pytest.raises(Refusal, match=r"0-0\.png is already in labels\.csv, row 1"):
        rows_under("csv", tmp_path)


def test_images_of_a_content_that_is_spelled_in_two_forms_stay_together(tmp_path):
    write_csv(tmp_path)
    table = tmp_path / "labels.csv"
    forms = ("Blüte", unicodedata.normalize("NFD", "Blüte"))
    lines = [f"{line.rsplit(',', 1)[0]},{forms[n % 2]}" for n, line in enumerate(table.read_text().splitlines())]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert {row.group for row in rows_under("csv", tmp_path)} == {"Blüte"}
