"""Colour conversions within one level of OpenCV's, on every kind of byte."""

import cv2
import numpy as np
import pytest
import torch

from lariqa.errors import Refusal
from lariqa_train.pictures.damage import bundled_photo
from lariqa_train.training.color import COLOR_SPACES, to_color_space

OPENCV = {"yuv": cv2.COLOR_RGB2YUV, "lab": cv2.COLOR_RGB2LAB, "hsv": cv2.COLOR_RGB2HSV}


def images() -> dict[str, np.ndarray]:
    levels = np.array([0, 1, 2, 10, 11, 64, 127, 128, 200, 254, 255], np.uint8)
    corners = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
    grey = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    return {
        "corners": corners,
        "greys": grey,
        "random": np.random.default_rng(1).integers(0, 256, (300, 300, 3), dtype=np.uint8),
        "photo": bundled_photo()[::8, ::8],
    }


@pytest.mark.parametrize("space", OPENCV)
@pytest.mark.parametrize("name", images())
def test_within_one_level_of_opencv(space, name):
    image = np.ascontiguousarray(images()[name])
    expected = cv2.cvtColor(image, OPENCV[space]).astype(int)
    converted = to_color_space(torch.from_numpy(image).permute(2, 0, 1)[None], space)[0].permute(1, 2, 0).numpy()
    difference = np.abs(converted.astype(int) - expected)
    if space == "hsv":  # hue is a circle of 180 half degrees
        difference[..., 0] = np.minimum(difference[..., 0], 180 - difference[..., 0])
    assert np.ptp(expected) > 50
    assert difference.max() <= 1
    assert (difference == 0).mean() > 0.95


def test_a_batch_is_converted_image_by_image_and_rgb_is_itself():
    batch = torch.randint(0, 256, (3, 3, 8, 9), dtype=torch.uint8)
    for space in COLOR_SPACES:
        whole = to_color_space(batch, space)
        assert torch.equal(whole, torch.cat([to_color_space(batch[i : i + 1], space) for i in range(3)]))
        assert whole.dtype == torch.float32 and whole.shape == batch.shape
    assert torch.equal(to_color_space(batch, "rgb"), batch.float())


def test_what_cannot_be_converted_is_refused():
    with pytest.raises(Refusal, match="there are rgb, yuv, lab, hsv"):
        to_color_space(torch.zeros(1, 3, 4, 4), "cmyk")
    with pytest.raises(Refusal, match="batch, 3"):
        to_color_space(torch.zeros(1, 1, 4, 4), "yuv")
