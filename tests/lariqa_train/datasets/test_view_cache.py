"""Every photo is decoded once before training: those that cannot be are all named, and called what they are."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader

from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa_train.datasets import view_cache
from lariqa_train.datasets.rows import Row
from lariqa_train.datasets.view_cache import check_and_cache
from lariqa_train.datasets.views import Pictures
from lariqa_train.training.train import as_it_was
from tests.support.published_layouts import picture

SPEC = PreprocessSpec(authentic_side_px=64, synthetic_crop_px=64)
UNREADABLE = Path("/proc/self/mem")  # a regular file whose first read is an error of the system


@pytest.fixture
def rows(tmp_path):
    names = ["a.png", "b.png", os.fsdecode(b"f\xeate.png")]
    for number, name in enumerate(names):
        picture(number, 0).save(tmp_path / name)
    return [Row(tmp_path / name, 0.5, name) for name in names]


@pytest.mark.parametrize("keep", [True, False], ids=["views kept", "checked only"])
@pytest.mark.parametrize("fault", ["cut", "gone", "read error"])
def test_what_cannot_be_decoded_is_named_and_never_called_an_unwritable_folder(fault, keep, rows, tmp_path):
    bad = tmp_path / "b.png"
    if fault == "cut":
        bad.write_bytes(bad.read_bytes()[:2000])
    else:
        bad.unlink()
    if fault == "read error":
        bad.symlink_to(UNREADABLE)
    folder = tmp_path / "run" / "views"
    with pytest.raises(Refusal) as refusal:
        check_and_cache(rows, SPEC, folder, keep)
    text = str(refusal.value)
    assert "the photos has 1 faults" in text and str(bad) in text and "cannot write" not in text
    assert {"cut": "damaged", "gone": "nothing is there", "read error": "check the disk"}[fault] in text
    assert not folder.exists()


@pytest.mark.parametrize("keep", [True, False], ids=["views kept", "checked only"])
def test_an_error_of_the_system_in_the_middle_of_a_photo_is_the_photos(keep, rows, tmp_path, monkeypatch):
    def fails(path):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(view_cache, "open_photo", fails)
    with pytest.raises(Refusal) as refusal:
        check_and_cache(rows, SPEC, tmp_path / "run", keep)
    assert str(rows[0].image) in str(refusal.value) and "has 3 faults" in str(refusal.value)
    assert "cannot write" not in str(refusal.value)


def test_a_name_that_is_no_text_is_cached_like_any_other(rows, tmp_path):
    kept = check_and_cache(rows, SPEC, tmp_path / "run", True)
    assert all(kept.view(row.image).shape == (64, 64, 3) for row in rows)
    again = check_and_cache(rows, SPEC, tmp_path / "run", True, progress=pytest.fail)  # nothing is decoded again
    assert np.array_equal(kept.views, again.views) and len(list((tmp_path / "run").iterdir())) == 1


@pytest.mark.parametrize("workers", [0, 1])
def test_a_photo_that_goes_bad_during_the_training_is_named_in_one_sentence(workers, rows, tmp_path):
    pictures = Pictures({"csv": rows}, SPEC, ["authentic"], False, 1)
    rows[1].image.unlink()
    with pytest.raises(Refusal) as refusal:
        list(DataLoader(pictures, num_workers=workers))
    sentence = str(as_it_was(refusal.value))
    assert sentence.startswith(f"{rows[1].image}: expected a photo file") and "\n" not in sentence
