"""A rewrite leaves its model alone, refuses what it cannot take, and never returns one that computes something else."""

import doctest

import pytest
import torch
from torch import nn

from export.rewrite import rewrite as shape
from export.rewrite.fold_std import fold_std
from export.rewrite.rewrite import differs, probe, rewrite
from export.rewrite.separable_mean import use_separable_means
from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import PreprocessSpec


def same_result(before: nn.Linear, after: nn.Linear, *rest) -> str:
    x = probe(2, before.weight)[:, :, 0, 0]
    return differs(before(x), after(x), "the result")


@rewrite(requires=lambda model, by: "" if by else "by nothing", ensures=same_result)
def scale(model: nn.Linear, by: float) -> nn.Linear:
    model.weight.data *= by
    return model


def test_an_equal_model_comes_back_and_the_first_is_untouched():
    layer = nn.Linear(2, 1)
    kept = layer.weight.detach().clone()
    assert scale(layer, 1 + 1e-7) is not layer
    assert torch.equal(layer.weight, kept)


@pytest.mark.parametrize(
    ("by", "says"), [(0, "cannot rewrite this model: by nothing"), (1.01, "changed what the model")]
)
def test_what_cannot_be_taken_or_computes_something_else_is_refused(by, says):
    with pytest.raises(Refusal, match=says):
        scale(nn.Linear(2, 1), by)


def test_not_a_number_is_not_close():
    assert differs(torch.ones(2), torch.tensor([1.0, float("nan")]), "it") == "it is nan off"


def test_a_backbone_without_a_first_convolution_is_refused():
    backbone = nn.Sequential(nn.Linear(2, 2))
    backbone.pretrained_cfg = {"first_conv": "0"}
    with pytest.raises(Refusal, match="no plain first convolution"):
        fold_std(backbone, PreprocessSpec())


def test_a_wrong_mean_would_be_found(monkeypatch):
    monkeypatch.setattr(
        "export.rewrite.separable_mean.GlobalMean.forward", lambda self, x: x.amax((2, 3), keepdim=True)
    )
    with pytest.raises(Refusal, match="use_separable_means changed what the model computes: 0 is"):
        use_separable_means(nn.Sequential(nn.AdaptiveAvgPool2d(1)))


def test_the_example_is_right():
    result = doctest.testmod(shape)
    assert result.attempted and not result.failed
