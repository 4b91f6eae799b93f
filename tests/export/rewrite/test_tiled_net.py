"""Strips and groups of channels: the same score, every row and channel once, as little alive as the plan says."""

from dataclasses import replace

import onnx
import pytest
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from export.formats import FORMATS, USUAL
from export.formats.tflite.convert import WIDEST_CONCATENATION, _constants_kept_alive, _load
from export.pipeline import export_proved
from export.proof.limits import LIMITS
from export.proof.memory_model import planned_branches, predict
from export.proof.proof_photos import bundled_photos
from export.rewrite.export_ready import ExportRequest, make_export_ready
from export.rewrite.liveness import _Walk, steps_of
from export.rewrite.mbconv import ConvLayer, read_mbconv_net
from export.rewrite.tiled_net import GraphOptions, TiledNet
from export.rewrite.tiling_plan import BUDGETS, Budget, Rows, make_plan, rows_needed
from lariqa.backends import backend
from lariqa.errors import Refusal
from lariqa.manifest.manifest import read_manifest
from lariqa.manifest.model_config import LarIqaConfig
from lariqa.runtimes.artifacts import open_artifact
from lariqa_train.model.normalise import prepare

BACKBONES = ("mobilenetv3_large_100", "mobilenetv3_small_100", "mobilenetv2_100", "efficientnet_b0")


@pytest.fixture
def tight(monkeypatch):
    """Budgets so small that even small pictures run in many strips and groups."""
    for memory in ("low", "balanced"):
        monkeypatch.setitem(BUDGETS, memory, Budget(100_000, 20_000 if memory == "low" else None))


def network(name: str) -> torch.nn.Module:
    """A backbone whose batch norms were set on pictures, so that its output differs from picture to picture."""
    torch.manual_seed(3)
    net = timm.create_model(name, num_classes=8).train()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        net(pictures(160, 160))
    return net.eval()


@pytest.fixture(scope="module")
def networks():
    return {name: network(name) for name in BACKBONES}


def pictures(height: int, width: int) -> torch.Tensor:
    """One of noise, one smooth."""
    noise = torch.randn(3, height, width, generator=torch.Generator().manual_seed(height * 10_000 + width))
    rows, columns = torch.linspace(0, 9, height)[:, None], torch.linspace(0, 7, width)
    return torch.stack([noise, (rows.sin() * columns.cos()).expand(3, height, width)])


def run(net: TiledNet, x: torch.Tensor) -> torch.Tensor:
    return torch.cat([net(lambda a, b, one=one: one[None, :, a:b]) for one in x])


def agrees(result: torch.Tensor, expected: torch.Tensor) -> bool:
    assert (expected[0] - expected[1]).abs().max() > 1e-2 * expected.abs().max()
    return (result - expected).abs().max() <= 2e-5 * expected.abs().max()


# The plan


def test_rows_that_a_layer_needs_are_those_that_its_filter_covers():
    layer = ConvLayer.fold(torch.nn.Conv2d(1, 1, 5, stride=2, padding=2), None, torch.nn.Identity())
    assert rows_needed(layer, Rows(0, 3), 100) == Rows(0, 7, pad_top=2)  # 3 results: rows -2..6
    assert rows_needed(layer, Rows(10, 12), 100) == Rows(18, 25)
    assert rows_needed(layer, Rows(48, 50), 99) == Rows(94, 99, pad_bottom=2)


@pytest.mark.parametrize("name", BACKBONES)
def test_strips_and_groups_cover_everything_once(name, networks, tight):
    net = read_mbconv_net(networks[name])
    plan = make_plan(net, 333, 250, "low")
    assert len(plan.strips) > 3
    assert [strip.result.first for strip in plan.strips[1:]] == [strip.result.last for strip in plan.strips[:-1]]
    assert (plan.strips[0].result.first, plan.strips[-1].result.last) == (0, plan.sizes[plan.prefix][0])
    assert max(map(len, plan.groups)) > 3
    for block, groups in zip(net.blocks[plan.prefix :], plan.groups, strict=True):
        assert [first for first, _ in groups[1:]] == [last for _, last in groups[:-1]]
        assert (groups[0][0], groups[-1][1]) == (0, block.spatial.channels)


def test_alive_is_what_was_made_and_is_still_to_be_read():
    walk = _Walk()
    photo = walk.make("photo", (1, 10, 10))  # 400 bytes
    wide = walk.make("wide", (4, 10, 10), (photo,))
    small = walk.make("small", (2, 5, 5), (wide,))
    walk.make("added", (2, 5, 5), (photo,), onto=small)  # in place; the photo is read again
    walk.make("end", (1, 1, 1), (small,))
    assert [step.alive_bytes for step in walk.steps()] == [400, 2000, 2200, 600, 204]


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("memory", ["low", "balanced", "fast"])
def test_what_runs_is_what_the_plan_says(name, memory, networks, tight):
    net = read_mbconv_net(networks[name])
    plan = make_plan(net, 161, 130, memory)
    lean, ran = TiledNet(net, plan), []
    gates = {id(layer) for block in net.blocks if block.gate for layer in block.gate.modules()}
    for module in lean.modules():
        if isinstance(module, ConvLayer) and id(module) not in gates:
            module.register_forward_hook(lambda module, _, result: ran.append(tuple(result.shape[1:])))
    with torch.inference_mode():
        lean(lambda first, last: pictures(161, 130)[:1, :, first:last])
    planned = [step.shape for step in steps_of(net, plan) if step.macs]
    assert ran == planned


