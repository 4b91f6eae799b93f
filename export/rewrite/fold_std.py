"""The division by 255 std, folded into the first convolution of each branch.

    w . (x / (255 std))  =  (w / (255 std)) . x            per input channel

The mean must not go the same way: the convolution pads with zeros, and zero means "mean colour" only as long as the
mean is subtracted before.
"""

from __future__ import annotations

import torch
from torch import nn

from export.rewrite.rewrite import differs, rewrite
from lariqa.manifest.preprocess_spec import PreprocessSpec


def first_convolutions(backbone: nn.Module) -> list[nn.Conv2d]:
    """The convolutions that read the picture, by timm's own names; empty where it names no plain ones."""
    names = backbone.pretrained_cfg.get("first_conv") or ()
    names = (names,) if isinstance(names, str) else names
    modules = dict(backbone.named_modules())
    found = [modules.get(name) for name in names]
    return found if all(isinstance(conv, nn.Conv2d) and conv.in_channels == 3 for conv in found) else []


def _same_product(before: nn.Module, after: nn.Module, spec: PreprocessSpec) -> str:
    scale = _scale(spec)
    for old, new in zip(first_convolutions(before), first_convolutions(after), strict=True):
        if fault := differs(old.weight.double(), new.weight.double() / scale, "a first convolution's weight"):
            return fault
    return ""


@rewrite(
    requires=lambda backbone, spec: "" if first_convolutions(backbone) else "timm names no plain first convolution",
    ensures=_same_product,
)
def fold_std(backbone: nn.Module, spec: PreprocessSpec) -> nn.Module:
    """A backbone that takes levels 0..255 minus 255 mean, in the place of normalised values.

    Requires: a first convolution that timm names.
    Ensures: its weights times 255 std are the old ones.
    """
    for conv in first_convolutions(backbone):
        conv.weight.data = (conv.weight.double() * _scale(spec)).float()
    return backbone


class DivideByStd(nn.Module):
    """What is left of the normalisation where it cannot be folded into a first convolution."""

    def __init__(self, spec: PreprocessSpec) -> None:
        super().__init__()
        self.register_buffer("scale", _scale(spec).float())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale


def _scale(spec: PreprocessSpec) -> torch.Tensor:
    """(1, 3, 1, 1) float64."""
    return 1 / (255 * torch.tensor(spec.std, dtype=torch.float64).view(1, 3, 1, 1))
