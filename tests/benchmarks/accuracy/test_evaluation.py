"""Evaluation against human ratings, and the paper's tables: figures, files, and what is said where data are missing."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmarks.accuracy.evaluation import evaluate, write_evaluation
from benchmarks.accuracy.reproduction import measure_row, measured_before, missing_data
from lariqa.errors import Refusal
from lariqa_train.datasets.catalogue import CATALOGUE
from lariqa_train.datasets.rows import Row, read_rows
from lariqa_train.model.heads import PAPER_HEADS, make_reducer, make_regressor
from lariqa_train.training.accuracy import measure_accuracy
from lariqa_train.training.tables import TABLES, table_named
from lariqa_train.training.train_config import read_config
from tests.support.published_layouts import write_kadid10k, write_tid2013


class SharpnessScorer:
    """Scores by the mean step between neighbouring pixels: enough to see blur."""

    runner = SimpleNamespace(runtime="by hand")

    def score(self, image, fit=False):
        return float(np.abs(np.diff(image.astype(float), axis=1)).mean()) / 10


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    root = tmp_path_factory.mktemp("kadid")
    write_kadid10k(root)
    return read_rows(CATALOGUE["kadid10k"], root)


def test_figures_are_those_of_the_scores_and_every_image_is_in_the_csv(rows, tmp_path):
    result = evaluate(SharpnessScorer(), rows, resamples=50)
    mos = np.array([row.mos for row in rows])
    assert np.ptp(result.scores) > 0.05
    assert result.raw == measure_accuracy(result.scores, mos) and 0.3 < result.raw.srcc < 1
    low, high = result.intervals["srcc"]
    assert low < result.raw.srcc < high
    assert result.after_fit.rmse < result.raw.rmse
    written = write_evaluation(result, tmp_path / "out", "a title")
    table = list(csv.DictReader((tmp_path / "out" / "scores.csv").open()))
    assert [float(line["score"]) for line in table] == pytest.approx(result.scores, abs=1e-6)
    assert [line["group"] for line in table] == [row.group for row in rows]
    told = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert told["raw"]["srcc"] == pytest.approx(result.raw.srcc) and told["images"] == len(rows)
    assert min(Image.open(written[2]).size) > 400


def test_a_colour_space_changes_what_is_scored(rows):
    plain, other = (evaluate(SharpnessScorer(), rows, color_space=space, resamples=10) for space in ("rgb", "lab"))
    assert not np.allclose(plain.scores, other.scores)


def test_photos_that_cannot_be_scored_are_named_together(rows, tmp_path):
    bad = [Row(tmp_path / name, 0.5, name) for name in ("a.png", "b.png")]
    with pytest.raises(Refusal) as refusal:
        evaluate(SharpnessScorer(), [*rows, *bad], resamples=10)
    assert "2 faults" in str(refusal.value) and "a.png" in str(refusal.value) and "b.png" in str(refusal.value)


def test_the_tables_have_the_papers_rows_and_every_recipe_exists():
    assert {name: len(rows) for name, (_, rows) in TABLES.items()} == {
        "table2": 4, "table3": 6, "table4": 8, "table5": 24, "table6": 5, "table7": 8, "table8": 8,
    }  # fmt: skip
    for _, rows in TABLES.values():
        assert len({row.name for row in rows}) == len(rows)
        for row in rows:
            configs = [read_config(recipe) for recipe in row.recipes]
            assert bool(configs) == bool(row.tested_on)
    assert table_named("table8", "kan")[1][0].paper == {
        "plcc": 0.787, "srcc": 0.836, "krcc": 0.642, "rmse": 0.061, "mae": 0.041
    }  # fmt: skip


def test_the_heads_flops_are_counted_not_copied():
    """2 FLOPs per weight of the matrix products; a KAN edge has 9 (8 splines and the base)."""

    def flops(name: str) -> float:
        parts = make_reducer(PAPER_HEADS[name], 1000), make_regressor(PAPER_HEADS[name], 1)
        sizes = {"weight": 1, "base_weight": 1, "spline_weight": 1}
        return 2 * sum(
            p.numel() for part in parts for n, p in part.named_parameters() if n.rsplit(".")[-1] in sizes
        ) / 1e6  # fmt: skip

    counted = {row.name.removeprefix("synthetic_"): row.notes["counted"] for row in TABLES["table3"][1][:3]}
    for row, head in (("mlp", "mlp"), ("mlp_matched", "mlp-matched"), ("kan", "kan-small")):
        assert f"{flops(head):.2f}" == counted[row], row


def test_missing_data_sets_are_named_row_by_row(tmp_path):
    write_kadid10k(tmp_path / "kadid10k")
    (row,) = table_named("table3", "synthetic_kan")[1]
    assert missing_data(row, tmp_path) == ["TID2013"]
    assert measured_before(row, tmp_path / "runs") is None
    with pytest.raises(Refusal, match="did you mean 'synthetic_kan'"):
        table_named("table3", "syntetic_kan")
    with pytest.raises(Refusal, match="there are table2"):
        table_named("table9")


def test_a_row_is_trained_evaluated_and_remembered(tmp_path, one_thread):
    write_kadid10k(tmp_path / "kadid10k")
    write_tid2013(tmp_path / "tid2013")
    (row,) = table_named("table3", "synthetic_kan")[1]
    tiny = ["backbone=mobilenetv3_small_050", "synthetic_crop_px=64", "epochs=1", "batch_size=8", "workers=0",
            "pretrained=false", "accelerator=cpu"]  # fmt: skip
    with one_thread():
        measured = measure_row(row, tmp_path, tmp_path / "runs", tiny, lambda step: None)
        again = measure_row(
            row, tmp_path, tmp_path / "runs", ["no=such key"], lambda step: None
        )  # nothing is left to do
    assert set(measured) == {"plcc", "srcc", "krcc"} and measured == again
    table = tmp_path / "runs" / "table3_synthetic_kan" / "tid2013-all-rgb" / "scores.csv"
    assert len(table.read_text().splitlines()) == 37
