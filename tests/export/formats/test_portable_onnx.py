"""The ONNX graph in the form that every runtime reads alike: its operators, and the standard's own evaluator on it."""

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from export.formats import FORMATS
from export.proof.parity import LIMITS
from export.proof.proof_photos import bundled_photos
from export.rewrite.export_ready import ExportRequest
from lariqa.runtimes.artifacts import open_artifact

# What seven runtimes take and compute alike (docs/runtimes.md); one more is an experiment there, not an edit here.
PORTABLE = {
    "Abs", "Add", "Cast of pixels", "Clip", "Concat", "Conv", "Gemm", "HardSwish", "MatMul", "Mul", "ReduceMean",
    "Relu", "Reshape", "Sigmoid", "Slice", "Sub", "Transpose", "Unsqueeze",
}  # fmt: skip
OF_THE_RESIZE = {"Floor", "Max", "Min", "Squeeze"}  # in Pillow's whole numbers, `pixels` only
REQUESTS = {
    "views": ExportRequest(),
    "views naive": ExportRequest(memory="naive"),
    "pixels": ExportRequest("pixels", 150, 200),
    "tensors": ExportRequest("tensors", 150, 200),
}


@pytest.fixture(scope="module", params=REQUESTS)
def file(request, shared_exports):
    formats = ["onnx", "tflite"] if request.param == "views" else ["onnx"]
    return request.param, shared_exports(REQUESTS[request.param], formats)[1][0].path


def test_it_has_no_operator_that_a_runtime_refuses_or_gets_wrong(file):
    kind, path = file
    operators = set(FORMATS["onnx"].operators(path))
    assert len(operators) > 10 and not operators - PORTABLE - (OF_THE_RESIZE if kind == "pixels" else set())


def test_what_is_spelled_out_has_its_constants_once_and_in_one_order(file):
    """Whatever the seed of Python's hashes, one model gives one file."""
    _, path = file
    scalars = [tensor.name for tensor in onnx.load(path).graph.initializer if not tensor.dims]
    assert scalars[-4:] == ["times_0.166667", "plus_0.5", "zero", "one"] and len(set(scalars)) == len(scalars)


def test_the_standards_evaluator_gives_the_runtimes_scores(file):
    _, path = file
    scorer, evaluator = open_artifact(path), ReferenceEvaluator(onnx.load(path))
    photos = bundled_photos(150, 200)
    scores = {kind: scorer.score(photo) for kind, photo in photos.items()}
    assert np.diff(sorted(scores.values())).min() > 1e-4
    for kind in ("original", "noisy"):
        (score,) = evaluator.run(["score"], scorer.inputs(photos[kind]))
        assert score.shape == (1, 1) and abs(score.item() - scores[kind]) <= LIMITS["fp32"]