def test_less_memory_means_less_alive_and_little_more_work():
    branches = {m: planned_branches(LarIqaConfig(), "full", m, 2160, 3840)[1] for m in ("low", "balanced", "fast")}
    low, balanced, fast = (branches[m].alive_mib for m in ("low", "balanced", "fast"))
    assert low < 0.25 * fast and low < balanced < 0.35 * fast
    assert fast == pytest.approx(633, abs=1)  # of blocks.1.0: 64 channels at half the size, and what they come from
    assert branches["fast"].macs < branches["balanced"].macs < branches["low"].macs < 1.08 * branches["fast"].macs
    assert all(branch.halo_macs == branch.macs - branches["fast"].macs for branch in branches.values())


def test_a_larger_view_runs_in_as_many_strips_and_groups():
    whole, large = (
        planned_branches(LarIqaConfig(), "full", "low", *size)[1].plan for size in ((2160, 3840), (4320, 7680))
    )
    assert len(whole.strips) == 30 and 25 <= len(large.strips) <= 35
    most = [max(map(len, plan.groups)) for plan in (whole, large)]
    assert most[0] == most[1] > 1


def test_onnx_lists_a_gated_blocks_shares_before_their_sums(tiny_config, make_tiny_model, tmp_path, monkeypatch):
    """ONNX Runtime computes what stands last first: a sum behind each share would wait for all shares."""
    monkeypatch.setitem(BUDGETS, "low", Budget(None, 20_000))  # groups in one branch: its strips have no gates
    model = make_tiny_model(tiny_config(branches=("synthetic",)))
    ready = make_export_ready(model, ExportRequest("pixels", 150, 200, "full", "low"))
    FORMATS["onnx"].convert(ready, tmp_path / "low.onnx", "{}")
    graph = onnx.load(tmp_path / "low.onnx").graph
    stored = {tensor.name for tensor in graph.initializer}
    made_by = {name: (place, node) for place, node in enumerate(graph.node) for name in node.output}
    share = {  # convolutions whose weights are computed, because a gate is in them
        place for place, node in enumerate(graph.node) if node.op_type == "Conv" and node.input[1] not in stored
    }
    chains = 0
    for place, node in enumerate(graph.node):
        if node.op_type == "Add" and all(name in made_by for name in node.input):
            (first, total), (second, _) = (made_by[name] for name in node.input)
            if total.op_type == "Add" and second in share:  # the sum so far, and one more share
                assert second < first < place
                chains += 1
    assert chains >= 3


# The result


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize(
    "options",
    [GraphOptions(), FORMATS["onnx"].graph, FORMATS["tflite"].graph],
    ids=["plain", "onnx", "tflite"],
)
def test_the_result_is_the_networks(name, options, networks, tight):
    x = pictures(131, 174)
    with torch.inference_mode():
        expected = networks[name](x)
        for memory in ("low", "balanced", "fast"):
            net = read_mbconv_net(networks[name])
            assert agrees(run(TiledNet(net, make_plan(net, 131, 174, memory), options), x), expected)


@settings(max_examples=15, deadline=None)
@given(height=st.integers(32, 300), width=st.integers(32, 300))
def test_every_size_works(networks, height, width):
    backbone = networks["mobilenetv3_small_100"]
    net, x = read_mbconv_net(backbone), pictures(height, width)
    tight = pytest.MonkeyPatch()
    tight.setitem(BUDGETS, "low", Budget(30_000, 20_000))
    with torch.inference_mode():
        lean = TiledNet(net, make_plan(net, height, width, "low"))
        tight.undo()
        assert agrees(run(lean, x), backbone(x))


@pytest.mark.parametrize("kind", ["pixels", "tensors"])
@pytest.mark.parametrize(
    ("view", "height", "width"), [("full", 150, 200), ("full", 200, 150), ("crop", 150, 200), ("crop", 90, 300)]
)
def test_the_score_is_the_references(kind, view, height, width, tiny_config, make_tiny_model, tight):
    model = make_tiny_model(tiny_config(view=view))  # the crop is 128 px: 90 rows are padded with black
    photos = bundled_photos(height, width)
    spec, scores = model.config.preprocess, {}
    with torch.inference_mode():
        views = {name: prepare(image, spec, model.config.branches) for name, image in photos.items()}
        expected = torch.tensor([model(**one) for one in views.values()])
        assert expected.diff().abs().min() > 1e-4
        for memory in ("naive", "fast", "balanced", "low"):
            ready = make_export_ready(model, ExportRequest(kind, height, width, None, memory))
            given = [[torch.tensor(photos[n])[None]] if kind == "pixels" else views[n].values() for n in photos]
            scores[memory] = torch.tensor([ready(*one) for one in given])
            strips = [len(net.plan.strips) for net in ready.lean.values()]
            assert memory in ("naive", "fast") or min(strips) > 1
    assert all((got - expected).abs().max() <= LIMITS["fp32"] for got in scores.values())


