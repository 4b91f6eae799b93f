"""Weights in float16 and int8: stored low, and the score is nearly float32's; what is not written is refused."""

from collections import Counter
from itertools import pairwise
from math import prod

import numpy as np
import pytest

from export.formats import FORMATS
from export.formats.coreai.read_program import CONSTANT, CONVOLUTION, Program, numbers_of, resources
from export.formats.format import Quantization
from export.pipeline import export_proved
from export.proof.proof_photos import seeded_photos
from export.quantize.quantized_export import QuantizedExport
from export.quantize.stored_layers import StoredLayers
from export.rewrite.export_ready import ExportRequest, make_export_ready
from lariqa.errors import Refusal
from lariqa.manifest.manifest import size_bytes
from lariqa.photos.views import inputs_of
from lariqa.runtimes.scorer import Scorer
from lariqa_train.quantization.precision import BYTES_PER_WEIGHT, PRECISIONS, is_exact

COREAI = FORMATS["coreai"]
HEIGHT, WIDTH = 150, 200


def test_it_is_stored_low_and_scores_nearly_as_in_float32(tiny_model, tmp_path):
    ready = make_export_ready(tiny_model, ExportRequest("tensors", HEIGHT, WIDTH, memory="balanced"))
    quantized = QuantizedExport(ready, None, (HEIGHT, WIDTH), tmp_path)
    source = quantized.source(COREAI)
    known = quantized.stored.known(COREAI, source)  # refuses where a layer is not found
    numbers = sum(quantized.stored.layers[name].size for name in quantized.stored.lowered)
    photos = [photo for _, photo in seeded_photos(6, HEIGHT, WIDTH, seed=41)]

    def scored(path):
        runner = COREAI.runtime.open(path, 1, {})
        scorer = Scorer(runner, ready.preprocess, ready.config.branches, "tensors", (HEIGHT, WIDTH))
        return np.array([scorer.score(photo) for photo in photos])

    whole, stored = scored(source), COREAI.layers(source)
    assert min(b - a for a, b in pairwise(sorted(whole))) > 1e-6 and np.ptp(whole) > 0.02
    for precision, limit in (("fp16", 5e-3), ("w8", 5e-2)):
        weight_format = PRECISIONS[precision].fallbacks[0]
        formats = {name: "fp32" if is_exact(group) else weight_format for name, group in known.items()}
        path = tmp_path / f"{precision}.aimodel"
        COREAI.quantize(source, path, "{}", Quantization(formats))
        saved = stored.weight_bytes - COREAI.layers(path).weight_bytes
        expected = (4 - BYTES_PER_WEIGHT[weight_format]) * numbers
        assert 0.9 * expected < saved and 0.9 * expected < size_bytes(source) - size_bytes(path), precision
        assert COREAI.layers(path).macs == stored.macs
        moved = np.abs(scored(path) - whole)
        assert 0 < moved.max() < 0.6 and np.median(moved) < limit, moved
    given_weights_are_taken(source, tmp_path / "given.aimodel")


def test_convolutions_of_pictures_compute_in_float16_where_it_is_asked_for_and_nothing_else_does(
    shared_exports, tiny_model, photos, tmp_path
):
    _, (proved,) = shared_exports(ExportRequest(), ["coreai"])
    ready = make_export_ready(tiny_model, ExportRequest())
    groups = StoredLayers(ready).known(COREAI, proved.path)

    def raised(group):
        return is_exact(group) or any(f"blocks.{stage}." in f"{group}." for stage in (0, 1))

    formats = {weight: "fp32" if raised(group) else "fp16" for weight, group in groups.items()}
    path = tmp_path / "half.aimodel"
    COREAI.quantize(proved.path, path, "{}", Quantization(formats, compute="float16"))
    read, counts = Program(path), Counter()
    numbers = {name: array.size for name, array in Program(proved.path).weights().items()}
    low_sizes = {numbers[name] for name, stored in formats.items() if stored == "fp16"}
    for op in read.graphs()["main"]:
        types = {str(value.type.element_type) for value in (*list(op.operands)[:2], *op.results)}
        if op.name in (CONSTANT, "coreai.cast", "coreai.blockwise_shift_scale"):
            continue
        if "f16" not in types:
            counts[op.name, "f32"] += 1
            continue
        shape = tuple(op.results[0].type.shape)
        assert op.name == CONVOLUTION and types == {"f16"} and prod(shape[2:]) > 1, (op.name, types, shape)
        assert prod(op.operands[1].type.shape) in low_sizes
        counts[op.name, "f16"] += 1
    assert counts[CONVOLUTION, "f16"] > 20 and counts[CONVOLUTION, "f32"] > 20  # gates, raised layers
    assert COREAI.layers(path).macs == COREAI.layers(proved.path).macs
    stored = COREAI.layers(path)
    assert {layer.weight_bytes / layer.weights for layer in stored.layers if layer.weights} == {2.0, 4.0}

    whole, half = (COREAI.runtime.open(file, 1, {}) for file in (proved.path, path))
    given = [inputs_of(photo, "views", ready.preprocess, ready.config.branches) for photo in list(photos.values())[:4]]
    float32, float16 = (np.array([runner.run(inputs) for inputs in given]) for runner in (whole, half))
    assert np.ptp(float32) > 0.01
    assert 0 < np.abs(float16 - float32).max() < 0.1 * np.ptp(float32)


def given_weights_are_taken(source, path):
    weights = COREAI.weights(source)
    name = next(layer.weight for layer in COREAI.layers(source).layers if layer.weights > 1000)
    halved = (weights[name] / 2).astype(np.float16).astype(np.float32)
    COREAI.quantize(source, path, "{}", Quantization({name: "fp16"}, rounded={name: halved}))
    read = Program(path)
    blobs = resources(read.module)
    stored = [numbers_of(op, blobs) for _, op in read.constants()]
    (found,) = [numbers for numbers in stored if numbers.dtype == np.float16 and numbers.size == halved.size]
    assert np.array_equal(found, halved)


def test_int8_activations_are_refused_with_the_nearest(tiny_model, tmp_path):
    export = export_proved(tiny_model, ExportRequest(), ["coreai"], tmp_path / "x", precisions=("int8",))
    with pytest.raises(Refusal, match=r"coreai is not written in int8: .*; the nearest that it has is w8"):
        next(export)
    assert not (tmp_path / "x").exists()
