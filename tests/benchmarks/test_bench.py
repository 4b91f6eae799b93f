"""``lariqa bench run`` on a tiny export, as a user runs it: rows, report, first divergence, rows from a phone."""

import json
import re
import shutil
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import onnx
import pytest
from PIL import Image

from benchmarks.baselines.baselines import baselines_of
from benchmarks.measure.candidate import NotBuilt
from benchmarks.measure.first_divergence import find_first_divergence
from benchmarks.measure.macs import UNNAMED, name_weights, part_of, promised_layers, torch_layers, work_of
from benchmarks.measure.measurement import Measurement, Subject, Work
from benchmarks.measure.participants import artifact_candidate, exported_in
from benchmarks.measure.statistics import paired_ratio
from benchmarks.report.report_folder import add_rows, rows_in
from benchmarks.report.row_matching import latest
from benchmarks.suite import BenchRequest, _contenders
from export.formats import FORMATS, USUAL, format_of
from export.pipeline import export_proved
from export.proof.proof_photos import fitted_files, seeded_photos
from export.rewrite.export_ready import ExportRequest, make_export_ready
from export.rewrite.graph_stats import LayerStats
from export.rewrite.tiling_plan import BUDGETS, Budget
from lariqa.digest import sha256_of
from lariqa.manifest.manifest import read_manifest, write_manifest
from lariqa.photos.golden import golden_photo
from lariqa.runtimes.artifacts import open_artifact
from lariqa_cli import main as command_line
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.reference import reference_scorer
from tests.support.commands import run_here

HEIGHT, WIDTH = 150, 200
PARTS_OF_ONE_BRANCH = {"conv_stem", "blocks.0", "blocks.1", "conv_head", "classifier", "KAN"}


@pytest.fixture(scope="module")
def exported(shared_exports):
    """A folder with the tiny model in three formats."""
    folder, _ = shared_exports(ExportRequest("pixels", HEIGHT, WIDTH), list(USUAL))
    return folder


@pytest.fixture(scope="module")
def damaged(exported, tmp_path_factory):
    """The export with one wrong weight in the ONNX file, and a manifest that vouches for it."""
    folder = tmp_path_factory.mktemp("damaged")
    (path,) = exported.glob("*.onnx")
    for name in (path.name, "lariqa.json", "reference.safetensors"):
        shutil.copy(exported / name, folder / name)
    model = onnx.load(folder / path.name)
    (weight,) = [
        w for w in model.graph.initializer if re.search(r"synthetic.*blocks\.1\.0\.shares\.0\.project\.weight$", w.name)
    ]
    values = onnx.numpy_helper.to_array(weight).copy()
    values[0] *= 3
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx.save(model, folder / path.name)
    manifest = read_manifest(folder)
    (row,) = [row for row in manifest.artifacts if row.file == path.name]
    write_manifest(folder, replace(manifest, artifacts=(replace(row, sha256=sha256_of(folder / path.name)),)))
    return folder


@pytest.fixture
def run(monkeypatch, capfd):
    """A function that runs one command and returns (status, stdout, stderr)."""
    return partial(run_here, monkeypatch, capfd)


@pytest.fixture(scope="module")
def report(exported, tmp_path_factory):
    """(folder, rows) of one benchmark of all three formats, through the command itself."""
    folder = tmp_path_factory.mktemp("report")
    patch = pytest.MonkeyPatch()
    command = ["lariqa", "bench", "run", exported, "-o", folder, "--runs", "5", "--threads", "1"]
    patch.setattr(sys, "argv", list(map(str, command)))
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    patch.undo()
    assert ended.value.code == 0
    return folder, rows_in(folder)


# The suite


