"""The reference KAN layer against oracles that share no code with it: SciPy, exact fractions, plain loops."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lariqa_train.model.kan import Kan, KanLinear, cox_de_boor, is_kan_linear


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """The tensors are tiny: more threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def lively(layer: KanLinear) -> KanLinear:
    """Weights of order 1, so that every term shows in the output."""
    with torch.no_grad():
        for weight in layer.parameters():
            weight.normal_()
    return layer


def adapted(layer: KanLinear, blend: float = 0.1) -> KanLinear:
    lo, hi = layer.grid[0, layer.spline_order], layer.grid[0, -layer.spline_order - 1]
    samples = lo + (hi - lo) * torch.randn(300, layer.in_features, dtype=layer.grid.dtype).sigmoid()
    layer.update_grid(samples, blend=blend)
    return layer


def exact_spline(knots: list[Fraction], i: int, order: int, x: Fraction) -> Fraction:
    """B_i of the given order at x by the recursion of de Boor, in exact fractions."""
    if order == 0:
        return Fraction(knots[i] <= x < knots[i + 1])
    left = (x - knots[i]) / (knots[i + order] - knots[i])
    right = (knots[i + order + 1] - x) / (knots[i + order + 1] - knots[i + 1])
    return left * exact_spline(knots, i, order - 1, x) + right * exact_spline(knots, i + 1, order - 1, x)


@pytest.mark.parametrize("uniform", [True, False])
@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_bases_agree_with_scipy(order, uniform):
    interpolate = pytest.importorskip("scipy.interpolate", reason="SciPy is the independent oracle here")
    torch.manual_seed(order)
    layer = KanLinear(3, 1, 6, order, (-2.0, 3.0), dtype=torch.float64)
    if not uniform:
        adapted(layer)
        assert layer.grid.diff().std() > 0.1
    x = torch.linspace(-12, 12, 500, dtype=torch.float64).unsqueeze(-1).expand(-1, 3)
    got = layer.bases(x).numpy()
    for p in range(3):
        knots = layer.grid[p].numpy()
        for i in range(6 + order):
            spline = interpolate.BSpline.basis_element(knots[i : i + order + 2], extrapolate=False)
            expected = np.nan_to_num(spline(x[:, p].numpy()))  # SciPy gives NaN outside the support
            assert expected.max() > 0.1
            np.testing.assert_allclose(got[:, p, i], expected, rtol=0, atol=1e-14)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    order=st.integers(1, 4),
    knots=st.lists(st.integers(-64, 64), min_size=8, max_size=10, unique=True),
    where=st.integers(-80 * 8, 80 * 8),
)
def test_bases_agree_with_exact_fractions_on_any_knots(order, knots, where):
    exact_knots = [Fraction(knot, 8) for knot in sorted(knots)]  # all numbers are exact in float64
    x = Fraction(where, 64)
    grid = torch.tensor([[float(knot) for knot in exact_knots]], dtype=torch.float64)
    got = cox_de_boor(torch.tensor([[float(x)]], dtype=torch.float64), grid, order)[0, 0]
    expected = [float(exact_spline(exact_knots, i, order, x)) for i in range(len(knots) - order - 1)]
    torch.testing.assert_close(got, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-14)


def test_a_knot_belongs_to_the_interval_on_its_right():
    grid = torch.tensor([[0.0, 1.0, 3.0, 4.0]])
    x = torch.tensor([[0.0], [1.0], [3.0], [4.0]])
    expected = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    assert torch.equal(cox_de_boor(x, grid, 0)[:, 0], expected)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_bases_sum_to_one_on_the_core_and_vanish_outside_the_support(order):
    layer = KanLinear(2, 1, 7, order, (-1.5, 0.5), dtype=torch.float64)
    core = torch.linspace(-1.5, 0.4999, 300, dtype=torch.float64).unsqueeze(-1).expand(-1, 2)
    bases = layer.bases(core)
    assert bases.min() >= 0
    assert bases.std() > 0.05
    torch.testing.assert_close(bases.sum(-1), torch.ones(300, 2, dtype=torch.float64), rtol=0, atol=1e-13)

    outside = torch.stack([layer.grid[:, 0] - 1e-9, layer.grid[:, -1], layer.grid[:, -1] + 1e30])
    assert torch.equal(layer.bases(outside), torch.zeros(3, 2, 7 + order, dtype=torch.float64))


