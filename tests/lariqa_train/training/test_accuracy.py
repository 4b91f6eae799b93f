"""Accuracy figures: held against definitions written out here, and against scipy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lariqa.errors import Refusal
from lariqa_train.training.accuracy import bootstrap_intervals, fit_logistic, logistic, measure_accuracy


def ranks(values):
    """Average ranks, by counting: no sorting, no library."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2 for value in values
    ]


def pearson(x, y):
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    cov = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return cov / math.sqrt(math.fsum((a - mean_x) ** 2 for a in x) * math.fsum((b - mean_y) ** 2 for b in y))


def kendall(x, y):
    sign = lambda value: (value > 0) - (value < 0)  # noqa: E731
    pairs = [(i, j) for i in range(len(x)) for j in range(i)]
    agree = sum(sign(x[i] - x[j]) * sign(y[i] - y[j]) for i, j in pairs)
    untied_x, untied_y = (sum(v[i] != v[j] for i, j in pairs) for v in (x, y))
    return agree / math.sqrt(untied_x * untied_y)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=3, max_size=25))
def test_every_figure_is_its_definition_ties_included(pairs):
    x, y = [a / 12 for a, _ in pairs], [b / 7 for _, b in pairs]
    measured = measure_accuracy(np.array(x), np.array(y))
    assert measured.rmse == pytest.approx(
        math.sqrt(math.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True)) / len(x))
    )
    assert measured.mae == pytest.approx(math.fsum(abs(a - b) for a, b in zip(x, y, strict=True)) / len(x))
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert measured.plcc == pytest.approx(pearson(x, y), abs=1e-9)
        assert measured.srcc == pytest.approx(pearson(ranks(x), ranks(y)), abs=1e-9)
        assert measured.krcc == pytest.approx(kendall(x, y), abs=1e-9)
    else:
        assert math.isnan(measured.srcc) and measured.to_json()["plcc"] is None


def test_it_agrees_with_scipy_to_1e_9():
    random = np.random.default_rng(1)
    mos = random.random(300)
    scores = mos + random.normal(0, 0.2, 300)
    measured = measure_accuracy(scores, mos)
    assert abs(measured.srcc - stats.spearmanr(scores, mos)[0]) < 1e-9
    assert abs(measured.plcc - stats.pearsonr(scores, mos)[0]) < 1e-9
    assert abs(measured.krcc - stats.kendalltau(scores, mos)[0]) < 1e-9


def test_the_logistic_fit_finds_the_curve_that_made_the_opinions():
    random = np.random.default_rng(2)
    scores = random.uniform(-1, 2, 400)
    truth = (0.9, 0.1, 0.4, 0.25)
    mos = logistic(scores, *truth)
    assert np.allclose(fit_logistic(scores, mos), truth, atol=1e-5)
    before = measure_accuracy(scores, mos)
    after = measure_accuracy(logistic(scores, *fit_logistic(scores, mos)), mos)
    assert after.srcc == pytest.approx(before.srcc) and after.plcc > before.plcc + 0.01 and after.rmse < 1e-5


def test_intervals_hold_the_figure_shrink_with_images_and_widen_when_images_share_a_group():
    random = np.random.default_rng(3)
    mos = np.repeat(random.random(40), 5)
    scores = mos + np.repeat(random.normal(0, 0.3, 40), 5)
    few = bootstrap_intervals(scores[::5][:15], mos[::5][:15], resamples=200)["srcc"]
    alone = bootstrap_intervals(scores, mos, resamples=200)["srcc"]
    grouped = bootstrap_intervals(scores, mos, np.repeat(np.arange(40), 5), resamples=200)["srcc"]
    figure = measure_accuracy(scores, mos).srcc
    assert alone[0] < figure < alone[1]
    assert few[1] - few[0] > alone[1] - alone[0]
    assert grouped[1] - grouped[0] > 1.5 * (alone[1] - alone[0])
    assert bootstrap_intervals(scores, mos, resamples=50) == bootstrap_intervals(scores, mos, resamples=50)


@pytest.mark.parametrize(
    ("scores", "mos", "words"),
    [
        ([1, 2, 3], [1, 2], "3 scores but 2 MOS values"),
        ([1, 2], [1, 2], "too few"),
        ([1, math.nan, 3], [1, 2, 3], "score 2 of 3"),
        ([1, 2, 3], [1, 2, math.inf], "MOS 3 of 3"),
    ],
)
def test_what_cannot_be_measured_is_refused(scores, mos, words):
    with pytest.raises(Refusal, match=words):
        measure_accuracy(np.array(scores), np.array(mos))


def test_equal_scores_have_no_curve():
    with pytest.raises(Refusal, match="all scores are equal"):
        fit_logistic(np.ones(5), np.arange(5))
