"""The export-ready model scores as the reference does, before any converter touches it, and leaves it as it was."""

import copy

import pytest
import torch
from timm.models._efficientnet_blocks import SqueezeExcite

from export.proof.limits import LIMITS
from export.proof.proof_photos import bundled_photos
from export.rewrite.export_ready import ExportRequest, make_export_ready
from export.rewrite.fold_std import DivideByStd
from export.rewrite.separable_mean import use_separable_means
from export.rewrite.torch_layers import count_macs
from lariqa.errors import Refusal
from lariqa.manifest.model_config import HeadConfig, LarIqaConfig
from lariqa.photos.views import inputs_of
from lariqa_train.model.model import LarIqa, preprocess_for
from lariqa_train.model.normalise import prepare


@pytest.fixture(scope="module")
def photos():
    return bundled_photos(150, 200)


def reference(model: LarIqa, photos, view: str) -> torch.Tensor:
    spec = model.config.preprocess.with_view(view)
    with torch.inference_mode():
        return torch.tensor([model(**prepare(image, spec, model.config.branches)) for image in photos.values()])


def exported(model: LarIqa, photos, kind: str, view: str) -> torch.Tensor:
    ready = make_export_ready(model, ExportRequest(kind, 150, 200, view))
    scores = []
    with torch.inference_mode():
        for image in photos.values():
            inputs = inputs_of(image, kind, ready.preprocess, ready.config.branches)
            scores.append(ready(*map(torch.from_numpy, inputs.values())))
    return torch.tensor(scores)


@pytest.mark.parametrize("view", ["crop", "full"])
@pytest.mark.parametrize("kind", ["views", "pixels", "tensors"])
def test_scores_are_the_references(photos, kind, view, tiny_config, make_tiny_model):
    model = make_tiny_model(tiny_config(view=view))
    expected = reference(model, photos, view)
    assert expected.diff().abs().min() > 1e-4
    assert (exported(model, photos, kind, None) - expected).abs().max() <= LIMITS["fp32"]


@pytest.mark.parametrize("branches", [("authentic",), ("synthetic",)])
def test_single_branch_models_export_as_well(photos, branches, tiny_config, make_tiny_model):
    model = make_tiny_model(tiny_config(branches=branches))
    expected = reference(model, photos, "crop")
    assert expected.diff().abs().min() > 1e-4
    for kind in ("pixels", "views"):
        assert (exported(model, photos, kind, "crop") - expected).abs().max() <= LIMITS["fp32"]


def test_the_default_takes_photos_of_any_size_where_it_can(tiny_model):
    ready = make_export_ready(tiny_model, ExportRequest(height=150, width=200))
    assert (ready.takes, ready.photo_size_px) == ("views", None)
    ready = make_export_ready(tiny_model, ExportRequest(height=150, width=200, synthetic_view="full"))
    assert (ready.takes, ready.photo_size_px) == ("pixels", (150, 200))


@pytest.mark.parametrize("memory", ["naive", "fast", "balanced", "low"])
def test_views_of_photos_of_any_size_score_as_the_reference(memory, tiny_model):
    ready = make_export_ready(tiny_model, ExportRequest("views", memory=memory))
    photos = {size: bundled_photos(*size)["noisy"] for size in ((150, 200), (200, 150), (101, 97), (40, 300))}
    expected = reference(tiny_model, photos, "crop")
    assert expected.diff().abs().min() > 1e-4
    with torch.inference_mode():
        made = [inputs_of(image, "views", ready.preprocess) for image in photos.values()]
        scores = torch.tensor([ready(*map(torch.from_numpy, views.values())) for views in made])
    assert (scores - expected).abs().max() <= LIMITS["fp32"]


@pytest.mark.parametrize(
    ("asked", "fact"),
    [
        ({"input": "pixels", "batch": "dynamic"}, "--input pixels"),
        ({"input": "views", "synthetic_view": "full", "memory": "low"}, "--memory low"),
        ({"input": "views", "synthetic_view": "full", "batch": "dynamic"}, "make no batch"),
    ],
)
def test_what_cannot_be_is_refused(asked, fact, tiny_model):
    with pytest.raises(Refusal, match=fact):
        make_export_ready(tiny_model, ExportRequest(height=150, width=200, **asked))


def test_the_model_itself_is_left_alone(tiny_model):
    before = copy.deepcopy(tiny_model.state_dict())
    ready = make_export_ready(tiny_model, ExportRequest("pixels", 150, 200, "full"))
    after = tiny_model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert tiny_model.config.preprocess.synthetic_view == "crop" and ready.config.preprocess.synthetic_view == "full"
    assert not any(parameter.requires_grad for parameter in ready.parameters())
    assert len(ready.fusion.layers) == 3


