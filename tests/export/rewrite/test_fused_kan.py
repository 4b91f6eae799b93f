"""The fused KAN against the recursion, in numbers, and against exact fractions; then what it does to whole models.

Every limit below is relative to a *scale*: the sum of the sizes of the terms that a layer adds,

    scale_o = sum_p |base_weight[o,p] * silu(x_p)|  +  sum_{p, touched i} |spline_weight[o,p,i] * spline_scaler[o,p]|

where spline i is touched if x_p lies in its support (0 <= B_i <= 1 there), edges included to within a rounding. It is
a scale of addends, not of the result, because addends may cancel; and it counts a touched spline with its full height,
because x and the knots carry a rounding each, which moves x within the spline, be B_i(x) large or small.
"""

import copy
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from export.rewrite.fused_kan import FusedKanLinear, NonuniformBases, UniformBases, fuse_kans
from lariqa_train.model.kan import Kan, KanLinear, cox_de_boor

FLOAT64_LIMIT = 1e-12  # of scale
FLOAT32_LIMIT = 1e-6  # of scale, against the float64 reference on the same knots and weights

GRIDS = [(5, (-1.0, 1.0)), (3, (0.0, 1.0)), (8, (-2.0, 2.0)), (20, (-1.0, 1.0)), (5, (9.0, 11.0)), (12, (-7.0, 30.0))]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """The tensors are tiny: more threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def lively(layer: KanLinear, generator: torch.Generator) -> KanLinear:
    """Weights of order 1, so that every term shows in the output."""
    with torch.no_grad():
        for weight in layer.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator, dtype=torch.float64))
    return layer


def adapted(layer: KanLinear, generator: torch.Generator) -> KanLinear:
    """Knots moved to the quantiles of skewed data: steps that differ by a factor of several."""
    k = layer.spline_order
    lo, hi = layer.grid[:, k].double(), layer.grid[:, -k - 1].double()
    share = torch.rand(200, layer.in_features, generator=generator, dtype=torch.float64) ** 3
    layer.update_grid(lo + (hi - lo) * share)
    return layer


def hard_inputs(layer: KanLinear, generator: torch.Generator, count: int = 200) -> torch.Tensor:
    """Random points in and around the support, every knot, its two neighbours in floating point, and far away."""
    grid = layer.grid
    knots, infinity = grid.T, torch.full_like(grid.T, torch.inf)
    spread = torch.rand(count, layer.in_features, generator=generator, dtype=torch.float64).to(grid.dtype) * 1.4 - 0.2
    inside = grid[:, 0] + spread * (grid[:, -1] - grid[:, 0])
    far = torch.tensor([1e3, -1e3, 1e6, -1e6], dtype=grid.dtype).unsqueeze(-1).expand(-1, layer.in_features)
    return torch.cat([inside, knots, torch.nextafter(knots, infinity), torch.nextafter(knots, -infinity), far])


def scale(layer64: nn.Module, x64: torch.Tensor, roundings: float) -> torch.Tensor:
    """(N, in) -> (N, out): the scale of the module docstring."""
    k, grid = layer64.spline_order, layer64.grid
    hair = roundings * grid.abs().amax(-1, keepdim=True)  # (in, 1)
    x = x64.unsqueeze(-1)
    touched = ((x >= grid[:, : -k - 1] - hair) & (x <= grid[:, k + 1 :] + hair)).to(x.dtype)  # (N, in, n)
    heights = (layer64.spline_weight * layer64.spline_scaler.unsqueeze(-1)).abs()
    base = F.linear(layer64.base_activation(x64).abs(), layer64.base_weight.abs())
    return base + F.linear(touched.flatten(-2), heights.flatten(-2))


@torch.no_grad()
def worst_of_scale(fused: nn.Module, layer: KanLinear, x: torch.Tensor) -> float:
    """max |fused(x) - float64 recursion| / scale; asserts first that the outputs say something."""
    layer64 = copy.deepcopy(layer).double()
    expected = layer64(x.double())
    assert expected.isfinite().all()
    assert (expected.std(0) > 1e-3).all(), "a constant would prove nothing"
    size = scale(layer64, x.double(), 4 * torch.finfo(x.dtype).eps).clamp_min(1e-300)
    return float(((fused(x).double() - expected).abs() / size).max())


@pytest.mark.parametrize("form", ["uniform", "adapted"])
@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("grid_size", "grid_range"), GRIDS)
def test_a_fused_layer_is_the_recursion_to_within_rounding(grid_size, grid_range, order, form):
    generator = torch.Generator().manual_seed(order)
    for dtype, limit in ((torch.float64, FLOAT64_LIMIT), (torch.float32, FLOAT32_LIMIT)):
        layer = KanLinear(7, 5, grid_size, order, grid_range, dtype=dtype)
        if form == "adapted":
            adapted(layer, generator)
        lively(layer, generator)
        fused = FusedKanLinear.from_kan(layer)
        assert fused.weight.dtype == dtype
        assert worst_of_scale(fused, layer, hard_inputs(layer, generator)) <= limit
        if form == "adapted":
            assert fused.form == "nonuniform"
            assert layer.grid.diff().amax() > 3 * layer.grid.diff().amin()


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    order=st.integers(1, 5),
    grid_size=st.integers(1, 12),
    lo=st.floats(-10, 10),
    width=st.floats(0.1, 20),
    inputs=st.integers(1, 6),
    outputs=st.integers(1, 4),
    adapt=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 2**31),
)
def test_any_fused_layer_is_the_recursion_to_within_rounding(
    order, grid_size, lo, width, inputs, outputs, adapt, dtype, seed
):
    generator = torch.Generator().manual_seed(seed)
    layer = KanLinear(inputs, outputs, grid_size, order, (lo, lo + width), dtype=dtype)
    if adapt:
        adapted(layer, generator)
    lively(layer, generator)
    limit = FLOAT64_LIMIT if dtype == torch.float64 else FLOAT32_LIMIT
    assert worst_of_scale(FusedKanLinear.from_kan(layer), layer, hard_inputs(layer, generator)) <= limit


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    order=st.integers(1, 4),
    knots=st.lists(st.integers(-64, 64), min_size=7, max_size=9, unique=True),
    where=st.integers(-80 * 8, 80 * 8),
)
def test_the_nonuniform_bases_agree_with_exact_fractions(order, knots, where):
    exact = [Fraction(knot, 8) for knot in sorted(knots)]  # exact in float64, and so is x
    x = Fraction(where, 64)
    got = bases_on([float(knot) for knot in exact], order, float(x))
    expected = [float(exact_spline(exact, i, order, x)) for i in range(len(exact) - order - 1)]
    torch.testing.assert_close(got, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-13)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(order=st.integers(1, 5), start=st.integers(-40, 40), step=st.integers(1, 16), where=st.integers(-2000, 2000))
def test_the_uniform_bases_agree_with_exact_fractions(order, start, step, where):
    exact = [Fraction(start + step * m, 8) for m in range(order + 5)]
    x = Fraction(where, 64)
    got = bases_on([float(knot) for knot in exact], order, float(x), UniformBases)
    expected = [float(exact_spline(exact, i, order, x)) for i in range(4)]
    torch.testing.assert_close(got, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-13)


def exact_spline(knots: list[Fraction], i: int, order: int, x: Fraction) -> Fraction:
    """B_i by de Boor's divided difference, no recursion: (t_{i+k+1} - t_i) sum_m relu(t_m - x)^k / prod (t_m - t_l)."""
    own = knots[i : i + order + 2]
    total = Fraction(0)
    for t in own:
        product = Fraction(1)
        for other in own:
            if other != t:
                product *= t - other
        total += max(t - x, Fraction(0)) ** order / product
    return (own[-1] - own[0]) * total


