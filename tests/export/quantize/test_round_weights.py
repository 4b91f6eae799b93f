"""GPTQ on an export-ready model: what its layers see, and their weights on the grid."""

import numpy as np
import pytest
import torch
from torch import nn

from export.quantize.round_weights import collect_statistics, round_weights
from export.rewrite.fused_kan import FusedKanLinear
from lariqa_train.quantization.int8_grid import quantise


def test_rounded_weights_lie_on_the_grid_in_every_kind_of_layer(folded, photos):
    names = {name: "int8" for name, m in folded.named_modules() if isinstance(m, nn.Conv2d) and "blocks.1" in name}
    assert any(folded.get_submodule(name).groups > 1 for name in names)
    inputs = ({"image": torch.from_numpy(photo.copy())[None]} for photo in photos.values())
    rounded = round_weights(folded, names, collect_statistics(folded, names, inputs))
    for name, module in folded.named_modules():
        if isinstance(module, nn.Conv2d):
            ours, theirs = rounded.get_submodule(name).weight.numpy(), module.weight.numpy()
            _, scale = quantise(theirs)
            if name in names:
                assert np.abs(ours / scale - np.rint(ours / scale)).max() < 1e-3 and not np.array_equal(ours, theirs)
            else:
                assert np.array_equal(ours, theirs)


def test_each_picture_counts_alike_however_large_its_numbers(folded, photos):
    name = next(n for n, m in folded.named_modules() if isinstance(m, nn.Conv2d) and n.endswith("conv_stem"))
    inputs = [{"image": torch.from_numpy(photo.copy())[None]} for photo in photos.values()]
    dark = {"image": inputs[0]["image"] // 20 + 120}  # hardly any contrast
    bright, faint, both = (
        collect_statistics(folded, [name], given)[name].hessian for given in ([inputs[0]], [dark], [inputs[0], dark])
    )
    for hessian in (bright, faint):
        assert hessian.diagonal(dim1=1, dim2=2).mean().item() == pytest.approx(1)
    assert not torch.allclose(bright, faint, rtol=0.1) and torch.allclose(both, bright + faint)


def test_a_convolution_too_wide_for_its_moments_is_left_out(folded, photos, monkeypatch):
    name = next(n for n, m in folded.named_modules() if isinstance(m, nn.Conv2d) and n.endswith("blocks.0.0.conv_dw"))
    inputs = [{"image": torch.from_numpy(photo.copy())[None]} for photo in photos.values()]
    assert collect_statistics(folded, [name], inputs)[name].hessian is not None
    monkeypatch.setattr("lariqa_train.quantization.calibration.MOST_INPUTS", 8)  # below a 3x3 window
    assert collect_statistics(folded, [name], inputs) == {}


def test_a_kan_is_rounded_by_the_features_that_it_makes(folded, photos, monkeypatch):
    monkeypatch.setattr("lariqa_train.quantization.calibration.MOST_INPUTS", 64)  # this network's KANs are small
    kan = next(name for name, module in folded.named_modules() if isinstance(module, FusedKanLinear))
    layer = folded.get_submodule(kan)
    taken = []
    hook = layer.register_forward_pre_hook(lambda m, x: taken.append(x[0].clone()))
    inputs = ({"image": torch.from_numpy(photo.copy())[None]} for photo in photos.values())
    seen = collect_statistics(folded, [kan], inputs)
    hook.remove()
    with torch.inference_mode():
        assert torch.equal(seen[kan].vectors, torch.cat([layer.features(x) for x in taken]))
    rounded = round_weights(folded, {kan: "int8"}, seen).get_submodule(kan).weight.numpy()
    _, scale = quantise(layer.weight.numpy())
    assert np.abs(rounded / scale - np.rint(rounded / scale)).max() < 1e-3
