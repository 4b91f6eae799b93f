"""The training commands: what they print, where they write, and how they end."""

import csv
import json
import sys

import numpy as np
import pytest
from PIL import Image

from lariqa_cli import main as command_line
from lariqa_train.pictures.damage import BUNDLED_PHOTO
from tests.support.published_layouts import write_kadid10k, write_uhd_iqa


@pytest.fixture
def run(monkeypatch, capsys):
    """A function that runs the front door in this process: (status, stdout)."""

    def call(*words) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["lariqa", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        return int(ended.value.code or 0), capsys.readouterr().out

    return call


def test_datasets_lists_all_with_what_is_there_and_what_is_missing(run, tmp_path):
    write_kadid10k(tmp_path / "KADID-10k")
    status, out = run("datasets", "list", "--root", tmp_path, "--check", "--json")
    rows = json.loads(out)
    assert status == 0 and len(rows) == 9
    assert rows["kadid10k"]["complete"] and rows["kadid10k"]["rows"] == 36
    assert rows["kadid10k"]["folder"] == str(tmp_path / "KADID-10k")
    assert rows["pipal"]["missing"] == ["Train_Label", "Train_Dist or Distortion_1"] and rows["pipal"]["licence"]
    assert "missing: Train_Label" in run("datasets", "list", "--root", tmp_path)[1]


def test_generated_data_is_written_listed_as_a_demonstration_and_read_back(run, tmp_path):
    words = ("--scenes", 4, "--photos", BUNDLED_PHOTO, "--parts", 2, "--versions", 2, "--side", 96)
    status, out = run("datasets", "generate", tmp_path, *words)
    assert status == 0 and f"18 pictures in {tmp_path / 'generated'}" in out
    listed = json.loads(run("datasets", "list", "--root", tmp_path, "--check", "--json")[1])["generated"]
    assert listed["rows"] == 18 and listed["complete"] and "demonstration" in listed["title"]
    assert "no human ratings" in listed["licence"] and listed["split"] == "official"
    assert run("datasets", "generate", tmp_path, "--scenes", 1)[0] == 2
    assert run("datasets", "generate", tmp_path, "--photos", tmp_path / "nowhere")[0] == 2


def test_faults_of_a_data_set_end_with_status_2(run, tmp_path):
    write_kadid10k(tmp_path / "kadid10k")
    (tmp_path / "kadid10k" / "images" / "I00_01_00.png").unlink()
    assert run("datasets", "list", "--root", tmp_path, "--check")[0] == 2
    assert run("datasets", "list", "--root", tmp_path / "nowhere")[0] == 2


def test_a_table_without_data_is_printed_all_the_same(run, tmp_path):
    status, out = run("reproduce", "table8", "--root", tmp_path, "--runs", tmp_path / "runs")
    assert status == 0 and out.count("quoted from the paper") == 6
    assert "0.836" in out and "missing: KonIQ-10k, BID, SPAQ, KADID-10k, TID2013, PIPAL, UHD-IQA" in out
    told = json.loads(run("reproduce", "table6", "both_512", "--root", tmp_path, "--json")[1])
    assert told["rows"][0]["paper"] == {"plcc": 0.744, "srcc": 0.734, "krcc": 0.545}
    assert told["rows"][0]["measured"] is None
    assert run("reproduce", "table1")[0] == 2


def test_evaluate_compares_a_checkpoint_with_human_ratings(run, tiny_checkpoint, tmp_path):
    write_uhd_iqa(tmp_path / "uhd_iqa")
    words = ("evaluate", tiny_checkpoint, "--dataset", "uhd_iqa", "--root", tmp_path, "--resamples", 20, "--workers", 0)
    status, out = run(*words, "--split", "all", "-o", tmp_path / "out", "--json")
    told = json.loads(out)
    assert status == 0 and told["images"] == 36 and set(told["raw"]) >= {"srcc", "plcc", "krcc", "rmse", "mae"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["accuracy.json", "scatter.png", "scores.csv"]
    status, out = run(*words)
    assert status == 0 and "7 images" in out and "95 % interval" in out
    assert run(*words, "--color-space", "cmyk")[0] == 2
    assert run("evaluate", tmp_path / "no.onnx", "--dataset", "uhd_iqa")[0] == 2


def test_evaluate_holds_exported_files_against_the_checkpoint_they_came_from(run, tiny_checkpoint, tmp_path):
    assert run("datasets", "generate", tmp_path, "--scenes", 6, "--versions", 3, "--side", 200)[0] == 0
    export = ("export", tiny_checkpoint, "-o", tmp_path / "files", "--format", "onnx,tflite", "--input", "pixels")
    assert run(*export, "--synthetic-view", "crop", "--size", "200x200")[0] == 0
    scores, figures = {}, {}
    for model in (tiny_checkpoint, *sorted((tmp_path / "files").glob("*.*[xe]"))):
        out = tmp_path / f"out-{model.suffix}"
        words = ("evaluate", model, "--dataset", "generated", "--root", tmp_path, "--split", "all", "-o", out, "--json")
        status, told = run(*words, "--resamples", 20, "--workers", 0)
        assert status == 0, model
        figures[model.suffix] = json.loads(told)
        scores[model.suffix] = [float(row["score"]) for row in csv.DictReader((out / "scores.csv").open())]
        assert min(Image.open(out / "scatter.png").size) > 400
    assert set(scores) == {".safetensors", ".onnx", ".tflite"} and len(scores[".onnx"]) == 24
    assert np.ptp(scores[".safetensors"]) > 0.05
    for suffix in (".onnx", ".tflite"):
        # a tiny network is wild on pictures that it was not calibrated on: the measure is its own spread
        difference = np.abs(np.subtract(scores[suffix], scores[".safetensors"])).max()
        assert difference < 1e-3 * np.ptp(scores[".safetensors"]), suffix
        assert figures[suffix]["raw"]["srcc"] == pytest.approx(figures[".safetensors"]["raw"]["srcc"], abs=1e-2)
    assert len({figures[suffix]["runtime"] for suffix in figures}) == 3
    write_uhd_iqa(tmp_path / "uhd_iqa")  # photos of another size are refused, and taken with --fit
    artifact = next((tmp_path / "files").glob("*.onnx"))
    other = ("evaluate", artifact, "--dataset", "uhd_iqa", "--root", tmp_path, "--resamples", 20)
    assert run(*other)[0] == 2 and run(*other, "--fit")[0] == 0


def test_training_without_data_names_what_is_missing(run, tmp_path):
    assert run("train", "branch_synthetic", "--root", tmp_path, "-o", tmp_path / "run", "--no-pretrained")[0] == 2
    assert run("train", "branch_sintetic", "--root", tmp_path, "-o", tmp_path / "run")[0] == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("setting", ["grid_size=-3", "grid_size=many", "spline_order=9"])
def test_splines_that_cannot_be_end_with_status_2(run, setting, tmp_path):
    words = ("train", "uhd_finetune", "--root", tmp_path, "-o", tmp_path / "run")
    assert run(*words, setting) == (2, "")
    assert run(*words, "head=mlp", "grid_size=8") == (2, "")
    assert not (tmp_path / "run").exists()
