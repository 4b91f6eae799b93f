"""The model is the paper's: parameters, heads, branches, backbones, and what it refuses."""

import json

import pytest
import torch
from torch import nn

from lariqa.errors import Refusal
from lariqa.manifest.model_config import HeadConfig, LarIqaConfig, Provenance
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa_train.model.heads import PAPER_HEADS, make_reducer, make_regressor
from lariqa_train.model.model import BACKBONES, LarIqa, preprocess_for


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def tiny(**options) -> LarIqaConfig:
    return LarIqaConfig(
        **{"backbone": "mobilenetv3_small_050", "features": 16, "head": HeadConfig("kan", 8), **options}
    )


def test_the_papers_model_has_21216304_parameters():
    assert parameters(LarIqa()) == 21_216_304


@pytest.mark.parametrize(
    ("head", "flops"),  # Table 3, one branch: 0.26, 2.60 and 2.31 MFLOPs
    [("mlp", 0.26e6), ("mlp-matched", 2.60e6), ("kan-small", 2.31e6)],
)
def test_the_papers_heads_cost_what_table_3_says(head, flops):
    config = PAPER_HEADS[head]
    layers = [*make_reducer(config, 1000).modules(), *make_regressor(config, 1).modules()]
    per_edge = {"kan": 2 * 9, "mlp": 2}[config.kind]  # multiply-add for the base and 8 splines, or for the weight
    edges = sum(layer.in_features * layer.out_features for layer in layers if hasattr(layer, "in_features"))
    assert edges * per_edge == pytest.approx(flops, rel=0.03)


def test_the_matched_mlp_and_the_authors_mlp_have_their_layers():
    widths = {
        name: [layer.out_features for layer in make_reducer(PAPER_HEADS[name], 1000) if isinstance(layer, nn.Linear)]
        for name in ("mlp", "mlp-matched", "mlp-authors")
    }
    assert widths == {"mlp": [128], "mlp-matched": [1125, 128], "mlp-authors": [3100, 512]}
    assert isinstance(make_reducer(PAPER_HEADS["mlp-authors"], 1000)[0], nn.ReLU)


@pytest.mark.parametrize("branches", [("authentic", "synthetic"), ("authentic",), ("synthetic",)])
@pytest.mark.parametrize("head", [HeadConfig("kan", 8), HeadConfig("mlp", 8, hidden=12)])
def test_every_branch_matters_to_the_score(branches, head):
    torch.manual_seed(0)
    model = LarIqa(tiny(branches=branches, head=head)).train()  # batch statistics: random weights alone go flat
    views = {view: torch.randn(4, 3, 64, 64) for view in branches}
    scores = model(**views)
    assert scores.shape == (4, 1) and scores.std() > 1e-4
    for view in branches:
        changed = model(**{**views, view: torch.randn(4, 3, 64, 64)})
        assert (changed - scores).abs().max() > 1e-4
    assert {view: tuple(x.shape) for view, x in model.features(**views).items()} == dict.fromkeys(branches, (4, 16))


def test_a_missing_view_is_named():
    with pytest.raises(ValueError, match="synthetic"):
        LarIqa(tiny())(authentic=torch.zeros(1, 3, 64, 64))


@pytest.mark.parametrize("name", BACKBONES.values())
def test_the_papers_backbones_give_1000_features(name):
    model = LarIqa(LarIqaConfig(backbone=name, branches=("synthetic",), head=HeadConfig("kan", 8),
                                preprocess=preprocess_for(name))).eval()  # fmt: skip
    with torch.inference_mode():
        assert model.features(synthetic=torch.zeros(1, 3, 96, 64))["synthetic"].shape == (1, 1000)


def test_preprocessing_takes_the_backbones_own_mean_and_std():
    assert preprocess_for("mobilenetv3_large_100") == PreprocessSpec()
    assert preprocess_for("mobilevit_s").mean == (0.0, 0.0, 0.0)


def test_a_description_builds_the_same_model_again():
    config = tiny(branches=("synthetic",), preprocess=PreprocessSpec(synthetic_view="full"))
    model = LarIqa(config, Provenance(True, "a recipe", "ab12"))
    again = LarIqa(json.loads(json.dumps(model.describe())))
    assert again.config == config and again.provenance == model.provenance


def test_save_pretrained_and_from_pretrained_carry_everything(tmp_path):
    model = LarIqa(tiny(), Provenance(True, "a recipe")).eval()
    model.save_pretrained(tmp_path)
    assert {"config.json", "model.safetensors"} <= {file.name for file in tmp_path.iterdir()}
    again = LarIqa.from_pretrained(tmp_path).eval()
    assert again.config == model.config and again.provenance == model.provenance
    views = {view: torch.randn(1, 3, 64, 64) for view in ("authentic", "synthetic")}
    assert torch.equal(model(**views), again(**views))


@pytest.mark.parametrize(
    ("options", "word"),
    [({"backbone": "mobilenetv9"}, "mobilenetv9"), ({"branches": ("synthetic", "authentic")}, "branches"),
     ({"branches": ()}, "branches")],
)  # fmt: skip
def test_impossible_configurations_are_refused(options, word):
    with pytest.raises(Refusal, match=word):
        LarIqa(LarIqaConfig(**options))


@pytest.mark.parametrize("options", [{"kind": "cnn"}, {"kind": "kan", "hidden": 3}])
def test_impossible_heads_are_refused(options):
    with pytest.raises(Refusal):
        HeadConfig(**options)


def test_an_unknown_key_in_a_description_is_refused():
    with pytest.raises(Refusal, match="dropout"):
        LarIqa({**LarIqa(tiny()).describe(), "dropout": 0.5})
