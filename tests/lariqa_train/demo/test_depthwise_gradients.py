"""Depthwise convolutions with gradients in float32: the same outputs and, but for rounding, the same gradients."""

import pytest
import torch
from torch import nn

from lariqa_train.demo.depthwise_gradients import float32_depthwise_gradients


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(6, 6, 5, stride=2, padding=2, groups=6, bias=False),
        nn.Conv2d(6, 8, 1, bias=False),
        nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8, bias=False),
    ).double()


def gradients(net: nn.Module, maps: torch.Tensor) -> list[torch.Tensor]:
    maps = maps.clone().requires_grad_()
    out = net(maps)
    out.square().sum().backward()
    made = [out.detach(), maps.grad, *(p.grad.clone() for p in net.parameters())]
    net.zero_grad()
    return made


def test_outputs_are_equal_and_gradients_are_those_of_torch():
    net, maps = network(), torch.randn(3, 6, 17, 12, dtype=torch.float64)
    plain = gradients(net, maps)
    with float32_depthwise_gradients(net):
        ours = gradients(net, maps)
    assert torch.equal(plain[0], ours[0]) and plain[0].std() > 0.01
    for theirs, mine in zip(plain[1:], ours[1:], strict=True):
        assert theirs.abs().max() > 0.01 and (theirs - mine).abs().max() < 1e-6 * theirs.abs().max()


def test_under_autocast_the_output_has_its_type_and_gradients_are_nearer_to_the_truth_than_eight_bits():
    net, maps = network(), torch.randn(3, 6, 17, 12)
    truth = gradients(net, maps.double())
    net = net.float()
    with float32_depthwise_gradients(net), torch.autocast("cpu", torch.bfloat16):
        ours = gradients(net, maps)
    assert ours[0].dtype == torch.bfloat16 and ours[2].dtype == torch.float32
    for theirs, mine in zip(truth[1:], ours[1:], strict=True):
        assert (theirs - mine).abs().max() < 0.03 * theirs.abs().max()


def test_only_while_inside_and_only_depthwise_ones():
    net = network()
    with pytest.raises(KeyError), float32_depthwise_gradients(net):
        assert ["forward" in vars(layer) for layer in net] == [True, False, True]
        raise KeyError
    assert not any("forward" in vars(layer) for layer in net)