def bases_on(knots: list[float], order: int, x: float, form: type[nn.Module] | None = None) -> torch.Tensor:
    layer = KanLinear(1, 1, 1, order, dtype=torch.float64)
    layer.grid = torch.tensor([knots], dtype=torch.float64)
    layer.spline_weight = nn.Parameter(torch.ones(1, 1, len(knots) - order - 1, dtype=torch.float64))
    bases = FusedKanLinear.from_kan(layer).bases
    assert form is None or isinstance(bases, form)
    return bases(torch.tensor([x], dtype=torch.float64))[:, 0]


@pytest.mark.parametrize("form", ["uniform", "adapted"])
@pytest.mark.parametrize("widths", [[6, 4, 3], [6, 5, 4, 2]])
def test_a_fused_chain_of_layers_is_the_chain_to_within_rounding(widths, form):
    generator = torch.Generator().manual_seed(len(widths))
    x = torch.randn(300, widths[0], generator=generator, dtype=torch.float64)
    for dtype, limit in ((torch.float64, FLOAT64_LIMIT), (torch.float32, FLOAT32_LIMIT)):
        kan = Kan(widths, dtype=dtype)
        with torch.no_grad():
            for layer in kan.layers:
                if form == "adapted":
                    adapted(layer, generator)
                lively(layer, generator)
                layer.spline_scaler.div_(layer.in_features)  # as a trained layer: outputs about as large as inputs
                layer.base_weight.div_(layer.in_features)
            kan64 = copy.deepcopy(kan).double()
            x64 = x.to(dtype).double()
            expected, size = x64, torch.zeros(1, dtype=torch.float64)
            for layer in kan64.layers:  # its own terms, and the errors before it grown by its steepest slope
                size = scale(layer, expected, 0.0).amax() + steepest(layer) * size
                expected = layer(expected)
            assert (expected.std(0) > 0.01).all()
            fused, report = fuse_kans(kan)
            assert len(report.layers) == len(widths) - 1
            assert float((fused(x.to(dtype)).double() - expected).abs().max() / size) <= limit