def test_std_is_folded_where_there_is_a_first_convolution_and_kept_where_there_is_none(tiny_model, photos):
    request = ExportRequest("pixels", 150, 200)
    assert not [m for m in make_export_ready(tiny_model, request).modules() if isinstance(m, DivideByStd)]
    nameless = copy.deepcopy(tiny_model)
    for branch in (nameless.authentic, nameless.synthetic):
        branch.backbone.pretrained_cfg = {**branch.backbone.pretrained_cfg, "first_conv": None}
    assert len([m for m in make_export_ready(nameless, request).modules() if isinstance(m, DivideByStd)]) == 2
    expected = reference(tiny_model, photos, "crop")
    assert (exported(nameless, photos, "pixels", "crop") - expected).abs().max() <= LIMITS["fp32"]


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["mobilenetv2_100", "mobilevit_s", "fastvit_mci2"])
def test_the_other_backbones_of_the_paper_are_rewritten_exactly(photos, backbone, tiny_config, make_tiny_model):
    own = preprocess_for(backbone)
    config = tiny_config(backbone=backbone, mean=own.mean, std=own.std)
    model = make_tiny_model(config)
    expected = reference(model, photos, "crop")
    assert expected.diff().abs().min() > 1e-4
    assert (exported(model, photos, "pixels", "crop") - expected).abs().max() <= LIMITS["fp32"]


@pytest.mark.parametrize(
    ("request_", "gmacs"),  # measured with four counters; the paper says <= 37 for the full view
    [
        (ExportRequest("tensors", 2160, 3840, "full", "naive"), 35.84),
        (ExportRequest("tensors", 2160, 3840, "full", "fast"), 35.84),
        (ExportRequest("tensors", 2160, 3840, "crop", "naive"), 7.58),
    ],
)
def test_the_papers_model_costs_what_was_counted(request_, gmacs):
    ready = make_export_ready(LarIqa(), request_)
    assert count_macs(ready, ready.example()) / 1e9 == pytest.approx(gmacs, abs=0.02)


def test_the_resize_in_the_graph_costs_next_to_nothing():
    model = LarIqa()
    macs = {}
    for kind in ("pixels", "tensors"):
        ready = make_export_ready(model, ExportRequest(kind, 2160, 3840, "crop", "naive"))
        macs[kind] = count_macs(ready, ready.example())
    assert 0 < macs["pixels"] - macs["tensors"] < 0.2e9


@pytest.mark.parametrize(
    ("options", "word"), [({"input": "bytes"}, "bytes"), ({"height": 20}, "too small"), ({"width": 1}, "too small")]
)
def test_impossible_requests_are_refused(options, word):
    with pytest.raises(Refusal, match=word):
        ExportRequest(**options)


def test_a_bare_encoder_has_nothing_to_export():
    encoder = LarIqa(LarIqaConfig(branches=("synthetic",), head=None))
    with pytest.raises(Refusal, match="no score"):
        make_export_ready(encoder, ExportRequest())


def test_an_mlp_head_needs_no_fusion(photos, tiny_config, make_tiny_model):
    model = make_tiny_model(tiny_config(head=HeadConfig("mlp", 8, hidden=12)))
    expected = reference(model, photos, "crop")
    assert expected.diff().abs().min() > 1e-4
    assert make_export_ready(model, ExportRequest("pixels", 150, 200)).fusion.layers == ()
    assert (exported(model, photos, "pixels", "crop") - expected).abs().max() <= LIMITS["fp32"]


def test_means_are_taken_in_two_stages_and_stay_the_same_numbers(tiny_model):
    original = copy.deepcopy(tiny_model.authentic.backbone).eval().double()
    rewritten = use_separable_means(original)
    assert "SqueezeExcite" in [type(module).__name__ for module in original.modules()]  # untouched
    kinds = [type(module).__name__ for module in rewritten.modules()]
    assert "SqueezeExcite" not in kinds and "AdaptiveAvgPool2d" not in kinds
    assert kinds.count("SeparableSqueezeExcite") == sum(isinstance(m, SqueezeExcite) for m in original.modules()) > 3
    pictures = torch.rand(2, 3, 96, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected, came = original(pictures), rewritten(pictures)
    assert (expected[0] - expected[1]).abs().max() > 1e-3  # else equal outputs would prove nothing
    assert (came - expected).abs().max() < 1e-12 * expected.abs().max()
