"""An export's row holds PyTorch's scores of the audition's pictures, for the file that phones run."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from export.proof.audition import Audition
from export.proof.limits import LIMITS
from export.rewrite.export_ready import ExportRequest
from lariqa.manifest.manifest import read_manifest
from lariqa.photos.audition import PICTURE_FILES, audition_pictures
from lariqa.runtimes.artifacts import scorer_for
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.reference import reference_scorer

NAMES = ["dark", "washed", "flat", "texture", "gradient", "golden.jpg"]


@pytest.fixture(scope="module")
def exported_views(shared_exports):
    return shared_exports(ExportRequest(), ["onnx", "tflite"])[0]


@pytest.mark.parametrize("format", ["onnx", "tflite"])
def test_a_views_export_names_every_picture_with_pytorchs_score(exported_views, format):
    folder, manifest = exported_views, read_manifest(exported_views)
    (row,) = [row for row in manifest.artifacts if row.format == format]
    references = [picture["reference"] for picture in row.audition]
    assert np.ptp(references) > 100 * LIMITS["fp32"]
    assert [picture["picture"] for picture in row.audition] == NAMES
    reference = reference_scorer(load_checkpoint(folder / "reference.safetensors"), "crop")
    scorer = scorer_for(folder / row.file, manifest, row)
    size = {(picture["height_px"], picture["width_px"]) for picture in row.audition}
    assert len(size) == 1
    for said, (name, pixels) in zip(row.audition, audition_pictures(*size.pop()), strict=True):
        score = scorer.score(pixels)
        assert said["picture"] == name and said["reference"] == pytest.approx(reference.score(pixels), abs=1e-6)
        assert said["score"] == pytest.approx(score, abs=1e-6) and abs(score - said["reference"]) <= LIMITS["fp32"]
    for picture in PICTURE_FILES:
        assert (folder / picture.name).read_bytes() == picture.read_bytes()


class Fixed:
    """A scorer that gives the pictures one score after another."""

    def __init__(self, *scores: float) -> None:
        self.scores = list(scores)

    def score(self, _: np.ndarray) -> float:
        return self.scores.pop(0)


def test_a_picture_that_the_file_itself_gets_wrong_judges_nobody(exported_views):
    row, spec = read_manifest(exported_views).artifacts[0], read_manifest(exported_views).config.preprocess
    ready = SimpleNamespace(takes="views", preprocess=spec)
    audition = Audition(ready, Fixed(0.1, 0.2, 0.3, 0.4, 0.5, 0.6), lambda step: None)
    rounded = replace(row, precision="w8", parity={"limit": 0.004})
    judged = audition.judged_by(Fixed(0.1, 0.2, 0.309, 0.403, float("nan"), 0.6), rounded)
    assert [picture["picture"] for picture in judged.audition] == ["dark", "washed", "texture", "golden.jpg"]
    again = audition.judged_by(Fixed(0.1, 0.2, 0.3, 0.4, 0.5, 0.6), row)  # the references are known
    assert [picture["picture"] for picture in again.audition] == NAMES


def test_a_file_of_one_size_has_no_audition():
    ready = SimpleNamespace(takes="pixels", preprocess=SimpleNamespace(synthetic_view="crop", synthetic_crop_px=128))
    row = object()
    assert Audition(ready, Fixed(), lambda step: None).judged_by(Fixed(), row) is row
