"""A mobile network of timm's as a plain list of blocks: what a rewrite of its execution needs to know, and no more.

    stem    spatial
    block   expand (1x1) -> spatial (depthwise, or dense) -> gate (squeeze-and-excite) -> project (1x1) -> + input

Every part but ``spatial`` may be missing. Batch norm is folded into the convolution before it (``batch_norm``).

MobileNetV2, MobileNetV3 and the EfficientNets have this structure (timm's ``_efficientnet_blocks.py``). Attention,
window partitions and branches have not: :func:`read_mbconv_net` refuses them, and says which module it was.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from timm.layers import SelectAdaptivePool2d
from timm.models._efficientnet_blocks import (
    ConvBnAct,
    DepthwiseSeparableConv,
    EdgeResidual,
    InvertedResidual,
    SqueezeExcite,
)
from timm.models.efficientnet import EfficientNet
from timm.models.mobilenetv3 import MobileNetV3
from torch import nn

from export.rewrite.batch_norm import folded
from export.rewrite.separable_mean import GlobalMean, SeparableSqueezeExcite
from lariqa.errors import Refusal


class ConvLayer(nn.Module):
    """A convolution with what surrounds it folded in, and the activation after it; or some of its channels."""

    def __init__(
        self, conv: nn.Conv2d, weight: torch.Tensor, bias: torch.Tensor | None, groups: int, activation: nn.Module
    ) -> None:
        super().__init__()
        self.conv = (conv,)  # in a tuple, so that its own weights are no part of this module
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)
        self.kernel, self.stride, self.padding = conv.kernel_size[0], conv.stride[0], conv.padding[0]
        self.groups, self.channels, self.activation = groups, len(weight), activation

    @classmethod
    def fold(cls, conv: nn.Conv2d, norm: nn.Module | None, activation: nn.Module) -> ConvLayer:
        """The convolution with its batch norm in its weights."""
        return cls(conv, *folded(conv, norm), conv.groups, activation)

    def results(self, first: int, last: int) -> ConvLayer:
        """The layer that makes only the channels ``first..last - 1``; itself for all of them."""
        if (first, last) == (0, self.channels):
            return self
        groups = last - first if self.depthwise else self.groups
        weight, bias = self.weight[first:last].clone(), self.bias[first:last].clone()
        return ConvLayer(self.conv[0], weight, bias, groups, self.activation)

    def inputs(self, first: int, last: int) -> ConvLayer:
        """What the input channels ``first..last - 1`` add to the sum; the bias is with the first, no activation."""
        weight, bias = self.weight[:, first:last].clone(), self.bias.clone() if first == 0 else None
        return ConvLayer(self.conv[0], weight, bias, self.groups, nn.Identity())

    def forward(
        self, x: torch.Tensor, pad_top: int | None = None, pad_bottom: int | None = None, factors=None
    ) -> torch.Tensor:
        """(B, C, h, w) -> (B, channels, h', w').

        Args:
            x: the input, or some rows of it.
            pad_top: rows of zeros above it, in the place of the layer's own padding.
            pad_bottom: the same below.
            factors: (1, C, 1, 1) of the input's channels, taken into the weights.
        """
        weight = self.weight if factors is None else self.weight * factors
        sides = self.padding
        if pad_top is None or (pad_top, pad_bottom) == (sides, sides):
            y = F.conv2d(x, weight, self.bias, self.stride, sides, 1, self.groups)
        else:
            # One padding for all four sides: runtimes fold one into the convolution, not two in a row.
            if sides or pad_top or pad_bottom:
                x = F.pad(x, (sides, sides, pad_top, pad_bottom))
            y = F.conv2d(x, weight, self.bias, self.stride, 0, 1, self.groups)
        return self.activation(y)

    def out_size(self, size: int) -> int:
        """Rows or columns in -> out."""
        return (size + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def depthwise(self) -> bool:
        """Whether each channel is filtered by itself."""
        return self.groups == self.channels > 1


class Gate(nn.Module):
    """What squeeze-and-excite multiplies by: (B, C, 1, 1) means -> (B, C, 1, 1) factors."""

    def __init__(self, original: SqueezeExcite | SeparableSqueezeExcite) -> None:
        super().__init__()
        self.reduce, self.activation = original.conv_reduce, original.act1
        self.expand, self.gate = original.conv_expand, original.gate

    def forward(self, means: torch.Tensor) -> torch.Tensor:
        return self.gate(self.expand(self.activation(self.reduce(means))))


class MBConv(nn.Module):
    """One block; ``name`` as timm has it, for plans and messages."""

    def __init__(
        self,
        name: str,
        spatial: ConvLayer,
        expand: ConvLayer | None = None,
        gate: Gate | None = None,
        project: ConvLayer | None = None,
        skip: bool = False,
    ) -> None:
        super().__init__()
        self.name, self.skip = name, skip
        self.expand, self.spatial, self.gate, self.project = expand, spatial, gate, project

    @property
    def channels(self) -> int:
        """Of the result."""
        return (self.project or self.spatial).channels


class MBConvNet(nn.Module):
    """A whole backbone: blocks (the stem is the first), then ``finish``: (B, C, h, w) -> (B, features)."""

    def __init__(self, blocks: list[MBConv], finish: nn.Module) -> None:
        super().__init__()
        self.blocks, self.finish = nn.ModuleList(blocks), finish


class Finish(nn.Module):
    """Global average, the layers after it, logits."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.pool, self.classifier = GlobalMean(), backbone.classifier
        if isinstance(backbone, MobileNetV3):  # which has a layer between the average and the logits
            self.conv_head, self.norm_head, self.act2 = backbone.conv_head, backbone.norm_head, backbone.act2
        self.has_head = isinstance(backbone, MobileNetV3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(x)
        if self.has_head:
            x = self.act2(self.norm_head(self.conv_head(x)))
        return self.classifier(x.flatten(1))


def read_mbconv_net(backbone: nn.Module) -> MBConvNet:
    """The backbone as blocks; weights are folded copies.

    Raises:
        Refusal: its structure is another one.
    """
    if not isinstance(backbone, MobileNetV3 | EfficientNet):
        raise Refusal(f"{type(backbone).__name__} is not built of the blocks that this execution knows")
    pool = backbone.global_pool
    if isinstance(pool, SelectAdaptivePool2d) and not pool.is_identity() and "avg" not in pool.pool_type:
        raise Refusal(f"its global pool is {pool.pool_type!r}, not an average")
    blocks = [MBConv("conv_stem", _layer(backbone.conv_stem, backbone.bn1, "conv_stem"))]
    for name, module in backbone.blocks.named_modules():
        if isinstance(module, DepthwiseSeparableConv | InvertedResidual | EdgeResidual | ConvBnAct):
            blocks.append(_block(f"blocks.{name}", module))
    if len(blocks) - 1 != sum(len(stage) for stage in backbone.blocks):
        raise Refusal("some of its blocks are of a kind that this execution does not know")
    if isinstance(backbone, EfficientNet):
        blocks.append(MBConv("conv_head", _layer(backbone.conv_head, backbone.bn2, "conv_head")))
    return MBConvNet(blocks, Finish(backbone))


def _block(name: str, module: nn.Module) -> MBConv:
    odd = [part for part in ("aa", "conv_s2d") if not isinstance(getattr(module, part, None), nn.Identity | None)]
    if odd:
        raise Refusal(f"its {name} has a part {odd[0]} that this execution does not know")
    expand = project = None
    if isinstance(module, ConvBnAct):
        return MBConv(name, _layer(module.conv, module.bn1, name), skip=module.has_skip)
    if isinstance(module, InvertedResidual):
        expand = _layer(module.conv_pw, module.bn1, name)
        spatial, project = _layer(module.conv_dw, module.bn2, name), _layer(module.conv_pwl, module.bn3, name)
    elif isinstance(module, EdgeResidual):
        spatial, project = _layer(module.conv_exp, module.bn1, name), _layer(module.conv_pwl, module.bn2, name)
    else:
        spatial, project = _layer(module.conv_dw, module.bn1, name), _layer(module.conv_pw, module.bn2, name)
    if any(layer and layer.kernel > 1 for layer in (expand, project)):
        raise Refusal(f"its {name} has a pointwise convolution of more than one point")
    gate = None if isinstance(module.se, nn.Identity) else Gate(_known_gate(module.se, name))
    return MBConv(name, spatial, expand, gate, project, module.has_skip)


def _known_gate(module: nn.Module, name: str) -> SqueezeExcite | SeparableSqueezeExcite:
    if not isinstance(module, SqueezeExcite | SeparableSqueezeExcite):
        raise Refusal(f"its {name} has a {type(module).__name__}, of which only squeeze-and-excite is known here")
    return module


def _layer(conv: nn.Module, norm: nn.Module, name: str) -> ConvLayer:
    plain = type(conv) is nn.Conv2d and not isinstance(conv.padding, str) and conv.dilation == (1, 1)
    if not plain or any(len(set(pair)) > 1 for pair in (conv.kernel_size, conv.stride, conv.padding)):
        raise Refusal(f"its {name} has a {type(conv).__name__} that pads or steps as this execution does not know")
    if not isinstance(norm, nn.BatchNorm2d | nn.Identity):
        raise Refusal(f"its {name} is normalised by {type(norm).__name__}, which cannot be folded into a convolution")
    return ConvLayer.fold(conv, norm, getattr(norm, "act", None) or nn.Identity())
