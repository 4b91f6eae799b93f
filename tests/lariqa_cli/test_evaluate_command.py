"""``lariqa evaluate`` on a set that is not all good: figures over the rest, nothing scored twice, nothing lost."""

import csv
import json
import shutil
import signal
import time

import numpy as np
import pytest
import torch

from benchmarks.accuracy.evaluation import evaluate
from lariqa.library.work import PhotoScorer
from lariqa.loading import load
from lariqa.runtimes.scorer import Scorer
from lariqa_train.datasets.catalogue import CATALOGUE
from lariqa_train.datasets.rows import read_rows
from lariqa_train.model.model import LarIqa
from tests.support.commands import LARIQA, ONNX, ended, refused, start
from tests.support.published_layouts import write_uhd_iqa

FIGURES = ["accuracy.json", "scatter.png", "scores.csv"]


@pytest.fixture(scope="session")
def good_set(tmp_path_factory):
    """A data set of 36 photos. Do not change it: copy it."""
    root = tmp_path_factory.mktemp("data")
    write_uhd_iqa(root / "uhd_iqa")
    return root


@pytest.fixture
def root(good_set, tmp_path):
    return shutil.copytree(good_set, tmp_path / "data")


@pytest.fixture
def asked(export_folder, root):
    """The words of the command."""
    words = ("evaluate", export_folder / ONNX, "--dataset", "uhd_iqa", "--root", root, "--split", "all", "--fit")
    return (*words, "--resamples", 10, "--workers", 0)


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def scores_in(folder) -> dict[str, str]:
    return {row["image"]: row["score"] for row in csv.DictReader((folder / "scores.csv").open())}


def error_lines(ended) -> list[str]:
    return [line for line in ended.said if line.startswith("error: ")]


def a_photo(root, number=0):
    return sorted((root / "uhd_iqa").glob("*/*.jpg"))[number]


@pytest.fixture
def scored(monkeypatch):
    """The photos that were scored, as they come; one put into ``happens`` raises its error there."""

    class Scored(list):
        happens = {}  # noqa: RUF012 - of this test's class

    seen, real = Scored(), PhotoScorer.__call__

    def score(self, photo, name=None):
        if len(seen) in seen.happens:
            raise seen.happens.pop(len(seen))
        seen.append(photo)
        return real(self, photo, name)

    monkeypatch.setattr(PhotoScorer, "__call__", score)
    return seen


@pytest.mark.parametrize(("model", "space"), [("artifact", "rgb"), ("artifact", "lab"), ("checkpoint", "rgb")])
def test_workers_change_no_figure(run, asked, root, tiny_checkpoint, export_folder, tmp_path, model, space):
    path = tiny_checkpoint if model == "checkpoint" else export_folder / ONNX
    part = () if model == "artifact" else ("--split", "test")  # PyTorch takes its time
    words = ("evaluate", path, *asked[2:-2], "--color-space", space, "--json", *part)
    alone = run(*words, "--workers", 0, "-o", tmp_path / "alone")
    side_by_side = run(*words, "--workers", 2, "-o", tmp_path / "workers")
    assert alone.status == side_by_side.status == 0 and alone.stdout == side_by_side.stdout
    for name in ("accuracy.json", "scores.csv"):
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "workers" / name).read_bytes()
    rows = read_rows(CATALOGUE["uhd_iqa"], root / "uhd_iqa")
    rows = [row for row in rows if model == "artifact" or row.official == "test"]
    before = evaluate(load(path), rows, fit=True, color_space=space, resamples=10)  # pixels, one after the other
    assert np.ptp(before.scores) > 0.05
    told = side_by_side.results()
    assert told["raw"] == before.raw.to_json() and told["left_out"] == 0
    assert told["intervals_95"] == {name: list(interval) for name, interval in before.intervals.items()}
    assert list(scores_in(tmp_path / "workers").values()) == [f"{score:.6f}" for score in before.scores]


def test_a_checkpoint_has_one_thread_whatever_the_machine_so_that_workers_give_the_same_bits(
    run, asked, tiny_checkpoint, monkeypatch
):
    threads, real = set(), LarIqa.forward

    def forward(self, **views):
        threads.add(torch.get_num_threads())
        return real(self, **views)

    monkeypatch.setattr(LarIqa, "forward", forward)
    torch.set_num_threads(2)  # as on a machine with two processors; ``single_threaded`` sets it back
    assert run("evaluate", tiny_checkpoint, *asked[2:], "--split", "test").status == 0
    assert threads == {1} and torch.get_num_threads() == 2


def test_a_bad_photo_is_named_and_the_figures_are_over_the_rest(run, asked, root, tmp_path):
    whole = run(*asked, "-o", tmp_path / "whole", "--json")
    assert whole.status == 0 and names(tmp_path / "whole") == FIGURES
    bad = a_photo(root, 20)
    bad.write_bytes(bad.read_bytes()[:900])
    ended = run(*asked, "-o", tmp_path / "out", "--json")
    (error,) = error_lines(ended)
    assert ended.status == 2 and str(bad) in error and "truncated" in error
    told = ended.results()
    assert told["images"] == 35 and told["left_out"] == 1 and str(bad) in told["photos_left_out"]
    kept = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert (kept["images"], kept["left_out"]) == (35, 1) and kept["photos_left_out"] == told["photos_left_out"]
    rest = scores_in(tmp_path / "whole")
    del rest[str(bad)]
    assert scores_in(tmp_path / "out") == rest
    shown = run(*asked)
    assert shown.status == 2 and "35 images, 1 left out" in shown.stdout and "SRCC" in shown.stdout
    assert len(error_lines(shown)) == 1


