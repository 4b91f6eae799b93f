"""Derived figures: checked against numbers worked out by hand and against distributions whose truth is known."""

import numpy as np
import pytest

from benchmarks.measure.measurement import Decoder, Latency
from benchmarks.measure.statistics import (
    FEWEST_RUNS,
    Interval,
    decodes_otherwise,
    describe,
    drift,
    leaves_out,
    median_interval,
    paired_ratio,
    parity_of,
    run_ms,
)
from export.proof.limits import LIMITS, PAPER_SCORE_SD
from export.proof.parity import Parity, PhotoParity
from lariqa.errors import Refusal
from tests.support.made_rows import made_row


def test_percentiles_are_linear_between_the_two_nearest_samples():
    found = describe([40.0, 10.0, 30.0, 20.0])
    assert (found.n, found.min, found.max) == (4, 10, 40)
    assert (found.p50, found.p90, found.p95, found.p99) == pytest.approx((25, 37, 38.5, 39.7))
    assert found.mad == 10  # |40-25|, |10-25|, |30-25|, |20-25| -> median of 5, 5, 15, 15


def test_of_nothing_there_is_no_figure_and_of_few_no_interval():
    assert describe([]) is None
    few = describe([1.0] * (FEWEST_RUNS - 1))
    assert few.p50 == 1 and few.interval is None and few.drift is None
    assert median_interval([3.0] * FEWEST_RUNS) == Interval(3.0, 3.0)


def test_the_interval_holds_the_true_median_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    held = sum(median_interval(list(rng.normal(100, 10, 30))).holds(100) for _ in range(200))
    assert 176 <= held <= 199  # 188 expected (93.9 % of many), standard deviation 3.4


def test_the_same_samples_give_the_same_interval():
    samples = list(np.random.default_rng(1).gamma(9, 10, 40))
    assert median_interval(samples) == median_interval(samples)


def test_drift_is_the_last_third_against_the_first():
    assert drift([1.0] * 10 + [1.5] * 10 + [2.0] * 10) == 2
    assert drift([5.0] * 8) is None


def two_rows(factor: float, **given):
    """A baseline, and a row that takes ``factor`` times as long on the same drifting machine."""
    return made_row("slow", 300 * factor, seed=2, **given), made_row("base", 300)


@pytest.mark.parametrize("factor", [0.8, 1.2, 3.0])
def test_a_planted_ratio_is_found_within_its_interval(factor):
    ratio = paired_ratio(*two_rows(factor))
    assert ratio.interval.low < factor < ratio.interval.high and ratio.is_clear and ratio.pairs == 30
    assert ratio.interval.high / ratio.interval.low < 1.1


def test_equal_rows_are_not_told_apart():
    one, other = two_rows(1.0)
    assert run_ms(one) != run_ms(other)
    assert not paired_ratio(one, other).is_clear


def test_a_drifting_machine_cannot_choose_the_winner():
    drifting = np.linspace(1, 3, 30)  # three times as slow at the end; the medians' intervals are wide
    rng = np.random.default_rng(0)
    rows = [
        made_row(name).model_copy(
            update={"latency": Latency(inference_ms=list(drifting * ms * rng.uniform(1, 1.01, 30)))}
        )
        for name, ms in (("fast", 100), ("slow", 105))
    ]
    fast, slow = (describe(run_ms(row)).interval for row in rows)
    assert not fast.apart_from(slow)
    assert paired_ratio(rows[1], rows[0]).is_clear


def test_runs_without_a_partner_are_left_out():
    row, base = two_rows(1.2, runs=12)
    assert paired_ratio(row, base).pairs == 12


@pytest.mark.parametrize(
    ("given", "fact"),
    [
        ({"report": "another"}, "different reports"),
        ({"report": ""}, "different reports"),
        ({"mode": "sustained"}, "not in turns"),
        ({"runs": FEWEST_RUNS - 1}, f"needs {FEWEST_RUNS}"),
    ],
)
def test_a_ratio_that_would_mean_nothing_is_refused(given, fact):
    with pytest.raises(Refusal, match=fact):
        paired_ratio(*two_rows(1.2, **given))


def test_the_run_is_from_decoded_pixels_to_score():
    row = made_row("x", runs=2)
    latency = Latency(decode_ms=[900, 900], preprocess_ms=[10, 20], inference_ms=[100, 200], post_ms=[1, 2])
    row = row.model_copy(update={"latency": latency})
    assert run_ms(row) == [111, 222] and row.latency.total_ms == [1011, 1122]
    tensors = made_row("x", subject={"input": "tensors"})
    assert not leaves_out(tensors)
    bare = tensors.model_copy(update={"latency": Latency(inference_ms=[1.0])})
    assert "preprocessing was not timed" in leaves_out(bare) and run_ms(bare) == [1.0]
    assert run_ms(made_row("x", None)) == []


