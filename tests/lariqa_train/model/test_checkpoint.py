"""A checkpoint holds everything, comes back the same, and is refused when it is not whole."""

import json

import pytest
import torch
from safetensors.torch import save_file

from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.manifest.model_config import HeadConfig, LarIqaConfig, Provenance
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa_train.model.checkpoint import load_checkpoint, save_checkpoint
from lariqa_train.model.model import LarIqa

CONFIG = LarIqaConfig(
    backbone="mobilenetv3_small_050", features=16, head=HeadConfig("kan", 8),
    preprocess=PreprocessSpec(authentic_side_px=64, synthetic_view="full"),
)  # fmt: skip


@pytest.fixture
def saved(tmp_path):
    model = LarIqa(CONFIG, Provenance(True, "a recipe", "ff00"))
    save_checkpoint(model, tmp_path / "model.safetensors")
    return model, tmp_path / "model.safetensors"


def test_weights_configuration_preprocessing_and_provenance_come_back(saved):
    model, path = saved
    again = load_checkpoint(path)
    assert again.config == CONFIG and again.provenance == model.provenance and not again.training
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True))


def test_the_same_model_gives_the_same_file(saved, tmp_path):
    model, path = saved
    again = save_checkpoint(load_checkpoint(path), tmp_path / "again.safetensors")
    assert again == sha256_of(path) == save_checkpoint(model, tmp_path / "third.safetensors")


def test_a_folder_of_save_pretrained_loads_as_well(saved, tmp_path):
    model, _ = saved
    model.save_pretrained(tmp_path / "folder")
    again = load_checkpoint(tmp_path / "folder")
    assert again.config == CONFIG and again.provenance == model.provenance


def test_an_older_checkpoint_stays_whole_when_writing_fails(saved, monkeypatch):
    model, path = saved
    before = sha256_of(path)

    def full_disk(tensors, filename, metadata):
        filename.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lariqa_train.model.checkpoint.save_file", full_disk)
    with pytest.raises(Refusal, match="No space left"):
        save_checkpoint(model, path)
    assert sha256_of(path) == before and [file.name for file in path.parent.iterdir()] == [path.name]


def test_damaged_and_foreign_files_are_refused(saved, tmp_path):
    _, path = saved
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(Refusal, match="not a readable"):
        load_checkpoint(cut)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(3)}, foreign)
    with pytest.raises(Refusal, match="no lariqa description"):
        load_checkpoint(foreign)
    with pytest.raises(Refusal, match="no checkpoint at"):
        load_checkpoint(tmp_path / "absent.safetensors")
    with pytest.raises(Refusal, match=r"\.safetensors"):
        save_checkpoint(load_checkpoint(path), tmp_path / "model.pt")


@pytest.mark.parametrize(
    ("change", "word"),
    [(lambda state, text: state.pop("regressor.layers.0.grid"), "grid"),
     (lambda state, text: state.update(extra=torch.zeros(2)), "extra"),
     (lambda state, text: state.update({"regressor.layers.0.grid": torch.zeros(2)}), "size mismatch"),
     (lambda state, text: text.update(schema_version=99), "99"),
     (lambda state, text: text.pop("provenance"), "provenance")],
)  # fmt: skip
def test_weights_that_do_not_fit_their_description_are_refused(saved, tmp_path, change, word):
    model, _ = saved
    state, text = dict(model.state_dict()), {"schema_version": 1, **model.describe()}
    change(state, text)
    save_file(state, tmp_path / "odd.safetensors", metadata={"lariqa": json.dumps(text)})
    with pytest.raises(Refusal, match=word):
        load_checkpoint(tmp_path / "odd.safetensors")


def test_the_sha256_of_a_folder_knows_names_and_contents(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    first = sha256_of(tmp_path)
    (tmp_path / "a" / "x").write_text("2")
    second = sha256_of(tmp_path)
    (tmp_path / "a" / "x").rename(tmp_path / "a" / "y")
    assert len({first, second, sha256_of(tmp_path)}) == 3
