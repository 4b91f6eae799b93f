"""What computes in float16 in a Core ML file, seen in the written file: products of late layers, nothing else."""

import numpy as np
import pytest

from export.formats import FORMATS
from export.formats.format import Quantization
from export.quantize.stored_layers import StoredLayers
from export.rewrite.export_ready import ExportRequest, make_export_ready
from lariqa.photos.views import inputs_of
from lariqa_train.quantization.precision import is_exact

COREML = FORMATS["coreml"]
EARLY = ("blocks.0.", "blocks.1.")


@pytest.fixture(scope="module")
def files(tiny_model, tmp_path_factory):
    """(export-ready model, float32 program, the same computing in float16, weight -> group of the first)."""
    folder = tmp_path_factory.mktemp("half")
    ready = make_export_ready(tiny_model, ExportRequest())
    whole, half = folder / "whole.mlpackage", folder / "half.mlpackage"
    COREML.convert(ready, whole, "{}")
    groups = StoredLayers(ready).known(COREML, whole)
    formats = {weight: "fp32" if raised(group) else "fp16" for weight, group in groups.items()}
    COREML.quantize(whole, half, "{}", Quantization(formats, compute="float16"))
    return ready, COREML.runtime.open(whole, 1), COREML.runtime.open(half, 1), groups


def raised(group: str) -> bool:
    return is_exact(group) or any(name in f"{group}." for name in EARLY)


def operations(runner):
    """Result -> (operation, declared dtype, names that it reads, shape), in the order of the file."""
    program, made = runner.program, {}
    for op, _ in program._steps:
        spec = program._specs[op.outputs[0].name]
        read = [binding.name for argument in op.inputs.values() for binding in argument.arguments]
        made[op.outputs[0].name] = op, spec.dtype, read, spec.shape
    return made


def test_products_of_low_layers_are_in_float16_without_their_bias_and_nothing_else_is(files):
    *_, runner, groups = files
    counts = {"low": 0, "raised": 0}
    for op, dtype, read, shape in operations(runner).values():
        weight = next((name.removesuffix("_to_fp16") for name in read if name.removesuffix("_to_fp16") in groups), None)
        if op.type == "cast":
            continue
        if weight is None or raised(groups[weight]) or (shape[2:] == (1, 1) and "gate" in weight):
            assert dtype == "float32", (op.type, op.outputs[0].name)
            counts["raised"] += weight is not None
            continue
        assert dtype == "float16" and op.type in ("conv", "linear"), op.outputs[0].name
        assert "bias" not in op.inputs or not np.any(constant(runner, op.inputs["bias"])), op.outputs[0].name
        counts["low"] += 1
    assert counts["low"] > 40 and counts["raised"] > 10


def constant(runner, argument):
    (binding,) = argument.arguments
    return runner.program._constants[binding.name].numpy() if binding.name else runner.program._value(binding.value)


def test_gates_compute_in_float32_and_are_stored_in_float16(files):
    *_, runner, groups = files
    made, found = operations(runner), 0
    for op, dtype, read, shape in made.values():
        factors = [name for name in read if name in made and made[name][3][2:] == (1, 1)]
        if op.type != "mul" or len(factors) != 1 or shape[2:] == (1, 1):
            continue
        chain, name = [], factors[0]
        while made[name][0].type != "reduce_mean" or made[name][3][2:] == (1, 1):
            chain.append(name)
            name = next(before for before in made[name][2] if before in made)
        chain.append(name)
        kinds = [made[name][0].type for name in chain]
        assert kinds == ["sigmoid_hard", "conv", "relu", "conv", "reduce_mean", "reduce_mean"], kinds
        assert {made[name][1] for name in chain} | {dtype} == {"float32"}, op.outputs[0].name
        found += 1
    layers = [layer for layer in runner.program.layers().layers if "gate" in layer.weight and layer.weight in groups]
    late = {layer.weight: layer.weight_bytes / layer.weights for layer in layers if not raised(groups[layer.weight])}
    assert found >= 8 and len(late) >= 8 and set(late.values()) == {2.0}


def test_it_rounds_where_it_computes_in_float16_and_the_score_is_near(files, photos):
    ready, whole, half, _ = files
    scores = []
    for photo in list(photos.values())[:4]:
        given = inputs_of(photo, ready.takes, ready.preprocess, ready.config.branches)
        scores.append((whole.run(given), half.run(given)))
    float32, float16 = np.array(scores).T
    assert np.ptp(float32) > 0.01
    assert 0 < np.abs(float16 - float32).max() < 0.1 * np.ptp(float32)
