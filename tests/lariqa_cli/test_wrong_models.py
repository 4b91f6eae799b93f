"""Models and manifests that are not ours, not whole or not true: every command refuses them and changes nothing."""

import json
import struct
from pathlib import Path

import onnx
import pytest

from tests.support.commands import AS_EXPORTED, ONNX, refused, snapshot
from tests.support.wrong_models import wrong_models


def test_score_and_export_refuse_every_wrong_checkpoint_and_write_nothing(run, tiny_checkpoint, photo_folder, tmp_path):
    (tmp_path / "models").mkdir()
    for kind, (model, facts) in wrong_models(tmp_path / "models", tiny_checkpoint).items():
        print(kind)
        refused(run("score", model, photo_folder), *facts)
        refused(run("export", model, "-o", tmp_path / "out", *AS_EXPORTED), *facts)
        assert not (tmp_path / "out").exists()


def test_export_takes_checkpoints_and_says_where_one_is(run, exported, tmp_path):
    refused(run("export", exported / ONNX, "-o", tmp_path / "out"), "no checkpoint", ONNX, "reference.safetensors")
    refused(run("export", exported, "-o", tmp_path / "out"), "no checkpoint", "reference.safetensors")
    assert not (tmp_path / "out").exists()


def other_onnx(path: Path) -> Path:
    value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "other", value[:1], value[1:])
    onnx.save(onnx.helper.make_model(graph), str(path))
    return path


def test_files_of_the_three_formats_that_are_not_ours_or_not_whole_are_refused(run, export_folder, photos, tmp_path):
    def refuses(path: Path, *facts: str) -> None:
        for command in (("score", path, photos / "good.png"), ("inspect", path)):
            refused(run(*command), path, *facts)

    refuses(other_onnx(tmp_path / "other.onnx"), "not written by `lariqa export`")
    for name, content in {
        "cut.onnx": (export_folder / ONNX).read_bytes()[:-1000],
        "text.onnx": b"not a model",
        "text.tflite": b"not a model either",
        "cut.tflite": struct.pack("<I4s", 4000, b"TFL3") + bytes(100),  # its root lies behind the end
    }.items():
        (tmp_path / name).write_bytes(content)
        refuses(tmp_path / name, "is the download complete?")
    for name in ("folder.onnx", "folder.tflite"):
        (tmp_path / name).mkdir()
        refuses(tmp_path / name, "not a readable")
    package = tmp_path / "cut.mlpackage"
    package.mkdir()
    refuses(package, "Manifest.json")
    (package / "Manifest.json").write_text('{"itemInfoEntries": {"x": {"path": "com.ap')
    refuses(package, "cannot be read", "copy or export the package again")
    (tmp_path / "model.bin").write_bytes(b"model")
    refuses(tmp_path / "model.bin", ".mlpackage, .tflite, .onnx")


def test_an_artifact_whose_bytes_were_changed_is_refused(run, exported, photo_folder):
    data = bytearray((exported / ONNX).read_bytes())
    data[len(data) // 2] ^= 1
    (exported / ONNX).write_bytes(data)
    for command in (("score", exported / ONNX, photo_folder), ("inspect", exported / ONNX), ("verify", exported)):
        refused(run(*command), ONNX, "sha256 differs")


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("{", ["not JSON"]),
        ("[" * 100_000, ["not JSON"]),
        ("[]", ["schema None", "lariqa-manifest/2"]),
        ('{"schema": "lariqa-manifest/3"}', ["lariqa-manifest/3", "lariqa-manifest/2"]),
        ('{"schema": "lariqa-manifest/1"}', ["not a complete manifest"]),
        ('{"schema": "lariqa-manifest/2"}', ["not a complete manifest"]),
        ("\udcff", ["cannot be read"]),
    ],
)
def test_a_damaged_manifest_is_refused_and_left_as_it_is(
    run, exported, tiny_checkpoint, photo_folder, quick_onnx, text, facts
):
    (exported / "lariqa.json").write_text(text, errors="surrogateescape")
    before = snapshot(exported)
    for command in (
        ("score", exported / ONNX, photo_folder),
        ("inspect", exported / ONNX),
        ("verify", exported),
        ("export", tiny_checkpoint, "-o", exported, *AS_EXPORTED),
    ):
        refused(run(*command), exported / "lariqa.json", *facts)
    assert snapshot(exported) == before


@pytest.mark.parametrize(
    "change",
    [
        {"input": "tensors"},
        {"input": "bytes"},
        {"photo_width_px": 201},
        {"photo_width_px": None},
        {"photo_height_px": "150"},
        {"file": f"../exported/{ONNX}"},
        {"file": ".."},
        {"format": "tflite"},
        {"precision": "fp64"},
        {"synthetic_view": "whole"},
        {"inputs": []},
        {"surprise": 1},
    ],
    ids=lambda change: f"{change}",
)
def test_a_manifest_row_that_cannot_be_true_is_refused(run, exported, photo_folder, change):
    manifest = json.loads((exported / "lariqa.json").read_text())
    manifest["artifacts"][0] |= change
    (exported / "lariqa.json").write_text(json.dumps(manifest))
    for command in (("score", exported / ONNX, photo_folder, "--fit"), ("verify", exported)):
        refused(run(*command))


def test_a_file_that_the_manifest_beside_it_does_not_list_speaks_for_itself(run, exported, photo_folder):
    (exported / ONNX).rename(exported / "renamed.onnx")
    again = run("score", exported / "renamed.onnx", photo_folder)
    assert again.status == 0 and len(again.stdout.splitlines()) == 5
    refused(run("verify", exported / "renamed.onnx"), "does not list renamed.onnx", ONNX)
    refused(run("verify", exported), ONNX, "no model at")
