"""Coverage counts what really reaches the KAN layers, and leaves the model alone."""

import math

import pytest
import torch
from torch import nn

from lariqa_train.model.kan import Kan, KanLinear
from lariqa_train.model.kan_coverage import Coverage, coverage_of, kan_coverage, watch_coverage


class Foreign(nn.Module):
    """Somebody else's KAN layer: the same attributes, another class, called with a keyword."""

    def __init__(self):
        super().__init__()
        mine = KanLinear(2, 2, 4, 1, (0.0, 4.0))  # core 0..4, support -1..5
        self.base_weight, self.spline_weight, self.spline_order = mine.base_weight, mine.spline_weight, 1
        self.grid, self.base_activation = mine.grid, torch.nn.GELU()

    def forward(self, features):
        return features @ self.base_weight.T


def test_inputs_are_counted_in_core_support_and_outside():
    layer = KanLinear(1, 1, 4, 3, (0.0, 4.0))  # core 0..4, support -3..7
    x = torch.tensor([[-3.1], [-3.0], [-0.5], [0.0], [2.0], [4.0], [4.1], [7.0], [7.1], [float("nan")]])
    counted = coverage_of(x, layer.grid, 3)
    assert counted == Coverage(inputs=10, inputs_in_support=7, inputs_in_core=3)
    assert counted.in_support == pytest.approx(0.7)
    assert counted.in_core == pytest.approx(0.3)


def test_each_input_is_held_against_its_own_knots():
    layer = KanLinear(2, 1, 4, 1, (0.0, 4.0))
    layer.grid[1] += 100
    x = torch.tensor([[2.0, 2.0], [2.0, 102.0], [102.0, 102.0], [4.5, 104.5]])
    assert coverage_of(x, layer.grid, 1) == Coverage(8, 6, 4)


def test_counts_grow_over_all_calls_and_layers():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 4), Kan([4, 3, 2]))
    with watch_coverage(model) as coverage:
        model(torch.randn(5, 6))
        assert coverage["1.layers.0"].inputs == 5 * 4
        model(torch.randn(2, 7, 6))
    assert set(coverage) == {"1.layers.0", "1.layers.1"}
    assert coverage["1.layers.0"].inputs == (5 + 14) * 4
    assert coverage["1.layers.1"].inputs == (5 + 14) * 3
    assert 0 < coverage["1.layers.0"].in_core <= coverage["1.layers.0"].in_support <= 1


def test_a_normal_input_gives_the_shares_of_the_normal_distribution():
    torch.manual_seed(0)
    model = Kan([20, 2])  # core -1..1, support -2.2..2.2
    found = kan_coverage(model, lambda: [model(torch.randn(500, 20)) for _ in range(10)])["layers.0"]
    assert found.inputs == 100_000
    assert found.in_core == pytest.approx(math.erf(1 / math.sqrt(2)), abs=0.01)
    assert found.in_support == pytest.approx(math.erf(2.2 / math.sqrt(2)), abs=0.01)


def test_the_model_computes_as_ever_and_keeps_no_hook():
    torch.manual_seed(0)
    model = Kan([4, 3])
    x = torch.randn(6, 4)
    expected = model(x)
    with watch_coverage(model):
        watched = model(x)
    assert expected.std() > 0.01
    assert torch.equal(watched, expected)
    assert watched.requires_grad
    assert not model.layers[0]._forward_pre_hooks

    with pytest.raises(RuntimeError, match="photo broken"), watch_coverage(model):
        raise RuntimeError("photo broken")
    assert not model.layers[0]._forward_pre_hooks


def test_foreign_layers_called_by_keyword_are_counted():
    layer = Foreign()
    found = kan_coverage(layer, lambda: layer(features=torch.tensor([[-0.5, 2.0], [9.0, 4.0]])))
    assert found == {"": Coverage(4, 3, 2)}


def test_a_shared_layer_is_counted_once_under_its_first_name():
    shared = KanLinear(3, 3)
    model = nn.Sequential(shared, nn.Tanh(), shared)
    found = kan_coverage(model, lambda: model(torch.zeros(2, 3)))
    assert found == {"0": Coverage(12, 12, 12)}


def test_a_layer_that_never_ran_has_no_share_and_a_model_without_kan_no_rows():
    silent = kan_coverage(KanLinear(2, 2), lambda: None)[""]
    assert silent.inputs == 0
    assert math.isnan(silent.in_support)
    assert math.isnan(silent.in_core)
    assert kan_coverage(nn.Linear(2, 2), lambda: None) == {}