def steepest(layer64: KanLinear) -> torch.Tensor:
    """Largest change of any output per change of all inputs: |silu'| < 1.1, and de Boor's derivative formula."""
    k, t = layer64.spline_order, layer64.grid
    coefficients = layer64.spline_weight * layer64.spline_scaler.unsqueeze(-1)  # (out, in, n)
    slopes = k * coefficients.diff() / (t[:, k + 1 : -1] - t[:, 1 : -k - 1])  # of the curve: a spline of order k - 1
    return (1.1 * layer64.base_weight.abs() + slopes.abs().amax(-1)).sum(-1).amax()


@pytest.mark.parametrize(
    ("order", "as_meant", "as_stored"),  # limits of the ratio; an even order pays for centres between two knots
    [(1, 1.5, 1.6), (2, 1.9, 2.3), (3, 1.1, 1.2), (4, 1.1, 1.3), (5, 1.1, 1.1)],
)
def test_in_float32_the_fused_splines_err_about_as_little_as_the_recursion(order, as_meant, as_stored):
    """Splines alone. The knots mean -1 + 0.4 m, which float32 cannot hold: the reference may take them either way."""
    generator = torch.Generator().manual_seed(0)
    layer = KanLinear(1, 64, 5, order)
    with torch.no_grad():
        lively(layer, generator).base_weight.zero_()
        stored, ideal = copy.deepcopy(layer).double(), copy.deepcopy(layer).double()
        ideal.grid.copy_(-1 + 0.4 * torch.arange(-order, 6 + order, dtype=torch.float64))
        fused = FusedKanLinear.from_kan(layer)
        assert fused.form == "uniform"
        x = torch.rand(20_000, 1, generator=generator) * (2 + 0.8 * order) - 1 - 0.4 * order
        for knots, reference, limit in (("meant", ideal, as_meant), ("stored", stored, as_stored)):
            expected = reference(x.double())
            assert expected.std() > 0.1
            ours, theirs = ((layer(x) - expected).square().mean().sqrt() for layer in (fused, layer))
            print(f"order {order}, knots as {knots}: rms {ours:.1e}, recursion {theirs:.1e}, ratio {ours / theirs:.2f}")
            assert 0 < theirs < 1e-6
            assert ours <= limit * theirs


@pytest.mark.parametrize("order", [1, 3])
def test_a_grid_born_in_float32_is_exact_in_float64_too(order):
    generator = torch.Generator().manual_seed(0)
    layer = lively(KanLinear(7, 5, 5, order), generator)
    assert FusedKanLinear.from_kan(layer).form == "uniform"
    layer = layer.double()  # the knots are off the straight line by 1e-8 now
    fused = FusedKanLinear.from_kan(layer)
    assert fused.form == "nonuniform"
    assert worst_of_scale(fused, layer, hard_inputs(layer, generator)) <= FLOAT64_LIMIT