def test_every_artifact_and_its_reference_have_a_row_with_all_figures(report):
    rows = report[1]
    assert [row.subject.format for row in rows] == ["torch", "coreml", "onnx", "tflite"]
    assert len({row.report for row in rows}) == 1
    for row in rows:
        assert row.error is None and len(row.latency.inference_ms) == 5 and min(row.latency.inference_ms) > 0
        assert row.latency.load_ms > 0 and row.latency.first_ms > 0 and row.latency.load_was_cold
        assert row.memory.peak_mib >= row.memory.loaded_mib >= row.memory.baseline_mib > 20
        assert row.memory.running_peak_mib is None or row.memory.running_peak_mib > row.memory.baseline_mib
        assert row.work.macs > 1e6 and row.work.weight_bytes > 1e5 and row.limit.matmul_gmacs_per_s > 0.1
        assert any("too few runs" in flag for flag in row.flags)
        assert row.setting.threads == 1 and not row.setting.fallback
    assert [row.setting.executes_artifact for row in rows] == [True, False, True, True]
    assert any("MIL reference evaluator" in flag for flag in rows[1].flags)


def test_each_way_of_execution_has_its_own_parts(tiny_model, tmp_path, one_thread, monkeypatch):
    monkeypatch.setitem(BUDGETS, "low", Budget(200_000, 60_000))  # several strips and groups, even of so small a photo
    with one_thread():
        for memory in ("naive", "low"):
            list(export_proved(tiny_model, ExportRequest("pixels", HEIGHT, WIDTH, "full", memory), ["onnx"], tmp_path))
    candidates, _ = _contenders(BenchRequest((tmp_path,)), exported_in([tmp_path]), tmp_path, lambda step: None)
    files = {one.subject.memory: one for one in candidates if one.subject.role == "artifact"}
    assert set(files) == {"low", "naive"} and files["naive"].predicted_mib is None
    for one in files.values():
        named = sum(part["macs"] for name, part in one.work.parts.items() if name != UNNAMED)
        assert named > 0.95 * one.work.macs and len(one.work.parts) > 10
    assert files["low"].predicted_mib > 50 and files["low"].work.halo_macs > 0


def test_scores_are_held_against_the_reference_and_differ_from_photo_to_photo(report):
    for row in report[1]:
        scores = [score.score for score in row.scores]
        assert len({round(score, 4) for score in scores}) == len(scores) >= 3
        assert max(abs(score.score - score.reference) for score in row.scores) < 5e-5


def test_runs_were_taken_in_turns_and_can_be_compared_pair_by_pair(report):
    torch, _, ort, _ = report[1]
    assert paired_ratio(torch, ort).median > 0
    starts = sorted((start, row.subject.format) for row in report[1] for start in row.latency.started_s)
    assert [name for _, name in starts][:8] == [
        "torch",
        "coreml",
        "onnx",
        "tflite",
        "coreml",
        "onnx",
        "tflite",
        "torch",
    ]


def test_the_profile_names_parts_of_the_model(report):
    (ort,) = [row for row in report[1] if row.subject.format == "onnx"]
    assert ort.profile.tool == "ONNX Runtime profiler" and ort.profile.operators_ms["Conv"] > 0
    assert {"synthetic / blocks.1", "authentic / conv_stem", "resize"} <= ort.profile.parts_ms.keys()
    assert UNNAMED not in ort.profile.parts_ms
    (tflite,) = [row for row in report[1] if row.subject.format == "tflite"]
    assert "gives no operator times" in tflite.profile.tool and tflite.setting.placement["XNNPACK"] > 100


def test_the_report_is_there_in_three_forms(report):
    folder, rows = report
    data = json.loads((folder / "report.json").read_text())
    assert data["schema"] == "lariqa-report/1" and "lariqa bench run" in data["command"]
    assert {row["id"] for row in data["rows"]} >= {row.id for row in rows}
    assert any(row["subject"]["role"] == "quoted" for row in data["rows"])
    assert "<svg" in (folder / "report.html").read_text() and "HyperIQA" in (folder / "report.md").read_text()


