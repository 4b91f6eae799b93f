"""``lariqa export``: a proved file gets its name; whatever else happens, the older export stays as it was."""

import hashlib
import json
import shutil
import stat
import sys
import types

import pytest

from export.formats import FORMATS
from tests.support.commands import AS_EXPORTED, NOT_TRAINED, ONNX, SIZE, TFLITE, converted_by, refused, snapshot

PICTURES = ("golden.png", "golden.jpg", "golden_jpg.png", "golden.heic", "golden_heic.png")
EVERY_EXPORT_HAS = ("lariqa.json", *PICTURES, "reference.safetensors")


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (["--format", "onnx,gguf"], ["'gguf'", "onnx, coreml, tflite"]),
        (["--format", ","], ["--format", "onnx, coreml, tflite"]),
        (["--precision", "fp64"], ["fp64", "fp32"]),
        (["--size", "4k"], ["'4k'", "3840x2160"]),
        (["--size", "200"], ["'200'", "WIDTHxHEIGHT"]),
        (["--size", "31x31"], ["31x31", "32"]),
        (["--size", "99999x99999"], ["99999x99999", "200 megapixels"]),
        (["--input", "bytes"], ["'bytes'", "pixels", "tensors"]),
        (["--synthetic-view", "half"], ["'half'", "crop", "full"]),
        (["--limit", "-1"], ["--limit", "-1"]),
        (["--limit", "nan"], ["--limit", "nan"]),
        (["--limit", "inf"], ["--limit", "inf"]),
        (["--limit", "1"], ["too alike"]),  # a limit so wide that no photos could miss it
    ],
)
def test_a_request_that_cannot_be_served_leaves_no_trace(run, tiny_checkpoint, tmp_path, arguments, facts):
    asked = ["export", tiny_checkpoint, "-o", tmp_path / "out", *AS_EXPORTED, *arguments]
    refused(run(*asked), *facts)
    assert snapshot(tmp_path) == {}


def test_an_export_is_proved_written_and_shown(run, tiny_checkpoint, tmp_path, quick_onnx):
    folder = tmp_path / "new" / "exported to onnx.v1"
    done = run("export", tiny_checkpoint, "-o", folder, *AS_EXPORTED)
    assert done.status == 0 and ONNX in done.stdout and "ONNX Runtime" in done.stdout
    assert done.said[0].startswith(NOT_TRAINED) and f"score '{folder / ONNX}'" in done.said[1]  # ready for a shell
    assert snapshot(folder).keys() == {ONNX, *EVERY_EXPORT_HAS}
    (row,) = json.loads((folder / "lariqa.json").read_text())["artifacts"]
    assert row["parity"]["passed"] and row["status"] == "executed here"
    assert len({stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}) == 1  # all readable to the same people
    assert run("verify", folder).status == 0  # a folder whose name has a dot, as a file's has


def test_exporting_again_changes_nothing(run, tiny_checkpoint, exported):
    before = snapshot(exported)
    again = run("export", tiny_checkpoint, "-o", exported, *AS_EXPORTED)
    assert again.status == 0 and ONNX in again.stdout
    assert snapshot(exported) == before


def test_formats_exported_one_after_the_other_end_up_in_one_manifest(
    run, tiny_checkpoint, exported, photo_folder, quick_tflite
):
    before = snapshot(exported)
    done = run("export", tiny_checkpoint, "-o", exported, "--size", SIZE, "--input", "pixels", "--format", "tflite")
    assert done.status == 0 and TFLITE in done.stdout and ONNX not in done.stdout
    rows = json.loads((exported / "lariqa.json").read_text())["artifacts"]
    assert [row["file"] for row in rows] == [ONNX, TFLITE]
    after = snapshot(exported)
    assert after.keys() == before.keys() | {TFLITE}
    assert all(after[name] == before[name] for name in (ONNX, "reference.safetensors"))
    scores = [run("score", exported / name, photo_folder).stdout for name in (ONNX, TFLITE)]
    assert scores[0] == scores[1]
    checked = run("verify", exported)
    assert checked.status == 0 and ONNX in checked.stdout and TFLITE in checked.stdout


def test_a_missed_limit_is_status_1_and_the_older_good_file_stays(run, tiny_checkpoint, exported, quick_onnx):
    before = snapshot(exported)
    missed = run("export", tiny_checkpoint, "-o", exported, *AS_EXPORTED, "--limit", "0")
    assert missed.status == 1 and ONNX in missed.stdout
    assert any("Past the limit" in line and str(exported / "rejected" / ONNX) in line for line in missed.said)
    after = snapshot(exported)
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {"rejected", f"rejected/{ONNX}", "rejected/lariqa.json"}
    (row,) = json.loads((exported / "rejected" / "lariqa.json").read_text())["artifacts"]
    assert row["file"] == ONNX and not row["parity"]["passed"]


def test_a_missed_limit_in_a_new_folder_leaves_no_good_file_there(run, tiny_checkpoint, tmp_path, quick_onnx):
    folder = tmp_path / "out"
    assert run("export", tiny_checkpoint, "-o", folder, *AS_EXPORTED, "--limit", "0").status == 1
    assert snapshot(folder).keys() == {"rejected", f"rejected/{ONNX}", "rejected/lariqa.json"}