def test_rows_may_have_their_own_centre_and_step_but_one_bent_row_makes_the_layer_nonuniform():
    generator = torch.Generator().manual_seed(0)
    layer = KanLinear(3, 2, 5, 3, dtype=torch.float64)
    layer.grid.mul_(torch.tensor([[1.0], [0.3], [5.0]])).add_(torch.tensor([[0.0], [1.0], [-2.0]]))
    lively(layer, generator)
    fused = FusedKanLinear.from_kan(layer)
    assert fused.form == "uniform"
    assert worst_of_scale(fused, layer, hard_inputs(layer, generator)) <= FLOAT64_LIMIT

    layer.grid[1, 4] += 1e-6
    bent = FusedKanLinear.from_kan(layer)
    assert bent.form == "nonuniform"
    x = hard_inputs(layer, generator)
    assert worst_of_scale(bent, layer, x) <= FLOAT64_LIMIT
    assert worst_of_scale(fused, layer, x) > 1e-8, "the limit must tell the two grids apart"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("adapt", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_bases_are_exactly_zero_outside_their_support_however_far(order, adapt, dtype):
    generator = torch.Generator().manual_seed(0)
    layer = KanLinear(4, 2, 5, order, dtype=dtype)
    if adapt:
        adapted(layer, generator)
    fused = FusedKanLinear.from_kan(lively(layer, generator))
    assert fused.form == ("nonuniform" if adapt else "uniform")
    grid = layer.grid
    inside = (grid[:, 0] + grid[:, -1]) / 2
    assert fused.bases(inside).sum() > 0.5 * layer.in_features

    largest = torch.finfo(dtype).max
    distances = torch.tensor([1e-5, 1.0, 1e3, 1e6, 1e30, largest / 2, torch.inf], dtype=dtype).unsqueeze(-1)
    outside = torch.cat([grid[:, 0] - distances, grid[:, -1] + distances])
    assert torch.equal(fused.bases(outside), torch.zeros(14, 5 + order, 4, dtype=dtype))
    assert fused(outside[outside.isfinite().all(-1)].clamp(-1e30, 1e30)).isfinite().all()


class ForeignKanLinear(nn.Module):
    """Somebody else's layer: no scaler, GELU, a shifted grid, a forward of its own."""

    def __init__(self, inputs: int, outputs: int, activation=None):
        super().__init__()
        self.spline_order = 2
        self.register_buffer("grid", (torch.arange(10.0) * 0.5 - 1.7).repeat(inputs, 1))
        self.base_weight = nn.Parameter(torch.randn(outputs, inputs))
        self.spline_weight = nn.Parameter(torch.randn(outputs, inputs, 7))
        self.base_activation = activation or nn.GELU()

    def activate(self, x):
        return self.base_activation()(x) if isinstance(self.base_activation, type) else self.base_activation(x)

    def forward(self, x):
        splines = torch.einsum("bpn,opn->bo", cox_de_boor(x, self.grid, self.spline_order), self.spline_weight)
        return F.linear(self.activate(x), self.base_weight) + splines


class SwitchedScaler(ForeignKanLinear):
    """Holds a scaler that it uses or not."""

    def __init__(self, used: bool):
        super().__init__(4, 3)
        self.enable_standalone_scale_spline = used
        self.spline_scaler = nn.Parameter(torch.randn(3, 4))

    def forward(self, x):
        scaler = self.spline_scaler if self.enable_standalone_scale_spline else torch.ones(3, 4)
        bases = cox_de_boor(x, self.grid, self.spline_order)
        curves = torch.einsum("bpn,opn,op->bo", bases, self.spline_weight, scaler)
        return F.linear(self.activate(x), self.base_weight) + curves


class Normed(ForeignKanLinear):
    """Looks like the formula, but normalises its input first."""

    def forward(self, x):
        return super().forward(F.layer_norm(x, x.shape[-1:]))


class Dropped(ForeignKanLinear):
    """Drops inputs, in training only."""

    def forward(self, x):
        return super().forward(F.dropout(x, 0.5, self.training))


FOREIGN = {
    "no scaler and GELU": lambda: ForeignKanLinear(4, 3),
    "activation kept as a class": lambda: ForeignKanLinear(4, 3, nn.Tanh),
    "activation kept as a function": lambda: ForeignKanLinear(4, 3, torch.sin),
    "scaler switched on": lambda: SwitchedScaler(True),
    "scaler switched off": lambda: SwitchedScaler(False),
    "dropout while training": lambda: Dropped(4, 3),
}


@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN.keys())
def test_foreign_layers_are_fused_as_they_are(make):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), make())
    fused, report = fuse_kans(model)
    assert [layer.name for layer in report.layers] == ["1"]
    assert isinstance(fused[1], FusedKanLinear)
    x = torch.randn(50, 4)
    expected = model.eval()(x)
    assert expected.std() > 0.5
    torch.testing.assert_close(fused.eval()(x), expected, rtol=0, atol=2e-5)


