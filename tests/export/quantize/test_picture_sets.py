"""The pictures that fit, choose and judge share nothing."""

from itertools import pairwise

from export.proof.proof_photos import proof_photos
from export.quantize.picture_sets import LEFT, RIGHT, PictureSets, generated_pictures
from lariqa_train.model.reference import reference_scorer

HEIGHT, WIDTH = 150, 200


def test_pictures_that_judge_share_nothing_with_those_that_fit(tiny_model, tmp_path):
    fitting = dict(generated_pictures(6, HEIGHT, WIDTH, 1, LEFT))
    judging = dict(generated_pictures(6, HEIGHT, WIDTH, 2, RIGHT))
    assert len({picture.tobytes() for picture in (*fitting.values(), *judging.values())}) == 12
    assert sum(name.startswith("scene") for name in judging) == 3 and not fitting.keys() & judging.keys()
    reference = reference_scorer(tiny_model)
    pictures = PictureSets(
        reference, (HEIGHT, WIDTH), tmp_path, validation_pictures=6, proof=proof_photos(HEIGHT, WIDTH)
    )
    (first, scores), (again, same), (fresh, others) = (pictures.validation(attempt) for attempt in (0, 0, 1))
    assert list(first) == list(again) == list(scores) and scores == same and len(first) == 6 + 6
    low, high = (bound(pictures.in_distribution.proof_scores.values()) for bound in (min, max))
    assert all(2 * low - high <= score <= 2 * high - low for score in (*scores.values(), *others.values()))
    assert first.keys() & fresh.keys() == pictures.proof.keys()
    assert all(scores[name] == reference.score(first[name]) for name in first)
    ordered = sorted({**scores, **others}.values())
    assert min(b - a for a, b in pairwise(ordered)) > 1e-6
