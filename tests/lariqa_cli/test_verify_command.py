"""``lariqa verify``: an export is proved again, or it is said why it cannot be."""

import re
import shutil
import weakref
from dataclasses import replace

import numpy as np
import pytest

from export.proof import parity, proof_photos
from export.proof.proof_photos import PhotosThatOpen
from lariqa.errors import Refusal
from lariqa.manifest.manifest import read_manifest
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.runtimes.scorer import Scorer
from tests.support.commands import ONNX, refused


def test_verify_proves_again_and_says_when_it_cannot(run, exported, another_checkpoint, photo_folder, tmp_path):
    good = run("verify", exported, "--photos", photo_folder)
    assert good.status == 0 and ONNX in good.stdout and str(photo_folder / "dark.png") in good.stdout
    assert run("verify", exported / ONNX).status == 0
    missed = run("verify", exported, "--limit", "0")
    assert missed.status == 1 and any("Past the limit" in line and ONNX in line for line in missed.said)
    refused(run("verify", exported, "--checkpoint", another_checkpoint), another_checkpoint, "sha256 differs")
    alike = tmp_path / "alike"
    alike.mkdir()
    for name in ("a.png", "b.png"):
        shutil.copy(photo_folder / "original.png", alike / name)
    refused(run("verify", exported, "--photos", alike), "too alike", "different quality")
    refused(run("verify", exported, "--photos", alike, "--limit", "0"), "too alike")
    refused(run("verify", exported, "--photos", photo_folder / "dark.png"), "too alike")


