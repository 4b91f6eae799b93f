"""Refitted grids: they cover the inputs, the curves stay on the photos that were seen, and the model still fuses."""

import copy

import pytest
import torch

from export.proof.proof_photos import seeded_photos
from export.rewrite.fused_kan import fuse_kans
from lariqa.errors import Refusal
from lariqa.manifest.model_config import HeadConfig
from lariqa_train.model.kan import KanLinear
from lariqa_train.model.model import LarIqa
from lariqa_train.model.normalise import prepare
from lariqa_train.model.refit_grids import refit_grids, run_heads

PHOTOS = 24


@pytest.fixture(scope="module")
def features(tiny_model, one_thread):
    """View -> (PHOTOS, 16) features of the tiny model."""
    with one_thread(), torch.inference_mode():
        seen = [
            tiny_model.features(**prepare(photo, tiny_model.config.preprocess))
            for _, photo in seeded_photos(PHOTOS, 150, 200, seed=5)
        ]
    return {view: torch.cat([one[view] for one in seen]) for view in seen[0]}


@pytest.fixture
def far_off(tiny_model):
    """A copy whose grids lie beside most of the inputs."""
    model = copy.deepcopy(tiny_model)
    for layer in model.modules():
        if isinstance(layer, KanLinear):
            layer.grid.mul_(0.25)
    return model


def test_the_heads_alone_score_as_the_model_does(tiny_model, features, one_thread):
    with one_thread(), torch.inference_mode():
        (_, photo), *_ = seeded_photos(1, 150, 200, seed=5)
        score = tiny_model(**prepare(photo, tiny_model.config.preprocess)).item()
    assert run_heads(tiny_model, features).scores[0].item() == pytest.approx(score, abs=1e-6)


def test_every_input_is_in_the_core_afterwards_and_the_scores_stay(far_off, features):
    before = run_heads(far_off, features)
    assert before.scores.std() > 1e-3 and min(row.in_core for row in before.coverage.values()) < 0.7
    refit_grids(far_off, features)
    after = run_heads(far_off, features)
    assert after.coverage.keys() == before.coverage.keys() and len(after.coverage) == 3
    assert all(row.in_core == 1 for row in after.coverage.values()), after.coverage
    moved = (after.scores - before.scores).abs()
    print(f"moved by {moved.mean():.1e}, {moved.max():.1e} at most; sd of the scores {before.scores.std():.1e}")
    assert moved.max() < 0.5 * before.scores.std()


def test_as_many_photos_as_splines_keep_their_scores(far_off, features):
    """Then a curve can go through what it was at every input, up to the conditioning of the fit."""
    few = {view: x[:8] for view, x in features.items()}
    before = run_heads(far_off, few).scores
    refit_grids(far_off, few)
    moved = (run_heads(far_off, few).scores - before).abs()
    assert moved.median() < 1e-6 and moved.max() < 0.01 * (before.max() - before.min())


def test_a_refitted_model_fuses_exactly(far_off, features):
    refit_grids(far_off, features)
    fused, report = fuse_kans(far_off)
    assert [layer.form for layer in report.layers] == ["nonuniform"] * 3
    inputs = {view: torch.cat([x, 3 * x.flip(0), -x]) for view, x in features.items()}  # outside the grids, too
    scores = run_heads(far_off, inputs).scores
    with torch.inference_mode():
        reduced = [getattr(fused, view).reducer(inputs[view]) for view in far_off.config.branches]
        assert torch.allclose(fused.regressor(torch.cat(reduced, 1)).flatten(), scores, atol=1e-5, rtol=1e-5)
    assert scores.std() > 1e-3


def test_what_cannot_be_refitted_is_refused(tiny_config, far_off, features):
    with pytest.raises(Refusal, match="7 photos cannot determine the 8 splines"):
        refit_grids(far_off, {view: x[:7] for view, x in features.items()})
    with pytest.raises(Refusal, match="KAN of authentic: the data of input 0 repeat"):
        refit_grids(far_off, {view: x[:1].repeat(9, 1) for view, x in features.items()}, blend=0)
    for head, words in ((None, "a bare encoder"), (HeadConfig("mlp", 8), "an MLP head")):
        with pytest.raises(Refusal, match=f"{words} and no KAN layer"):
            refit_grids(LarIqa(tiny_config(head=head)), features)
