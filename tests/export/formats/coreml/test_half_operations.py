"""What computes in float16 in a Core ML file, seen in the written file: late layers, no early one, no gate."""

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


def chains(program):
    """(operation, declared dtype of its result, results that it reads, shape), in the order of the program."""
    for op, _ in program._steps:
        spec = program._specs[op.outputs[0].name]
        read = [binding.name for argument in op.inputs.values() for binding in argument.arguments]
        yield op, spec.dtype, read, spec.shape


def test_early_layers_compute_in_float32_with_what_follows_them(files):
    *_, runner, groups = files
    program, layer_of, dtypes = runner.program, {}, {}
    for op, dtype, read, _ in chains(program):
        weight = next((name.removesuffix("_to_fp16") for name in read if name.removesuffix("_to_fp16") in groups), None)
        before = [layer_of[name] for name in read if name in layer_of]
        group = groups[weight] if weight else before[0] if before else None
        layer_of |= {value.name: group for value in op.outputs}
        if group and op.type != "cast":
            dtypes.setdefault(group, set()).add(dtype)
    early, late = ({group for group in dtypes if raised(group) is wanted} for wanted in (True, False))
    assert len(early) >= 6 and all(dtypes[group] == {"float32"} for group in early), dtypes
    assert len(late) >= 12 and all("float16" in dtypes[group] for group in late), dtypes


def test_gates_compute_in_float32_and_are_stored_in_float16(files):
    *_, runner, groups = files
    made, found = {}, 0
    for op, dtype, read, shape in chains(runner.program):
        made[op.outputs[0].name] = op, dtype, read, shape
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
    assert found >= 8
    stored = {
        layer.weight: layer.weight_bytes / layer.weights for layer in runner.program.layers().layers if layer.weight
    }
    gates = [weight for weight in stored if "gate" in weight and weight.removesuffix("_to_fp16") in groups]
    late = [weight for weight in gates if not raised(groups[weight.removesuffix("_to_fp16")])]
    assert len(late) >= 8 and {stored[weight] for weight in late} == {2.0}


def test_it_rounds_where_it_computes_in_float16_and_the_score_is_near(files, photos):
    ready, whole, half, _ = files
    scores = []
    for photo in list(photos.values())[:4]:
        given = inputs_of(photo, ready.takes, ready.preprocess, ready.config.branches)
        scores.append((whole.run(given), half.run(given)))
    float32, float16 = np.array(scores).T
    assert np.ptp(float32) > 0.05
    assert 0 < np.abs(float16 - float32).max() < 0.1 * np.ptp(float32)
