"""What the demo demands: a model that learnt, and files that score the sharp photo above damaged ones."""

from types import SimpleNamespace

import numpy as np
import pytest

from export import demo
from export.demo import HEAVY, LEAST_UNSEEN_SRCC, SHARP, WORSE, Demo, Judged, judge, make_demo
from export.proof.parity import Parity, PhotoParity
from export.proof.proof_photos import photos_to_prove
from lariqa.errors import Refusal
from lariqa.manifest.model_config import Provenance
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa_train.demo.demo_recipe import DemoRecipe
from lariqa_train.demo.demo_training import Learnt
from lariqa_train.pictures.damage import bundled_photo, jpeg_of_quality

GOOD = {SHARP: 0.8, "blurred": 0.2, "noisy": 0.3, "recompressed": 0.4, HEAVY: 0.1}


def proved(scores: dict[str, float], off_by: float = 0.0):
    """An exported file with a proof of these scores."""
    photos = tuple(PhotoParity(name, score + off_by, score) for name, score in scores.items() if name != HEAVY)
    artifact = SimpleNamespace(format="onnx")
    return SimpleNamespace(path=SimpleNamespace(name="a.onnx"), artifact=artifact, parity=Parity(photos, 5e-5))


def learnt(srcc: float) -> Learnt:
    return Learnt(model=None, unseen_srcc=srcc, unseen_pictures=180, stopped_early=False)


def demo_of(srcc: float = 0.9, scores: dict[str, float] = GOOD, off_by: float = 0.0) -> Demo:
    return Demo(Provenance(False, "test"), [proved(scores, off_by)], learnt(srcc), [Judged("onnx", scores)])


def test_a_demo_that_learnt_passes():
    assert demo_of().passed and demo_of().not_learnt == []
    assert demo_of(srcc=LEAST_UNSEEN_SRCC).passed


@pytest.mark.parametrize("name", [*WORSE, HEAVY])
@pytest.mark.parametrize("score", [0.8, 0.9, float("nan")])
def test_a_damaged_photo_that_does_not_score_below_the_sharp_one_is_named(name, score):
    made = demo_of(scores=GOOD | {name: score})
    assert not made.passed and made.not_learnt == [f"onnx scores the {name} photo above the sharp one"]


@pytest.mark.parametrize("srcc", [0.59, float("nan")])
def test_a_model_that_did_not_learn_is_told_with_its_figure(srcc):
    made = demo_of(srcc=srcc)
    assert not made.passed and made.not_learnt == [f"SRCC {srcc:.3f} is below {LEAST_UNSEEN_SRCC}"]


def test_a_file_past_its_parity_limit_fails_the_demo_though_the_model_learnt():
    made = demo_of(off_by=0.01)
    assert made.not_learnt == [] and not made.passed


def test_stand_in_weights_are_not_judged():
    made = Demo(Provenance(False, "test"), [proved(GOOD)])
    assert made.passed and made.not_learnt == []


def test_a_file_is_asked_for_the_heavily_compressed_photo_only(monkeypatch):
    shown = []

    def load(path):
        return SimpleNamespace(score=lambda photo: shown.append((path.name, photo)) or 0.05)

    monkeypatch.setattr(demo, "load", load)
    (one,) = judge([proved(GOOD)])
    assert one.format == "onnx" and one.scores == GOOD | {HEAVY: 0.05} and one.misjudged == []
    ((name, photo),) = shown
    assert name == "a.onnx" and np.array_equal(photo, jpeg_of_quality(bundled_photo(), demo.HEAVY_QUALITY))


@pytest.mark.parametrize("recipe", [None, DemoRecipe()])
def test_an_export_of_trained_weights_is_not_replaced(recipe, tiny_model, tmp_path, monkeypatch):
    for name in ("make_demo_checkpoint", "train_demo"):
        monkeypatch.setattr(demo, name, lambda *arguments, **options: pytest.fail("it was not refused at once"))
    monkeypatch.setattr(demo, "read_manifest", lambda folder: SimpleNamespace(provenance=Provenance(True, "test")))
    with pytest.raises(Refusal, match=r"trained weights.*choose another"):
        make_demo(tmp_path, recipe)
    assert not list(tmp_path.iterdir())


def test_the_trip_goes_from_the_recipe_to_every_format(tiny_model, tmp_path, monkeypatch):
    asked = {}

    def export_proved(model, request, formats, folder, **options):
        asked.update(model=model, formats=formats, view=request.synthetic_view, **options)
        yield proved(GOOD)

    monkeypatch.setattr(demo, "train_demo", lambda recipe, made_by, progress: asked.update(recipe=recipe) or found)
    monkeypatch.setattr(demo, "export_proved", export_proved)
    monkeypatch.setattr(demo, "load", lambda path: SimpleNamespace(score=lambda photo: 0.1))
    found, recipe = Learnt(tiny_model, 0.9, 180, False), DemoRecipe(seed=3)
    made = make_demo(tmp_path, recipe, synthetic_view="full")
    assert asked["recipe"] is recipe and asked["model"] is tiny_model and asked["view"] == "full"
    assert asked["formats"] == list(demo.USUAL) and asked["overwrite"] is True
    assert made.passed and made.learnt is found and made.provenance == tiny_model.provenance
    assert [one.format for one in made.judged] == ["onnx"] and (tmp_path / demo.CHECKPOINT).exists()


@pytest.mark.parametrize("view", ["crop", "full"])
def test_every_proof_has_the_photos_that_the_demo_judges_by(view):
    spec = PreprocessSpec(authentic_side_px=64, synthetic_view=view, synthetic_crop_px=96)
    for takes in (None, (64, 80)):
        assert {SHARP, *WORSE} <= set(photos_to_prove(takes, spec, (64, 80)))
