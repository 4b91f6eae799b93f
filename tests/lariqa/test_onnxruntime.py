"""The options that a manifest names are those that ONNX Runtime gets."""

import pytest

from export.rewrite.export_ready import ExportRequest
from lariqa.errors import Refusal
from lariqa.runtimes.onnxruntime import LEVELS, OnnxRunner


@pytest.fixture
def file(shared_exports):
    (views,) = shared_exports(ExportRequest(), ["onnx", "tflite"])[0].glob("*.onnx")
    return views


@pytest.mark.parametrize("level", LEVELS)
def test_a_session_is_opened_at_the_level_that_was_proved(file, level):
    session = OnnxRunner(file, 1, {"graph_optimization_level": level}).session
    assert session.get_session_options().graph_optimization_level.name == LEVELS[level]


def test_a_level_of_a_later_version_is_refused(file):
    with pytest.raises(Refusal, match="optimisation level 'layout'"):
        OnnxRunner(file, 1, {"graph_optimization_level": "layout"})
