"""Training in bfloat16 on a CPU: gradients of depthwise convolutions in float32, because those in bfloat16 are slow.

oneDNN has no fast bfloat16 kernel for the backward pass of a depthwise convolution with a stride, nor for the weights
of a 5x5 one: measured in PyTorch 2.14 on AVX-512, 32 maps of 64x64 and 64 channels, stride 2, the gradient of the input
takes 48 ms in bfloat16 and 2.6 ms in float32; the forward pass 1.0 ms and 1.7 ms. So the forward pass stays as it is.
A whole step of MobileNetV3-Large (32 crops of 128 px) takes about half the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn
from torch.nn import functional


@contextmanager
def float32_depthwise_gradients(network: nn.Module) -> Iterator[None]:
    """While inside, all depthwise convolutions of a network take that way; what they compute stays the same."""
    changed = [
        module
        for module in network.modules()
        if isinstance(module, nn.Conv2d) and module.groups == module.in_channels == module.out_channels > 1
        if module.bias is None and module.padding_mode == "zeros" and not isinstance(module.padding, str)
    ]
    for module in changed:
        module.forward = partial(_forward, module)
    try:
        yield
    finally:
        for module in changed:
            del module.forward


def _forward(module: nn.Conv2d, maps: torch.Tensor) -> torch.Tensor:
    if torch.is_autocast_enabled("cpu"):
        maps = maps.to(torch.get_autocast_dtype("cpu"))
    return _Depthwise.apply(maps, module.weight, module.stride, module.padding, module.dilation)


class _Depthwise(torch.autograd.Function):
    """(N, C, h, w) and (C, 1, k, k) -> (N, C, h', w') in the type of the maps; gradients by way of float32."""

    @staticmethod
    def forward(ctx, maps, weight, stride, padding, dilation):
        ctx.save_for_backward(maps, weight)
        ctx.how = stride, padding, dilation
        return functional.conv2d(maps, weight.to(maps.dtype), None, stride, padding, dilation, len(weight))

    @staticmethod
    def backward(ctx, gradient):
        maps, weight = ctx.saved_tensors
        of_maps, of_weight, _ = torch.ops.aten.convolution_backward(
            gradient.float(),
            maps.float(),
            weight.float(),
            None,
            *ctx.how,
            False,
            (0, 0),
            len(weight),
            (True, True, False),
        )
        return of_maps.to(maps.dtype), of_weight.to(weight.dtype), None, None, None
