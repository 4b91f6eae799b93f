"""The noise under which the heads of a training on generated data are learnt."""

import numpy as np
import pytest
import torch

from lariqa_train.demo.head_training import FeatureNoise, _means_of_contents, _noisy

CONTENTS = np.array(["shore", "shore", "wood", "wood", "street", "street"])
VIEWS = {"authentic": 0.0, "synthetic": 100.0}


@pytest.fixture
def features():
    """Two pictures of each of three contents, (6, 4) in each view; contents differ far more than their pictures."""
    random = torch.Generator().manual_seed(3)
    of_content = torch.tensor([0.0, 10.0, 30.0]).repeat_interleave(2)[:, None]
    return {view: of_content + offset + torch.rand(6, 4, generator=random) for view, offset in VIEWS.items()}


def test_means_are_each_contents_own(features):
    means = _means_of_contents(features["synthetic"], CONTENTS)
    street, shore, wood = features["synthetic"].reshape(3, 2, 4).mean(1)[[2, 0, 1]]  # in the order of their names
    assert torch.allclose(means, torch.stack([shore, street, wood]))


def test_content_noise_moves_both_views_by_one_difference_of_contents(features):
    means = {view: _means_of_contents(kept, CONTENTS) for view, kept in features.items()}
    noisy = _noisy(features, means, FeatureNoise(0.0, content=1.0), torch.Generator().manual_seed(0))
    moved = {view: noisy[view] - features[view] for view in VIEWS}
    assert (moved["synthetic"].std(0) > 1).all()
    for one, other in zip(moved["authentic"], moved["synthetic"], strict=True):
        assert torch.allclose(one, other, atol=1.0)  # the contents lie alike in both views, so the moves do
        assert one.abs().max() <= 31


def test_a_blank_view_is_the_average_for_its_share_of_the_pictures_and_the_other_stays(features):
    many = {view: kept.repeat(200, 1) for view, kept in features.items()}
    noisy = _noisy(many, {}, FeatureNoise(0.0, blank={"authentic": 0.7}), torch.Generator().manual_seed(0))
    blank = (noisy["authentic"] == 0).all(1)
    assert 0.65 < blank.float().mean() < 0.75
    assert torch.equal(noisy["authentic"][~blank], many["authentic"][~blank])
    assert torch.equal(noisy["synthetic"], many["synthetic"])


def test_without_noise_nothing_moves_and_white_noise_is_as_wide_as_said(features):
    quiet = _noisy(features, {}, FeatureNoise(0.0), torch.Generator().manual_seed(0))
    assert all(torch.equal(quiet[view], features[view]) for view in VIEWS)
    many = {view: kept.repeat(500, 1) for view, kept in features.items()}
    noisy = _noisy(many, {}, FeatureNoise(0.3), torch.Generator().manual_seed(0))
    assert (noisy["synthetic"] - many["synthetic"]).std().item() == pytest.approx(0.3, rel=0.05)