def test_rows_of_a_phone_join_the_report(run, report, tmp_path):
    folder = tmp_path / "report"
    shutil.copytree(report[0], folder)
    phone = Measurement(
        subject=Subject(name="on a phone", format="onnx"), machine={"kind": "phone", "model": "Pixel 99"}
    )
    (tmp_path / "rows.json").write_text(f"[{phone.to_line()}]")
    status, _, _ = run("bench", "import", tmp_path / "rows.json", "-o", folder)
    assert status == 0 and rows_in(folder)[:-1] == report[1] and rows_in(folder)[-1] == phone
    assert "Pixel 99" in (folder / "report.html").read_text()


def test_of_the_same_model_on_the_same_machine_the_latest_row_counts(tmp_path):
    old, new, other = (Measurement(subject=Subject(name=name)) for name in ("a", "a", "b"))
    for row in (old, other, new):
        add_rows(tmp_path / "made", [row])
    assert rows_in(tmp_path / "made") == [old, other, new]
    assert latest([old, other, new]) == ([new, other], ["a"])


# Where parity breaks


def test_a_planted_wrong_weight_fails_and_is_named(run, damaged, tmp_path):
    options = ("--runs", "2", "--threads", "1", "--find-divergence", "--sustained", "0.01")
    status, _, stderr = run("bench", "run", damaged, "-o", tmp_path / "report", *options)
    assert status == 1 and "past its parity limit" in stderr
    row, sustained = [row for row in rows_in(tmp_path / "report") if row.subject.role == "artifact"]
    assert sustained.mode == "sustained" and sustained.latency.started_s[-1] < 0.6
    assert "parity breaks at synthetic / blocks.1.0" in " ".join(row.flags)
    budget = row.error_budget
    assert budget["synthetic / blocks.0.0"] < 1e-4 < 1e-2 < budget["synthetic / blocks.1.0"]


@pytest.mark.parametrize("name", sorted(USUAL))
def test_in_a_good_file_every_stage_is_found(exported, name):
    (path,) = exported.glob(f"*{FORMATS[name].suffix}")
    model = load_checkpoint(exported / "reference.safetensors").eval()
    stages, first_divergence = find_first_divergence(
        open_artifact(path, 1), model, golden_photo(HEIGHT, WIDTH), lambda step: None
    )
    assert first_divergence is None and len(stages) > 20
    assert {"authentic / view", "synthetic / features", "synthetic / KAN", "score"} <= {s.name for s in stages}
    assert max(stage.error for stage in stages) < 1e-4


# Counting


@pytest.mark.parametrize("name", sorted(USUAL))
def test_the_file_counts_what_pytorch_counts_part_by_part(exported, name):
    (path,) = exported.glob(f"*{FORMATS[name].suffix}")
    manifest = read_manifest(exported)
    (artifact,) = [row for row in manifest.artifacts if row.file == path.name]
    promised = promised_layers(manifest, artifact)
    work = work_of(format_of(path).layers(path), promised, {})
    assert (
        work.macs
        == artifact.macs
        == sum(layer.macs for layer in promised)
        == sum(p["macs"] for p in work.parts.values())
    )
    assert UNNAMED not in work.parts
    assert all(part["weight_bytes"] == 4 * part["weights"] for part in work.parts.values())  # fp32
    for view in ("authentic", "synthetic"):
        assert {f"{view} / {part}" for part in PARTS_OF_ONE_BRANCH} <= work.parts.keys()
    counted = {}
    for layer in promised:
        counted[part_of(layer.name)] = counted.get(part_of(layer.name), 0) + layer.macs
    assert {part: numbers["macs"] for part, numbers in work.parts.items()} == counted
    stored = load_checkpoint(exported / "reference.safetensors")
    assert 0.8 < work.weight_bytes / (4 * sum(p.numel() for p in stored.parameters())) < 1.2


