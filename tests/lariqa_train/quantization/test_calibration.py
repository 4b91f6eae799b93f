"""What a layer sees over regions and what varies within them, in numbers known beforehand."""

import torch

from lariqa_train.quantization.calibration import band_hessian


def test_what_changes_sign_from_place_to_place_counts_a_tenth_of_what_lasts_over_a_region():
    positions = torch.arange(4096)
    halves = torch.where(positions < 2048, 3.0, -3.0)  # a bright and a dark half
    texture = torch.where(positions % 2 == 0, 3.0, -3.0)
    hessian = band_hessian(torch.stack([halves, texture])[None])
    assert torch.allclose(hessian, torch.tensor([[[9.0, 0.0], [0.0, 0.9]]], dtype=torch.float64))
    few = band_hessian(torch.stack([halves, texture])[None, :, 2046:2050])  # one band: only the average lasts
    assert torch.allclose(few, torch.tensor([[[0.9, 0.0], [0.0, 0.9]]], dtype=torch.float64))
