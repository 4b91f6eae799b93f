"""A MobileNetV3-Large that sees distortions before it has learnt anything: its convolutions start as a filter bank.

Scattering (S. Mallat, Group Invariant Scattering, 2012) as an initialisation: at each resolution small derivative
filters, rectified and averaged, give the energy of one scale of detail, which the deeper layers carry to the end:

    lines      luma and two colour differences, low-passed and halved from stage to stage (signed)
    energies   rectified derivatives of the lines at each stage, averaged on through all later ones (positive)
    the rest   random mixtures of both, filtered and rectified again: second order

Batch norm brings every channel to mean 0 and variance 1. A channel that only has to pass a rectifier gets a shift of
3 deviations there, so that hardly anything of it is cut; one whose energy is wanted gets none. Residual blocks start
nearly as the identity (not quite: a converter would drop a branch of zeros), squeeze-excite gates nearly open.
Everything stays trainable: only where training starts is chosen.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from lariqa.errors import Refusal

SHIFT = 3.0
GATE_BIAS = 2.4  # hard sigmoid 0.9
RESIDUAL_SCALE = 0.05  # scale of the residual branches: what they add, in deviations of their block
BACKBONE = "mobilenetv3_large_100"
_RGB = {"luma": (0.3, 0.59, 0.11), "red-green": (0.7, -0.7, 0.0), "yellow-blue": (0.4, 0.4, -0.8)}
_TAPS = {
    3: {"low": (1, 2, 1), "edge": (-1, 0, 1), "bar": (-1, 2, -1)},
    5: {"low": (1, 4, 6, 4, 1), "edge": (-1, -2, 0, 2, 1), "bar": (-1, 0, 2, 0, -1)},
}
_BANDS = (("low", "edge"), ("edge", "low"), ("bar", "bar"), ("edge", "edge"))  # vertical, horizontal


def start_as_scattering(backbone: nn.Module, seed: int) -> None:
    """Set a timm ``mobilenetv3_large_100``'s convolutions and batch-norm shifts; its statistics are set afterwards.

    Raises:
        Refusal: another architecture.
    """
    if backbone.default_cfg.get("architecture") != BACKBONE:
        raise Refusal(
            f"the scattering start is laid out for {BACKBONE}, not {backbone.default_cfg.get('architecture')}"
        )
    random = np.random.default_rng(seed)
    with torch.no_grad():
        _fill_stem(backbone.conv_stem, backbone.bn1, random)
        lines, energies = list(range(3)), list(range(3, 16))
        _shrink_branch(backbone.blocks[0][0].bn2)
        for stage in backbone.blocks[1:6]:
            lines, energies = _fill_block(stage[0], lines, energies, random)
            for block in stage[1:]:
                _shrink_branch(block.bn3)
                _open_gate(block)
        _fill_last(backbone.blocks[6][0], random)


def _kernel(side: int, band: tuple[str, str]) -> np.ndarray:
    vertical, horizontal = (np.array(_TAPS[side][name], np.float64) for name in band)
    kernel = np.outer(vertical, horizontal)
    return kernel / np.abs(kernel).sum()


def _fill_stem(conv: nn.Module, norm: nn.Module, random: np.random.Generator) -> None:
    """3 lines; luma in four bands, the colour differences' fine detail; dark and bright; mixtures."""
    luma, *differences = (np.array(mix) for mix in _RGB.values())
    rows = [(mix, ("low", "low"), SHIFT) for mix in (luma, *differences)]
    rows += [(luma, band, 0.0) for band in _BANDS]
    rows += [(mix, ("bar", "bar"), 0.0) for mix in differences]
    rows += [(sign * luma, ("low", "low"), -1.0) for sign in (1, -1)]
    while len(rows) < conv.out_channels:
        rows.append((random.standard_normal(3), _BANDS[random.integers(len(_BANDS))], 0.0))
    for row, (mix, band, shift) in enumerate(rows):
        conv.weight[row] = torch.from_numpy(mix[:, None, None] * _kernel(3, band))
        norm.bias[row] = shift


def _fill_block(block: nn.Module, lines: list[int], energies: list[int], random: np.random.Generator):
    """One halving block; returns which of its outputs are lines and which are energies."""
    expand, depthwise, project = block.conv_pw, block.conv_dw, block.conv_pwl
    middle, inputs, outputs = expand.out_channels, expand.in_channels, project.out_channels
    side = depthwise.kernel_size[0]
    plan: list[tuple[np.ndarray, float, tuple[str, str], float]] = []  # mixture, shift, band, shift
    one = np.eye(inputs)
    plan += [(one[line], SHIFT, ("low", "low"), SHIFT) for line in lines]
    plan += [(one[energy], SHIFT, ("low", "low"), SHIFT) for energy in energies]
    fresh = [(one[lines[0]], SHIFT, band, 0.0) for band in _BANDS]
    fresh += [(one[line], SHIFT, band, 0.0) for line in lines[1:] for band in _BANDS[:2]]
    first_fresh = len(plan)
    plan += fresh
    while len(plan) < middle:
        mixture = random.standard_normal(inputs) * (random.random(inputs) < 4 / inputs)
        band = ("low", "low") if random.random() < 0.4 else _BANDS[random.integers(len(_BANDS))]
        plan.append((mixture, float(random.choice([-0.5, 0.0, 0.5, SHIFT])), band, 0.0))
    for row, (mixture, before, band, after) in enumerate(plan[:middle]):
        expand.weight[row, :, 0, 0] = torch.from_numpy(mixture)
        block.bn1.bias[row] = before
        depthwise.weight[row, 0] = torch.from_numpy(_kernel(side, band))
        block.bn2.bias[row] = after
    _open_gate(block)
    kept = [*range(len(lines) + len(energies)), *range(first_fresh, first_fresh + len(fresh))][:outputs]
    project.weight.zero_()
    for row, source in enumerate(kept):
        project.weight[row, source, 0, 0] = 1
    for row in range(len(kept), outputs):
        chosen = random.choice(middle, 4, replace=False)
        project.weight[row, chosen, 0, 0] = torch.from_numpy(random.standard_normal(4)).float()
    return list(range(len(lines))), list(range(len(lines), outputs))


def _fill_last(block: nn.Module, random: np.random.Generator) -> None:
    """Every channel at several thresholds, so that the mean over the picture reflects its spread; then pairs."""
    outputs, inputs = block.conv.weight.shape[:2]
    block.conv.weight.zero_()
    shifts = (SHIFT, 0.0, -1.0)
    for row in range(outputs):
        if row < len(shifts) * inputs:
            block.conv.weight[row, row % inputs] = 1
            block.bn1.bias[row] = shifts[row // inputs]
        else:
            first, second = random.choice(inputs, 2, replace=False)
            block.conv.weight[row, first], block.conv.weight[row, second] = 1, float(random.choice([-1, 1]))
            block.bn1.bias[row] = float(random.uniform(-1, 1))


def _shrink_branch(norm: nn.Module) -> None:
    """A residual block's last scale nearly at zero: the block starts nearly as the identity."""
    norm.weight.fill_(RESIDUAL_SCALE)


def _open_gate(block: nn.Module) -> None:
    if isinstance(block.se, nn.Identity):
        return
    block.se.conv_expand.weight.mul_(0.1)
    block.se.conv_expand.bias.fill_(GATE_BIAS)
