"""An export gets into a sample app whole, with what the app needs and no more, or not at all."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from export.app_bundle import bundle
from export.proof.limits import TOLERANCES
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.manifest.manifest import FILE_NAME, Artifact, InputSpec, Manifest, read_manifest, write_manifest
from lariqa.manifest.model_config import LarIqaConfig, Provenance
from lariqa.photos.audition import LOSSY, PICTURE_FILES
from lariqa_cli import main as command_line

FILES = {"ios": {"a.mlpackage"}, "android": {"a.onnx", "a.tflite"}}  # whose photos have one size
PICTURES = {"golden.png", "golden.jpg", "golden_jpg.png", "golden.heic", "golden_heic.png"}
ONE = {"ios": "a.mlpackage", "android": "a.onnx"}


@pytest.fixture
def exported(tmp_path):
    """An export folder with three files of made-up content, true in everything that a copy checks."""
    folder = tmp_path / "exported"
    (folder / "a.mlpackage" / "Data").mkdir(parents=True)
    (folder / "a.mlpackage" / "Data" / "model").write_bytes(b"model")
    (folder / "a.onnx").write_bytes(b"onnx")
    (folder / "a.tflite").write_bytes(b"tflite")
    for picture in PICTURE_FILES:
        shutil.copy(picture, folder)
    row = Artifact(
        "a.mlpackage", "coreml", "fp32", "pixels", "crop", 200, 150,
        (InputSpec("image", "uint8", "NHWC", (1, 150, 200, 3)),), "score", 1,
        sha256=sha256_of(folder / "a.mlpackage"), bytes=5,
        parity={"photos": [{"photo": "golden.png", "reference": 0.5, "score": 0.5}]},
    )  # fmt: skip
    rows = [row]
    for name, file in (("onnx", "a.onnx"), ("tflite", "a.tflite")):
        rows.append(replace(row, file=file, format=name, sha256=sha256_of(folder / file)))
    manifest = Manifest(
        "0" * 64,
        LarIqaConfig(),
        Provenance(False, "test", ""),
        tuple(rows),
        TOLERANCES,
        {"jpeg": {"file": "golden.jpg"}, "heic": {"file": "golden.heic"}},
    )
    write_manifest(folder, manifest)
    return folder


@pytest.mark.parametrize("platform", FILES)
def test_an_export_is_copied_with_what_the_app_needs_and_replaces_the_older_one(exported, tmp_path, platform):
    model = tmp_path / "App" / "Model"
    model.mkdir(parents=True)
    (model / "old.onnx").write_text("old")
    assert {row.file for row in bundle(exported, platform, model)} == FILES[platform]
    assert {path.name for path in model.iterdir()} == {*FILES[platform], *PICTURES, FILE_NAME}
    copied, whole = read_manifest(model), read_manifest(exported)
    assert copied.artifacts == tuple(row for row in whole.artifacts if row.file in FILES[platform])
    assert replace(copied, artifacts=()) == replace(whole, artifacts=())
    for row in copied.artifacts:
        assert sha256_of(model / row.file) == row.sha256
    assert {path.name for path in model.parent.iterdir()} == {"Model"}


def test_a_file_for_photos_of_any_size_comes_before_one_for_one_size(exported, tmp_path):
    (exported / "any.onnx").write_bytes(b"any")
    manifest = read_manifest(exported)
    (pixels,) = [row for row in manifest.artifacts if row.file == "a.onnx"]
    inputs = (InputSpec("authentic", "uint8", "NHWC", (1, 9, 9, 3)),)
    size = {"photo_width_px": None, "photo_height_px": None, "inputs": inputs}
    views = replace(pixels, file="any.onnx", input="views", sha256=sha256_of(exported / "any.onnx"), **size)
    write_manifest(exported, manifest.with_artifact(views))
    model = tmp_path / "Model"
    assert {row.file for row in bundle(exported, "android", model)} == {"any.onnx", "a.tflite"}
    assert {row.file for row in bundle(exported, "android", model, inputs=["pixels"])} == {"a.onnx", "a.tflite"}
    with pytest.raises(Refusal, match="views and pixels, not tensors"):
        bundle(exported, "android", model, inputs=["tensors"])
    for other in (replace(views, batch=None), replace(views, synthetic_view="full")):  # no phone's business
        write_manifest(exported, manifest.with_artifact(other))
        assert {row.file for row in bundle(exported, "android", model)} == {"a.onnx", "a.tflite"}


def test_a_page_gets_files_for_photos_of_any_size_alone(exported, tmp_path):
    with pytest.raises(Refusal, match=r"lists no file that the web app runs; .* and --input views"):
        bundle(exported, "web", tmp_path / "model", inputs=["views"])
    with pytest.raises(Refusal, match="lists no file that the web app runs"):
        bundle(exported, "web", tmp_path / "model")
    manifest = read_manifest(exported)
    (pixels,) = [row for row in manifest.artifacts if row.file == "a.tflite"]
    inputs = (InputSpec("authentic", "uint8", "NHWC", (1, 9, 9, 3)),)
    size = {"photo_width_px": None, "photo_height_px": None, "inputs": inputs}
    write_manifest(exported, manifest.with_artifact(replace(pixels, input="views", **size)))
    assert {row.file for row in bundle(exported, "web", tmp_path / "model")} == {"a.tflite"}


def test_an_export_of_the_older_schema_gets_what_the_app_reads(exported, tmp_path):
    data = json.loads((exported / FILE_NAME).read_text())
    data["schema"] = "lariqa-manifest/1"
    del data["tolerances"]
    for row in data["artifacts"]:
        row["contract"] = row.pop("input")
    (exported / FILE_NAME).write_text(json.dumps(data))
    bundle(exported, "android", tmp_path / "Model")
    written = json.loads((tmp_path / "Model" / FILE_NAME).read_text())
    assert written["schema"] == "lariqa-manifest/2" and written["tolerances"] == TOLERANCES


def changed(folder: Path, what) -> None:
    manifest = read_manifest(folder)
    write_manifest(folder, replace(manifest, artifacts=tuple(what(row) for row in manifest.artifacts)))


def spoil_model(folder: Path, platform: str) -> None:
    path = folder / ONE[platform]
    (path / "Data" / "model" if path.is_dir() else path).write_bytes(b"other")


def remove_model(folder: Path, platform: str) -> None:
    path = folder / ONE[platform]
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("lossy", [(), ("jpeg",)])
def test_an_older_export_has_the_golden_photo_alone_or_with_the_jpeg(exported, tmp_path, lossy):
    manifest = read_manifest(exported)
    write_manifest(exported, replace(manifest, golden={kind: manifest.golden[kind] for kind in lossy}))
    files = {file.name for kind in lossy for file in LOSSY[kind]}
    for name in PICTURES - files - {"golden.png"}:
        (exported / name).unlink()
    bundle(exported, "android", tmp_path / "Model")
    assert {path.name for path in (tmp_path / "Model").iterdir()} == {
        *FILES["android"],
        *files,
        "golden.png",
        FILE_NAME,
    }


@pytest.mark.parametrize("platform", FILES)
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_model, "its sha256 differs"),
        (remove_model, "no model at"),
        (lambda folder, _: (folder / "golden.png").unlink(), "missing or not this toolkit's golden picture"),
        (lambda folder, _: (folder / "golden.jpg").write_bytes(b"x"), "missing or not this toolkit's golden picture"),
        (lambda folder, _: (folder / FILE_NAME).unlink(), "holds no lariqa.json with artifacts"),
        (
            lambda folder, _: changed(
                folder,
                lambda row: replace(
                    row, input="tensors", inputs=(InputSpec("authentic", "float32", "NCHW", (1, 3, 9, 9)),)
                ),
            ),
            "lists no file that the",
        ),
        (lambda folder, _: changed(folder, lambda row: replace(row, parity=None)), "no reference score of golden.png"),
        (lambda folder, _: shutil.rmtree(folder), "no folder at"),
    ],
    ids=["changed", "gone", "no golden", "other golden", "no manifest", "tensors", "unproved", "nothing"],
)
def test_a_bad_export_is_refused_and_the_older_copy_stays(exported, tmp_path, platform, spoil, says):
    model = tmp_path / "App" / "Model"
    bundle(exported, platform, model)
    before = sorted((path.name, path.stat().st_mtime_ns) for path in model.iterdir())
    spoil(exported, platform)
    with pytest.raises(Refusal, match=re.escape(says)):
        bundle(exported, platform, model)
    assert before == sorted((path.name, path.stat().st_mtime_ns) for path in model.iterdir())
    assert {path.name for path in model.parent.iterdir()} == {"Model"}


def command(monkeypatch, capsys, *words) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["lariqa", "bundle", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    return ended.value.code, *capsys.readouterr()


@pytest.mark.parametrize("words", [("ios", "none"), ("windows", "none"), ("android", "none", "--format", "coreml")])
def test_the_command_ends_with_one_sentence_and_status_2(monkeypatch, capsys, words):
    status, out, _ = command(monkeypatch, capsys, *words)
    assert status == 2 and out == ""


def test_the_command_says_what_it_copied(exported, tmp_path, monkeypatch, capsys):
    status, out, _ = command(monkeypatch, capsys, "ios", exported, "-o", tmp_path / "App" / "Model")
    assert status == 0 and "a.mlpackage  (sha256 checked, converted)" in out and "a.onnx" not in out