def test_a_layer_that_computes_something_else_is_refused():
    torch.manual_seed(0)
    with pytest.raises(ValueError, match="'head' differs from the KAN formula"):
        fuse_kans(nn.ModuleDict({"head": Normed(4, 3)}))


class Branches(nn.Module):
    """Layers in a list, in a dictionary, as an attribute; one of them in two places."""

    def __init__(self):
        super().__init__()
        self.reduce = nn.ModuleList([KanLinear(5, 4), KanLinear(5, 4, grid_size=3, spline_order=2)])
        self.tools = nn.ModuleDict({"score": KanLinear(4, 2)})
        self.again = self.reduce[0]
        self.inner = nn.Sequential(self.reduce[0], nn.Tanh(), Kan([4, 5]), self.reduce[0])

    def forward(self, x):
        return self.tools["score"](self.reduce[0](x) + self.reduce[1](x) + self.again(x) + self.inner(x))


def test_every_layer_anywhere_is_replaced_and_a_shared_one_stays_shared():
    torch.manual_seed(0)
    model = Branches()
    fused, report = fuse_kans(model)
    assert not any(isinstance(module, KanLinear) for module in fused.modules())
    assert [(row.name, row.shared_as) for row in report.layers] == [
        ("reduce.0", ("again", "inner.0", "inner.3")),
        ("reduce.1", ()),
        ("tools.score", ()),
        ("inner.2.layers.0", ()),
    ]
    assert fused.reduce[0] is fused.again is fused.inner[0] is fused.inner[3]
    x = torch.randn(20, 5)
    assert model(x).std() > 0.01
    torch.testing.assert_close(fused(x), model(x), rtol=0, atol=1e-6)


def test_the_original_stays_as_it_is_and_shares_no_memory():
    torch.manual_seed(0)
    model = Branches().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    x = torch.randn(6, 5)
    expected = model(x)
    fused, _ = fuse_kans(model)
    assert fused is not model
    assert all(module.training for module in fused.modules())
    assert not list(fused.parameters())
    assert not any(buffer.requires_grad for buffer in fused.buffers())
    for buffer in fused.buffers():
        buffer.zero_()
    assert isinstance(model.reduce[0], KanLinear)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(module.training for module in model.modules())
    assert torch.equal(model(x), expected)


def test_the_model_itself_may_be_the_layer():
    torch.manual_seed(0)
    layer = KanLinear(4, 3).eval()
    fused, report = fuse_kans(layer)
    assert isinstance(fused, FusedKanLinear)
    assert not fused.training
    assert "(the model itself): 4 -> 3, order 3, grid 5 uniform" in report.summary()
    x = torch.randn(2, 5, 4)
    assert layer(x).std() > 0.01
    torch.testing.assert_close(fused(x), layer(x), rtol=0, atol=1e-6)


def test_a_model_without_kan_layers_gives_an_empty_report():
    model = nn.Sequential(nn.Linear(3, 2))
    fused, report = fuse_kans(model)
    assert report.layers == ()
    assert report.parameters_before == report.parameters_after == 0
    assert report.summary().startswith("0 KAN layer(s) fused")
    assert fused is not model
    assert torch.equal(fused(torch.ones(1, 3)), model(torch.ones(1, 3)))


