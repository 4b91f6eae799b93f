"""Parity judges: what is equal passes, what is not fails, and a comparison that could not fail is refused."""

import math

import numpy as np
import pytest

from export.proof.limits import LIMITS
from export.proof.parity import Parity, PhotoParity, compare, reference_scores
from export.proof.proof_photos import PhotoFiles, bundled_photos
from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.runtimes.scorer import Scorer, fit_to

silent = lambda step: None  # noqa: E731


class Fixed:
    """A runner whose score is the photo's mean level, plus an error."""

    runtime, executes_artifact = "a fake", True

    def __init__(self, error: float = 0.0) -> None:
        self.error = error

    def run(self, inputs) -> float:
        return float(inputs["image"].mean() / 255) + self.error


def scorer(error: float = 0.0, size=None) -> Scorer:
    return Scorer(Fixed(error), PreprocessSpec(), ("authentic", "synthetic"), "pixels", size)


@pytest.fixture
def photos():
    return {str(level): np.full((40, 50, 3), level, np.uint8) for level in (10, 100, 200)}


@pytest.mark.parametrize(("limits", "passes"), [(0, True), (0.9, True), (-0.9, True), (1.1, False), (-2, False),
                                               (float("nan"), False)])  # fmt: skip
def test_the_limit_decides(photos, limits, passes):
    error = limits * LIMITS["fp32"]
    expected = reference_scores(scorer(), photos, 1e-5, silent)
    parity = compare(scorer(error), expected, photos, "fp32", "the reference", silent)
    assert parity.passed is passes
    assert math.isnan(error) or parity.worst == pytest.approx(abs(error), abs=1e-12)


def test_one_bad_photo_among_many_fails(photos):
    rows = [PhotoParity(str(i), 0.1 * i, 0.1 * i) for i in range(9)] + [PhotoParity("bad", 0.5, 0.6)]
    parity = Parity(tuple(rows), 1e-4)
    assert not parity.passed and parity.worst == pytest.approx(0.1) and parity.mean == pytest.approx(0.01)
    assert parity.to_json()["passed"] is False and parity.to_json()["spread"] == pytest.approx(0.8)


def test_photos_whose_scores_do_not_differ_prove_nothing(photos):
    alike = dict.fromkeys(photos, photos["10"])
    with pytest.raises(Refusal, match="too alike"):
        reference_scores(scorer(), alike, 1e-5, silent)
    with pytest.raises(Refusal, match="1 photos"):
        reference_scores(scorer(), {"one": photos["10"]}, 1e-5, silent)
    with pytest.raises(Refusal, match="too alike"):
        reference_scores(scorer(float("nan")), photos, 1e-5, silent)


@pytest.mark.parametrize(("height", "width"), [(2160, 3840), (480, 360), (100, 101)])
def test_the_bundled_photos_have_the_size_asked_for_and_differ(height, width):
    photos = bundled_photos(height, width)
    assert list(photos) == ["original", "blurred", "noisy", "recompressed", "dark"]
    assert all(image.shape == (height, width, 3) and image.dtype == np.uint8 for image in photos.values())
    assert all(not np.array_equal(photos["original"], photos[name]) for name in list(photos)[1:])


def test_photos_of_the_user_are_brought_to_size(tmp_path):
    from PIL import Image

    Image.fromarray(bundled_photos(60, 80)["original"]).save(tmp_path / "a.png")
    photos = PhotoFiles([tmp_path], (32, 64))
    assert list(photos) == [str(tmp_path / "a.png")] and photos[str(tmp_path / "a.png")].shape == (32, 64, 3)
    assert PhotoFiles([tmp_path], None)[str(tmp_path / "a.png")].shape == (60, 80, 3)


def test_fitting_covers_and_cuts_the_middle():
    image = np.zeros((100, 300, 3), np.uint8)
    image[:, 100:200] = 255
    fitted = fit_to(image, 50, 50)
    assert fitted.shape == (50, 50, 3) and fitted[:, 2:-2].min() == 255


@pytest.mark.parametrize("size", [(37, 53), (53, 37), (200, 41)])
def test_fitting_gives_every_size(size):
    assert fit_to(np.zeros((97, 143, 3), np.uint8), *size).shape == (*size, 3)
