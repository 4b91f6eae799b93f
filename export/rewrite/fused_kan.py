"""fuse_kans: every KAN layer of a model in exact closed form, one matrix product per layer, in a copy of the model.

One file because the algebra, the layer that computes it and the proof of each layer are read side by side.

Why: the Cox-de Boor recursion of `lariqa_train/model/kan.py` compares, casts booleans and multiplies masks. Phones
send such operators back to the CPU or refuse them. The same function needs none of them. With P inputs, O outputs and
n splines per input a layer is

    features = [ silu(x) | B_0(x) | .. | B_{n-1}(x) ]                                          (.., (1 + n) * P)
    y        = features @ weight.T                                                             (.., O)
    weight   = [ base_weight | spline_weight[.., 0] * spline_scaler | .. | spline_weight[.., n-1] * spline_scaler ]

The scaler disappears into the weight (float64, rounded once). Left to say: B_i by add, multiply, abs and relu only.

**Uniform knots** (step h). The spline of order k about its centre c_i is, with v = (x - c_i) / h,

    B_i(x) = 1/k! * sum_{0 <= j < (k+1)/2} (-1)^j * C(k+1, j) * relu((k+1)/2 - j - |v|)^k                       (1)

the truncated powers of the cardinal spline (de Boor, A Practical Guide to Splines, 1978, chapters IX and X), folded
at its axis. Cubic: (relu(2 - |v|)^3 - 4 relu(1 - |v|)^3) / 6. Large powers still cancel in (1): in float32 its error
is 1.7 times that of the recursion for k = 3 and 3.7 times for k = 5. The code sums its intervals instead: 1.0 to 1.1
times for both (measured in tests/test_fused_kan.py). Walk in from the edge: r_j = (k+1)/2 - j, and
w_j = relu(r_j - |v|) - relu(r_{j+1} - |v|) is the share of interval j already walked, 0..1 (r_{j+1} is dropped where it
is not above 0). On it, (1) is the polynomial P_j(w) = 1/k! sum_{i<=j} (-1)^i C(k+1, i)
(w + j - i)^k, and P_j(1) = P_{j+1}(0), so

    B_i(x) = sum_j [ P_j(w_j) - P_j(0) ]              cubic: w_0^3 / 6 + (w_1 + w_1^2 - w_1^3) / 2              (2)

**Any other strictly increasing knots** (after `KanLinear.update_grid`). Let u_m = clamp((x - t_m) / (t_{m+1} - t_m),
0, 1), a ramp per interval. A continuous piecewise polynomial that is 0 at t_i and t_{i+k+1} is its values at the inner
knots, joined by hats, plus one bubble per interval:

    B_i(x) = sum_{j=1..k} B_i(t_{i+j}) * (u_{i+j-1} - u_{i+j})
           + sum_{r=0..k} u_{i+r} * (1 - u_{i+r}) * q_{i,r}(u_{i+r})                                            (3)

If sum_d a_d u^d is B_i on its r-th interval (from the recursion on polynomials, in float64), then
u^d - u = -u (1-u) (1 + u + .. + u^(d-2)) gives q_{i,r} the coefficients q_e = -sum_{d >= e+2} a_d. Left of the support
every u is 0 and right of it every u is 1: hats and bubbles are exactly 0 there, however far away x is. The clamp is
1 - relu(1 - relu(.)), which every runtime has and which survives infinity.

"Uniform" means: the k + 2 knots of each spline lie on a line within UNIFORM_ULPS roundings of the step, in the dtype
of the grid. So float32 knots turned into float64 are no longer uniform, and get (3), which is exact for them.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lariqa.errors import Refusal
from lariqa_train.model.kan import is_kan_linear

UNIFORM_ULPS = 6  # a default float32 grid shows 1 to 2 of them; 6 move a spline by less than 1e-6
PROOF_ULPS = 32  # original against fused layer: roundings allowed, relative to the sum of the terms' sizes


class UniformBases(nn.Module):
    """B-splines on uniform knots by formula (2): (.., P) -> (.., n, P)."""

    def __init__(self, centre: Tensor, inverse_step: Tensor, order: int):
        super().__init__()
        self.register_buffer("centre", centre)  # (n, P)
        self.register_buffer("inverse_step", inverse_step)  # (n, P)
        self.edges = [(order + 1) / 2 - j for j in range((order + 2) // 2)]  # r_j > 0
        self.rises = [_rise(j, order) for j in range(len(self.edges))]  # P_j - P_j(0)

    def forward(self, x: Tensor) -> Tensor:
        """Each spline of each input; exactly 0 outside its support, also for infinite x."""
        distance = ((x.unsqueeze(-2) - self.centre) * self.inverse_step).abs()  # (.., n, P); x*s - c*s would cancel
        within = [F.relu(edge - distance) for edge in self.edges]
        walked = [*(w - further_in for w, further_in in pairwise(within)), within[-1]]
        bases = _rising_polynomial(walked[0], self.rises[0])
        for w, rise in zip(walked[1:], self.rises[1:], strict=True):
            bases = bases + _rising_polynomial(w, rise)
        return bases


class NonuniformBases(nn.Module):
    """B-splines on any increasing knots by formula (3), hats and bubbles: (.., P) -> (.., n, P)."""

    def __init__(self, left: Tensor, inverse_width: Tensor, hats: Tensor, bubbles: Tensor):
        super().__init__()
        self.register_buffer("left", left)  # (n + k, P): t_m
        self.register_buffer("inverse_width", inverse_width)  # (n + k, P)
        self.register_buffer("hats", hats)  # (k, n, P): B_i(t_{i+j}), j = 1 .. k
        self.register_buffer("bubbles", bubbles)  # (k + 1, k - 1, n, P): q_{i,r}, lowest power first

    def forward(self, x: Tensor) -> Tensor:
        """Each spline of each input; exactly 0 outside its support, also for infinite x."""
        k, n = self.hats.shape[:2]
        fall = F.relu(1 - F.relu((x.unsqueeze(-2) - self.left) * self.inverse_width))  # (.., n + k, P): 1 - u
        hat = fall[..., 1:, :] - fall[..., :-1, :]  # (.., n + k - 1, P), 1 at inner knots
        bases = hat[..., :n, :] * self.hats[0]
        for j in range(1, k):
            bases = bases + hat[..., j : j + n, :] * self.hats[j]
        if k == 1:  # straight lines have no bubbles
            return bases
        ramp = 1 - fall
        bubble = ramp * fall
        for r in range(k + 1):
            u, q = ramp[..., r : r + n, :], self.bubbles[r, k - 2]
            for e in range(k - 3, -1, -1):  # Horner
                q = q * u + self.bubbles[r, e]
            bases = bases + bubble[..., r : r + n, :] * q
        return bases


class FusedKanLinear(nn.Module):
    """A frozen KAN layer in closed form: the same function as the layer it was made from, (.., P) -> (.., O).

    Made by `from_kan`. Fuse in the dtype that will run: the constants are computed in float64 and rounded once.
    """

    def __init__(self, base_activation: Callable[[Tensor], Tensor], bases: nn.Module, weight: Tensor):
        super().__init__()
        self.base_activation = base_activation
        self.bases = bases
        self.register_buffer("weight", weight)  # (O, (1 + n) * P): [base | spline 0 | .. | spline n-1]

    @classmethod
    def from_kan(cls, layer: nn.Module, name: str = "the KAN layer") -> "FusedKanLinear":
        """The closed form of one layer, which stays as it is.

        Args:
            layer: a `KanLinear`, or a module with the same attributes (see `is_kan_linear`). `spline_scaler` may be
                missing, and is not used where the layer says `enable_standalone_scale_spline = False`.
            name: what an error calls the layer.

        Raises:
            Refusal: shapes that do not fit together, mixed dtypes, values that are not finite, order below 1, or
                knots that do not increase strictly (the recursion itself divides by zero there).
        """
        base, spline, grid, order = _read(layer, name)
        weight = torch.cat([base.unsqueeze(1), spline.transpose(1, 2)], 1).flatten(1)  # (O, 1+n, P) -> (O, (1+n)*P)

        dtype = layer.base_weight.dtype
        line = _fit_lines(grid, order, torch.finfo(dtype).eps)
        if line is not None:
            centre, step = line
            bases = UniformBases(centre.to(dtype), (1 / step).to(dtype), order)
        else:
            constants = (grid[:, :-1].T, (1 / grid.diff()).T, *_hats_and_bubbles(grid, order))
            bases = NonuniformBases(*(constant.contiguous().to(dtype) for constant in constants))
        if not all(constant.isfinite().all() for constant in bases.buffers()):
            raise Refusal(
                f"the knots of {name} are too close together for {dtype} (narrowest interval "
                f"{grid.diff().min():.4g}); convert the model to a wider dtype before fusing"
            )
        activation = layer.base_activation
        if isinstance(activation, type):  # a layer that keeps the class and calls base_activation()(x)
            activation = activation()
        return cls(activation, bases, weight.to(dtype)).train(layer.training)

    @property
    def form(self) -> str:
        """Which of the two exact forms the knots allow: uniform (2) or nonuniform (3)."""
        return "uniform" if isinstance(self.bases, UniformBases) else "nonuniform"

    def features(self, x: Tensor) -> Tensor:
        """[silu(x) | B_0(x) | .. | B_{n-1}(x)]: (.., P) -> (.., (1 + n) * P)."""
        return torch.cat([self.base_activation(x), self.bases(x).flatten(-2)], -1)

    def forward(self, x: Tensor) -> Tensor:
        """(.., P) -> (.., O)."""
        return F.linear(self.features(x), self.weight)


@dataclass(frozen=True)
class FusedLayer:
    """One replaced layer. Sizes are numbers of stored weights, knots and other constants not counted."""

    name: str  # as in named_modules(); "" if the model itself is the layer
    shared_as: tuple[str, ...]  # further places of the same layer
    in_features: int
    out_features: int
    spline_order: int
    grid_size: int
    form: str  # "uniform" or "nonuniform"
    parameters_before: int
    parameters_after: int
    worst_difference: float  # original against fused on probes around the support, relative to the sum of |terms|


@dataclass(frozen=True)
class FusionReport:
    """What `fuse_kans` replaced; `layers` is empty if the model holds no KAN layer."""

    layers: tuple[FusedLayer, ...]

    @property
    def parameters_before(self) -> int:
        """Weights of the replaced layers."""
        return sum(layer.parameters_before for layer in self.layers)

    @property
    def parameters_after(self) -> int:
        """Weights of the fused layers."""
        return sum(layer.parameters_after for layer in self.layers)

    def summary(self) -> str:
        """One line in all, and one per layer."""
        lines = [
            f"{len(self.layers)} KAN layer(s) fused: {self.parameters_before:,} -> {self.parameters_after:,} weights"
        ]
        for layer in self.layers:
            places = " = ".join(name or "(the model itself)" for name in (layer.name, *layer.shared_as))
            lines.append(
                f"  {places}: {layer.in_features} -> {layer.out_features}, order {layer.spline_order}, "
                f"grid {layer.grid_size} {layer.form}, {layer.parameters_before:,} -> "
                f"{layer.parameters_after:,} weights, worst difference {layer.worst_difference:.1e}"
            )
        return "\n".join(lines)


def fuse_kans(model: nn.Module, allow_nonuniform: bool = True) -> tuple[nn.Module, FusionReport]:
    """A copy of the model with every KAN layer in closed form; each one is compared with its original at once.

    Args:
        model: any module; the KAN layers may be anywhere in its tree, or be the model itself. Left as it is.
        allow_nonuniform: False refuses layers that need formula (3) instead of the shorter (2).

    Returns:
        The copy, and a report with one row per layer. A layer used at several places is fused once and stays shared.

    Raises:
        Refusal: a layer that `FusedKanLinear.from_kan` refuses; a layer that is not uniform, if that is not allowed;
            a layer whose forward computes something else than the formula in `lariqa_train/model/kan.py`.
    """
    fused_model = copy.deepcopy(model)
    places: dict[nn.Module, list[str]] = {}
    for name, module in fused_model.named_modules(remove_duplicate=False):
        if is_kan_linear(module):
            places.setdefault(module, []).append(name)

    fused: dict[nn.Module, FusedKanLinear] = {}
    rows = []
    for layer, (name, *shared_as) in places.items():
        fused[layer] = FusedKanLinear.from_kan(layer, f"KAN layer '{name}'")
        if fused[layer].form == "nonuniform" and not allow_nonuniform:
            steps = layer.grid.diff()
            raise Refusal(
                f"the grid of KAN layer '{name}' is not uniform within {UNIFORM_ULPS} roundings (steps "
                f"{steps.min():.6g}..{steps.max():.6g}); allow non-uniform grids to fuse it"
            )
        difference = _prove(layer, fused[layer], name)
        outputs, inputs, splines = layer.spline_weight.shape
        stored = (layer.base_weight, layer.spline_weight, getattr(layer, "spline_scaler", None))
        before, after = sum(w.numel() for w in stored if w is not None), fused[layer].weight.numel()
        order = int(layer.spline_order)
        rows.append(
            FusedLayer(
                name,
                tuple(shared_as),
                inputs,
                outputs,
                order,
                splines - order,
                fused[layer].form,
                before,
                after,
                difference,
            )
        )

    for parent in list(fused_model.modules()):
        for child_name, child in parent._modules.items():  # named_children() skips the second place of a child
            if child in fused:
                parent._modules[child_name] = fused[child]
    return fused.get(fused_model, fused_model), FusionReport(tuple(rows))


@torch.no_grad()
def _prove(layer: nn.Module, fused: FusedKanLinear, name: str) -> float:
    """Worst |original - fused| over 64 probes per input, relative to the largest sum of |terms|; refuses a large one.

    It finds layers that only look like the formula: one more norm, bias or dropout in a forward of their own.
    """
    was_training = layer.training
    layer.eval()
    fused.eval()
    grid = layer.grid
    column = torch.arange(grid.shape[0], device=grid.device, dtype=torch.float64)
    probe = torch.arange(64, device=grid.device, dtype=torch.float64).unsqueeze(-1)
    share = (probe + column * 0.618034) % 64 / 64 * 1.5 - 0.25  # (64, P) in -0.25 .. 1.25 of the support
    x = (grid[:, 0] + share * (grid[:, -1] - grid[:, 0])).to(grid.dtype)
    got, expected = fused(x).double(), layer(x).double()
    size = F.linear(fused.features(x).abs(), fused.weight.abs()).double().max()
    fused.train(was_training)
    if got.shape != expected.shape:
        raise Refusal(
            f"KAN layer '{name}' gives {tuple(expected.shape)} where the KAN formula gives "
            f"{tuple(got.shape)}: it computes something else and cannot be fused"
        )
    difference = float((got - expected).abs().max() / size.clamp_min(torch.finfo(torch.float64).tiny))
    limit = PROOF_ULPS * torch.finfo(grid.dtype).eps
    if not difference <= limit:
        raise Refusal(
            f"KAN layer '{name}' differs from the KAN formula by {difference:.2e} of its size (limit "
            f"{limit:.2e}): its forward computes something else and cannot be fused"
        )
    return difference


def _read(layer: nn.Module, name: str) -> tuple[Tensor, Tensor, Tensor, int]:
    """base (O, P), spline with its scaler (O, P, n), grid (P, n + k + 1), all float64, and the order k; or refuses."""
    order = int(layer.spline_order)
    if order < 1:
        raise Refusal(
            f"{name} has splines of order {order}, a staircase that no comparison-free form can give; "
            "fuse_kans needs order 1 or more"
        )
    tensors = {"base_weight": layer.base_weight, "spline_weight": layer.spline_weight, "grid": layer.grid}
    scaler = getattr(layer, "spline_scaler", None)
    if scaler is not None and getattr(layer, "enable_standalone_scale_spline", True):
        tensors["spline_scaler"] = scaler

    shapes = {what: tuple(tensor.shape) for what, tensor in tensors.items()}
    outputs, inputs, splines = (*shapes["spline_weight"], 0, 0, 0)[:3]
    fitting = {
        "base_weight": (outputs, inputs),
        "spline_weight": (outputs, inputs, splines),
        "grid": (inputs, splines + order + 1),
        "spline_scaler": (outputs, inputs),
    }
    if 0 in fitting["spline_weight"] or any(shape != fitting[what] for what, shape in shapes.items()):
        raise Refusal(
            f"the shapes of {name} do not fit together: {shapes}; expected base_weight (out, in), "
            f"spline_weight (out, in, n), grid (in, n + {order + 1}) and, if any, spline_scaler (out, in)"
        )
    dtypes = {what: tensor.dtype for what, tensor in tensors.items()}
    if len(set(dtypes.values())) > 1 or not layer.grid.is_floating_point():
        raise Refusal(f"{name} needs one floating dtype, got {dtypes}; convert the model first")
    for what, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise Refusal(f"{what} of {name} holds values that are not finite")
    wide = {what: tensor.detach().double() for what, tensor in tensors.items()}
    stuck = (wide["grid"].diff() <= 0).any(-1).nonzero()
    if len(stuck):
        row = int(stuck[0])
        knots = ", ".join(f"{knot:.6g}" for knot in wide["grid"][row].tolist())
        raise Refusal(
            f"the knots of {name} must increase strictly, but those of input {row} are [{knots}]; "
            "rebuild its grid (for instance update_grid with a larger blend)"
        )
    spline = wide["spline_weight"]
    if "spline_scaler" in wide:
        spline = spline * wide["spline_scaler"].unsqueeze(-1)
    return wide["base_weight"], spline, wide["grid"], order


def _fit_lines(grid: Tensor, order: int, epsilon: float) -> tuple[Tensor, Tensor] | None:
    """Centre and step of each spline, both (n, P), if the k + 2 knots of every one lie on a line; else None.

    Args:
        grid: (P, n + k + 1) float64.
        order: k.
        epsilon: relative rounding of the dtype in which the grid was stored.
    """
    knots = grid.unfold(-1, order + 2, 1)  # (P, n, k + 2)
    left = knots[..., :1]
    knots = knots - left  # near 0, so that the fit adds no rounding of its own
    steps = torch.arange(order + 2, dtype=grid.dtype, device=grid.device) - (order + 1) / 2
    mean = knots.mean(-1, keepdim=True)  # least squares: offset ..
    step = (knots * steps).sum(-1, keepdim=True) / steps.square().sum()  # .. and slope
    if ((knots - mean - step * steps).abs() > UNIFORM_ULPS * epsilon * step).any():
        return None
    return (left + mean).squeeze(-1).T.contiguous(), step.squeeze(-1).T.contiguous()


def _rise(j: int, order: int) -> list[float]:
    """Coefficients of w, w^2 .. w^k in P_j(w) of formula (2); integers over k!, so rounded once."""

    def integer(d: int) -> int:
        powers = ((-1) ** i * math.comb(order + 1, i) * (j - i) ** (order - d) for i in range(j + 1))
        return math.comb(order, d) * sum(powers)

    return [integer(d) / math.factorial(order) for d in range(1, order + 1)]


def _rising_polynomial(w: Tensor, coefficients: list[float]) -> Tensor:
    """sum_d coefficients[d-1] * w^d by Horner: exactly 0 at w = 0, multiplications only."""
    result = w * coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        result = (result + coefficient if coefficient else result) * w
    return result


def _hats_and_bubbles(grid: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """The constants of formula (3), from the Cox-de Boor recursion on polynomials.

    Args:
        grid: (P, n + k + 1) float64, strictly increasing.
        order: k.

    Returns:
        hats (k, n, P) and bubbles (k + 1, k - 1, n, P).
    """
    t, width = grid, grid.diff()
    # pieces[r]: (P, splines, d + 1), spline i on its r-th interval as coefficients of 1, u .. u^d
    pieces = [torch.ones_like(width).unsqueeze(-1)]
    for d in range(1, order + 1):
        count = t.shape[-1] - d - 1  # splines of order d
        up, down = t[:, d : d + count] - t[:, :count], t[:, d + 1 :] - t[:, 1 : 1 + count]
        higher = []
        for r in range(d + 1):
            start, w = t[:, r : r + count], width[:, r : r + count]  # on interval i + r: x = start + w * u
            piece = torch.zeros(*start.shape, d + 1, dtype=t.dtype, device=t.device)
            if r < d:  # + (x - t_i) / (t_{i+d} - t_i) * B_{i,d-1}
                below = pieces[r][:, :count]
                piece[..., :-1] += ((start - t[:, :count]) / up).unsqueeze(-1) * below
                piece[..., 1:] += (w / up).unsqueeze(-1) * below
            if r > 0:  # + (t_{i+d+1} - x) / (t_{i+d+1} - t_{i+1}) * B_{i+1,d-1}
                below = pieces[r - 1][:, 1:]
                piece[..., :-1] += ((t[:, d + 1 :] - start) / down).unsqueeze(-1) * below
                piece[..., 1:] -= (w / down).unsqueeze(-1) * below
            higher.append(piece)
        pieces = higher
    a = torch.stack(pieces)  # (k + 1, P, n, k + 1)
    tails = a.flip(-1).cumsum(-1).flip(-1)  # [.., e] = sum_{d >= e} a_d
    return a[1:, ..., 0].transpose(1, 2), -tails[..., 2:].permute(0, 3, 2, 1)
