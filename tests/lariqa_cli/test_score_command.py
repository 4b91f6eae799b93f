"""``lariqa score``: what is printed where, and the photos that are refused."""

import errno
import io
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lariqa.library import work as work_module
from lariqa.library.row import COLUMNS
from lariqa.runtimes.scorer import Scorer
from lariqa_train.model.checkpoint import load_checkpoint, save_checkpoint
from tests.support.commands import AS_EXPORTED, NOT_TRAINED, ONNX, SIZE, refused

BAD_PHOTOS = {
    "truncated.jpg": ["truncated"],
    "text.jpg": ["JPEG", "b'Dear Sir or '"],
    "empty.jpg": ["empty", "0 bytes"],
    "bomb.png": ["at most 200 megapixels"],
    "one pixel.png": ["1x1 px", "32"],
}


@pytest.mark.parametrize("name", BAD_PHOTOS)
def test_a_bad_photo_is_refused_by_its_name(run, tiny_checkpoint, photos, name):
    refused(run("score", tiny_checkpoint, photos / name), f"{photos / name}: ", *BAD_PHOTOS[name])


@pytest.mark.parametrize("model", ["checkpoint", "artifact"])
def test_among_bad_photos_the_good_ones_are_scored_and_the_status_tells(
    run, tiny_checkpoint, export_folder, photos, model
):
    ended = run("score", tiny_checkpoint if model == "checkpoint" else export_folder / ONNX, photos)
    assert ended.status == 2
    assert re.fullmatch(rf"-?\d\.\d{{6}}  {re.escape(str(photos / 'good.png'))}\n", ended.stdout)
    errors = [line for line in ended.said if line.startswith("error: ")]
    assert len(errors) == len(BAD_PHOTOS) == len(ended.said) - 1
    for name, facts in BAD_PHOTOS.items():
        (sentence,) = [line for line in errors if str(photos / name) in line]
        assert all(fact in sentence for fact in facts)


def test_in_json_a_bad_photo_has_an_error_instead_of_a_score(run, tiny_checkpoint, photos):
    ended = run("score", tiny_checkpoint, photos / "text.jpg", photos / "good.png", "--json")
    bad, good = ended.results()
    assert ended.status == 2
    assert "score" not in bad and "text.jpg" in bad["error"] and bad["photo"] == str(photos / "text.jpg")
    assert "error" not in good and isinstance(good["score"], float)


def scores_until(monkeypatch, happens: BaseException, after: int) -> None:
    """Has scoring end in an exception after some photos."""
    real, count = Scorer.inputs, iter(range(1000))

    def inputs(self, photo, fit=False):
        if next(count) >= after:
            raise happens
        return real(self, photo, fit)

    monkeypatch.setattr(Scorer, "inputs", inputs)


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_loses_no_score_that_was_finished(run, export_folder, photo_folder, as_json, monkeypatch):
    scores_until(monkeypatch, KeyboardInterrupt(), 2)
    ended = run("score", export_folder / ONNX, photo_folder, *(["--json"] if as_json else []))
    assert ended.status == 130
    assert len(json.loads(ended.stdout) if as_json else ended.stdout.splitlines()) == 2


def test_a_read_error_is_named_and_the_other_photos_are_scored(run, export_folder, photo_folder, monkeypatch):
    opened = work_module.opened

    def failing(path):
        stream = opened(path)
        return Broken(stream) if Path(path).name == "noisy.png" else stream

    monkeypatch.setattr(work_module, "opened", failing)
    ended = run("score", export_folder / ONNX, photo_folder)
    assert ended.status == 2 and len(ended.stdout.splitlines()) == 4
    (error,) = [line for line in ended.said if line.startswith("error: ")]
    assert "noisy.png" in error and "Input/output error" in error and "damaged" not in error


class Broken(io.BytesIO):
    """A file on a disk that fails."""

    def __init__(self, stream) -> None:
        stream.close()
        super().__init__(b"x")

    def read(self, *size):
        raise OSError(errno.EIO, "Input/output error")


def test_a_fault_of_its_own_has_a_status_of_its_own(run, export_folder, photo_folder, monkeypatch):
    scores_until(monkeypatch, RuntimeError("nobody\nforesaw this"), 0)
    ended = run("score", export_folder / ONNX, photo_folder)
    assert ended.status == 70 and "Traceback" not in ended.stderr
    (error,) = [line for line in ended.said if line.startswith("error: ")]
    assert "RuntimeError: nobody foresaw this" in error and "lariqa --debug score" in error
    with pytest.raises(RuntimeError, match="nobody"):
        run("--debug", "score", export_folder / ONNX, photo_folder)


@pytest.mark.parametrize(
    ("given", "facts"),
    [
        ("empty folder", ["folder with photos", "without"]),
        ("*.jpeg", ["pattern", "0 paths"]),
        ("absent.jpg", ["nothing is there"]),
    ],
)
def test_where_no_photo_is_none_is_scored(run, tiny_checkpoint, tmp_path, given, facts):
    (tmp_path / "empty folder").mkdir()
    refused(run("score", tiny_checkpoint, tmp_path / given), tmp_path / given, *facts)


