"""The losses of Section 3.5, and the ranking loss of the challenge winner.

    L_acc  = alpha MSE + beta (1 - PLCC)                                          equation 1
    L_rob  = sum over colour spaces of MSE(score of the image in that space)      equation 3
    L_rank = mean over pairs of 1 - sqrt(p g) - sqrt((1 - p)(1 - g))              fidelity (Tsai et al. 2007)
             p = Phi((s_i - s_j) / (sqrt(2) sigma)),  g = 1, 1/2 or 0 as the MOS of i is above, equal to or below j

All are finite and have finite gradients on constant batches and on batches of one. Scores and MOS: (B,), 0..1.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

LEAST_DEVIATION = 1e-3  # score units: below it a batch counts as constant and PLCC fades to 0, not to 0 / 0


def plcc(scores: torch.Tensor, mos: torch.Tensor) -> torch.Tensor:
    """Pearson's correlation of a batch: exact where both deviate by more than ``LEAST_DEVIATION``, towards 0 below."""
    x, y = scores.flatten() - scores.mean(), mos.flatten() - mos.mean()
    least = len(x) * LEAST_DEVIATION**2
    return (x * y).sum() / ((x * x).sum().clamp_min(least) * (y * y).sum().clamp_min(least)).sqrt()


def accuracy_loss(scores: torch.Tensor, mos: torch.Tensor, alpha: float = 1.0, beta: float = 1.0) -> torch.Tensor:
    """L_acc: both sides (B,) or (B, 1)."""
    scores, mos = scores.flatten(), mos.flatten()
    return alpha * (scores - mos).square().mean() + beta * (1 - plcc(scores, mos))


def color_space_loss(scores_by_space: Mapping[str, torch.Tensor], mos: torch.Tensor) -> torch.Tensor:
    """L_rob: colour space -> (B,) scores of the same images in that space."""
    return sum((scores.flatten() - mos.flatten()).square().mean() for scores in scores_by_space.values())


def ranking_loss(scores: torch.Tensor, mos: torch.Tensor, sigma: float = 0.15) -> torch.Tensor:
    """L_rank over all pairs of the batch.

    Args:
        scores: (B,).
        mos: (B,).
        sigma: how uncertain one score is taken to be, in score units.
    """
    scores, mos = scores.flatten(), mos.flatten()
    if len(scores) < 2:
        return scores.sum() * 0
    first, second = torch.triu_indices(len(scores), len(scores), offset=1, device=scores.device)
    p = torch.special.ndtr((scores[first] - scores[second]) / (2**0.5 * sigma))
    g = (torch.sign(mos[first] - mos[second]) + 1) / 2
    p = p.clamp(1e-4, 1 - 1e-4)  # the slope of the square root is infinite at 0
    return (1 - p.sqrt() * g.sqrt() - (1 - p).sqrt() * (1 - g).sqrt()).mean()