@pytest.mark.parametrize("memory", ["low"])
def test_every_format_is_written_and_proved(memory, tiny_model, tmp_path, monkeypatch, one_thread):
    # The tightest budgets take minutes to convert. These make 4 and 7 strips, and groups of several early blocks.
    monkeypatch.setitem(BUDGETS, memory, Budget(300_000, 90_000))
    plans = [
        net.plan
        for net in make_export_ready(tiny_model, ExportRequest("pixels", 150, 200, "full", memory)).lean.values()
    ]
    assert max(len(plan.strips) for plan in plans) > WIDEST_CONCATENATION and max(map(len, plans[0].groups)) > 2
    with one_thread():
        proofs = list(
            export_proved(tiny_model, ExportRequest("pixels", 150, 200, "full", memory), list(USUAL), tmp_path)
        )
    assert len(proofs) == len(USUAL) and all(proved.parity.passed for proved in proofs)
    for proved in proofs:
        assert proved.artifact.memory == memory and proved.path.stem.endswith(f"_fp32_{memory}")
        assert proved.artifact.session == FORMATS[proved.artifact.format].runtime.sessions[memory]
        open_artifact(proved.path)
    tflite = _load(next(tmp_path.glob("*.tflite"))).subgraphs[0]
    joins = [len(operator.inputs) for operator in tflite.operators if hasattr(operator.builtinOptions, "axis")]
    assert max(joins) <= WIDEST_CONCATENATION


def test_the_converter_takes_no_constant_for_another():
    fingerprints = backend("litert_torch.backend.inline_consts", "tflite")._ConstantFingerprint

    def distinct() -> int:
        return len({fingerprints.from_tensor(torch.full((50_000,), float(n))) for n in range(40)})

    assert distinct() < 40  # each is freed before the next is made, and many get the same address
    with _constants_kept_alive():
        assert distinct() == 40
    assert distinct() < 40


# What cannot be


def test_a_backbone_of_another_structure_says_why(tiny_config, make_tiny_model):
    model = make_tiny_model(tiny_config(backbone="mobilevit_s"))
    assert make_export_ready(model, ExportRequest("pixels", 150, 200)).memory == "naive"
    with pytest.raises(Refusal, match=r"mobilevit_s cannot be executed with --memory low: .*ByobNet.*--memory naive"):
        make_export_ready(model, ExportRequest("pixels", 150, 200, None, "low"))


def test_padding_that_depends_on_the_size_is_refused():
    with pytest.raises(Refusal, match="conv_stem has a Conv2dSame"):
        read_mbconv_net(timm.create_model("tf_mobilenetv3_large_100"))


def test_a_way_of_execution_that_is_none_is_refused():
    with pytest.raises(Refusal, match="'tiny'; it must be one of low, balanced, fast, naive"):
        ExportRequest(memory="tiny")


# The paper model


def test_a_prediction_has_all_parts_and_grows_with_the_photo(tiny_model, tmp_path, one_thread):
    request = ExportRequest("pixels", 150, 200, "full", "low")
    with one_thread():
        (proved,) = export_proved(tiny_model, request, ["onnx"], tmp_path)
    manifest = read_manifest(tmp_path)
    small, large = predict(manifest, proved.artifact), predict(manifest, proved.artifact, (2160, 3840))
    assert small.weights_mib == pytest.approx(1.8 * proved.artifact.bytes / 2**20)
    assert large.input_mib == pytest.approx(2160 * 3840 * 3 / 2**20)
    assert large.held_mib > 2 * small.held_mib
    assert predict(manifest, replace(proved.artifact, memory="naive")) is None
    (photo,) = proved.artifact.inputs
    views = [
        replace(photo, name=name, shape=(1, side, side, 3)) for name, side in (("authentic", 128), ("synthetic", 200))
    ]
    any_size = replace(proved.artifact, input="views", photo_width_px=None, photo_height_px=None, inputs=tuple(views))
    its = predict(manifest, any_size, (2160, 3840))  # a buffer waits for a picture of its own size, not known before
    assert its.held_mib == pytest.approx(1.6 / 1.15 * large.held_mib) and its.input_mib > large.input_mib
    assert predict(manifest, replace(any_size, format="tflite", session={"xnnpack_flags": 0}), (2160, 3840)) is None
    assert small.weights_mib + small.input_mib + small.held_mib + small.slack_mib == small.peak_mib