def test_forward_is_the_formula_of_the_docstring():
    torch.manual_seed(0)
    layer = lively(KanLinear(3, 2, 4, 3, dtype=torch.float64))
    x = torch.randn(5, 3, dtype=torch.float64)
    bases = layer.bases(x)
    expected = torch.zeros(5, 2, dtype=torch.float64)
    for b in range(5):
        for o in range(2):
            for p in range(3):
                silu = x[b, p] / (1 + torch.exp(-x[b, p]))
                curve = sum(layer.spline_weight[o, p, i] * bases[b, p, i] for i in range(7))
                expected[b, o] += layer.base_weight[o, p] * silu + layer.spline_scaler[o, p] * curve
    got = layer(x)
    assert got.std() > 0.1
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


def test_state_names_and_shapes_are_those_of_efficient_kan():
    kan = Kan([10, 4, 2], grid_size=5, spline_order=3)
    state = {name: tuple(tensor.shape) for name, tensor in kan.state_dict().items()}
    assert state == {
        "layers.0.base_weight": (4, 10),
        "layers.0.spline_weight": (4, 10, 8),
        "layers.0.spline_scaler": (4, 10),
        "layers.0.grid": (10, 12),
        "layers.1.base_weight": (2, 4),
        "layers.1.spline_weight": (2, 4, 8),
        "layers.1.spline_scaler": (2, 4),
        "layers.1.grid": (4, 12),
    }
    assert [name for name, _ in KanLinear(2, 2).named_buffers()] == ["grid"]
    assert is_kan_linear(KanLinear(2, 2))
    assert not is_kan_linear(nn.Linear(2, 2))


def test_default_knots_run_from_minus_2_2_to_2_2_in_steps_of_0_4():
    grid = KanLinear(2, 1).grid
    assert grid.dtype == torch.float32
    torch.testing.assert_close(grid, (torch.arange(12) * 0.4 - 2.2).expand(2, -1), rtol=0, atol=5e-7)


def test_leading_dimensions_are_kept():
    torch.manual_seed(0)
    kan = Kan([4, 3, 2])
    x = torch.randn(2, 5, 4)
    y = kan(x)
    assert y.shape == (2, 5, 2)
    torch.testing.assert_close(y[1, 3], kan(x[1, 3]))
    assert not torch.equal(y[0, 0], y[1, 3])


def test_a_kan_applies_its_layers_in_turn():
    torch.manual_seed(0)
    kan = Kan([4, 3, 2], grid_size=4)
    for layer in kan.layers:
        lively(layer)
    x = torch.randn(6, 4)
    assert kan(x).std() > 0.1
    assert torch.equal(kan(x), kan.layers[1](kan.layers[0](x)))


def test_a_fresh_layer_is_nearly_linear_after_silu_and_repeats_with_its_seed():
    torch.manual_seed(3)
    layer = KanLinear(50, 20)
    torch.manual_seed(3)
    again = KanLinear(50, 20)
    assert all(torch.equal(a, b) for a, b in zip(layer.parameters(), again.parameters(), strict=True))

    bound = 50**-0.5
    for weight in (layer.base_weight, layer.spline_scaler):
        assert weight.abs().max() <= bound
        assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.1)
    knots = layer.grid[:, 3:9].T  # the 6 core knots
    curves = torch.einsum("npi,opi->nop", layer.bases(knots - 1e-6), layer.spline_weight)
    assert 0.001 < curves.abs().max() < 0.0101  # the noise: +-0.05 / grid_size


