"""The stand-in weights see the photo: scores differ clearly, and they say that nobody trained them."""

import numpy as np
import torch

from lariqa_train.demo.demo_checkpoint import make_demo_checkpoint
from lariqa_train.model.normalise import prepare
from lariqa_train.pictures.damage import DISTORTIONS, bundled_photo, versions


def test_scores_of_a_photo_and_its_damaged_versions_differ_clearly():
    model = make_demo_checkpoint()
    with torch.inference_mode():
        scores = {
            name: model(**prepare(image, model.config.preprocess)).item()
            for name, image in versions(bundled_photo()).items()
        }
    assert len(scores) == 5 and all(-0.5 < score < 1.5 for score in scores.values())
    assert min(np.diff(sorted(scores.values()))) > 0.02, scores
    assert model.provenance.trained is False and "seed 1" in model.provenance.made_by


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tiny_config):
    first, again, other = (make_demo_checkpoint(tiny_config(), seed) for seed in (3, 3, 4))
    same = [torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True)]
    assert all(same)
    assert not torch.equal(first.regressor.layers[0].base_weight, other.regressor.layers[0].base_weight)


def test_making_one_leaves_the_callers_random_numbers_alone(tiny_config):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    make_demo_checkpoint(tiny_config())
    assert torch.equal(torch.rand(3), expected)


def test_damage_grows_with_severity_and_is_repeatable():
    photo = bundled_photo()[:400, :600]
    for kind, distort in DISTORTIONS.items():
        error = [np.abs(distort(photo, severity).astype(int) - photo).mean() for severity in (0.25, 0.5, 1.0)]
        assert error == sorted(error) and error[-1] > 1.1 * error[0] > 0, kind
        assert np.array_equal(distort(photo, 0.5), distort(photo, 0.5))
        assert distort(photo, 0.5).shape == photo.shape and distort(photo, 0.5).dtype == np.uint8