@pytest.fixture
def mixed(photo_folder, tmp_path):
    """Five good photos and two bad ones."""
    folder = shutil.copytree(photo_folder, tmp_path / "mixed")
    whole = (folder / "noisy.png").read_bytes()
    (folder / "half.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    return folder


def error_lines(ended) -> list[str]:
    return [line for line in ended.said if line.startswith("error: ")]


def worst_of(ended) -> list[str]:
    return re.findall(r"\d\.\de-\d\d", ended.stdout)


def test_a_bad_photo_is_named_and_the_rest_is_proved(run, exported, photo_folder, mixed):
    good, ended = run("verify", exported, "--photos", photo_folder), run("verify", exported, "--photos", mixed)
    assert good.status == 0 and "left out" not in good.stdout
    assert ended.status == 2 and "2 of 7 photos were left out" in ended.stdout and worst_of(ended) == worst_of(good)
    assert "over 5 photos" in ended.stdout
    half, empty = sorted(error_lines(ended), reverse=True)
    assert "half.png" in half and "truncated" in half and "empty.png" in empty and "0 bytes" in empty
    missed = run("verify", exported, "--photos", mixed, "--limit", "0")
    assert missed.status == 1 and len(error_lines(missed)) == 2 and "2 of 7 photos" in missed.stdout


def test_where_too_few_photos_open_that_is_said(run, exported, mixed):
    for name in ("blurred", "dark", "noisy", "recompressed"):
        (mixed / f"{name}.png").write_bytes(b"no photo")
    ended = run("verify", exported, "--photos", mixed)
    assert (ended.status, ended.stdout) == (2, "") and len(error_lines(ended)) == 7
    assert "too alike" in ended.said[-1]
    (mixed / "original.png").unlink()
    assert "none of the photos opens" in run("verify", exported, "--photos", mixed).said[-1]


def test_a_photo_that_opens_and_gets_no_score_is_the_files_fault(run, exported, mixed, monkeypatch):
    real = Scorer.score

    def score(self, photo, fit=False):
        if self.runner.runtime.startswith("ONNX"):
            raise Refusal("the score is nan, not a number")
        return real(self, photo, fit)

    monkeypatch.setattr(Scorer, "score", score)
    ended = run("verify", exported, "--photos", mixed)
    assert ended.status == 2 and ended.stdout == ""
    assert "blurred.png: the score is nan" in ended.said[-1]


def test_a_photo_that_goes_away_meanwhile_is_left_out(run, exported, mixed, monkeypatch):
    real = parity.compare

    def compare(*words):
        (mixed / "dark.png").unlink()
        return real(*words)

    monkeypatch.setattr("export.verify.compare", compare)
    ended = run("verify", exported, "--photos", mixed)
    assert ended.status == 2 and "3 of 7 photos" in ended.stdout and "over 4 photos" in ended.stdout
    assert any("dark.png" in line and "nothing is there" in line for line in error_lines(ended))


def test_ctrl_c_tells_what_was_proved_before(run, exported, mixed, monkeypatch):
    real = parity.compare
    monkeypatch.setattr("export.verify.read_manifest", twice(ONNX))

    def compare(*words):
        monkeypatch.setattr("export.verify.compare", pressed)
        return real(*words)

    def pressed(*words):
        raise KeyboardInterrupt

    monkeypatch.setattr("export.verify.compare", compare)
    ended = run("verify", exported, "--photos", mixed)
    assert ended.status == 130 and ONNX in ended.stdout and "over 5 photos" in ended.stdout
    assert len(error_lines(ended)) == 3 and "interrupted" in ended.said[-1]


def twice(name: str):
    """A reader of manifests in which the file of that name is listed two times."""

    def read(folder):
        manifest = read_manifest(folder)
        (row,) = [row for row in manifest.artifacts if row.file == name]
        return replace(manifest, artifacts=(row, row))

    return read


def test_one_photo_is_in_memory_at_a_time(photo_folder, monkeypatch):
    opened_before, alive, real = [], [], proof_photos.open_photo

    def opened(path):
        alive.append(sum(pixels() is not None for pixels in opened_before))
        pixels = real(path)
        opened_before.append(weakref.ref(pixels))
        return pixels

    monkeypatch.setattr(proof_photos, "open_photo", opened)
    photos = PhotosThatOpen([photo_folder], None, {})
    scorer = Scorer(Level(), PreprocessSpec(), ("authentic", "synthetic"), "views", None, batch=None)
    expected = parity.reference_scores(scorer, photos, 1e-5, print)
    parity.compare(scorer, expected, photos, "fp32", "the reference", print)
    assert len(alive) == 5 + 5 + sum(parity.PROVED_BATCHES) and max(alive) == 0


class Level:
    """A runner whose score is the photo's mean level."""

    runtime, executes_artifact = "a fake", True

    def run(self, inputs) -> float:
        return float(self.run_batch(inputs)[0])

    def run_batch(self, inputs) -> np.ndarray:
        return next(iter(inputs.values())).mean(axis=(1, 2, 3)) / 255


def test_verify_refuses_what_is_no_export(run, exported, photo_folder, tiny_checkpoint, tmp_path):
    refused(run("verify", tmp_path / "absent"), "absent", "lariqa export")
    refused(run("verify", photo_folder), photo_folder, "lariqa.json")
    refused(run("verify", tiny_checkpoint), "lariqa.json")
    refused(run("verify", exported, "--checkpoint", exported / ONNX), "no checkpoint")
    refused(run("verify", exported, "--limit", "-1"), "--limit")
    refused(run("verify", exported, "--photos", tmp_path / "absent.jpg"), "absent.jpg")
    (exported / "reference.safetensors").unlink()
    refused(run("verify", exported), "reference.safetensors", "no checkpoint")
    assert run("verify", exported, "--checkpoint", tiny_checkpoint).status == 0


def test_the_tables_keep_long_and_odd_names_whole(run, exported, photo_folder, tmp_path):
    folder = shutil.copytree(exported, tmp_path / f"[red] {'long ' * 30}export")
    photos = shutil.copytree(photo_folder, tmp_path / f"[/bold] {'very ' * 30}long".replace("/", "|"))
    shown = run("verify", folder, "--photos", photos)
    assert shown.status == 0 and shown.stdout.splitlines()[0] == str(folder)
    assert all(str(photo) in shown.stdout for photo in photos.iterdir())