def test_fusing_twice_finds_nothing_more():
    _, report = fuse_kans(fuse_kans(Kan([3, 2]))[0])
    assert report.layers == ()


def test_the_heads_of_the_paper_lose_their_scalers():
    """Section 4.5: 1000 -> 512 for each of two branches, then 1024 -> 1; 10 stored weights per edge become 9."""
    reduce, score = KanLinear(1000, 512), KanLinear(1024, 1)
    _, report = fuse_kans(nn.ModuleDict({"authentic": reduce, "synthetic": copy.deepcopy(reduce), "score": score}))
    assert report.parameters_before == 10_250_240
    assert report.parameters_after == 9_225_216
    assert [row.form for row in report.layers] == ["uniform"] * 3
    assert all(0 < row.worst_difference < FLOAT32_LIMIT for row in report.layers)
    assert report.summary().count("\n") == 3
    assert "authentic: 1000 -> 512, order 3, grid 5 uniform, 5,120,000 -> 4,608,000 weights" in report.summary()


def test_nonuniform_grids_are_refused_on_request():
    generator = torch.Generator().manual_seed(0)
    model = nn.ModuleDict({"plain": KanLinear(3, 2), "moved": KanLinear(3, 2)})
    assert len(fuse_kans(model, allow_nonuniform=False)[1].layers) == 2
    adapted(model["moved"], generator)
    with pytest.raises(ValueError, match=r"'moved' is not uniform .* \(steps "):
        fuse_kans(model, allow_nonuniform=False)
    assert [row.form for row in fuse_kans(model)[1].layers] == ["uniform", "nonuniform"]


def broken(**changes) -> nn.Module:
    layer = KanLinear(3, 2)
    for name, change in changes.items():
        value = change(getattr(layer, name))
        if name in layer._parameters:
            value = nn.Parameter(value)
        setattr(layer, name, value)
    return nn.ModuleDict({"head": layer})


def moved_knot(by: float):
    def move(grid):
        grid = grid.clone()
        grid[1, 5] = grid[1, 4] + by
        return grid

    return move


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (broken(grid=moved_knot(0.0)), r"knots of KAN layer 'head' must increase strictly.*input 1 are \[-2.2, "),
        (broken(grid=moved_knot(-0.1)), r"knots of KAN layer 'head' must increase strictly.*input 1 are \[-2.2, "),
        (broken(grid=moved_knot(1e-44)), "increase strictly"),
        (broken(grid=lambda g: g * 1e-39), "too close together for torch.float32"),
        (broken(grid=lambda g: g[:, :-1]), "shapes of KAN layer 'head' do not fit"),
        (broken(grid=lambda g: g[0]), "shapes of KAN layer 'head' do not fit"),
        (broken(base_weight=lambda w: w.T), "shapes of KAN layer 'head' do not fit"),
        (broken(spline_weight=lambda w: w[..., :-1]), "shapes of KAN layer 'head' do not fit"),
        (broken(spline_weight=lambda w: w[..., 0]), "shapes of KAN layer 'head' do not fit"),
        (broken(spline_scaler=lambda w: w[:, :1]), "shapes of KAN layer 'head' do not fit"),
        (broken(spline_order=lambda k: 0), "order 0"),
        (broken(grid=lambda g: g.double()), "one floating dtype"),
        (broken(base_weight=lambda w: w * torch.nan), "base_weight of KAN layer 'head' holds .* not finite"),
        (broken(grid=lambda g: g / 0), "grid of KAN layer 'head' holds .* not finite"),
    ],
)
def test_layers_that_cannot_be_fused_are_refused_with_a_sentence(model, says):
    with pytest.raises(ValueError, match=says):
        fuse_kans(model)


