"""Files with open sides: several photos at once, and full views of any height and width."""

import numpy as np
import pytest

from export.formats import FORMATS
from export.pipeline import export_proved
from export.proof.limits import LIMITS
from export.proof.proof_photos import bundled_photos
from export.rewrite.export_ready import ExportRequest
from lariqa.errors import Refusal
from lariqa.photos.views import inputs_of
from lariqa.runtimes.artifacts import open_artifact
from lariqa_train.model.reference import reference_scorer

SIZES = ((150, 200), (200, 150), (101, 97), (64, 300))
ASKED = {"batch": {"batch": "dynamic"}, "view": {"synthetic_view": "full"}}
OPEN = {side: [name for name, row in FORMATS.items() if side in row.free_sides] for side in ASKED}
CLOSED = [(name, side) for side, names in OPEN.items() for name in FORMATS if name not in names]


@pytest.fixture(scope="module")
def photos():
    return [bundled_photos(*size)[kind] for size in SIZES for kind in ("original", "noisy")]


def references(model, view, photos) -> np.ndarray:
    scorer = reference_scorer(model, view)
    expected = np.array([scorer.score(photo) for photo in photos])
    assert min(np.diff(sorted(expected))) > 1e-5
    return expected


@pytest.mark.parametrize("name", OPEN["batch"])
def test_a_batch_scores_each_photo_as_it_scores_alone(name, tiny_model, photos, tmp_path):
    (proved,) = export_proved(tiny_model, ExportRequest("views", batch="dynamic"), [name], tmp_path / "export")
    assert proved.parity.passed and proved.artifact.batch is None and "_batch" in proved.path.name
    assert sum("one of 16 at once" in photo.photo for photo in proved.parity.photos) == 16
    scorer = open_artifact(proved.path)
    expected = references(tiny_model, "crop", photos)
    for count in (1, 3, len(photos)):
        assert np.abs(np.array(scorer.score_batch(photos[:count])) - expected[:count]).max() <= LIMITS["fp32"]
    assert scorer.score_batch([]) == []
    assert scorer.score(photos[0]) == pytest.approx(expected[0], abs=LIMITS["fp32"])


@pytest.mark.parametrize("name", OPEN["view"])
@pytest.mark.parametrize("memory", [None, "naive"])
def test_a_full_view_takes_photos_of_any_size(name, memory, tiny_model, photos, tmp_path):
    request = ExportRequest("views", 150, 200, "full", memory)
    (proved,) = export_proved(tiny_model, request, [name], tmp_path / "export")
    assert proved.parity.passed and proved.artifact.photo_width_px is None
    scorer, expected = open_artifact(proved.path), references(tiny_model, "full", photos)
    assert np.abs(np.array([scorer.score(photo) for photo in photos]) - expected).max() <= LIMITS["fp32"]
    with pytest.raises(Refusal, match="--batch dynamic"):
        scorer.score_batch(photos)
    given = inputs_of(photos[-1], "views", scorer.preprocess, scorer.views)
    ran_by = scorer.runner.placement(given)
    assert "builtin" not in ran_by and sum(ran_by.values()) > 20  # a delegate, or ONNX Runtime's CPU


@pytest.mark.parametrize(("name", "side"), CLOSED)
def test_other_formats_say_so_before_any_work(name, side, tiny_model, tmp_path):
    said = []
    with pytest.raises(Refusal, match=FORMATS[name].label):
        list(
            export_proved(
                tiny_model,
                ExportRequest("views", 150, 200, **ASKED[side]),
                [name],
                tmp_path / "x",
                progress=said.append,
            )
        )
    assert not (tmp_path / "x").exists() and len(said) == 1
