"""A mobile network of timm's as a plain list of blocks: what a rewrite of its execution needs to know, and no more.

    stem    spatial
    block   expand (1x1) -> spatial (depthwise, or dense) -> gate (squeeze-and-excite) -> project (1x1) -> + input

Every part but ``spatial`` may be missing. Batch norm is folded into the convolution before it, in float64:

    w' = w k,   b' = (b - mean) k + beta,   k = gamma / sqrt(var + eps)

MobileNetV2, MobileNetV3 and the EfficientNets have this structure (timm's ``_efficientnet_blocks.py``). Attention, window
partitions and branches have not: :func:`read_mobile_net` refuses them, and says which module it was.
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

from export.two_stage_mean import GlobalMean, TwoStageSqueezeExcite
from lariqa_train.refusal import Refusal


class ConvLayer(nn.Module):
    """A convolution with its batch norm folded in, and the activation after it."""

    def __init__(self, conv: nn.Conv2d, norm: nn.Module | None, activation: nn.Module) -> None:
        super().__init__()
        weight = conv.weight.detach().double()
        bias = torch.zeros(conv.out_channels, dtype=torch.float64) if conv.bias is None else conv.bias.detach().double()
        if isinstance(norm, nn.BatchNorm2d):
            scale = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
            weight = weight * scale.view(-1, 1, 1, 1)
            bias = (bias - norm.running_mean.double()) * scale + norm.bias.detach().double()
        self.register_buffer("weight", weight.float())
        self.register_buffer("bias", bias.float())
        self.kernel, self.stride, self.padding = conv.kernel_size[0], conv.stride[0], conv.padding[0]
        self.groups, self.channels = conv.groups, conv.out_channels
        self.activation = activation

    def forward(self, x: torch.Tensor, pad_top: int | None = None, pad_bottom: int | None = None) -> torch.Tensor:
        """(B, C, h, w) -> (B, channels, h', w'); with ``pad_top`` and ``pad_bottom`` in the place of its own padding."""
        return self.activation(convolve(x, self, self.weight, self.bias, self.groups, pad_top, pad_bottom))

    def out_size(self, size: int) -> int:
        """Rows or columns in -> out."""
        return (size + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def depthwise(self) -> bool:
        """Whether each channel is filtered by itself."""
        return self.groups == self.channels > 1


def convolve(
    x: torch.Tensor,
    layer: ConvLayer,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    groups: int,
    pad_top: int | None = None,
    pad_bottom: int | None = None,
) -> torch.Tensor:
    """A layer's convolution with some of its channels, on rows that may lie inside the picture."""
    sides = layer.padding
    if pad_top is None or (pad_top, pad_bottom) == (sides, sides):
        return F.conv2d(x, weight, bias, layer.stride, sides, 1, groups)
    # One padding for all four sides: runtimes fold one into the convolution, not two in a row.
    if sides or pad_top or pad_bottom:
        x = F.pad(x, (sides, sides, pad_top, pad_bottom))
    return F.conv2d(x, weight, bias, layer.stride, 0, 1, groups)


class Gate(nn.Module):
    """What squeeze-and-excite multiplies by: (B, C, 1, 1) means -> (B, C, 1, 1) factors."""

    def __init__(self, original: SqueezeExcite | TwoStageSqueezeExcite) -> None:
        super().__init__()
        self.reduce, self.activation = original.conv_reduce, original.act1
        self.expand, self.gate = original.conv_expand, original.gate

    def forward(self, means: torch.Tensor) -> torch.Tensor:
        return self.gate(self.expand(self.activation(self.reduce(means))))


class MobileBlock(nn.Module):
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


class MobileNet(nn.Module):
    """A whole backbone: blocks (the stem is the first), then ``finish``: (B, C, h, w) -> (B, features)."""

    def __init__(self, blocks: list[MobileBlock], finish: nn.Module) -> None:
        super().__init__()
        self.blocks, self.finish = nn.ModuleList(blocks), finish


class Finish(nn.Module):
    """Global average, the layers after it, logits."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.pool, self.classifier = GlobalMean(), backbone.classifier
        after = (backbone.conv_head, backbone.norm_head, backbone.act2) if isinstance(backbone, MobileNetV3) else ()
        self.after = nn.Sequential(*after)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.after(self.pool(x)).flatten(1))


def read_mobile_net(backbone: nn.Module) -> MobileNet:
    """The backbone as blocks; weights are folded copies.

    Raises:
        Refusal: its structure is another one.
    """
    if not isinstance(backbone, MobileNetV3 | EfficientNet):
        raise Refusal(f"{type(backbone).__name__} is not built of the blocks that this execution knows")
    pool = backbone.global_pool
    if isinstance(pool, SelectAdaptivePool2d) and not pool.is_identity() and "avg" not in pool.pool_type:
        raise Refusal(f"its global pool is {pool.pool_type!r}, not an average")
    blocks = [MobileBlock("conv_stem", _layer(backbone.conv_stem, backbone.bn1, "conv_stem"))]
    for name, module in backbone.blocks.named_modules():
        if isinstance(module, DepthwiseSeparableConv | InvertedResidual | EdgeResidual | ConvBnAct):
            blocks.append(_block(f"blocks.{name}", module))
    if len(blocks) - 1 != sum(len(stage) for stage in backbone.blocks):
        raise Refusal("some of its blocks are of a kind that this execution does not know")
    if isinstance(backbone, EfficientNet):
        blocks.append(MobileBlock("conv_head", _layer(backbone.conv_head, backbone.bn2, "conv_head")))
    return MobileNet(blocks, Finish(backbone))


def _block(name: str, module: nn.Module) -> MobileBlock:
    odd = [part for part in ("aa", "conv_s2d") if not isinstance(getattr(module, part, None), nn.Identity | None)]
    if odd:
        raise Refusal(f"its {name} has a part {odd[0]} that this execution does not know")
    expand = project = None
    if isinstance(module, ConvBnAct):
        return MobileBlock(name, _layer(module.conv, module.bn1, name), skip=module.has_skip)
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
    return MobileBlock(name, spatial, expand, gate, project, module.has_skip)


def _known_gate(module: nn.Module, name: str) -> SqueezeExcite | TwoStageSqueezeExcite:
    if not isinstance(module, SqueezeExcite | TwoStageSqueezeExcite):
        raise Refusal(f"its {name} has a {type(module).__name__}, of which only squeeze-and-excite is known here")
    return module


def _layer(conv: nn.Module, norm: nn.Module, name: str) -> ConvLayer:
    plain = type(conv) is nn.Conv2d and not isinstance(conv.padding, str)
    if (
        not plain
        or conv.dilation != (1, 1)
        or any(len(set(pair)) > 1 for pair in (conv.kernel_size, conv.stride, conv.padding))
    ):
        raise Refusal(
            f"its {name} has a {type(conv).__name__} that pads or steps in a way that this execution does not know"
        )
    if not isinstance(norm, nn.BatchNorm2d | nn.Identity):
        raise Refusal(f"its {name} is normalised by {type(norm).__name__}, which cannot be folded into a convolution")
    return ConvLayer(conv, norm, getattr(norm, "act", None) or nn.Identity())
