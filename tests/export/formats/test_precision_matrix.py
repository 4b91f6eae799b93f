"""Every precision in every format, with low-memory graphs, both inputs and both views: stored low, and it runs."""

from itertools import pairwise

import numpy as np
import pytest

from export.formats import FORMATS
from export.formats.format import Quantization
from export.proof.proof_photos import seeded_photos
from export.quantize.quantized_export import QuantizedExport
from export.rewrite.export_ready import ExportRequest, make_export_ready
from lariqa.runtimes.scorer import Scorer
from lariqa_train.quantization.precision import BYTES_PER_WEIGHT, PRECISIONS, is_exact

HEIGHT, WIDTH = 150, 200
COMBINATIONS = [  # format by format, so that each of memory, kind and view is with each format
    ("onnx", "low", "pixels", "full"),
    ("onnx", "low", "tensors", "crop"),
    ("onnx", "balanced", "tensors", "full"),
    ("onnx", "balanced", "pixels", "crop"),
    ("tflite", "low", "pixels", "full"),
    ("tflite", "balanced", "tensors", "crop"),
    ("coreml", "low", "pixels", "full"),
    ("coreml", "balanced", "tensors", "crop"),
]


@pytest.mark.parametrize(("format_name", "memory", "kind", "view"), COMBINATIONS)
def test_it_is_stored_low_and_scores_nearly_as_in_float32(tiny_model, tmp_path, format_name, memory, kind, view):
    row = FORMATS[format_name]
    ready = make_export_ready(tiny_model, ExportRequest(kind, HEIGHT, WIDTH, view, memory))
    quantized = QuantizedExport(ready, None, (HEIGHT, WIDTH), tmp_path)
    source = quantized.source(row)
    known = quantized.stored.known(row, source)  # refuses where a layer is not found
    numbers = sum(quantized.stored.layers[name].size for name in quantized.stored.lowered)
    photos = [photo for _, photo in seeded_photos(6, HEIGHT, WIDTH, seed=41)]

    def scored(path):
        runner = row.runtime.open(path, 1, row.runtime.sessions[memory])
        size = (HEIGHT, WIDTH)
        scorer = Scorer(runner, ready.preprocess, ready.config.branches, kind, size)
        return np.array([scorer.score(photo) for photo in photos])

    whole, whole_bytes = scored(source), row.layers(source).weight_bytes
    assert min(b - a for a, b in pairwise(sorted(whole))) > 1e-6 and np.ptp(whole) > 0.02
    inputs = [{name: x.numpy() for name, x in given.items()} for given in calibrating(quantized, photos)]
    for precision in row.precisions[1:]:
        weight_format = PRECISIONS[precision].fallbacks[0]
        weight_formats = {name: "fp32" if is_exact(group) else weight_format for name, group in known.items()}
        path = tmp_path / f"{precision}{row.suffix}"
        ranges = row.collect_ranges(source, inputs) if weight_format == "int8" else None
        row.quantize(source, path, "{}", Quantization(weight_formats, ranges))
        saved = whole_bytes - row.layers(path).weight_bytes
        assert saved > 0.9 * (4 - BYTES_PER_WEIGHT[weight_format]) * numbers, precision
        moved = np.abs(scored(path) - whole)
        assert 0 < moved.max() < 0.6 and np.median(moved) < {"fp16": 5e-3, "w8": 5e-2, "int8": 0.3}[precision], moved


def calibrating(quantized, photos):
    quantized.pictures.calibration = lambda: iter(photos)
    return quantized.calibration_inputs()