def test_a_file_that_computes_less_than_the_model_says_so(exported):
    (one,) = [one for one in exported_in([exported]) if one.artifact.format == "onnx"]
    whole, half = (Work(macs=round(share * one.artifact.macs)) for share in (1.0, 0.45))
    assert artifact_candidate(one, whole).subject.note == ""
    assert "left out what these weights make zero" in artifact_candidate(one, half).subject.note


def test_a_convolution_and_a_product_are_counted_as_by_hand(tiny_model):
    ready = make_export_ready(tiny_model, ExportRequest("tensors", HEIGHT, WIDTH))
    layers = {layer.name: layer for layer in torch_layers(ready, ready.example())}
    stem = layers["lean.synthetic.conv_stem.spatial"]
    assert stem.macs == 64 * 64 * 16 * 3 * 3 * 3 and stem.weights == 16 * 27  # 128 -> 64 px, 3 -> 16 channels, 3x3
    kan = layers["model.synthetic.reducer.layers.0"]
    assert kan.macs == kan.weights == 16 * 9 * 8  # 16 features, base + 8 splines each, 8 outputs


def test_weights_are_named_by_their_order_even_where_some_are_missing():
    def layer(name, weights):
        return LayerStats(name, "Conv", 1, name, weights, 4 * weights)

    reference = [layer("a", 10), layer("b", 20), layer("c", 10), layer("d", 30)]
    file = [layer("w0", 10), layer("w1", 20), layer("w1", 20), layer("extra", 99), layer("w3", 30)]
    assert name_weights(file, reference) == {"w0": "a", "w1": "b", "w3": "d"}


# Photos and baselines


def test_seeded_photos_are_the_same_again_and_different_from_each_other():
    first, again = (list(seeded_photos(6, 90, 120, seed=3)) for _ in range(2))
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(first, again, strict=True))
    assert len({image.tobytes() for _, image in first}) == 6
    assert all(image.shape == (90, 120, 3) and image.std() > 2 for _, image in first)
    assert next(image.tobytes() for _, image in seeded_photos(2, 90, 120, seed=4)) != first[0][1].tobytes()


def test_photos_of_the_right_size_are_used_as_they_are(tmp_path):
    Image.new("RGB", (120, 90)).save(tmp_path / "fits.png")
    Image.new("RGB", (300, 100)).save(tmp_path / "wide.png")
    made = tmp_path / "made"
    made.mkdir()
    files = fitted_files(made, [tmp_path / "fits.png", tmp_path / "wide.png"], 90, 120)
    fits, wide = files
    assert fits == tmp_path / "fits.png" and wide.parent == made and files[wide].endswith("resampled")
    assert Image.open(wide).size == (120, 90)


def test_peers_score_as_the_reference_does_where_they_are_meant_to(exported, tmp_path):
    photo = golden_photo(HEIGHT, WIDTH)
    reference = load_checkpoint(exported / "reference.safetensors")
    expected = reference_scorer(reference).score(photo)
    baselines = {}
    for baseline in baselines_of(
        exported / "reference.safetensors", "crop", HEIGHT, WIDTH, tmp_path, lambda step: None
    ):
        baselines[baseline.subject.name] = baseline
    assert not [baseline for baseline in baselines.values() if isinstance(baseline, NotBuilt)]
    for name, baseline in baselines.items():
        if baseline.same_as_reference and "coreml" not in name:
            scorer = baseline.open(1)
            assert scorer.runner.run(scorer.inputs(photo)) == pytest.approx(expected, abs=1e-4), name
    assert {baseline.subject.format for baseline in baselines.values()} == {"torch", "onnx", "tflite", "coreml"}
    assert all(baseline.work.macs > 1e6 for baseline in baselines.values())
    for baseline in baselines.values():  # what is read while loading: files, of an .mlpackage too
        assert all(file.is_file() for file in baseline.files) and (
            baseline.files or "stand-in" in baseline.subject.name
        )
