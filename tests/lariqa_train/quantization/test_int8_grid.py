"""int8 with one scale for each output channel, against its definition."""

import numpy as np

from lariqa_train.quantization.int8_grid import quantise


def test_int8_is_within_half_a_step_and_keeps_every_channels_largest():
    weight = np.random.default_rng(0).standard_normal((5, 7, 3, 3)).astype(np.float32)
    weight[2] = 0
    steps, scale = quantise(weight)
    assert steps.dtype == np.int8 and scale.shape == (5, 1, 1, 1)
    assert np.abs(steps * scale - weight).max() <= scale.max() / 2 * 1.0001
    assert set(np.abs(steps.reshape(5, -1)).max(1)) == {0, 127}
    again, same = quantise(steps * scale)
    assert np.array_equal(again, steps) and np.allclose(same, scale, rtol=1e-6)