def test_a_layer_learns_a_curve_that_silu_alone_cannot():
    torch.manual_seed(0)
    layer = KanLinear(1, 1, grid_size=8)
    x = torch.linspace(-1, 1, 200).unsqueeze(-1)
    target = torch.sin(5 * x)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    for _ in range(150):
        loss = (layer(x) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert target.square().mean() > 0.4
    assert loss < 1e-3


def test_update_grid_follows_the_data_and_keeps_the_curve():
    torch.manual_seed(0)
    layer = KanLinear(2, 3, 6, 3, (-2.0, 2.0), dtype=torch.float64)
    every = torch.linspace(-2, 1.999, 400, dtype=torch.float64).unsqueeze(-1).expand(-1, 2)
    with torch.no_grad():  # cubic curves: splines of order 3 hold them exactly on any grid
        cubics = torch.stack([every**3, every - every**2, 1 + every], -1)  # (400, in, out)
        fit = torch.linalg.pinv(layer.bases(every).transpose(0, 1)) @ cubics.transpose(0, 1)  # (in, n, out)
        layer.spline_weight.copy_(fit.permute(2, 0, 1))
        layer.spline_scaler.normal_()
    samples = torch.stack([torch.rand(500) ** 3, -torch.rand(500)], -1).double()
    before, old_grid = layer(samples), layer.grid.clone()
    layer.update_grid(samples)

    assert before.std() > 0.1
    torch.testing.assert_close(layer(samples), before, rtol=0, atol=1e-9)
    steps = layer.grid.diff()
    assert not torch.equal(layer.grid, old_grid)
    assert (steps > 0).all()
    assert steps.amax(-1)[0] > 5 * steps.amin(-1)[0]  # dense where the data are dense
    assert (layer.grid[:, 3] <= samples.amin(0)).all()
    assert (layer.grid[:, -4] >= samples.amax(0)).all()


def test_update_grid_with_blend_one_is_uniform_over_the_data():
    torch.manual_seed(0)
    layer = KanLinear(2, 1, 5, 2, dtype=torch.float64)
    layer.update_grid(torch.randn(100, 2, dtype=torch.float64), blend=1.0)
    steps = layer.grid.diff()
    torch.testing.assert_close(steps, steps[:, :1].expand_as(steps), rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"spline_order": 0}, "spline_order"),
        ({"grid_size": 0}, "grid_size"),
        ({"grid_range": (1.0, 1.0)}, "grid_range"),
        ({"grid_range": (2.0, 1.0)}, "grid_range"),
        ({"grid_range": (0.0, float("inf"))}, "grid_range"),
        ({"grid_range": (float("nan"), 1.0)}, "grid_range"),
        ({"grid_range": (1e8, 1e8 + 1)}, "equal knots"),
        ({"in_features": 0}, "in_features"),
        ({"out_features": 0}, "out_features"),
    ],
)
def test_impossible_layers_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        KanLinear(**{"in_features": 2, "out_features": 2, **options})


def test_a_kan_of_one_width_is_refused():
    with pytest.raises(ValueError, match="input and an output width"):
        Kan([5])


@pytest.mark.parametrize(
    ("samples", "blend", "says"),
    [
        (torch.randn(10, 2), 1.5, "blend"),
        (torch.full((10, 2), float("nan")), 0.02, "finite"),
        (torch.zeros(0, 2), 0.02, "finite"),
        (torch.ones(10, 2), 0.0, "coincide"),
    ],
)
def test_update_grid_refuses_what_gives_no_grid_and_changes_nothing(samples, blend, says):
    layer = KanLinear(2, 2)
    before = layer.grid.clone()
    with pytest.raises(ValueError, match=says):
        layer.update_grid(samples, blend=blend)
    assert torch.equal(layer.grid, before)
