"""The exported resize gives Pillow's bytes: all of them, at any size, on any summation order."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from export.rewrite.pillow_resize import (
    LOW_BITS,
    PRECISION_BITS,
    PillowResize,
    ResizeAxis,
    bilinear_filters,
    split_exactly,
)  # fmt: skip
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.photos.views import authentic_pixels


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def resized(image: np.ndarray, side: int) -> np.ndarray:
    planes = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        out = PillowResize(*image.shape[:2], side)(planes)
    assert out.shape == (1, 3, side, side)
    return out[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize(
    ("height", "width"),
    [(2160, 3840), (3840, 2160), (3024, 4032), (720, 1280), (1080, 1920), (384, 384), (384, 1000), (997, 1013),
     (300, 200), (33, 4000)],
)  # fmt: skip
def test_every_byte_equals_pillows(height, width):
    image = noise(height, width)
    assert np.array_equal(resized(image, 384), authentic_pixels(image, PreprocessSpec()))


@given(st.integers(32, 400), st.integers(32, 400), st.integers(32, 200), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_every_byte_equals_pillows_at_any_size(height, width, side, seed):
    image = noise(height, width, seed)
    assert np.array_equal(resized(image, side), authentic_pixels(image, PreprocessSpec(authentic_side_px=side)))


@pytest.mark.parametrize("level", [0, 1, 127, 128, 254, 255])
def test_flat_pictures_stay_flat(level):
    image = np.full((90, 70, 3), level, np.uint8)
    assert np.unique(resized(image, 64)).tolist() == [level]


@pytest.mark.parametrize("size", [384, 720, 1013, 2160, 3840, 4032, 12000, 16384])
def test_the_two_filter_sums_are_exact_in_float32(size):
    filters = bilinear_filters(size, 384)
    hi, lo = split_exactly(filters.weights)
    together = hi.astype(np.float64) * 2**PRECISION_BITS + lo.astype(np.float64) * 2**PRECISION_BITS
    assert np.array_equal(together, filters.weights)
    # No partial sum over bytes needs more than 24 bits, whatever their order.
    assert 255 * np.abs(hi).sum(1).max() * 2 ** (PRECISION_BITS - LOW_BITS) < 2**24
    assert 255 * np.abs(lo).sum(1).max() * 2**PRECISION_BITS < 2**24


def test_the_result_does_not_depend_on_the_order_of_summation():
    axis = ResizeAxis(2160, 384, axis=3)
    row = torch.from_numpy(noise(1, 2160).transpose(2, 0, 1)[:, None].astype(np.float32))
    with torch.inference_mode():
        single, double = axis(row), axis.double()(row.double())
    assert torch.equal(single.double(), double)


def test_filters_that_would_not_be_exact_are_refused():
    with pytest.raises(ValueError, match="24 bits"):
        split_exactly(np.full((1, 1100), (1 << LOW_BITS) // 2 - 1, dtype=np.int64))


def test_common_sizes_get_the_cheap_form_and_odd_ones_bands():
    assert ResizeAxis(3840, 384, 3).periodic is not None
    assert ResizeAxis(2160, 384, 2).periodic is not None
    odd = ResizeAxis(1013, 384, 3)
    assert odd.periodic is None and len(odd.before) + len(odd.after) == 24
