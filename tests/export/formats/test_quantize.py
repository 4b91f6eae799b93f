"""A file written again in lower precision: the formats agree, the resize stays exact, int8 computes in int8."""

import numpy as np
import pytest

from export.formats import FORMATS
from export.formats.format import Quantization
from export.quantize.weight_matching import match_weights


@pytest.mark.parametrize(("weight_format", "most"), [("fp16", 0.62), ("w8", 0.45)])
def test_all_formats_store_the_same_numbers_and_nothing_of_the_resize(
    float32_files, layers, photos, tmp_path, weight_format, most
):
    scores = {}
    for name, path in float32_files.items():
        row = FORMATS[name]
        found = match_weights(row.weights(path), layers)
        weight_formats = {label: weight_format for label, (layer, _) in found.items() if "conv_stem" not in layer}
        lowered = tmp_path / f"lowered{row.suffix}"
        row.quantize(path, lowered, row.runtime.metadata(path), Quantization(weight_formats))
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


def test_int8_computes_in_int8_and_the_resize_does_not(float32_files, layers, photos, tmp_path):
    for name in ("onnx", "tflite"):
        row, path = FORMATS[name], float32_files[name]
        found = match_weights(row.weights(path), layers)
        weight_formats = {label: "int8" for label, (layer, _) in found.items() if "blocks.3" in layer}
        assert len(weight_formats) > 4
        lowered = tmp_path / f"int8{row.suffix}"
        ranges = row.collect_ranges(path, [{"image": photo[None]} for photo in photos.values()])
        row.quantize(path, lowered, "{}", Quantization(weight_formats, ranges))
        quantising = {kind: count for kind, count in row.operators(lowered).items() if kind.upper().startswith("QUANT")}
        assert sum(quantising.values()) >= 4
        runner, whole = row.runtime.open(lowered, 1), row.runtime.open(path, 1)
        errors = [runner.run({"image": p[None]}) - whole.run({"image": p[None]}) for p in photos.values()]
        assert 0 < np.abs(errors).max() < 0.5


def test_core_ml_in_float16_is_rounded_by_the_evaluator_and_its_resize_stays_exact(
    float32_files, layers, photos, tmp_path
):
    row, path = FORMATS["coreml"], float32_files["coreml"]
    found = match_weights(row.weights(path), layers)
    weight_formats = {label: "fp16" for label, (layer, _) in found.items() if "conv_stem" not in layer}
    half = tmp_path / "half.mlpackage"
    row.quantize(path, half, "{}", Quantization(weight_formats, compute="float16"))
    program = row.runtime.open(half, 1).program
    assert program.operators()["cast between floats"] >= 2 and not program.operators()["cast"]
    declared = {name: spec.dtype for name, spec in program._specs.items()}
    assert declared["score"] == "float32" and sum(dtype == "float16" for dtype in declared.values()) > 100
    floors = [name for name, kind in program.operator_of.items() if kind == "floor"]
    assert floors and {declared[name] for name in floors} == {"float32"}
    photo = next(iter(photos.values()))[None]
    assert row.runtime.open(half, 1).run({"image": photo}) != row.runtime.open(path, 1).run({"image": photo})
