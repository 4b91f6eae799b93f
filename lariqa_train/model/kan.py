"""KanLinear and Kan: the reference Kolmogorov-Arnold layer, written like the formula. The oracle for every rewrite.

A layer maps x in R^in to y in R^out. Each edge (input p, output o) carries its own learnable curve, the "residual
activation function" of the LAR-IQA paper (section 2.3), here with the weights that the released networks train:

    y_o = sum_p [ base_weight[o,p] * silu(x_p)  +  spline_scaler[o,p] * sum_i spline_weight[o,p,i] * B_i(x_p) ]

B_i is the B-spline of order k (polynomial degree k) on the knots t_i .. t_{i+k+1}. Cox-de Boor recursion
(C. de Boor, A Practical Guide to Splines, 1978, chapters IX and X), with half-open intervals:

    B_{i,0}(x) = 1 if t_i <= x < t_{i+1} else 0
    B_{i,d}(x) = (x - t_i) / (t_{i+d} - t_i) * B_{i,d-1}(x)
               + (t_{i+d+1} - x) / (t_{i+d+1} - t_{i+1}) * B_{i+1,d-1}(x)

A grid of G intervals on [lo, hi] is extended by k knots on each side: G + 2k + 1 knots and n = G + k splines.
On [lo, hi] = [t_k, t_{k+G}] (the core) the splines sum to 1; on [t_0, t_{G+2k}] (the support) some are not zero;
outside they all vanish and only the SiLU term is left.

Parameter names, buffer names and shapes are those of the public efficient-kan layer, the one that the paper used
(its reference [1]), so that the authors' weights load as they are.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lariqa.errors import Refusal

KAN_LINEAR_ATTRIBUTES = ("base_weight", "spline_weight", "grid", "spline_order", "base_activation")


def is_kan_linear(module: nn.Module) -> bool:
    """Whether a module is a KAN layer: a `KanLinear`, or anyone's that holds the same things by the same names."""
    return all(hasattr(module, attribute) for attribute in KAN_LINEAR_ATTRIBUTES)


