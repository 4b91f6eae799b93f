"""Lower precisions: what is stored, what is chosen, what is judged; each against numbers known beforehand."""

import copy
import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from export.formats import FORMATS
from export.pipeline import export_proved
from export.proof import limits
from export.proof.limits import GATE_PHOTOS, GATES, PAPER_SCORE_SD, Gate
from export.proof.parity import Parity, PhotoParity
from export.proof.proof_photos import proof_photos, seeded_photos
from export.quantize.allocate_bits import FEW, MARGINS, allocate_bits, moved_most
from export.quantize.calibration_sets import LEFT, MADE, RIGHT, CalibrationSets, made_pictures
from export.quantize.in_distribution import InDistribution
from export.quantize.quantized_export import QuantizedExport
from export.quantize.round_weights import collect_statistics, round_weights
from export.quantize.weight_matching import in_order, match_weights
from export.rewrite.export_ready import ExportRequest, make_export_ready
from export.rewrite.fold_batch_norm import fold_batch_norm
from export.rewrite.fused_kan import FusedKanLinear
from lariqa.errors import Refusal
from lariqa.manifest.manifest import read_manifest
from lariqa.runtimes.artifacts import describe, open_artifact
from lariqa_cli import main as command_line
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.normalise import prepare
from lariqa_train.model.reference import reference_scorer
from lariqa_train.quantization.calibration import band_hessian
from lariqa_train.quantization.gptq import quantize_rows, round_wide_rows
from lariqa_train.quantization.int8_grid import quantise
from lariqa_train.quantization.precision import PRECISIONS, Plan, is_exact, refuse_precision

WIDTH, HEIGHT = 200, 150


@pytest.fixture(scope="module")
def photos():
    return dict(seeded_photos(12, HEIGHT, WIDTH, seed=5))


@pytest.fixture(scope="module")
def folded(tiny_model):
    return fold_batch_norm(make_export_ready(tiny_model, ExportRequest("pixels", HEIGHT, WIDTH, memory="naive")))


@pytest.fixture(scope="module")
def layers(folded):
    modules = folded.named_modules()
    return {name: m.weight.detach().numpy() for name, m in modules if isinstance(m, nn.Conv2d | nn.Linear)}


@pytest.fixture(scope="module")
def exported(tiny_model, tmp_path_factory):
    """Format -> its float32 file."""
    folder = tmp_path_factory.mktemp("float32")
    ready = make_export_ready(tiny_model, ExportRequest("pixels", HEIGHT, WIDTH, memory="naive"))
    paths = {name: folder / f"float32{row.suffix}" for name, row in FORMATS.items()}
    for name, row in FORMATS.items():
        row.convert(ready, paths[name], '{"kept": "in every quantized"}')
    return paths


# --- storing ---------------------------------------------------------------------------------------------------------


def test_int8_is_within_half_a_step_and_keeps_every_channels_largest():
    weight = np.random.default_rng(0).standard_normal((5, 7, 3, 3)).astype(np.float32)
    weight[2] = 0
    steps, scale = quantise(weight)
    assert steps.dtype == np.int8 and scale.shape == (5, 1, 1, 1)
    assert np.abs(steps * scale - weight).max() <= scale.max() / 2 * 1.0001
    assert set(np.abs(steps.reshape(5, -1)).max(1)) == {0, 127}
    again, same = quantise(steps * scale)
    assert np.array_equal(again, steps) and np.allclose(same, scale, rtol=1e-6)


