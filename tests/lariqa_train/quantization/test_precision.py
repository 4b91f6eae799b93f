"""Precisions as data: what a format does not have is refused with the nearest that it has."""

import pytest

from export.formats import FORMATS
from lariqa.errors import Refusal
from lariqa_train.quantization.precision import PRECISIONS, refuse_precision


def test_what_a_format_cannot_do_is_refused_with_the_nearest():
    with pytest.raises(Refusal, match=r"iOS 17.*nearest that it has is w8"):
        refuse_precision("int8", "coreml", FORMATS["coreml"].precisions, FORMATS["coreml"].cannot)
    with pytest.raises(Refusal, match="no precision 'int4'; there are fp32, fp16, w8, int8"):
        refuse_precision("int4", "onnx", FORMATS["onnx"].precisions, {})
    for name in PRECISIONS:
        refuse_precision(name, "onnx", FORMATS["onnx"].precisions, {})
