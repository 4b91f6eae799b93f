"""``lariqa inspect``: what a checkpoint and an artifact are."""

import json
import re
import shutil

import pytest

from export.rewrite.export_ready import ExportRequest
from lariqa.photos import photo
from tests.support.commands import ONNX, SIZE, refused
from tests.support.wrong_models import wrong_models


def test_inspect_tells_a_checkpoint_and_its_kan_coverage(run, tiny_checkpoint, photos):
    shown = run("inspect", tiny_checkpoint).results()
    assert shown["backbone"] == "mobilenetv3_small_050" and shown["provenance"]["trained"] is False
    assert 0 < shown["of_them_in_heads"] < shown["parameters"]
    measured = run("inspect", tiny_checkpoint, "--photos", photos / "good.png")
    assert measured.status == 0 and "regressor.layers.0" in measured.stdout and "%" in measured.stdout
    refused(run("inspect", tiny_checkpoint, "--photos", photos / "one pixel.png"), "one pixel.png", "1x1")


def table_of(shown) -> list[str]:
    """The lines of the coverage table."""
    return [line for line in shown.stdout.splitlines() if ".layers." in line and "%" in line]


def test_kan_coverage_is_measured_on_the_photos_that_open(run, tiny_checkpoint, photos, photo_folder):
    shutil.copy(photo_folder / "dark.png", photos / "dark.png")
    good = run("inspect", tiny_checkpoint, "--photos", photos / "good.png", "--photos", photos / "dark.png")
    shown = run("inspect", tiny_checkpoint, "--photos", photos)
    assert good.status == 0 and len(table_of(good)) == 3
    assert shown.status == 2 and table_of(shown) == table_of(good)
    assert "over 2 of 7 photos; 5 were left out" in shown.stdout
    errors = [line for line in shown.said if line.startswith("error: ")]
    names = ("truncated.jpg", "text.jpg", "empty.jpg", "bomb.png", "one pixel.png")
    assert len(errors) == 5 and all(any(name in line for line in errors) for name in names)


def test_ctrl_c_shows_the_coverage_of_the_photos_before(run, tiny_checkpoint, photo_folder, monkeypatch):
    first = sorted(photo_folder.iterdir())[:2]
    good = run("inspect", tiny_checkpoint, "--photos", first[0], "--photos", first[1])
    real, count = photo.open_photo, iter(range(9))

    def opened(path):
        if next(count) == 2:
            raise KeyboardInterrupt
        return real(path)

    monkeypatch.setattr(photo, "open_photo", opened)
    shown = run("inspect", tiny_checkpoint, "--photos", photo_folder)
    assert shown.status == 130 and table_of(shown) == table_of(good) and "over 2 of 5 photos" in shown.stdout


def test_inspect_tells_an_artifact(run, export_folder):
    shown = run("inspect", export_folder / ONNX)
    described, end = json.JSONDecoder().raw_decode(shown.stdout)
    assert shown.status == 0 and shown.said == []  # nothing in this file is known to hurt on phones
    (row,) = described["artifacts"]
    assert row["file"] == ONNX
    operators, *table = shown.stdout[end:].strip().splitlines()
    assert re.fullmatch(r"\d+ operators: .*Conv \d+.*", operators)
    parts = {line.split("  ")[1].strip(): line.split()[-2:] for line in table if " / " in line}
    assert {"authentic / conv_stem", "synthetic / blocks.1", "synthetic / KAN"} <= parts.keys()
    (total,) = [line.split()[-2] for line in table if "tables and biases" in line]
    assert float(total.replace(",", "")) == pytest.approx(row["macs"] / 1e6, abs=0.05)
    assert "input image: uint8 NHWC 1x150x200x3" in table


def test_inspect_warns_of_what_is_known_to_hurt_on_phones(run, tiny_checkpoint, tmp_path):
    options = ("--size", SIZE, "--format", "onnx", "--input", "tensors")
    run("export", tiny_checkpoint, "-o", tmp_path / "out", *options)
    (path,) = (tmp_path / "out").glob("*.onnx")
    assert any("resize filters" in line for line in run("inspect", path).said)


def test_inspect_says_what_is_not_counted_of_a_view_of_any_size_and_asks_for_no_file_of_each(
    run, shared_exports, export_folder
):
    def said_of(path):
        done = run("inspect", path)
        return done.stdout + " ".join(done.said)

    (crop,) = shared_exports(ExportRequest(), ["onnx", "tflite"])[0].glob("*.onnx")
    full = shared_exports(ExportRequest("views", 150, 200, "full"))[1][0]
    assert "not counted" not in said_of(crop) and "needs its own file" not in said_of(crop)
    assert "needs its own file" in said_of(export_folder / ONNX)
    open_sides = said_of(full.path)
    assert f"not counted; with 200x150: {full.artifact.macs / 1e6:,.1f} MMACs" in open_sides
    assert "needs its own file" not in open_sides and "above the bare process" in open_sides


def test_inspect_measures_no_coverage_on_an_artifact(run, export_folder):
    refused(run("inspect", export_folder / ONNX, "--photos", "x.jpg"), "checkpoint", "leave --photos out")


def test_inspect_says_where_there_is_no_kan_to_measure(run, tiny_checkpoint, photos, tmp_path):
    encoder, _ = wrong_models(tmp_path, tiny_checkpoint)["bare encoder"]
    assert run("inspect", encoder).results()["head"] is None
    refused(run("inspect", encoder, "--photos", photos / "good.png"), "no KAN layer", "leave --photos out")