def test_folding_leaves_no_batch_norm_and_the_same_score(tiny_model, folded, photos):
    ready = make_export_ready(tiny_model, ExportRequest("pixels", HEIGHT, WIDTH, memory="naive"))
    assert any(isinstance(module, nn.BatchNorm2d) for module in ready.modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    scores = []
    for photo in photos.values():
        image = torch.from_numpy(photo.copy())[None]
        scores.append(ready(image).item())
        assert folded(image).item() == pytest.approx(scores[-1], abs=5e-6)
    assert min(b - a for a, b in pairwise(sorted(scores))) > 1e-5


def test_every_layer_of_the_model_is_found_in_every_file(exported, layers):
    for name, path in exported.items():
        stored = FORMATS[name].weights(path)
        found = match_weights(stored, layers)
        assert {layer for layer, _ in found.values()} == set(layers), name
        for label, (layer, order) in found.items():
            assert np.allclose(in_order(layers[layer], order), stored[label].reshape(-1), rtol=1e-3, atol=1e-5)


def test_a_strangers_weights_are_not_taken_for_a_layers(layers):
    stored = {name: weight + 0.1 * np.abs(weight).max() for name, weight in layers.items()}
    assert not match_weights(stored, layers)


@pytest.mark.parametrize(("weight_format", "most"), [("fp16", 0.62), ("w8", 0.45)])
def test_all_formats_store_the_same_numbers_and_nothing_of_the_resize(
    exported, layers, photos, tmp_path, weight_format, most
):
    scores = {}
    for name, path in exported.items():
        row = FORMATS[name]
        found = match_weights(row.weights(path), layers)
        weight_formats = {label: weight_format for label, (layer, _) in found.items() if "conv_stem" not in layer}
        lowered = tmp_path / f"lowered{row.suffix}"
        row.quantize(path, lowered, weight_formats, row.runtime.metadata(path))
        assert row.layers(lowered).weight_bytes <= most * row.layers(path).weight_bytes
        assert (
            row.runtime.metadata(lowered) == row.runtime.metadata(path)
            and not set(row.operators(lowered)) & row.forbidden
        )
        before, after = row.weights(path), row.weights(lowered)
        kept = [label for label in before if label not in weight_formats]
        assert name == "tflite" or all(np.array_equal(before[label], after[label]) for label in kept)
        runner = row.runtime.open(lowered, 1)
        scores[name] = np.array([runner.run({"image": photo[None]}) for photo in photos.values()])
        whole = row.runtime.open(path, 1)
        plain = np.array([whole.run({"image": photo[None]}) for photo in photos.values()])
        assert np.ptp(plain) > 0.05 and 0 < np.abs(scores[name] - plain).max() < 0.5
    assert np.abs(scores["onnx"] - scores["tflite"]).max() < 2e-5
    assert np.abs(scores["onnx"] - scores["coreml"]).max() < 2e-5


def test_int8_computes_in_int8_and_the_resize_does_not(exported, layers, photos, tmp_path):
    for name in ("onnx", "tflite"):
        row, path = FORMATS[name], exported[name]
        found = match_weights(row.weights(path), layers)
        weight_formats = {label: "int8" for label, (layer, _) in found.items() if "blocks.3" in layer}
        assert len(weight_formats) > 4
        lowered = tmp_path / f"int8{row.suffix}"
        ranges = row.collect_ranges(path, [{"image": photo[None]} for photo in photos.values()])
        row.quantize(path, lowered, weight_formats, "{}", ranges)
        quantising = {kind: count for kind, count in row.operators(lowered).items() if kind.upper().startswith("QUANT")}
        assert sum(quantising.values()) >= 4
        runner, whole = row.runtime.open(lowered, 1), row.runtime.open(path, 1)
        errors = [runner.run({"image": p[None]}) - whole.run({"image": p[None]}) for p in photos.values()]
        assert 0 < np.abs(errors).max() < 0.5


def test_core_ml_in_float16_is_rounded_by_the_evaluator_and_its_resize_stays_exact(exported, layers, photos, tmp_path):
    row, path = FORMATS["coreml"], exported["coreml"]
    found = match_weights(row.weights(path), layers)
    weight_formats = {label: "fp16" for label, (layer, _) in found.items() if "conv_stem" not in layer}
    half = tmp_path / "half.mlpackage"
    row.quantize(path, half, weight_formats, "{}", compute="float16")
    program = row.runtime.open(half, 1).program
    assert program.operators()["cast between floats"] >= 2 and not program.operators()["cast"]
    declared = {name: spec.dtype for name, spec in program._specs.items()}
    assert declared["score"] == "float32" and sum(dtype == "float16" for dtype in declared.values()) > 100
    floors = [name for name, kind in program.operator_of.items() if kind == "floor"]
    assert floors and {declared[name] for name in floors} == {"float32"}
    photo = next(iter(photos.values()))[None]
    assert row.runtime.open(half, 1).run({"image": photo}) != row.runtime.open(path, 1).run({"image": photo})


# --- rounding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", ["int8", "float16"])
def test_rounding_by_what_the_layer_does_beats_rounding_each_weight(grid):
    random = torch.Generator().manual_seed(0)
    inputs = torch.randn(4, 400, generator=random, dtype=torch.float64)
    mixed = torch.randn(48, 4, generator=random, dtype=torch.float64) @ inputs + 3  # correlated, far from zero mean
    rows = torch.randn(1, 6, 48, generator=random, dtype=torch.float64)
    rounded = quantize_rows(rows, (mixed @ mixed.T)[None], grid)
    if grid == "int8":
        steps, scale = quantise(rows[0].numpy().astype(np.float32))
        plain = torch.from_numpy(steps * scale.astype(np.float64))
        assert torch.allclose(rounded[0] / torch.from_numpy(scale.astype(np.float64)),
                              (rounded[0] / torch.from_numpy(scale.astype(np.float64))).round(), atol=1e-4)  # fmt: skip
        again, _ = quantise(rounded[0].numpy().astype(np.float32))
        assert np.abs(again * scale - rounded[0].numpy()).max() < 1e-6  # a converter finds the same integers
    else:
        plain = rows[0].half().double()
        assert torch.equal(rounded.half().double(), rounded)
    errors = [((weight - rows[0]) @ mixed).square().mean().item() for weight in (plain, rounded[0])]
    assert errors[1] < errors[0] / 20


def test_rounded_weights_lie_on_the_grid_in_every_kind_of_layer(folded, photos):
    names = {name: "int8" for name, m in folded.named_modules() if isinstance(m, nn.Conv2d) and "blocks.1" in name}
    assert any(folded.get_submodule(name).groups > 1 for name in names)
    inputs = ({"image": torch.from_numpy(photo.copy())[None]} for photo in photos.values())
    rounded = round_weights(folded, names, collect_statistics(folded, names, inputs))
    for name, module in folded.named_modules():
        if isinstance(module, nn.Conv2d):
            ours, theirs = rounded.get_submodule(name).weight.numpy(), module.weight.numpy()
            _, scale = quantise(theirs)
            if name in names:
                assert np.abs(ours / scale - np.rint(ours / scale)).max() < 1e-3 and not np.array_equal(ours, theirs)
            else:
                assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("grid", ["int8", "float16"])
def test_a_wide_layer_keeps_its_mean_output_and_does_well_on_pictures_that_it_never_saw(grid):
    random = torch.Generator().manual_seed(0)
    causes = torch.randn(6, 3000, generator=random, dtype=torch.float64)  # few causes behind many inputs, as in a KAN

    def pictures(count: int) -> torch.Tensor:
        return torch.randn(count, 6, generator=random, dtype=torch.float64) @ causes + 2

    seen, others = pictures(24), pictures(200)
    rows = torch.randn(5, 3000, generator=random, dtype=torch.float64) / 50
    rounded = round_wide_rows(rows, seen.float(), grid)
    if grid == "int8":
        steps, scale = quantise(rows.numpy().astype(np.float32))
        plain = torch.from_numpy(steps * scale.astype(np.float64))
        again, _ = quantise(rounded.numpy().astype(np.float32))
        assert np.abs(again * scale - rounded.numpy()).max() < 1e-6
    else:
        plain = rows.half().double()
        assert torch.equal(rounded.half().double(), rounded)
    before, after = (others @ (weight - rows).T for weight in (plain, rounded))
    assert after.square().mean() < before.square().mean() / 20
    assert after.mean(0).abs().max() < before.mean(0).abs().max() / 10


def test_what_changes_sign_from_place_to_place_counts_a_tenth_of_what_lasts_over_a_region():
    positions = torch.arange(4096)
    halves = torch.where(positions < 2048, 3.0, -3.0)  # a bright and a dark half
    texture = torch.where(positions % 2 == 0, 3.0, -3.0)
    hessian = band_hessian(torch.stack([halves, texture])[None])
    assert torch.allclose(hessian, torch.tensor([[[9.0, 0.0], [0.0, 0.9]]], dtype=torch.float64))
    few = band_hessian(torch.stack([halves, texture])[None, :, 2046:2050])  # one band: only the average lasts
    assert torch.allclose(few, torch.tensor([[[0.9, 0.0], [0.0, 0.9]]], dtype=torch.float64))


def test_each_picture_counts_alike_however_large_its_numbers(folded, photos):
    name = next(n for n, m in folded.named_modules() if isinstance(m, nn.Conv2d) and n.endswith("conv_stem"))
    inputs = [{"image": torch.from_numpy(photo.copy())[None]} for photo in photos.values()]
    dark = {"image": inputs[0]["image"] // 20 + 120}  # hardly any contrast
    bright, faint, both = (
        collect_statistics(folded, [name], given)[name].hessian for given in ([inputs[0]], [dark], [inputs[0], dark])
    )
    for hessian in (bright, faint):
        assert hessian.diagonal(dim1=1, dim2=2).mean().item() == pytest.approx(1)
    assert not torch.allclose(bright, faint, rtol=0.1) and torch.allclose(both, bright + faint)


def test_a_convolution_too_wide_for_its_moments_is_left_out(folded, photos, monkeypatch):
    name = next(n for n, m in folded.named_modules() if isinstance(m, nn.Conv2d) and n.endswith("blocks.0.0.conv_dw"))
    inputs = [{"image": torch.from_numpy(photo.copy())[None]} for photo in photos.values()]
    assert collect_statistics(folded, [name], inputs)[name].hessian is not None
    monkeypatch.setattr("lariqa_train.quantization.calibration.MOST_INPUTS", 8)  # below a 3x3 window
    assert collect_statistics(folded, [name], inputs) == {}


def test_a_kan_is_rounded_by_the_features_that_it_makes(folded, photos, monkeypatch):
    monkeypatch.setattr("lariqa_train.quantization.calibration.MOST_INPUTS", 64)  # this network's KANs are small
    kan = next(name for name, module in folded.named_modules() if isinstance(module, FusedKanLinear))
    layer = folded.get_submodule(kan)
    taken = []
    hook = layer.register_forward_pre_hook(lambda m, x: taken.append(x[0].clone()))
    inputs = ({"image": torch.from_numpy(photo.copy())[None]} for photo in photos.values())
    seen = collect_statistics(folded, [kan], inputs)
    hook.remove()
    with torch.inference_mode():
        assert torch.equal(seen[kan].vectors, torch.cat([layer.features(x) for x in taken]))
    rounded = round_weights(folded, {kan: "int8"}, seen).get_submodule(kan).weight.numpy()
    _, scale = quantise(layer.weight.numpy())
    assert np.abs(rounded / scale - np.rint(rounded / scale)).max() < 1e-3


# --- choosing --------------------------------------------------------------------------------------------------------


REFERENCES = np.linspace(0, 1, 24)


def planted(errors, references=REFERENCES):
    """A measurement in which each group below float32 adds its own error."""
    random = np.random.default_rng(0)
    noise = {group: random.standard_normal(len(references)) for group in errors}
    factor = {"int8": 1.0, "w8": 0.01, "fp16": 1e-4, "fp32": 0.0}

    def measure(weight_formats, names):
        off = sum(
            errors[group] * factor[weight_format] * noise[group] for group, weight_format in weight_formats.items()
        )
        return Parity(
            tuple(
                PhotoParity(str(i), r, r + e)
                for i, (r, e) in enumerate(zip(references, off, strict=True))
                if names is None or str(i) in names
            ),
            None,
        )

    return measure


def choose(precision, sizes, measure, keep_float=()):
    limit = MARGINS[0] * GATES[precision].sd(REFERENCES)
    return allocate_bits(precision, sizes, keep_float, measure, lambda step: None, limit)


def test_only_the_layers_that_move_the_score_are_raised():
    errors = {"synthetic / blocks.4": 0.5, "synthetic / KAN": 1e-4, "head": 1e-4, "resize": 0.0}
    choice = choose("int8", dict.fromkeys(errors, 1000), planted(errors))
    assert choice.holds and choice.weight_formats == {
        "synthetic / blocks.4": "w8", "synthetic / KAN": "int8", "head": "int8", "resize": "fp32",
    }  # fmt: skip
    low = planted(errors)(dict.fromkeys(errors, "int8") | {"resize": "fp32"}, None)
    hardest = moved_most(low)
    assert len(hardest) == FEW and max(low.photos, key=lambda photo: abs(photo.difference)).photo in hardest
    alone = planted(errors)(dict.fromkeys(errors, "fp32") | {"synthetic / blocks.4": "int8"}, hardest)
    assert choice.sensitivity[0] == {"group": "synthetic / blocks.4", "weight_format": "int8", "sd": alone.sd}


def test_small_layers_are_raised_before_any_sensitivity_is_measured():
    errors = {"synthetic / blocks.1": 3.0, "synthetic / blocks.2": 1e-4, "synthetic / KAN": 1e-4, "head": 1e-4}
    sizes, tried = (
        {"synthetic / blocks.1": 100, "synthetic / blocks.2": 900, "synthetic / KAN": 50_000, "head": 500},
        [],
    )

    def measure(weight_formats, names):
        tried.append((weight_formats, names and len(names)))
        return planted(errors)(weight_formats, names)

    choice = choose("w8", sizes, measure)
    low = dict.fromkeys(errors, "w8")
    small = {"synthetic / blocks.1": "fp16", "head": "fp16"}  # 0.6 % of the file pays for these two and no more
    assert tried == [(low, None), (low | small, FEW), (low | small, None)]
    assert choice.holds and choice.weight_formats == low | small and not choice.sensitivity


def test_the_search_goes_on_from_where_small_layers_are_raised():
    errors = {"synthetic / blocks.1.0": 3.0, "synthetic / KAN": 2.0, "authentic / KAN": 1e-4}
    sizes = {"synthetic / blocks.1.0": 100, "synthetic / KAN": 50_000, "authentic / KAN": 50_000}
    choice = choose("w8", sizes, planted(errors))
    assert choice.holds and choice.weight_formats == {
        "synthetic / blocks.1.0": "fp16", "synthetic / KAN": "fp16", "authentic / KAN": "w8",
    }  # fmt: skip
    assert [row["group"] for row in choice.sensitivity] == ["synthetic / KAN", "authentic / KAN"]


def test_all_low_is_kept_where_the_score_holds_and_a_pinned_layer_stays_float():
    errors = {"synthetic / KAN": 1e-5, "head": 1e-5}
    choice = choose("w8", dict.fromkeys(errors, 1000), planted(errors), ("head",))
    assert (
        choice.holds and choice.weight_formats == {"synthetic / KAN": "w8", "head": "fp32"} and not choice.sensitivity
    )


def test_when_nothing_helps_it_says_so():
    references = np.linspace(0, 1, 24)
    rows = tuple(PhotoParity(str(i), r, r + (-1) ** i) for i, r in enumerate(references))
    sizes = {"a / b": 1000, "head": 1000}
    tried = []

    def measure(weight_formats, names):
        tried.append(set(weight_formats.values()))
        return Parity(rows[: names and FEW], None)

    choice = choose("fp16", sizes, measure)
    assert not choice.holds and set(choice.weight_formats.values()) == {"fp16"} and len(choice.sensitivity) == 2
    assert {"fp32"} not in tried  # float32 by another name is no fp16


def test_a_file_that_only_float32_would_hold_is_not_called_low():
    errors = {"a / b": 1e9, "head": 1e9}  # as soon as either is low, at whatever weight format
    for precision in ("fp16", "w8", "int8"):
        choice = choose(precision, dict.fromkeys(errors, 1000), planted(errors))
        assert not choice.holds and set(choice.weight_formats.values()) == {PRECISIONS[precision].fallbacks[0]}


def test_pictures_that_judge_share_nothing_with_those_that_fit(tiny_model, tmp_path):
    fitting = dict(made_pictures(6, HEIGHT, WIDTH, 1, LEFT))
    judging = dict(made_pictures(6, HEIGHT, WIDTH, 2, RIGHT))
    assert len({picture.tobytes() for picture in (*fitting.values(), *judging.values())}) == 12
    assert sum(name.startswith("scene") for name in judging) == 3 and not fitting.keys() & judging.keys()
    reference = reference_scorer(tiny_model)
    pictures = CalibrationSets(
        reference, (HEIGHT, WIDTH), tmp_path, validation_pictures=6, proof=proof_photos(HEIGHT, WIDTH)
    )
    (first, scores), (again, same), (fresh, others) = (pictures.judging(attempt) for attempt in (0, 0, 1))
    assert list(first) == list(again) == list(scores) and scores == same and len(first) == 6 + 6
    low, high = (bound(pictures.known.proof_scores.values()) for bound in (min, max))
    assert all(2 * low - high <= score <= 2 * high - low for score in (*scores.values(), *others.values()))
    assert first.keys() & fresh.keys() == pictures.proof.keys()
    assert all(scores[name] == reference.score(first[name]) for name in first)
    ordered = sorted({**scores, **others}.values())
    assert min(b - a for a, b in pairwise(ordered)) > 1e-6


def test_a_picture_with_other_scores_or_features_than_the_proofs_is_not_known(tiny_model):
    proof = proof_photos(HEIGHT, WIDTH)
    model = copy.deepcopy(tiny_model)
    pictures = InDistribution(reference_scorer(model), proof)
    scores = {name: pictures.score(photo) for name, photo in proof.items()}
    assert all(known for _, known in scores.values()) and len({score for score, _ in scores.values()}) == len(proof)
    assert pictures.proof_scores == {name: score for name, (score, _) in scores.items()}
    low, high = (bound(pictures.proof_scores.values()) for bound in (min, max))
    assert pictures.known(high + 0.9 * (high - low), {}) and not pictures.known(high + 1.1 * (high - low), {})
    assert pictures.known(low - 0.9 * (high - low), {}) and not pictures.known(low - 1.1 * (high - low), {})
    # Features, by hand: what the classifier of each branch gives.
    seen = [model.features(**prepare(photo, model.config.preprocess)) for photo in proof.values()]
    for view in model.config.branches:
        largest = max(features[view].square().mean().sqrt().item() for features in seen)
        assert pictures.known((low + high) / 2, {view: 1.99 * largest})
        assert not pictures.known((low + high) / 2, {view: 2.01 * largest})
    # Ten times as large features, by a branch that changes its mind after the proof.
    classifier = model.authentic.backbone.get_classifier()
    classifier.weight.data.mul_(10), classifier.bias.data.mul_(10)
    assert not any(pictures.score(photo)[1] for photo in proof.values())


# --- judging ---------------------------------------------------------------------------------------------------------


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


# --- the whole -------------------------------------------------------------------------------------------------------


def test_an_export_holds_its_plan_and_a_file_that_misses_goes_to_rejected(tiny_model, tmp_path, monkeypatch):
    request, precisions = ExportRequest("pixels", HEIGHT, WIDTH, memory="balanced"), ("fp32", "fp16", "w8")
    options = {"precisions": precisions, "validation_pictures": 12, "keep_float": ("head", "synthetic / blocks.1")}
    proofs = list(export_proved(tiny_model, request, ["onnx"], tmp_path, **options))
    assert [proved.artifact.precision for proved in proofs] == list(precisions)
    whole, sessions = proofs[0].artifact.bytes, FORMATS["onnx"].runtime.sessions
    assert sessions["balanced"] != sessions["naive"]
    for proved in proofs[1:]:
        assert proved.parity.passed and len(proved.parity.photos) == 12 + 6
        plan = Plan.from_json(proved.artifact.plan)
        stage = [group for group in sorted(plan.weight_formats) if group.startswith("synthetic / blocks.1.")]
        assert plan.keep_float == ("head", *stage) and stage and plan.calibration == MADE
        assert {plan.weight_formats[group] for group in plan.keep_float} == {"fp32"}
        assert {plan.weight_formats[group] for group in plan.weight_formats if is_exact(group)} == {"fp32"}
        # So wild a network needs groups in float32 where a trained one does not (docs/experiments.md).
        most = {"fp16": 0.64, "w8": 0.5}[proved.artifact.precision]
        assert "12 pictures" in plan.notes[0] and proved.artifact.bytes < most * whole
        _, alone = describe(proved.path)
        assert Plan.from_json(alone.plan) == plan
        for row in (proved.artifact, alone):
            assert row.memory == "balanced" and row.session == sessions["balanced"]
        photo = dict(seeded_photos(1, HEIGHT, WIDTH, seed=9)).popitem()[1]
        difference = abs(open_artifact(proved.path).score(photo) - open_artifact(proofs[0].path).score(photo))
        assert 0 < difference < proved.parity.limit
    assert {row.precision for row in read_manifest(tmp_path).artifacts} == set(precisions)

    monkeypatch.setitem(GATES, "w8", Gate(srcc=1.0, sd_on_paper_scale=1e-9))
    float_ = [group for group in plan.weight_formats if "KAN" not in group]  # few groups to try, each in vain
    options = {"precisions": ("w8",), "validation_pictures": 12, "keep_float": float_}
    (missed,) = export_proved(tiny_model, request, ["onnx"], tmp_path, **options)
    assert not missed.parity.passed and missed.path.parent.name == "rejected" and missed.artifact.plan["sensitivity"]
    assert json.loads((tmp_path / "lariqa.json").read_text())["artifacts"][2]["parity"]["passed"] is True


@pytest.mark.parametrize("format_name", FORMATS)
def test_an_export_that_misses_ends_with_1_and_names_the_layers(format_name, tiny_checkpoint, tmp_path, monkeypatch):
    monkeypatch.setitem(GATES, "w8", Gate(srcc=1.0, sd_on_paper_scale=1e-9))
    ready = make_export_ready(load_checkpoint(tiny_checkpoint), ExportRequest("pixels", HEIGHT, WIDTH))
    quantized = QuantizedExport(ready, None, (HEIGHT, WIDTH), tmp_path)
    groups = {quantized.stored.group_of(layer) for layer in quantized.stored.layers}
    few = {"authentic / KAN", "synthetic / KAN"}  # to try in vain
    keep = [word for group in sorted(groups - few) if not is_exact(group) for word in ("--keep-float", group)]
    out = tmp_path / "out"
    command = ["export", str(tiny_checkpoint), "-o", str(out), "--format", format_name, "--precision", "w8", *keep]
    ended = CliRunner().invoke(command_line.app, [*command, "--size", f"{WIDTH}x{HEIGHT}", "--pictures", "4"])
    assert ended.exit_code == 1 and isinstance(ended.exception, SystemExit), (ended.output, ended.exception)
    (artifact,) = read_manifest(out / "rejected").artifacts
    assert {row["group"] for row in artifact.plan["sensitivity"]} == few and not (out / artifact.file).exists()
    assert "sd of score" in ended.output and all(group in ended.output for group in few)


def test_a_layer_that_is_raised_is_rounded_on_the_grid_that_it_is_raised_to(tiny_model, photos, tmp_path):
    ready = make_export_ready(tiny_model, ExportRequest("pixels", HEIGHT, WIDTH))
    quantized, row = QuantizedExport(ready, None, (HEIGHT, WIDTH), tmp_path), FORMATS["onnx"]
    quantized.pictures.calibrating = lambda: iter(photos.values())
    path = quantized.source(row)
    low, raised, left, *others = (
        name for name, group in quantized.stored.known(row, path).items() if not is_exact(group)
    )
    weight_formats = {low: "w8", raised: "fp16", left: "fp32", others[0]: "int8"}
    rounded, stored = quantized.rounded_for(row, path, weight_formats), row.weights(path)
    assert set(rounded) == {low, raised, others[0]}
    half = stored[raised].reshape(-1).astype(np.float16)
    assert np.array_equal(rounded[raised].astype(np.float16), rounded[raised])  # on the grid
    assert (
        not np.array_equal(rounded[raised], half) and np.abs(rounded[raised] - half).max() < 2e-3 * np.abs(half).max()
    )
    for name in (low, others[0]):
        layer, order = quantized.stored.found(row, path)[name]
        assert np.array_equal(rounded[name], in_order(quantized.rounded("int8")[layer], order))
        assert not np.array_equal(rounded[name], stored[name].reshape(-1))


def test_in_a_low_memory_graph_int8_computes_where_weights_are_stored_and_is_stored_everywhere(
    tiny_model, photos, tmp_path
):
    ready = make_export_ready(tiny_model, ExportRequest("pixels", HEIGHT, WIDTH, memory="low"))
    quantized, row = QuantizedExport(ready, None, (HEIGHT, WIDTH), tmp_path), FORMATS["onnx"]
    path, lowered = quantized.source(row), tmp_path / "int8.onnx"
    known = quantized.stored.known(row, path)
    inputs = [{"image": photo[None]} for photo in photos.values()]
    row.quantize(path, lowered, dict.fromkeys(known, "int8"), "{}", row.collect_ranges(path, inputs))
    before, after = row.layers(path), row.layers(lowered)
    numbers = sum(quantized.stored.layers[layer].size for layer in quantized.stored.lowered)
    assert before.weight_bytes - after.weight_bytes > 2.8 * numbers  # of three bytes each; scales and zero points cost
    assert row.operators(lowered)["QuantizeLinear"] > 10
    scores = [row.runtime.open(lowered, 1).run(given) for given in inputs]
    assert np.isfinite(scores).all() and np.ptp(scores) > 0.01


@pytest.mark.parametrize("memory", ["naive", "balanced"])
def test_a_layer_that_is_not_found_is_refused_and_not_left_in_float32(memory, tiny_model, tmp_path):
    ready = make_export_ready(tiny_model, ExportRequest("pixels", HEIGHT, WIDTH, memory=memory))
    quantized, row = QuantizedExport(ready, None, (HEIGHT, WIDTH), tmp_path), FORMATS["onnx"]
    path = quantized.source(row)
    assert quantized.stored.known(row, path)
    quantized = QuantizedExport(ready, None, (HEIGHT, WIDTH), tmp_path)
    parts = {"naive": "synthetic.backbone.blocks.4.0.conv_pw", "balanced": "synthetic.blocks.4.0.shares.0.expand"}
    lost = next(name for name in quantized.stored.layers if name.endswith(parts[memory]))
    quantized.stored.layers[lost] = 2 * quantized.stored.layers[lost]
    with pytest.raises(Refusal, match=rf"^{lost} would silently stay float32: the onnx file has no.*--keep-float"):
        quantized.stored.known(row, path)


def test_what_a_format_cannot_do_is_refused_with_the_nearest(tiny_model, tmp_path):
    with pytest.raises(Refusal, match=r"iOS 17.*nearest that it has is w8"):
        refuse_precision("int8", "coreml", FORMATS["coreml"].precisions, FORMATS["coreml"].cannot)
    with pytest.raises(Refusal, match="no precision 'int4'; there are fp32, fp16, w8, int8"):
        refuse_precision("int4", "onnx", FORMATS["onnx"].precisions, {})
    for name in PRECISIONS:
        refuse_precision(name, "onnx", FORMATS["onnx"].precisions, {})
    request = ExportRequest("pixels", HEIGHT, WIDTH, memory="naive")
    with pytest.raises(Refusal, match="--keep-float names nothing"):
        next(
            export_proved(
                tiny_model,
                request,
                ["onnx"],
                tmp_path,
                precisions=("w8",),
                keep_float=("nothing",),
                validation_pictures=4,
            )
        )
    assert not list(tmp_path.glob("*.onnx"))
