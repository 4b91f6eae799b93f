"""``lariqa update-grid``: what it writes, what it says, and what it refuses; the written checkpoint exports."""

import io
import json
import shutil
import sys

import pytest
from PIL import Image

from export.proof.proof_photos import seeded_photos
from lariqa.manifest.model_config import HeadConfig
from lariqa_cli import main as command_line
from lariqa_cli import screen
from lariqa_train.model.checkpoint import load_checkpoint, save_checkpoint
from lariqa_train.model.model import LarIqa

PHOTOS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """PHOTOS photos of 200x150."""
    folder = tmp_path_factory.mktemp("photos")
    for number, (_, photo) in enumerate(seeded_photos(PHOTOS, 150, 200, seed=5)):
        Image.fromarray(photo).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def run(monkeypatch, capsys, one_thread):
    """A function that runs the front door in this process: (status, stdout, stderr)."""

    def call(*words) -> tuple[int, str, str]:
        said = io.StringIO()
        monkeypatch.setattr(screen, "stderr", said)
        monkeypatch.setattr(sys, "argv", ["lariqa", *map(str, words)])
        with pytest.raises(SystemExit) as ended, one_thread():
            command_line.main()
        return int(ended.value.code or 0), capsys.readouterr().out, said.getvalue()

    return call


def test_the_grids_are_refitted_and_the_file_says_so_and_exports(run, tiny_checkpoint, folder, tmp_path):
    refitted = tmp_path / "refitted.safetensors"
    status, out, said = run("update-grid", tiny_checkpoint, "--photos", folder, "-o", refitted)
    assert status == 0
    before, after = out.split("after")
    assert all(part.count(".layers.0") == 3 for part in (before, after)) and after.count("100.0%") == 6
    assert f"scores of these {PHOTOS} photos" in after and "at most" in after and str(refitted) in after
    assert "Few photos:" in said and "NOT TRAINED:" in said and "Next:" in said
    old, new = load_checkpoint(tiny_checkpoint), load_checkpoint(refitted)
    assert new.config == old.config and not new.provenance.trained and not new.provenance.note
    assert new.provenance.made_by == (
        f"{old.provenance.made_by}; KAN grids refitted to {PHOTOS} photos by lariqa update-grid"
    )
    steps = new.regressor.layers[0].grid.diff()
    assert (steps > 0).all() and not steps.allclose(steps[:, :1])

    export = ("export", refitted, "-o", tmp_path / "out", "--size", "200x150", "--format", "onnx")
    status, out, said = run(*export)
    assert status == 0, said
    (artifact,) = json.loads((tmp_path / "out" / "lariqa.json").read_text())["artifacts"]
    assert artifact["parity"]["passed"] and 0 <= artifact["parity"]["worst"] < 1e-4, artifact["parity"]


def test_what_cannot_be_done_is_refused_in_one_sentence(run, tiny_config, tiny_checkpoint, folder, tmp_path):
    out = tmp_path / "out.safetensors"
    plain = tmp_path / "mlp.safetensors"
    save_checkpoint(LarIqa(tiny_config(head=HeadConfig("mlp", 8))), plain)
    for words, told in (
        ((plain, "--photos", folder, "-o", out), "an MLP head and no KAN layer"),
        ((tiny_checkpoint, "--photos", folder / "1.png", "-o", out), "1 photo cannot determine the 8 splines"),
        ((tiny_checkpoint, "--photos", folder, "-o", tmp_path / "out.onnx"), "ends in .safetensors"),
        ((tiny_checkpoint, "--photos", tmp_path / "absent", "-o", out), "absent"),
        ((tmp_path / "absent.safetensors", "--photos", folder, "-o", out), "absent.safetensors"),
        ((tiny_checkpoint, "--photos", folder, "-o", out, "--blend", "2"), "--blend"),
    ):
        status, shown, said = run("update-grid", *words)
        assert (status, shown) == (2, "") and said.count("error:") == 1 and told in said, said
    assert not out.exists()


def test_photos_that_do_not_open_are_all_named_and_nothing_is_written(run, tiny_checkpoint, folder, tmp_path):
    photos = shutil.copytree(folder, tmp_path / "photos")
    (photos / "3.png").write_bytes(b"no photo")
    (photos / "7.png").write_bytes(b"")
    status, shown, said = run("update-grid", tiny_checkpoint, "--photos", photos, "-o", tmp_path / "out.safetensors")
    assert (status, shown) == (2, "") and said.count("error:") == 1
    assert f"2 of {PHOTOS} photos" in said and "3.png: expected a photo" in said and "7.png: expected a photo" in said
    assert list(tmp_path.iterdir()) == [photos]


def test_an_older_file_stays_whole_where_the_grids_cannot_be_refitted(run, tiny_checkpoint, folder, tmp_path):
    out = tmp_path / "out.safetensors"
    out.write_bytes(tiny_checkpoint.read_bytes())
    assert run("update-grid", out, "--photos", folder / "1.png", "-o", out)[0] == 2
    assert out.read_bytes() == tiny_checkpoint.read_bytes()
    assert run("update-grid", out, "--photos", folder, "-o", out)[0] == 0  # in its own place
    assert out.read_bytes() != tiny_checkpoint.read_bytes() and list(tmp_path.iterdir()) == [out]
