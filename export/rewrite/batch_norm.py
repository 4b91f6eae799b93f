"""Batch norm in the weights of the convolution before it:

    BN(W x + b) = k (W x + b - mean) + beta,   k = gamma / sqrt(var + eps)     W' = k W,   b' = k (b - mean) + beta

computed in float64 and rounded once.
"""

from __future__ import annotations

import torch
from torch import nn


def folded(conv: nn.Conv2d, norm: nn.Module | None) -> tuple[torch.Tensor, torch.Tensor]:
    """(weight (out, in / groups, kh, kw), bias (out,)), float32, of the convolution and the norm in one.

    Args:
        conv: stays as it is; its bias may be missing.
        norm: a ``BatchNorm2d``; anything else changes nothing.
    """
    weight = conv.weight.detach().double()
    bias = torch.zeros_like(weight[:, 0, 0, 0]) if conv.bias is None else conv.bias.detach().double()
    if isinstance(norm, nn.BatchNorm2d):
        scale = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = weight * scale.view(-1, 1, 1, 1)
        bias = (bias - norm.running_mean.double()) * scale + norm.bias.detach().double()
    return weight.float(), bias.float()
