"""The two views of a photo, held against torchvision and against each other."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms

from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.photos.views import plan_center_crop, synthetic_pixels
from lariqa_train.model.normalise import prepare

SIZES = [(720, 1280), (1280, 720), (600, 500), (1281, 1280), (1283, 2000), (200, 1500)]


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_synthetic_view_is_what_torchvision_gives(height, width):
    image, spec = noise(height, width), PreprocessSpec()
    reference = transforms.Compose(
        [transforms.CenterCrop(1280), transforms.ToTensor(), transforms.Normalize(spec.mean, spec.std)]
    )(Image.fromarray(image))
    view = prepare(image, spec)["synthetic"]
    assert view.shape == (1, 3, 1280, 1280)
    assert torch.equal(view[0], reference)


@pytest.mark.parametrize(("height", "width"), SIZES[:3])
def test_the_authentic_view_is_torchvisions_resize_done_width_first(height, width):
    image, spec = noise(height, width), PreprocessSpec()
    normalise = transforms.Compose([transforms.ToTensor(), transforms.Normalize(spec.mean, spec.std)])
    across = transforms.Resize((height, 384))(Image.fromarray(image))
    assert torch.equal(prepare(image, spec)["authentic"][0], normalise(transforms.Resize((384, 384))(across)))
    # Any order of the passes is the same picture to within one level.
    whole = np.asarray(transforms.Resize((384, 384))(Image.fromarray(image)), dtype=int)
    assert np.abs(np.asarray(transforms.Resize((384, 384))(across), dtype=int) - whole).max() <= 1


@given(height=st.integers(32, 90), width=st.integers(32, 90), crop=st.integers(32, 90))
@settings(deadline=None)
def test_the_crop_plan_is_torchvisions_center_crop(height, width, crop):
    image = noise(height, width)
    reference = np.asarray(transforms.CenterCrop(crop)(Image.fromarray(image)))
    assert np.array_equal(synthetic_pixels(image, PreprocessSpec(synthetic_crop_px=crop)), reference)
    plan = plan_center_crop(height, width, crop)
    assert plan.pads == (min(height, width) < crop)


def test_the_full_view_is_every_pixel():
    image = noise(70, 50)
    view = prepare(image, PreprocessSpec(synthetic_view="full"), ("synthetic",))
    assert list(view) == ["synthetic"] and view["synthetic"].shape == (1, 3, 70, 50)
    back = view["synthetic"][0] * torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    back = (back + torch.tensor([0.485, 0.456, 0.406])[:, None, None]) * 255
    assert np.array_equal(back.round().byte().permute(1, 2, 0).numpy(), image)


def test_the_spec_survives_json():
    spec = PreprocessSpec(authentic_side_px=224, synthetic_view="full", mean=(0, 0.5, 1), std=(1, 2, 3))
    assert PreprocessSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize("change", [{"resize": "bicubic"}, {"crop_fill_rgb": [255, 255, 255]}, {"gamma": 2.2}])
def test_a_spec_that_says_something_else_is_refused_not_guessed(change):
    with pytest.raises(Refusal, match=next(iter(change))):
        PreprocessSpec.from_json(PreprocessSpec().to_json() | change)


def test_a_spec_with_a_missing_key_is_refused():
    data = PreprocessSpec().to_json()
    del data["mean"]
    with pytest.raises(Refusal, match="mean"):
        PreprocessSpec.from_json(data)


@pytest.mark.parametrize(
    ("options", "word"),
    [({"synthetic_view": "half"}, "half"), ({"authentic_side_px": 8}, "8"), ({"std": (1, 1, 0)}, "std"),
     ({"synthetic_crop_px": 12.5}, "12.5"), ({"mean": (0, 0)}, "mean")],
)  # fmt: skip
def test_impossible_specs_are_refused(options, word):
    with pytest.raises(Refusal, match=word):
        PreprocessSpec(**options)


@pytest.mark.parametrize(
    ("image", "word"),
    [(noise(1, 1), "1x1"), (noise(100, 31), "31x100"), (noise(64, 64)[..., 0], "64, 64"),
     (noise(64, 64).astype(float), "float64"), ([[0]], "list")],
)  # fmt: skip
def test_what_is_no_photo_is_refused(image, word):
    with pytest.raises(Refusal, match=word):
        prepare(image, PreprocessSpec())
