"""When a measured row's parity counts as broken, in every precision."""

import pytest

from benchmarks.measure.measurement import Score
from benchmarks.suite import _parity_broke
from export.proof.limits import GATES, limit_of
from tests.support.made_rows import made_row

REFERENCES = [0.1 + 0.08 * number for number in range(10)]


def row_off_by(precision: str, error: float, role: str = "artifact"):
    scores = [Score(photo=str(n), score=r, reference=r) for n, r in enumerate(REFERENCES[:-1])]
    scores.append(Score(photo="last", score=REFERENCES[-1] + error, reference=REFERENCES[-1]))
    return made_row("x", scores=scores, subject={"precision": precision, "role": role})


@pytest.mark.parametrize("precision", ["fp32", *GATES])
def test_a_row_beyond_its_precisions_limit_is_looked_into(precision):
    limit = limit_of(precision, REFERENCES)
    assert 0 < limit < max(REFERENCES) - min(REFERENCES)
    assert _parity_broke(row_off_by(precision, 1.01 * limit))
    assert not _parity_broke(row_off_by(precision, 0.99 * limit))
    assert not _parity_broke(row_off_by(precision, 1.01 * limit, "baseline"))
