"""Core AI's file: Apple's own runtime gives PyTorch's score with it, it holds its manifest, and it can be read."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.measure.first_divergence import find_first_divergence
from benchmarks.measure.macs import promised_layers, work_of
from benchmarks.measure.time_profile import profile_of
from export.formats import FORMATS, USUAL
from export.proof.proof_photos import bundled_photo, bundled_photos
from export.rewrite.export_ready import ExportRequest, make_export_ready
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.manifest.manifest import read_manifest, size_bytes
from lariqa.photos.golden import golden_photo
from lariqa.runtimes.artifacts import describe, open_artifact
from lariqa.runtimes.golden_check import check_golden
from lariqa.runtimes.scorer import Scorer
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.reference import reference_scorer
from tests.support.commands import run_here

COREAI = FORMATS["coreai"]
HEIGHT, WIDTH = 150, 200
PARITY = 1e-5


def test_it_is_within_the_limit_on_photos_of_five_sizes_whose_scores_differ(exported):
    _, proved = exported
    photos = proved.parity.photos
    assert min(np.diff(sorted(photo.reference for photo in photos))) > 1e-4
    assert len({(photo.width_px, photo.height_px) for photo in photos}) >= 5
    assert proved.parity.passed and proved.parity.worst <= PARITY


def test_the_manifest_says_what_ran_and_that_no_device_did(exported):
    folder, proved = exported
    (row,) = read_manifest(folder).artifacts
    assert row.sha256 == sha256_of(proved.path) and row.bytes == size_bytes(proved.path) > 1e6
    assert row.status == "executed here" and row.converter["coreai-core"] in row.parity["runtime"]
    assert "experimental" in row.parity["runtime"] and "no Apple device" in row.parity["runtime"]
    assert (row.photo_width_px, row.input) == (None, "views")


def test_a_file_found_by_itself_says_what_it_is_and_scores_alike(exported, asset, tmp_path):
    alone = tmp_path / asset.name
    shutil.copytree(asset, alone)
    manifest, artifact = describe(alone)
    assert manifest.checkpoint_sha256 == read_manifest(exported[0]).checkpoint_sha256 and artifact.sha256 == ""
    photos = bundled_photos(HEIGHT, WIDTH)
    opened, beside = open_artifact(alone), open_artifact(asset)
    scores = [opened.score(photos[name]) for name in ("original", "noisy")]
    assert scores == [beside.score(photos[name]) for name in ("original", "noisy")] and scores[0] != scores[1]
    assert all(check.passed for check in check_golden(asset))


def test_no_path_of_the_exporting_machine_is_in_it(asset):
    written = b"".join(file.read_bytes() for file in asset.iterdir())
    assert b"site-packages" not in written and __file__.rsplit("/", 4)[0].encode() not in written


def test_no_forbidden_operator_and_no_padding_is_in_it(asset):
    operators = COREAI.operators(asset)
    assert sum(operators.values()) > 100 and not set(operators) & COREAI.forbidden and "pad" not in operators


def test_a_full_size_photo_with_everything_in_the_graph(tiny_model, tmp_path):
    ready, path = make_export_ready(tiny_model, ExportRequest("pixels")), tmp_path / "large.aimodel"
    COREAI.convert(ready, path, "{}")
    assert COREAI.operators(path)["pad"] == 0  # in the resize neither
    scorer, reference = scorer_of(COREAI.runtime.open(path, 1, {}), ready), reference_scorer(tiny_model)
    photo = bundled_photo()
    flat = photo // 4 + 90
    references = [reference.score(one) for one in (photo, flat)]
    assert photo.shape == (2160, 3840, 3) and abs(references[0] - references[1]) > 1e-2
    for one, expected in zip((photo, flat), references, strict=True):
        assert abs(scorer.score(one) - expected) <= PARITY * max(1, abs(expected))


@pytest.fixture(scope="module")
def other_form(tiny_model, tmp_path_factory):
    """(format, export-ready model, file) of the same model with Apple's own padding, and the camera's function."""
    row = replace(COREAI, graph=replace(COREAI.graph, zeros_by_convolution=False, camera_function=True))
    ready, path = make_export_ready(tiny_model, ExportRequest()), tmp_path_factory.mktemp("other") / "other.aimodel"
    row.convert(ready, path, "{}")
    return row, ready, path


def test_with_padding_operators_the_score_is_the_same_bit_by_bit(asset, other_form):
    row, ready, path = other_form
    assert row.operators(path)["pad"] > 20 and COREAI.operators(asset)["pad"] == 0
    photos = [bundled_photos(HEIGHT, WIDTH)[name] for name in ("original", "noisy", "blurred")]
    padded, ours = scorer_of(row.runtime.open(path, 1, {}), ready), open_artifact(asset)
    scores = [ours.score(photo) for photo in photos]
    assert scores == [padded.score(photo) for photo in photos] and len(set(scores)) == 3


def test_the_cameras_function_calls_the_same_weights_where_it_is_asked_for(asset, other_form, tiny_model, tmp_path):
    """Of which "main" alone can run here: no image goes in."""
    from coreai.authoring import AIModelAsset

    row, _, path = other_form
    assert AIModelAsset.load(asset).summary(include_statistics=False).function_names == ["main"]
    summary = AIModelAsset.load(path).summary(include_statistics=False)
    assert set(summary.function_names) == {"main", "camera"}
    images = dict(summary.function_inputs("camera"))
    assert images.keys() == {"authentic", "synthetic"} and all("32BGRA" in kind for kind in images.values())
    assert summary.function_outputs("camera") == summary.function_outputs("main")
    assert size_bytes(path) < 1.1 * size_bytes(asset) and row.layers(path).macs == COREAI.layers(asset).macs
    with pytest.raises(Refusal, match="a camera gives bytes"):
        row.convert(make_export_ready(tiny_model, ExportRequest("tensors")), tmp_path / "floats.aimodel", "{}")


def scorer_of(runner, ready):
    return Scorer(runner, ready.preprocess, ready.config.branches, ready.takes, ready.photo_size_px)


def test_in_a_good_file_every_stage_is_found(exported, asset):
    model = load_checkpoint(exported[0] / "reference.safetensors").eval()
    stages, divergence = find_first_divergence(
        open_artifact(asset), model, golden_photo(HEIGHT, WIDTH), lambda step: None
    )
    assert divergence is None and len(stages) > 20 and max(stage.error for stage in stages) < 1e-4


def test_its_layers_are_the_models_and_the_profiler_times_them(exported, asset):
    manifest, artifact = describe(asset)
    promised = promised_layers(manifest, artifact)
    work = work_of(COREAI.layers(asset), promised, dict(COREAI.operators(asset)))
    assert work.macs == artifact.macs == sum(layer.macs for layer in promised)
    assert all(part["weight_bytes"] == 4 * part["weights"] for part in work.parts.values())
    scorer = open_artifact(asset)
    inputs = scorer.inputs(golden_photo(HEIGHT, WIDTH))
    tool, times = scorer.runner.operator_times(inputs, 2)
    measured = {time.name for time in times if time.operator.endswith(("conv2d", "matmul"))}
    assert tool == "Core AI profiler" and all(time.time_ms >= 0 for time in times)
    assert measured == {layer.name for layer in COREAI.layers(asset).layers}
    candidate = type("Candidate", (), {"part_of_operator": dict.fromkeys(measured, "some part")})
    assert "some part" in profile_of(scorer, inputs, candidate, 1).parts_ms


def test_it_is_written_only_where_it_is_named():
    assert "coreai" not in USUAL and set(USUAL) == {"onnx", "coreml", "tflite"}


def test_inspect_and_verify_know_it(exported, asset, monkeypatch, capfd):
    status, stdout, stderr = run_here(monkeypatch, capfd, "inspect", asset)
    assert status == 0 and "conv2d 1" in stdout and "no phone has run such a file" in stdout + stderr
    status, stdout, stderr = run_here(monkeypatch, capfd, "verify", exported[0], "--golden")
    assert status == 0 and "no Apple device" in " ".join((stdout + stderr).split())