class KanLinear(nn.Module):
    """One KAN layer: SiLU base plus B-spline curves, with a scaler of its own for each curve (paper, section 2.3).

    Args:
        in_features: width of the input, "in" below.
        out_features: width of the output, "out" below.
        grid_size: G, number of intervals on `grid_range`; at least 1.
        spline_order: k, polynomial degree of the splines; at least 1 (order 0 would be a staircase).
        grid_range: (lo, hi), the core of the uniform grid.
        dtype: floating type of parameters and knots.
        device: where they live.

    Raises:
        Refusal: a width, `grid_size` or `spline_order` below 1, or a `grid_range` that cannot carry distinct knots.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        grid_size: int = 5,
        spline_order: int = 3,
        grid_range: tuple[float, float] = (-1.0, 1.0),
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ):
        super().__init__()
        for what, value in (
            ("in_features", in_features),
            ("out_features", out_features),
            ("grid_size", grid_size),
            ("spline_order", spline_order),
        ):
            if value < 1:
                raise Refusal(f"{what} of a KAN layer must be at least 1, got {value}")
        lo, hi = grid_range
        if not (math.isfinite(lo) and math.isfinite(hi) and lo < hi):
            raise Refusal(f"grid_range must be two finite numbers, the smaller one first, got ({lo}, {hi})")

        self.in_features, self.out_features = in_features, out_features
        self.grid_size, self.spline_order = grid_size, spline_order
        self.base_activation = nn.SiLU()

        steps = torch.arange(-spline_order, grid_size + spline_order + 1, dtype=torch.float64)
        knots = (lo * (grid_size - steps) + hi * steps) / grid_size  # on the line to the last bit
        knots = knots.to(dtype or torch.get_default_dtype())
        if not (knots.diff() > 0).all():
            raise Refusal(
                f"grid_range ({lo}, {hi}) in {grid_size} intervals gives equal knots in {knots.dtype}; "
                "use a wider range, fewer intervals or a wider dtype"
            )
        like = {"dtype": knots.dtype, "device": device}
        splines = grid_size + spline_order
        self.register_buffer("grid", knots.to(device).repeat(in_features, 1))  # (in, G + 2k + 1)
        self.base_weight = nn.Parameter(torch.empty(out_features, in_features, **like))
        self.spline_weight = nn.Parameter(torch.empty(out_features, in_features, splines, **like))
        self.spline_scaler = nn.Parameter(torch.empty(out_features, in_features, **like))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Fresh weights: base and scaler uniform in +-1/sqrt(in), every curve a small noise about zero.

        The noise is drawn at the G + 1 core knots, uniform in +-0.05/G, and fitted by least squares, so that a new
        layer is nearly a plain linear layer after SiLU. Fan-in scaling as in `nn.Linear`.
        """
        bound = 1 / math.sqrt(self.in_features)
        self.base_weight.uniform_(-bound, bound)
        self.spline_scaler.uniform_(-bound, bound)
        k = self.spline_order
        knots = self.grid[:, k : k + self.grid_size + 1].T  # (G+1, in)
        noise = torch.rand(self.in_features, self.grid_size + 1, self.out_features, device=knots.device) - 0.5
        fit = torch.linalg.pinv(_bases_by_input(knots, self.grid, k))  # (in, n, G+1)
        coefficients = fit @ (noise.double() * (0.1 / self.grid_size))  # (in, n, out)
        self.spline_weight.copy_(coefficients.permute(2, 0, 1))

    def bases(self, x: Tensor) -> Tensor:
        """The n = G + k splines of each input: (..., in) -> (..., in, n), every value in [0, 1]."""
        return cox_de_boor(x, self.grid, self.spline_order)

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        base = F.linear(self.base_activation(x), self.base_weight)
        curves = self.spline_weight * self.spline_scaler.unsqueeze(-1)  # (out, in, n)
        return base + F.linear(self.bases(x).flatten(-2), curves.flatten(-2))

    @torch.no_grad()
    def update_grid(self, x: Tensor, blend: float = 0.02, margin: float = 0.01) -> None:
        """Moves each input's knots to where its data lie, and refits the curves there; the grid is NOT uniform after.

        New core knots = (1 - blend) * quantiles of the data + blend * a uniform grid over the data; extended on both
        sides by k uniform steps. The curve of every edge is kept, in the least-squares sense, on the samples: with
        A the bases of the samples, A_new c_new ~ A_old c_old for each input, whatever the output.

        Args:
            x: (..., in), samples of this layer's input.
            blend: share of the uniform grid, 0..1; above 0 it keeps knots apart where data repeat.
            margin: by how much the uniform grid is wider than the data on each side, in units of x.

        Raises:
            Refusal: `blend` outside 0..1, samples that are not finite, or knots that would coincide.
        """
        if not 0 <= blend <= 1:
            raise Refusal(f"blend must be between 0 (quantiles only) and 1 (uniform), got {blend}")
        samples = x.reshape(-1, self.in_features).to(torch.float64)  # (N, in)
        if samples.shape[0] == 0 or not samples.isfinite().all():
            raise Refusal(f"update_grid needs finite samples, at least one; got shape {tuple(x.shape)}")

        size, k = self.grid_size, self.spline_order
        along = torch.linspace(0, 1, size + 1, dtype=torch.float64, device=samples.device)
        lo, hi = samples.amin(0) - margin, samples.amax(0) + margin  # (in)
        step = (hi - lo) / size
        uniform = lo + along.unsqueeze(-1) * (hi - lo)  # (G+1, in)
        core = (1 - blend) * samples.quantile(along, dim=0) + blend * uniform
        beyond = torch.arange(1, k + 1, dtype=torch.float64, device=samples.device).unsqueeze(-1) * step  # (k, in)
        knots = torch.cat([core[:1] - beyond.flip(0), core, core[-1:] + beyond])  # (G+2k+1, in)
        knots = knots.T.to(self.grid.dtype)
        if not (knots.diff() > 0).all():
            row = int((knots.diff() <= 0).any(-1).nonzero()[0])
            raise Refusal(
                f"the data of input {row} repeat so much that knots coincide: {knots[row].tolist()}; "
                f"use a larger blend than {blend}"
            )

        old = _bases_by_input(samples, self.grid, k)  # (in, N, n)
        new = _bases_by_input(samples, knots, k)
        carry = torch.linalg.pinv(new) @ old  # (in, n, n): old coefficients -> new ones
        coefficients = torch.einsum("pij,opj->opi", carry, self.spline_weight.double())
        self.spline_weight.copy_(coefficients)
        self.grid.copy_(knots)

    def extra_repr(self) -> str:
        """What print(model) shows."""
        return f"{self.in_features}, {self.out_features}, grid_size={self.grid_size}, spline_order={self.spline_order}"


class Kan(nn.Module):
    """KAN layers one after the other: `Kan([1000, 512])` is one layer, `Kan([1000, 128, 1])` two.

    Args:
        widths: features before, between and after the layers; at least two numbers.
        **options: for every layer, see `KanLinear`.

    Raises:
        Refusal: fewer than two widths, or options that `KanLinear` refuses.
    """

    def __init__(self, widths: Sequence[int], **options):
        super().__init__()
        if len(widths) < 2:
            raise Refusal(f"a KAN needs at least an input and an output width, got {list(widths)}")
        self.layers = nn.ModuleList(KanLinear(i, o, **options) for i, o in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        """(..., widths[0]) -> (..., widths[-1])."""
        for layer in self.layers:
            x = layer(x)
        return x


def cox_de_boor(x: Tensor, grid: Tensor, order: int) -> Tensor:
    """B-splines by the recursion in the module docstring.

    Args:
        x: (..., in).
        grid: (in, n + order + 1), each row strictly increasing.
        order: k >= 1.

    Returns:
        (..., in, n).
    """
    x = x.unsqueeze(-1)  # (..., in, 1)
    b = ((x >= grid[:, :-1]) & (x < grid[:, 1:])).to(x.dtype)  # (..., in, n + k): which interval
    for d in range(1, order + 1):
        t_i, t_i_d = grid[:, : -(d + 1)], grid[:, d:-1]
        t_i_1, t_i_d_1 = grid[:, 1:-d], grid[:, d + 1 :]
        b = (x - t_i) / (t_i_d - t_i) * b[..., :-1] + (t_i_d_1 - x) / (t_i_d_1 - t_i_1) * b[..., 1:]
    return b


def _bases_by_input(samples: Tensor, grid: Tensor, order: int) -> Tensor:
    """(N, in) -> (in, N, n) in float64: one matrix per input, for the least-squares fits."""
    return cox_de_boor(samples.double(), grid.double(), order).transpose(0, 1)