FORBIDDEN_ONNX = {
    "Cast", "CastLike", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Not", "Xor", "Where",
    "If", "Loop", "Scan", "NonZero", "Compress", "Gather", "GatherElements", "GatherND", "ScatterND", "ScatterElements",
    "IsNaN", "IsInf", "Range", "Pow",
}  # fmt: skip
FORBIDDEN_ATEN = {
    "eq", "ne", "lt", "le", "gt", "ge", "isnan", "isinf", "logical_and", "logical_or", "logical_not", "bitwise_and",
    "bitwise_or", "bitwise_not", "where", "to", "_to_copy", "type_as", "gather", "index", "index_select",
    "searchsorted", "bucketize", "nonzero", "masked_fill", "pow", "while_loop", "cond", "scan",
}  # fmt: skip


def aten_names(program) -> set[str]:
    """Operators by their plain names: aten.ge.Tensor -> ge."""
    calls = (str(node.target) for node in program.graph.nodes if node.op == "call_function")
    return {call.removeprefix("aten.").split(".")[0] for call in calls}


def model_to_export(adapt: bool, order: int) -> Kan:
    generator = torch.Generator().manual_seed(order)
    kan = Kan([6, 4, 2], spline_order=order)
    for layer in kan.layers:
        lively(adapted(layer, generator) if adapt else layer, generator)
    return kan.eval()


@pytest.mark.parametrize("adapt", [False, True])
@pytest.mark.parametrize("order", [1, 3, 4])
def test_torch_export_sees_no_comparison_boolean_cast_gather_or_loop(order, adapt):
    kan = model_to_export(adapt, order)
    x = torch.randn(5, 6)
    program = torch.export.export(fuse_kans(kan)[0], (x,)).run_decompositions({})
    names = aten_names(program)
    assert {"relu", "mul", "sub", "cat"} <= names
    assert not names & FORBIDDEN_ATEN, names
    assert kan(x).std() > 0.1
    torch.testing.assert_close(program.module()(x), kan(x), rtol=1e-4, atol=1e-4)

    recursion = aten_names(torch.export.export(kan, (x,)))
    assert {"ge", "lt"} <= recursion & FORBIDDEN_ATEN, "the check must see what the recursion needs"


@pytest.mark.parametrize(("adapt", "batch"), [(False, "fixed"), (True, "fixed"), (False, "any")])
def test_onnx_has_no_comparison_boolean_cast_gather_or_loop(adapt, batch, tmp_path):
    pytest.importorskip("onnx", reason="the ONNX extra is not installed")
    pytest.importorskip("onnxscript", reason="the ONNX extra is not installed")
    kan = model_to_export(adapt, 3)
    x = torch.randn(5, 6)
    dynamic = {"x": {0: torch.export.Dim("batch")}} if batch == "any" else None
    program = torch.onnx.export(fuse_kans(kan)[0], (x,), dynamo=True, dynamic_shapes=dynamic, verbose=False)
    operators = {node.op_type for node in program.model_proto.graph.node}
    print(f"{'nonuniform' if adapt else 'uniform'}: {sorted(operators)}")
    assert {"Relu", "Mul", "Sub", "Concat"} <= operators
    assert not operators & FORBIDDEN_ONNX, operators

    runtime = pytest.importorskip("onnxruntime", reason="the ONNX extra is not installed")
    program.save(tmp_path / "kan.onnx")
    session = runtime.InferenceSession(tmp_path / "kan.onnx", providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    expected = kan(x)
    assert expected.std() > 0.1
    torch.testing.assert_close(torch.from_numpy(got), expected, rtol=1e-4, atol=1e-4)


def test_the_two_forms_are_one_function_where_both_apply():
    """Exactly uniform knots, given to formula (3) as well: the same splines by two roads."""
    layer = KanLinear(2, 1, 8, 3, (-2.0, 2.0), dtype=torch.float64)
    uniform = FusedKanLinear.from_kan(layer).bases
    layer.grid[:, 6] += 1e-9
    nonuniform = FusedKanLinear.from_kan(layer).bases
    assert isinstance(uniform, UniformBases)
    assert isinstance(nonuniform, NonuniformBases)
    x = torch.linspace(-5, 5, 301, dtype=torch.float64).unsqueeze(-1).expand(-1, 2)
    assert (uniform(x).amax(0) > 0.5).all()
    torch.testing.assert_close(nonuniform(x), uniform(x), rtol=0, atol=2e-8)
