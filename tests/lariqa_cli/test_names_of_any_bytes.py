"""Folders and photos whose names are no UTF-8, and a locale that has no letters but ASCII: the commands that write
tables take both."""

import csv
import os
from pathlib import Path

import pytest

from tests.support.commands import LARIQA, ended, refused, start
from tests.support.published_layouts import picture, write_csv

IMAGES = 12
LATIN_1 = os.fsdecode(b"f\xeate")  # as an archive from an older Windows leaves it
ASCII_ONLY = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
TRAIN = (
    "train", "branch_authentic", "datasets=csv", "pretrained=false", "batch_size=4", "epochs=1", "workers=0",
    "authentic_side_px=64", "rob_weight=0", "backbone=mobilenetv3_small_050", "accelerator=cpu", "--quiet",
)  # fmt: skip


@pytest.fixture
def data(tmp_path):
    """A data set in a folder whose name is Latin-1, its photos in one whose name is UTF-8."""
    root = tmp_path / LATIN_1
    write_csv(root)
    (root / "photos").rename(root / "Größe 图片")
    table = root / "labels.csv"
    lines = table.read_text().splitlines()[:IMAGES]
    table.write_text("\n".join(lines).replace("photos/", "Größe 图片/") + "\n", encoding="utf-8")
    return root


def scored(folder: Path) -> list[str]:
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        return [row["image"] for row in csv.DictReader(file)]


def test_evaluate_writes_its_table_in_utf_8_under_any_locale(data, tiny_checkpoint, tmp_path):
    words = ("evaluate", tiny_checkpoint, "--dataset", "csv", "--root", data, "--split", "all", "--resamples", "20")
    process = ended(start(*LARIQA, *words, "-o", tmp_path / "out", env=ASCII_ONLY))
    assert process.status == 0, process
    images = scored(tmp_path / "out")
    assert len(images) == IMAGES and all(r"/f\xeate/Größe 图片/" in image for image in images)


def test_datasets_generate_makes_the_same_files_under_any_locale(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, name in enumerate((f"{LATIN_1}.png", "Blüte 图片.png")):
        picture(number, 0).save(photos / name)
    words = ("--photos", photos, "--scenes", 2, "--parts", 1, "--versions", 1, "--side", 64)
    made = {}
    for folder, environment in (("usual", {}), ("ascii", ASCII_ONLY)):
        process = ended(start(*LARIQA, "datasets", "generate", tmp_path / folder, *words, env=environment))
        assert process.status == 0, process
        below = tmp_path / folder / "generated"
        made[folder] = {os.fsencode(path.relative_to(below)): path.read_bytes() for path in below.rglob("*.*")}
    assert made["usual"] == made["ascii"] and len(made["usual"]) == 1 + 4 * 2
    table = made["usual"][b"generated.csv"].decode("utf-8")
    assert r"photo-f\xeate" in table and "photo-Blüte 图片" in table


def test_training_takes_photos_of_any_name_and_refuses_a_run_folder_that_tensorboard_cannot(run, data, tmp_path):
    said = refused(run(*TRAIN, "--root", data, "-o", tmp_path / LATIN_1 / "run"), r"f\xeate", "TensorBoard")
    assert "choose another -o" in said and not (tmp_path / LATIN_1 / "run").exists()
    trained = run(*TRAIN, "--root", data, "-o", tmp_path / "run")
    assert trained.status == 0 and "validation SRCC" in trained.stdout, trained
