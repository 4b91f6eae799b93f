"""Packed weights kept in a file: the same score, made once, nothing half-written, refused where it cannot be."""

import pytest
from typer.testing import CliRunner

from benchmarks.measure.participants import artifact_candidate, exported_in, with_weights_kept
from export.proof.memory_model import predict
from export.proof.proof_photos import seeded_photos
from export.rewrite.export_ready import ExportRequest
from lariqa.errors import Refusal
from lariqa.runtimes.artifacts import open_artifact
from lariqa.runtimes.weight_cache import packed_weights
from lariqa_cli import main as command_line

HEIGHT, WIDTH = 96, 160


@pytest.fixture(scope="module")
def exported(shared_exports):
    """A folder with the tiny model for LiteRT and ONNX Runtime."""
    return shared_exports(ExportRequest(), ["onnx", "tflite"])[0]


@pytest.fixture(scope="module")
def tflite(exported):
    """The LiteRT file of it."""
    return next(exported.glob("*.tflite"))


def test_scores_are_the_same_and_the_file_is_made_once(tflite, tmp_path):
    photos = list(dict(seeded_photos(3, HEIGHT, WIDTH, seed=4)).values())
    expected = [open_artifact(tflite, 1).score(photo) for photo in photos]
    assert len(set(expected)) == 3
    first = open_artifact(tflite, 1, tmp_path / "kept")
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.suffix == ".xnnpack" and kept.stat().st_size > tflite.stat().st_size / 2
    made = kept.stat().st_mtime_ns
    again = open_artifact(tflite, 1, tmp_path / "kept")
    assert [first.score(photo) for photo in photos] == [again.score(photo) for photo in photos] == expected
    assert kept.stat().st_mtime_ns == made and list((tmp_path / "kept").iterdir()) == [kept]


@pytest.mark.parametrize("damage", [b"", b"not packed weights" * 100])
def test_a_damaged_file_is_made_anew(tflite, tmp_path, damage):
    photo = next(iter(dict(seeded_photos(1, HEIGHT, WIDTH, seed=4)).values()))
    expected = open_artifact(tflite, 1, tmp_path).score(photo)
    (kept,) = tmp_path.iterdir()
    whole = kept.stat().st_size
    kept.write_bytes(damage)
    assert open_artifact(tflite, 1, tmp_path).score(photo) == expected
    assert kept.stat().st_size == whole


def test_every_model_and_runtime_has_a_file_of_its_own_and_a_failure_leaves_none(tmp_path):
    models = [tmp_path / "a" / "model.tflite", tmp_path / "b" / "model.tflite"]
    for number, model in enumerate(models):
        model.parent.mkdir()
        model.write_bytes(bytes([number]) * 100)
    folder, packings = tmp_path / "kept", []

    def pack(path):
        packings.append(path)
        path.write_bytes(b"packed")

    files = [packed_weights(folder, model, runtime, pack) for model in models for runtime in ("LiteRT 1", "LiteRT 2")]
    assert len(set(files)) == len(packings) == 4
    assert packed_weights(folder, models[0], "LiteRT 1", pack) == files[0] and len(packings) == 4
    assert not any(path.exists() for path in packings)  # they were other names

    def fails(path):
        path.write_bytes(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        packed_weights(folder, models[0], "LiteRT 3", fails)
    assert sorted(folder.iterdir()) == sorted(files)


def test_where_nothing_can_be_kept_it_is_refused(exported, tflite, tiny_checkpoint, photo_folder, tmp_path):
    onnx = next(exported.glob("*.onnx"))
    with pytest.raises(Refusal, match=r"only LiteRT can, with a \.tflite exported with --memory low or balanced"):
        open_artifact(onnx, 1, tmp_path)
    (file := tmp_path / "file").write_text("in the way")
    for model, folder, said in (
        (onnx, tmp_path, "cannot keep its packed weights"),
        (tiny_checkpoint, tmp_path, "is a checkpoint"),
        (tflite, file / "kept", "is a file"),
    ):
        command = ["score", str(model), str(photo_folder), "--weight-cache", str(folder)]
        ended = CliRunner().invoke(command_line.app, command)
        assert isinstance(ended.exception, Refusal | SystemExit), ended.output
        assert said in " ".join((ended.output + str(ended.exception)).split())


def test_a_benchmark_measures_the_file_with_and_without(exported, tflite, tmp_path):
    (one,) = exported_in([tflite])
    plain = artifact_candidate(one, None)
    kept = with_weights_kept(plain, one, tmp_path)
    assert kept.weight_cache and not plain.weight_cache and kept.subject.name != plain.subject.name
    less = (
        predict(one.manifest, one.artifact).peak_mib - predict(one.manifest, one.artifact, weights_kept=True).peak_mib
    )
    assert 0 < less < one.artifact.bytes / 2**20
    assert kept.predicted_mib == pytest.approx(plain.predicted_mib - less, abs=0.02)
    kept.open(1)
    assert list(tmp_path.iterdir())