# Score parity


def parity(pairs, limit: float | None = LIMITS["fp32"]) -> Parity:
    return Parity(tuple(PhotoParity(str(i), reference, score) for i, (reference, score) in enumerate(pairs)), limit)


def test_parity_by_hand():
    found = parity([(0.1, 0.2), (0.2, 0.1), (0.3, 0.3), (0.3, 0.5)])
    assert found.proves_nothing == "" and found.spread == pytest.approx(0.2)
    assert found.worst == pytest.approx(0.2) and found.mean == pytest.approx(0.1)
    assert found.sd == pytest.approx(np.std([0.1, -0.1, 0, 0.2], ddof=1))
    assert found.sd_share == pytest.approx(found.sd / PAPER_SCORE_SD)
    # Six pairs; the reference has two equal, so ranks five; the file turns the first two round.
    assert (found.pairs, found.flips, found.flip_share) == (5, 1, 0.2)
    assert found.plcc == pytest.approx(np.corrcoef([0.1, 0.2, 0.3, 0.3], [0.2, 0.1, 0.3, 0.5])[0, 1])
    assert found.srcc == pytest.approx(np.corrcoef([1, 2, 3.5, 3.5], [2, 1, 3, 4])[0, 1])
    assert found.passed is False and parity([(0.1, 0.1), (0.2, 0.2)]).passed is True
    assert found.figures()["worst_mos_points"] == pytest.approx(20)


def test_scores_that_do_not_differ_prove_nothing():
    alike = parity([(0.5, 0.5), (0.5 + 99 * LIMITS["fp32"], 0.5)])
    assert "too alike" in alike.proves_nothing and alike.passed is None and alike.srcc is None and alike.plcc is None
    assert "1 photo lie" in parity([(0.5, 0.5)]).proves_nothing


def test_a_file_that_gives_every_photo_one_score_ranks_nothing():
    stuck = parity([(0.1, 0.5), (0.5, 0.5), (0.9, 0.5)])
    assert stuck.flips == stuck.pairs == 3 and stuck.srcc is None and stuck.passed is False


def test_two_photos_have_no_correlation_and_nan_passes_nothing():
    assert parity([(0.1, 0.1), (0.9, 0.9)]).srcc is None
    assert parity([(0.1, 0.1), (0.5, float("nan")), (0.9, 0.9)]).passed is False


def test_of_a_row_only_photos_with_a_reference_count():
    row = made_row("x", error=1e-6)
    assert len(parity_of(row.scores, "fp32").photos) == 24
    assert parity_of(row.scores, "fp32").limit == LIMITS["fp32"]
    assert parity_of(row.scores, "int1").limit is None and parity_of(row.scores, "int1").passed is None
    assert parity_of([score.model_copy(update={"reference": None}) for score in row.scores], "fp32") is None


def test_many_photos_are_quick_enough():
    rng = np.random.default_rng(0)
    found = parity([(score, score + 1e-6) for score in rng.uniform(0, 1, 1000)])
    assert found.pairs == 499_500 and found.flips < 10


def test_a_decoder_that_differs_is_a_reason_to_doubt_the_scores():
    row = made_row("a")
    assert not decodes_otherwise(row)
    exact = Decoder(library="a", worst_levels=0, mean_levels=0, differing_share=0, score=0.5, reference=0.5)
    assert not decodes_otherwise(row.model_copy(update={"decoder": exact}))
    off = exact.model_copy(update={"worst_levels": 18, "differing_share": 0.25, "score": 0.5047})
    (said,) = decodes_otherwise(row.model_copy(update={"decoder": off}))
    assert (
        "25.0%" in said
        and "18 levels" in said
        and "4.7e-03" in said
        and said.endswith("JPEG photos are that far from PyTorch's")
    )
    heic = off.model_copy(
        update={"file": "golden.heic", "reference": None, "score_of_expected": 0.501, "worst_levels": 2}
    )
    jpeg, said = decodes_otherwise(row.model_copy(update={"decoder": off, "decoder_heic": heic}))
    assert "golden.jpg" in jpeg and "golden.heic" in said and "3.7e-03" in said and "HEIC photos" in said
    (unscored,) = decodes_otherwise(row.model_copy(update={"decoder_heic": heic.model_copy(update={"score": None})}))
    assert "2 levels; scores of HEIC photos" in unscored
