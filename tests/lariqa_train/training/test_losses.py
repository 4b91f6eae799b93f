"""Losses: their values by independent code, their gradients by finite differences, their safety on hopeless batches."""

import math

import numpy as np
import pytest
import torch

from lariqa_train.training.losses import accuracy_loss, color_space_loss, plcc, ranking_loss

SCORES = torch.tensor([0.2, 0.9, 0.4, 0.55, 0.1], dtype=torch.float64)
OPINIONS = torch.tensor([0.3, 0.8, 0.5, 0.5, 0.2], dtype=torch.float64)


def test_accuracy_loss_is_its_formula():
    x, y = SCORES.numpy(), OPINIONS.numpy()
    expected = 2.0 * np.mean((x - y) ** 2) + 0.5 * (1 - np.corrcoef(x, y)[0, 1])
    assert accuracy_loss(SCORES[:, None], OPINIONS, alpha=2.0, beta=0.5).item() == pytest.approx(expected, abs=1e-12)


def test_color_space_loss_is_the_sum_of_squared_errors():
    scores = {"rgb": SCORES, "yuv": SCORES + 0.1, "lab": SCORES - 0.2}
    expected = sum(np.mean((s.numpy() - OPINIONS.numpy()) ** 2) for s in scores.values())
    assert color_space_loss(scores, OPINIONS).item() == pytest.approx(expected, abs=1e-12)


def test_ranking_loss_is_its_formula_pair_by_pair():
    total, pairs = 0.0, 0
    for i in range(5):
        for j in range(i + 1, 5):
            p = 0.5 * (1 + math.erf((SCORES[i] - SCORES[j]).item() / (2 * 0.15)))  # Phi(d / (sqrt 2 sigma))
            d = (OPINIONS[i] - OPINIONS[j]).item()
            g = 1.0 if d > 0 else 0.5 if d == 0 else 0.0
            p = min(max(p, 1e-4), 1 - 1e-4)
            total, pairs = total + 1 - math.sqrt(p * g) - math.sqrt((1 - p) * (1 - g)), pairs + 1
    assert ranking_loss(SCORES, OPINIONS).item() == pytest.approx(total / pairs, abs=1e-9)


@pytest.mark.parametrize("loss", [accuracy_loss, ranking_loss, lambda s, o: 1 - plcc(s, o)])
def test_gradients_agree_with_finite_differences(loss):
    assert torch.autograd.gradcheck(lambda s: loss(s, OPINIONS), (SCORES.clone().requires_grad_(),))


@pytest.mark.parametrize("loss", [accuracy_loss, ranking_loss])
@pytest.mark.parametrize(
    ("scores", "mos"),
    [([0.5] * 4, [0.1, 0.2, 0.3, 0.4]), ([0.1, 0.2, 0.3, 0.4], [0.5] * 4), ([0.5] * 4, [0.5] * 4), ([0.3], [0.7]),
     ([1e-20, 0, 0, 0], [0, 0, 0, 1])],
)  # fmt: skip
def test_hopeless_batches_give_finite_losses_and_gradients(loss, scores, mos):
    scores = torch.tensor(scores, requires_grad=True)
    value = loss(scores, torch.tensor(mos, dtype=torch.float32))
    value.backward()
    assert value.isfinite() and scores.grad.isfinite().all() and scores.grad.abs().max() < 1e4


def test_a_constant_batch_is_pulled_towards_the_opinions_order():
    scores = torch.full((4,), 0.5, requires_grad=True)
    (1 - plcc(scores, torch.tensor([0.1, 0.2, 0.3, 0.4]))).backward()
    assert (scores.grad.diff() < 0).all()  # downhill is upwards for the better ones


def test_ranking_ignores_the_scale_of_opinions_and_prefers_the_right_order():
    assert torch.equal(ranking_loss(SCORES, OPINIONS), ranking_loss(SCORES, OPINIONS * 7 + 3))
    assert ranking_loss(OPINIONS, OPINIONS) < ranking_loss(SCORES.flip(0), OPINIONS)