def test_every_format_that_missed_is_in_the_manifest_of_the_rejected(run, tiny_checkpoint, tmp_path, quick_tflite):
    asked = ("--size", SIZE, "--input", "pixels", "--format", "onnx,tflite", "--limit", "0")
    assert run("export", tiny_checkpoint, "-o", tmp_path / "out", *asked).status == 1
    rows = json.loads((tmp_path / "out" / "rejected" / "lariqa.json").read_text())["artifacts"]
    assert [row["file"] for row in rows] == [ONNX, TFLITE]


def test_another_checkpoints_export_is_replaced_on_request_alone(
    run, another_checkpoint, exported, photo_folder, quick_onnx
):
    shutil.copy(exported / ONNX, exported / "stale.onnx")  # as if the older export had one more file
    manifest = json.loads((exported / "lariqa.json").read_text())
    manifest["artifacts"].append(manifest["artifacts"][0] | {"file": "stale.onnx"})
    (exported / "lariqa.json").write_text(json.dumps(manifest))
    (exported / "notes.txt").write_text("mine")
    before, asked = snapshot(exported), ("export", another_checkpoint, "-o", exported, *AS_EXPORTED)
    refused(run(*asked), exported, "another checkpoint", "--overwrite")
    assert snapshot(exported) == before
    assert run(*asked, "--overwrite").status == 0
    after = snapshot(exported)
    assert after.keys() == before.keys() - {"stale.onnx"} and after["notes.txt"] == before["notes.txt"]
    assert (
        after[ONNX] != before[ONNX]
        and after["reference.safetensors"] == hashlib.sha256(another_checkpoint.read_bytes()).hexdigest()
    )
    assert run("verify", exported, "--photos", photo_folder).status == 0


def test_overwriting_touches_nothing_before_a_new_file_is_proved(run, another_checkpoint, exported, quick_onnx):
    before, asked = snapshot(exported), ("export", another_checkpoint, "-o", exported, *AS_EXPORTED, "--overwrite")
    assert run(*asked, "--limit", "0").status == 1
    after = snapshot(exported)
    assert {name: after[name] for name in before} == before
    shutil.rmtree(exported / "rejected")
    quick_onnx.append(lambda: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    refused(run(*asked), f"cannot write in {exported}", "No space left")
    assert snapshot(exported) == before
    assert run("verify", exported).status == 0


def test_a_later_format_that_fails_leaves_the_earlier_ones_finished(
    run, tiny_checkpoint, tmp_path, quick_onnx, monkeypatch
):
    def fails(ready, path, embedded):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(FORMATS, "tflite", converted_by(FORMATS["tflite"], fails))
    asked = ("--size", SIZE, "--input", "pixels", "--format", "onnx,tflite")
    ended = run("export", tiny_checkpoint, "-o", tmp_path / "out", *asked)
    assert ended.status == 2 and ONNX in ended.stdout and "No space left" in ended.said[-1]
    assert snapshot(tmp_path / "out").keys() == {ONNX, *EVERY_EXPORT_HAS}
    assert run("verify", tmp_path / "out").status == 0


@pytest.mark.parametrize("limit_bytes", [1_000_000, 4_800_000], ids=["at the checkpoint", "at the artifact"])
def test_a_full_disk_leaves_the_older_export_as_it_was(
    run, tiny_checkpoint, exported, quick_onnx, no_file_above, limit_bytes, tmp_path
):
    sizes = {name: (exported / name).stat().st_size for name in ("reference.safetensors", ONNX)}
    limit_bytes = {1_000_000: 1_000_000, 4_800_000: max(sizes.values()) - 1}[limit_bytes]
    before = snapshot(exported)
    for folder in (exported, tmp_path / "new"):
        with no_file_above(limit_bytes):
            full = run("export", tiny_checkpoint, "-o", folder, *AS_EXPORTED)
        refused(full, f"cannot write in {folder}: ", "make room")
    assert snapshot(exported) == before and not (tmp_path / "new").exists()


def test_the_tflite_converter_is_not_let_near_the_disk(run, tiny_checkpoint, tmp_path, monkeypatch):
    # Its own way of writing ends the process, without a word and with what it had written, when the disk is full.
    answer = types.SimpleNamespace(model_content=lambda: b"no flatbuffer")
    converter = types.SimpleNamespace(convert=lambda ready, example: answer)
    monkeypatch.setitem(sys.modules, "litert_torch", converter)
    asked = ("--size", SIZE, "--input", "pixels", "--format", "tflite")
    refused(run("export", tiny_checkpoint, "-o", tmp_path / "out", *asked), "not a TFLite file")
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/lariqa"])
def test_a_place_where_nothing_can_be_written_is_refused(run, tiny_checkpoint, tmp_path, place):
    (tmp_path / "file").write_text("mine")
    for command in (
        (("export", tiny_checkpoint, *AS_EXPORTED), ("demo",))
        if place != "/proc/lariqa"
        else (("export", tiny_checkpoint, *AS_EXPORTED),)
    ):
        refused(run(*command, "-o", tmp_path / place), tmp_path / place)
    assert snapshot(tmp_path) == {"file": hashlib.sha256(b"mine").hexdigest()}
