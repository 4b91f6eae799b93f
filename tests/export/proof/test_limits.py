"""The gate of lower precisions: in score units, on the scale of the scores that a model gives."""

import numpy as np
import pytest

from export.proof import limits
from export.proof.limits import GATE_PHOTOS, GATES, PAPER_SCORE_SD, Gate
from export.proof.parity import Parity, PhotoParity


def judged(precision, sd, count=GATE_PHOTOS, score_sd=PAPER_SCORE_SD):
    random = np.random.default_rng(1)
    references = 0.5 + score_sd * random.standard_normal(count)
    rows = tuple(
        PhotoParity(str(i), r, r + sd * e)
        for i, (r, e) in enumerate(zip(references, random.standard_normal(count), strict=True))
    )
    return Parity(rows, limits.limit_of(precision, references), precision)


@pytest.mark.parametrize(
    ("precision", "holds", "misses"), [("fp16", 3e-5, 5e-4), ("w8", 1e-3, 2e-3), ("int8", 2e-3, 4e-3)]
)
def test_the_gate_is_in_score_units(precision, holds, misses):
    assert judged(precision, holds).passed and not judged(precision, holds).missed
    missed = judged(precision, misses)
    assert not missed.passed and any(sentence.startswith("sd ") for sentence in missed.missed)
    figures = missed.to_json()
    assert figures["passed"] is False and figures["precision"] == precision
    assert figures["sd"] == pytest.approx(misses, rel=0.2) and figures["flips"] > 0 and figures["srcc"] < 1


def test_fewer_photos_than_the_gate_asks_for_are_held_against_the_worst_alone():
    few = judged("w8", 1.5e-3, count=20)
    assert few.passed and few.worst <= few.limit
    assert few.sd > GATES["w8"].sd([photo.reference for photo in few.photos])
    assert not judged("w8", 5e-2, count=20).passed


def test_the_limit_grows_with_the_scores_that_a_model_gives():
    assert judged("int8", 8e-3, score_sd=4 * PAPER_SCORE_SD).passed and not judged("int8", 8e-3).passed
    assert Gate(0.999, 1.0, sd_of_range=5e-4).sd([0.0, 0.4]) == pytest.approx(2e-4)
    assert Gate(0.999, 1.0, sd_of_range=5e-4).sd([0.0, 9.0]) == pytest.approx(5e-4)  # of the nominal range, 0..1
