"""Which pictures a model knows, by its scores and features of the proof's photos."""

import copy

from export.proof.proof_photos import proof_photos
from export.quantize.in_distribution import InDistribution
from lariqa_train.model.normalise import prepare
from lariqa_train.model.reference import reference_scorer

HEIGHT, WIDTH = 150, 200


def test_a_picture_with_other_scores_or_features_than_the_proofs_is_not_known(tiny_model):
    proof = proof_photos(HEIGHT, WIDTH)
    model = copy.deepcopy(tiny_model)
    pictures = InDistribution(reference_scorer(model), proof)
    scores = {name: pictures.score(photo) for name, photo in proof.items()}
    assert all(known for _, known in scores.values()) and len({score for score, _ in scores.values()}) == len(proof)
    assert pictures.proof_scores == {name: score for name, (score, _) in scores.items()}
    low, high = (bound(pictures.proof_scores.values()) for bound in (min, max))
    assert pictures.holds(high + 0.9 * (high - low), {}) and not pictures.holds(high + 1.1 * (high - low), {})
    assert pictures.holds(low - 0.9 * (high - low), {}) and not pictures.holds(low - 1.1 * (high - low), {})
    # Features, by hand: what the classifier of each branch gives.
    seen = [model.features(**prepare(photo, model.config.preprocess)) for photo in proof.values()]
    for view in model.config.branches:
        largest = max(features[view].square().mean().sqrt().item() for features in seen)
        assert pictures.holds((low + high) / 2, {view: 1.99 * largest})
        assert not pictures.holds((low + high) / 2, {view: 2.01 * largest})
    # Ten times as large features, by a branch that changes its mind after the proof.
    classifier = model.authentic.backbone.get_classifier()
    classifier.weight.data.mul_(10), classifier.bias.data.mul_(10)
    assert not any(pictures.score(photo)[1] for photo in proof.values())