def test_photos_that_were_left_out_are_tried_alone(run, asked, root, tmp_path, scored):
    bad, out = a_photo(root, 3), tmp_path / "out"
    good = bad.read_bytes()
    bad.write_bytes(b"no photo")
    ended = run(*asked, "-o", out)
    assert ended.status == 2 and names(out) == sorted([*FIGURES, "evaluation.jsonl"])
    assert any("--resume --retry-errors" in line for line in ended.said)
    assert (
        run(*asked, "-o", out).status == 2
    )  # as before it could be resumed: a new run takes the place of an ended one
    bad.write_bytes(good)
    scored.clear()
    ended = run(*asked, "-o", out, "--resume", "--retry-errors")
    assert ended.status == 0 and scored == [bad] and names(out) == FIGURES and len(scores_in(out)) == 36


def test_ctrl_c_loses_no_score_and_the_run_goes_on(run, asked, tmp_path, scored):
    out = tmp_path / "out"
    whole = run(*asked, "-o", tmp_path / "whole", "--json")
    scored.clear()
    scored.happens[30] = KeyboardInterrupt()
    ended = run(*asked, "-o", out, "--json")
    assert (ended.status, ended.stdout) == (130, "") and any("30 scores are kept" in line for line in ended.said)
    refused(run(*asked, "-o", out), out, "--resume", "--overwrite")
    assert len(scored) == 30
    ended = run(*asked, "-o", out, "--resume", "--json")
    assert ended.status == 0 and len(scored) == 36 == len(set(scored)) and ended.stdout == whole.stdout
    assert names(out) == FIGURES and scores_in(out) == scores_in(tmp_path / "whole")
    scored.clear()
    scored.happens[3] = KeyboardInterrupt()
    ended = run(*asked)
    assert ended.status == 130 and any("-o FOLDER" in line for line in ended.said)


def test_a_killed_run_goes_on(run, asked, tmp_path):
    out = tmp_path / "out"
    process = start(*LARIQA, *asked, "-o", out)
    parts = out / "evaluation.jsonl.parts"
    while process.poll() is None and sum(part.read_bytes().count(b"\n") for part in parts.glob("rows-*")) < 2:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert ended(process).status == -signal.SIGKILL
    assert run(*asked, "-o", out, "--resume").status == 0
    assert names(out) == FIGURES and len(scores_in(out)) == 36


def test_kept_scores_of_another_kind_are_refused(run, asked, exported, another_checkpoint, tmp_path, scored):
    out = tmp_path / "out"
    scored.happens[5] = KeyboardInterrupt()
    assert run(*asked, "-o", out).status == 130
    again = ("-o", out, "--resume")
    refused(run(*asked, *again, "--color-space", "lab"), "pixels crop in lab", "--overwrite")
    refused(run(*(word for word in asked if word != "--fit"), *again), "resampled", "--fit")
    refused(run("evaluate", another_checkpoint, *asked[2:], *again), "another model")
    assert run(*asked, "-o", out, "--overwrite").status == 0 and names(out) == FIGURES


def test_too_few_photos_are_said_in_one_sentence(run, asked, root, tmp_path):
    for photo in sorted((root / "uhd_iqa").glob("*/*.jpg"))[2:]:
        photo.write_bytes(b"")
    ended = run(*asked, "-o", tmp_path / "out")
    *named, last = error_lines(ended)
    assert (ended.status, ended.stdout) == (2, "") and len(named) == 34 and all("empty" in line for line in named)
    assert "2 of 36 photos have a score" in last and "at least 3" in last
    no_fit = tuple(word for word in asked if word != "--fit")
    assert "0 of 36 photos have a score" in run(*no_fit, "-o", tmp_path / "none").said[-1]
    assert not (tmp_path / "none").exists()  # nothing was there to keep


def test_a_fault_of_its_own_costs_one_photo_and_has_its_status(run, asked, monkeypatch):
    real, count = Scorer.inputs, iter(range(1000))

    def inputs(self, photo, fit=False):
        if next(count) == 7:
            raise RuntimeError("nobody foresaw this")
        return real(self, photo, fit)

    monkeypatch.setattr(Scorer, "inputs", inputs)
    ended = run(*asked)
    assert ended.status == 70 and "35 images, 1 left out" in ended.stdout and "nobody foresaw this" in ended.stderr


def test_a_model_that_does_not_open_leaves_nothing(run, asked, tmp_path):
    (tmp_path / "wrong.onnx").write_bytes(b"no model")
    refused(run("evaluate", tmp_path / "wrong.onnx", *asked[2:], "-o", tmp_path / "out"), "wrong.onnx")
    assert not (tmp_path / "out").exists()


def test_options_for_kept_scores_need_a_folder(run, asked, tmp_path):
    refused(run(*asked, "--resume"), "-o")
    refused(run(*asked, "-o", tmp_path / "out", "--resume", "--overwrite"), "choose one")
    refused(run(*asked, "-o", tmp_path / "out", "--retry-errors"), "--resume")
