"""Weights rounded by what the layer does, against each weight rounded by itself."""

import numpy as np
import pytest
import torch

from lariqa_train.quantization.gptq import quantize_rows, round_wide_rows
from lariqa_train.quantization.int8_grid import quantise


@pytest.mark.parametrize("grid", ["int8", "float16"])
def test_rounding_by_what_the_layer_does_beats_rounding_each_weight(grid):
    random = torch.Generator().manual_seed(0)
    inputs = torch.randn(4, 400, generator=random, dtype=torch.float64)
    mixed = torch.randn(48, 4, generator=random, dtype=torch.float64) @ inputs + 3  # correlated, far from zero mean
    rows = torch.randn(1, 6, 48, generator=random, dtype=torch.float64)
    rounded = quantize_rows(rows, (mixed @ mixed.T)[None], grid)
    if grid == "int8":
        steps, scale = quantise(rows[0].numpy().astype(np.float32))
        plain = torch.from_numpy(steps * scale.astype(np.float64))
        assert torch.allclose(rounded[0] / torch.from_numpy(scale.astype(np.float64)),
                              (rounded[0] / torch.from_numpy(scale.astype(np.float64))).round(), atol=1e-4)  # fmt: skip
        again, _ = quantise(rounded[0].numpy().astype(np.float32))
        assert np.abs(again * scale - rounded[0].numpy()).max() < 1e-6  # a converter finds the same integers
    else:
        plain = rows[0].half().double()
        assert torch.equal(rounded.half().double(), rounded)
    errors = [((weight - rows[0]) @ mixed).square().mean().item() for weight in (plain, rounded[0])]
    assert errors[1] < errors[0] / 20


@pytest.mark.parametrize("grid", ["int8", "float16"])
def test_a_wide_layer_keeps_its_mean_output_and_does_well_on_pictures_that_it_never_saw(grid):
    random = torch.Generator().manual_seed(0)
    causes = torch.randn(6, 3000, generator=random, dtype=torch.float64)  # few causes behind many inputs, as in a KAN

    def pictures(count: int) -> torch.Tensor:
        return torch.randn(count, 6, generator=random, dtype=torch.float64) @ causes + 2

    seen, others = pictures(24), pictures(200)
    rows = torch.randn(5, 3000, generator=random, dtype=torch.float64) / 50
    rounded = round_wide_rows(rows, seen.float(), grid)
    if grid == "int8":
        steps, scale = quantise(rows.numpy().astype(np.float32))
        plain = torch.from_numpy(steps * scale.astype(np.float64))
        again, _ = quantise(rounded.numpy().astype(np.float32))
        assert np.abs(again * scale - rounded.numpy()).max() < 1e-6
    else:
        plain = rows.half().double()
        assert torch.equal(rounded.half().double(), rounded)
    before, after = (others @ (weight - rows).T for weight in (plain, rounded))
    assert after.square().mean() < before.square().mean() / 20
    assert after.mean(0).abs().max() < before.mean(0).abs().max() / 10
