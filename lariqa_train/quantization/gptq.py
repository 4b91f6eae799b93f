"""Weights rounded to a grid so that the layer's output moves least, not each weight.

    minimise over q on the grid   trace (W - q) H (W - q)^T,     H = X^T X, the second moments of its inputs X

Column by column: round one, then let the columns that are still free compensate for its error (optimal brain surgeon's
update). Inputs of these layers are far from zero mean and strongly correlated, so plain rounding shifts every output
by a near-constant, which a later layer then amplifies; this removes it.

The KANs take 9000 inputs, from one vector for each picture: H is V^T V / N + D there, with few rows in V, and the same
update needs small matrices only. D stands for pictures that were not seen: without it the few vectors would be matched
exactly at the expense of all others (three times the error of the score).

Grids: int8 steps of one scale per output channel (``int8_grid``), and float16. In every channel the largest
weight keeps its step 127, so that a converter's own quantiser finds the same scale and the same integers again.

Source: Frantar et al., GPTQ (arXiv 2210.17323), Section 3; Nagel et al., "Up or Down?" (arXiv 2004.10568) for why.
"""

from __future__ import annotations

from typing import Literal

import torch

from lariqa_train.quantization.calibration import LayerStatistics
from lariqa_train.quantization.int8_grid import LARGEST, in_steps, step_of

Grid = Literal["int8", "float16"]
BLOCK = 64  # columns whose errors reach the rest of the row at once
DAMPING = 1e-3  # of the mean diagonal of H: directions never seen must not cost anything, but not be free


def round_layer(weight: torch.Tensor, groups: int, seen: LayerStatistics, grid: Grid) -> torch.Tensor:
    """A layer's weight (outputs, inputs of its group, ...) -> the same on the grid, float32."""
    rows = weight.detach().double()
    if seen.hessian is None:
        rounded = round_wide_rows(rows, seen.vectors, grid)
    else:
        rounded = quantize_rows(rows.reshape(groups, rows.shape[0] // groups, -1), seen.hessian, grid)
    return rounded.reshape(weight.shape).float()


def quantize_rows(rows: torch.Tensor, hessian: torch.Tensor, grid: Grid) -> torch.Tensor:
    """(groups, outputs, inputs) float64 and H (groups, inputs, inputs) -> the rounded rows."""
    diagonal = hessian.diagonal(dim1=1, dim2=2)
    order = diagonal.mean(0).argsort(descending=True)  # strongest first: most columns are left to compensate
    damped = hessian + torch.diag_embed((DAMPING * diagonal.mean(1, keepdim=True) + 1e-12).expand_as(diagonal))
    damped = damped[:, order][:, :, order]
    upper = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(damped)), upper=True)
    original = rows[:, :, order]
    to_grid, free, rounded = _Grid(original, grid), original.clone(), torch.empty_like(original)
    for begin in range(0, free.shape[2], BLOCK):
        end = min(begin + BLOCK, free.shape[2])
        errors = torch.zeros_like(free[:, :, begin:end])
        for column in range(begin, end):
            value = free[:, :, column]
            rounded[:, :, column] = nearest = to_grid(value, column)
            error = (value - nearest) / upper[:, column, column, None]
            errors[:, :, column - begin] = error
            free[:, :, column + 1 : end] -= error[:, :, None] * upper[:, None, column, column + 1 : end]
        free[:, :, end:] -= errors @ upper[:, begin:end, end:]
    return rounded[:, :, order.argsort()]


def round_wide_rows(rows: torch.Tensor, vectors: torch.Tensor, grid: Grid) -> torch.Tensor:
    """(outputs, inputs) float64 and the inputs seen (N, inputs), N small -> the rounded rows.

    With e the error of the columns that are done, r = V e, and S = V D^-1 V^T over those that are free, column j
    compensates best for its part of r by v_j / d_j (1 + S)^-1 r.
    """
    vectors = vectors.double() / len(vectors) ** 0.5
    diagonal = vectors.square().sum(0)
    unseen = diagonal.clamp_min(diagonal.mean()) + 1e-12  # D: as much again, at least the mean
    order = diagonal.argsort(descending=True)
    original, vectors, unseen = rows[:, order], vectors[:, order], unseen[order]
    to_grid, rounded = _Grid(original, grid), torch.empty_like(original)
    free = torch.eye(len(vectors), dtype=torch.float64) + (vectors / unseen) @ vectors.T  # 1 + S
    owed = torch.zeros(len(rows), len(vectors), dtype=torch.float64)  # r of each row
    for column in range(original.shape[1]):
        vector = vectors[:, column]
        makes_up = owed @ torch.linalg.solve(free, vector / unseen[column])
        rounded[:, column] = nearest = to_grid(original[:, column] + makes_up, column)
        owed += (original[:, column] - nearest)[:, None] * vector
        free -= torch.outer(vector, vector) / unseen[column]
    return rounded[:, order.argsort()]


class _Grid:
    """Rounds columns of rows (.., outputs, inputs) to the nearest that the grid has."""

    def __init__(self, rows: torch.Tensor, grid: Grid) -> None:
        self.rows, self.grid = rows, grid
        largest = rows.abs().amax(-1, keepdim=True)
        self.holds = rows.abs() == largest
        self.step = step_of(largest.float()).double()[..., 0]  # as the file stores it

    def __call__(self, value: torch.Tensor, column: int) -> torch.Tensor:
        if self.grid == "float16":
            return value.half().double()
        nearest = in_steps(value, self.step) * self.step
        return torch.where(self.holds[..., column], self.rows[..., column].sign() * LARGEST * self.step, nearest)
