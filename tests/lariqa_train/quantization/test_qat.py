"""Training with rounded weights: what is rounded, what is learnt, and that the file moves the score less afterwards."""

import copy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from export.proof.proof_photos import seeded_photos
from lariqa.errors import Refusal
from lariqa_train.model.normalise import prepare
from lariqa_train.quantization.int8_grid import quantise
from lariqa_train.quantization.qat import FakeQuantize, rounded_layers
from lariqa_train.training.qat_task import RoundedBranches
from lariqa_train.training.task import warmup_cosine
from lariqa_train.training.train_config import read_config

HEIGHT, WIDTH = 150, 200
PICTURES, STEPS = 24, 50


def views_of(model, count, seed):
    prepared = [prepare(photo, model.config.preprocess) for _, photo in seeded_photos(count, HEIGHT, WIDTH, seed=seed)]
    return {view: torch.cat([views[view] for views in prepared]) for view in model.config.branches}


def rounded(model):
    """A copy whose weights are rounded each to the nearest, as the simplest export would."""
    model = copy.deepcopy(model)
    for name in rounded_layers(model):
        weight = model.get_submodule(name).weight
        steps, scale = quantise(weight.detach().numpy())
        weight.data = torch.from_numpy(steps * scale)
    return model


def test_rounding_is_that_of_the_files_and_gradients_pass_as_they_come():
    weight = torch.randn(5, 7, 3, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    steps, scale = quantise(weight.detach().numpy())
    result = FakeQuantize()(weight)
    assert np.allclose(result.detach().numpy(), steps * scale, atol=1e-6)
    (3 * result).sum().backward()
    assert torch.equal(weight.grad, torch.full_like(weight, 3))


def test_a_short_training_lowers_what_int8_weights_do_to_the_score(tiny_model, one_thread):
    """Against the float model's scores. On the pictures that it learns from: so small a random network is wild on any
    others, rounded or not.
    """
    with one_thread():
        before, network = tiny_model, RoundedBranches(copy.deepcopy(tiny_model))
        views = views_of(before, PICTURES, seed=31)
        wanted = network.float_scores(views)
        assert min(b - a for a, b in pairwise(sorted(wanted.tolist()))) > 1e-6
        with torch.inference_mode():
            plainly = network(views, None) - wanted
            assert torch.allclose(rounded(before)(**views).flatten() - wanted, plainly, atol=1e-5)
        optimiser = torch.optim.Adam(network.parameters())
        for step in range(STEPS):
            optimiser.param_groups[0]["lr"] = 5e-5 * warmup_cosine(step, STEPS, 5)
            loss = (network(views, None) - wanted).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        after = network.as_model("any", before.provenance)
        with torch.inference_mode():
            learnt = after(**views).flatten() - wanted
            assert torch.allclose(rounded(after)(**views).flatten() - wanted, learnt, atol=1e-5)  # on the grid already
    print(f"sd {plainly.std():.1e} -> {learnt.std():.1e}, worst {plainly.abs().max():.1e} -> {learnt.abs().max():.1e}")
    assert learnt.std() < 0.5 * plainly.std() and learnt.abs().max() < 0.5 * plainly.abs().max()


def one_by_one(views):
    return ({view: x[n : n + 1] for view, x in views.items()} for n in range(len(next(iter(views.values())))))


def test_it_begins_with_weights_rounded_by_what_their_layers_do(tiny_model, one_thread):
    with one_thread():
        seen, others = views_of(tiny_model, 48, seed=31), views_of(tiny_model, PICTURES, seed=32)
        network = RoundedBranches(copy.deepcopy(tiny_model))

        def off(model, views):
            """Of what is given in float, by view."""
            with torch.inference_mode():
                features, wanted = model.features(**views), tiny_model.features(**views)
            return {view: (features[view] - wanted[view]).square().mean().item() for view in wanted}

        nearest = rounded(tiny_model)
        network.calibrate(one_by_one(seen))
        network.eval()
        # A thousandth on a trained network of full size (docs/experiments); so small a random one has few inputs
        # to a layer, and little to make up with.
        for views in (seen, others):
            before, after = off(nearest, views), off(network.model, views)
            assert all(after[view] < 0.9 * before[view] for view in before), (before, after)
        with torch.inference_mode():
            features, begun = tiny_model.features(**others), network.model.features(**others)
            scores = tiny_model(**seen).flatten()
        assert network.variance["score"] == pytest.approx(scores.var().item(), rel=1e-3)
        as_begun = network.distance(others)
        parts = [(begun[view] - features[view]).square().mean() / network.variance[view] for view in features]
        with torch.inference_mode():
            parts.append((network(others, None) - tiny_model(**others).flatten()).square().mean())
        parts[-1] = parts[-1] / network.variance["score"]
        assert as_begun.item() == pytest.approx(sum(parts).item(), rel=1e-4) and as_begun.requires_grad
        model = network.as_model("any", tiny_model.provenance)
    for name in rounded_layers(model):
        weight = model.get_submodule(name).weight.detach()
        assert torch.allclose(FakeQuantize()(weight), weight, atol=1e-7)


def test_it_needs_a_trained_model_to_learn_from():
    config = read_config("int8_finetune")
    assert config.weight_bits == 8 and config.stage == "finetune"
    with pytest.raises(Refusal, match="weight_bits is 4"):
        replace(config, weight_bits=4)
    with pytest.raises(Refusal, match="model_from"):
        replace(config, stage="merge")
