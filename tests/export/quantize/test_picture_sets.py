"""The pictures that fit, choose and judge share nothing."""

from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from export.pipeline import export_proved
from export.proof.proof_photos import proof_photos
from export.quantize.picture_sets import LEFT, RIGHT, PictureSets, generated_pictures, refuse_unusable
from export.rewrite.export_ready import ExportRequest
from lariqa.errors import Refusal
from lariqa_train.model.reference import reference_scorer

HEIGHT, WIDTH = 150, 200


def test_pictures_that_judge_share_nothing_with_those_that_fit(tiny_model, tmp_path):
    fitting = dict(generated_pictures(6, HEIGHT, WIDTH, 1, LEFT))
    judging = dict(generated_pictures(6, HEIGHT, WIDTH, 2, RIGHT))
    assert len({picture.tobytes() for picture in (*fitting.values(), *judging.values())}) == 12
    assert sum(name.startswith("scene") for name in judging) == 3 and not fitting.keys() & judging.keys()
    reference = reference_scorer(tiny_model)
    pictures = PictureSets(
        reference, (HEIGHT, WIDTH), tmp_path, validation_pictures=6, proof=proof_photos(HEIGHT, WIDTH)
    )
    (first, scores), (again, same), (fresh, others) = (pictures.validation(attempt) for attempt in (0, 0, 1))
    assert list(first) == list(again) == list(scores) and scores == same and len(first) == 6 + 6
    low, high = (bound(pictures.in_distribution.proof_scores.values()) for bound in (min, max))
    assert all(2 * low - high <= score <= 2 * high - low for score in (*scores.values(), *others.values()))
    assert first.keys() & fresh.keys() == pictures.proof.keys()
    assert all(scores[name] == reference.score(first[name]) for name in first)
    ordered = sorted({**scores, **others}.values())
    assert min(b - a for a, b in pairwise(ordered)) > 1e-6


def test_a_bad_photo_for_calibration_is_named_before_the_work(tiny_model, tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for name, picture in generated_pictures(3, HEIGHT, WIDTH, 1, LEFT):
        Image.fromarray(picture).save(photos / f"{name}.png")
    good = [str(path) for path in sorted(photos.iterdir())]
    (photos / "broken link.jpg").symlink_to("/proc/self/mem")  # a regular file whose first read fails
    Image.new("RGB", (20, 20)).save(photos / "small.png")
    cut = photos / "zcut.png"
    cut.write_bytes(Path(good[0]).read_bytes()[:3000])
    request = ExportRequest("pixels", HEIGHT, WIDTH, "crop")
    for given, facts in {
        (good[0], str(cut)): ["1 of 2 photos", str(cut), "damaged"],
        (str(photos / "broken link.jpg"),): ["1 of 1", "broken link.jpg", "check the disk"],
        (str(photos / "small.png"),): ["small.png: the photo is 20x20"],
        (str(photos),): ["3 of 6 photos", "broken link.jpg", "neither can", "small.png", "zcut.png"],
    }.items():
        with pytest.raises(Refusal) as refusal:
            list(export_proved(tiny_model, request, ["onnx"], out, precisions=["int8"], calibration=given))
        said = str(refusal.value)
        assert all(fact in said for fact in facts) and "\n" not in said and "cannot write" not in said
        assert not out.exists()
    refuse_unusable(good)