def test_a_photo_of_another_size_is_refused_and_resampled_only_on_request(run, export_folder, tmp_path):
    Image.fromarray(np.arange(96 * 64 * 3, dtype=np.uint8).reshape(64, 96, 3)).save(tmp_path / "small.png")
    wanted = ("score", export_folder / ONNX, tmp_path / "small.png")
    refused(run(*wanted), "small.png", "96x64", SIZE, "--size 96x64", "--fit")
    fitted = run(*wanted, "--fit")
    assert fitted.status == 0 and fitted.stdout.endswith(f"{tmp_path / 'small.png'}\n")


def test_scores_in_json_say_what_was_scored_by_what_and_how(run, tiny_checkpoint, export_folder, photo_folder):
    for model, runtime in ((tiny_checkpoint, "PyTorch"), (export_folder / ONNX, "ONNX Runtime")):
        rows = run("score", model, photo_folder, "--json").results()
        assert [row["photo"] for row in rows] == [str(path) for path in sorted(photo_folder.iterdir())]
        assert len({round(row["score"], 4) for row in rows}) == 5
        for row in rows:
            assert row.keys() == {*COLUMNS, "views", "trained"} - {"error"}
            assert row["model"] == str(model) and row["runtime"].startswith(runtime) and row["trained"] is False
            assert row["views"].keys() == {"authentic", "synthetic"}
            assert "128x128" in row["views"]["authentic"] and "centre crop" in row["views"]["synthetic"]


def test_stdout_has_results_alone(run, tiny_checkpoint, photo_folder):
    ended = run("score", tiny_checkpoint, photo_folder)
    assert ended.status == 0 and [line[:11] for line in ended.said] == [NOT_TRAINED[:11]]
    scored = dict(reversed(line.split("  ", 1)) for line in ended.stdout.splitlines())
    assert list(scored) == [str(path) for path in sorted(photo_folder.iterdir())]
    assert all(re.fullmatch(r"-?\d\.\d{6}", score) for score in scored.values())


ODD_NAMES = ["with  two spaces", "Grüße 日本", "[red]set[bold]", "[/]", ":smile:", "[[x]]\\[y]", "x" * 150]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_are_printed_as_they_are_and_never_wrapped(run, tiny_checkpoint, photo_folder, tmp_path, name):
    folder = tmp_path / name.replace("/", "|") / name.replace("/", "|")
    folder.mkdir(parents=True)
    photo, checkpoint = folder / "photo.png", shutil.copy(tiny_checkpoint, folder / "model.safetensors")
    shutil.copy(photo_folder / "original.png", photo)
    good = run("score", checkpoint, photo)
    assert good.status == 0 and good.stdout.split("  ", 1)[1] == f"{photo}\n"
    assert any(line.endswith(f"opening {checkpoint}") for line in good.stderr.splitlines())
    photo.write_text("no photo")
    refused(run("score", checkpoint, photo), f"error: {photo}: expected a photo")


def test_a_name_that_is_no_text_does_not_stop_the_scoring(run, tiny_checkpoint, photo_folder, tmp_path):
    try:
        photo = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
        shutil.copy(photo_folder / "original.png", photo)
    except (OSError, UnicodeError):
        pytest.skip("this file system takes text alone")
    assert run("score", tiny_checkpoint, photo).stdout.endswith("\\xff.png\n")
    photo.write_text("no photo")
    refused(run("score", tiny_checkpoint, photo), "xff.png: expected a photo")


def test_weights_that_are_no_numbers_give_no_score(run, tiny_checkpoint, photo_folder, tmp_path):
    model = load_checkpoint(tiny_checkpoint)
    model.regressor.layers[0].base_weight.data.fill_(float("nan"))
    save_checkpoint(model, tmp_path / "nan.safetensors")
    ended = run("score", tmp_path / "nan.safetensors", photo_folder / "dark.png", "--json")
    (row,) = ended.results()
    assert ended.status == 2 and "not a number" in row["error"] and "score" not in row
    refused(run("export", tmp_path / "nan.safetensors", "-o", tmp_path / "out", *AS_EXPORTED), "not finite")
    assert not (tmp_path / "out").exists()


def test_an_artifact_shows_only_the_view_that_it_was_made_with(run, exported, photo_folder):
    wanted = ("score", exported / ONNX, photo_folder, "--synthetic-view")
    assert run(*wanted, "crop").status == 0
    refused(run(*wanted, "full"), ONNX, "crop view", "--synthetic-view full")


def test_a_precision_hint_without_openvino_is_refused(run, exported):
    refused(run("score", exported / ONNX, exported / "golden.png", "--precision-hint", "bf16"), "--device openvino")
