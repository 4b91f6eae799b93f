"""The layers whose weights a file stores: one that is not found, or not there, is refused."""

import shutil
from dataclasses import replace

import pytest

from export.formats import FORMATS
from export.pipeline import export_proved
from export.quantize.quantized_export import QuantizedExport
from export.rewrite.export_ready import ExportRequest, make_export_ready
from lariqa.errors import Refusal

HEIGHT, WIDTH = 150, 200


@pytest.mark.parametrize("memory", ["naive", "balanced"])
def test_a_layer_that_is_not_found_is_refused_and_not_left_in_float32(
    memory, tiny_model, shared_exports, float32_files, tmp_path
):
    row, request = FORMATS["onnx"], ExportRequest("pixels", HEIGHT, WIDTH)
    shared = float32_files["onnx"] if memory == "naive" else shared_exports(request)[1][0].path
    shutil.copy(shared, tmp_path / "float32.onnx")
    ready = make_export_ready(tiny_model, replace(request, memory=memory))
    quantized = QuantizedExport(ready, None, (HEIGHT, WIDTH), tmp_path)
    path = quantized.source(row)
    assert quantized.stored.known(row, path)
    quantized = QuantizedExport(ready, None, (HEIGHT, WIDTH), tmp_path)
    parts = {"naive": "synthetic.backbone.blocks.4.0.conv_pw", "balanced": "synthetic.blocks.4.0.shares.0.expand"}
    lost = next(name for name in quantized.stored.layers if name.endswith(parts[memory]))
    quantized.stored.layers[lost] = 2 * quantized.stored.layers[lost]
    with pytest.raises(Refusal, match=rf"^{lost} would silently stay float32: the onnx file has no.*--keep-float"):
        quantized.stored.known(row, path)


def test_a_layer_to_keep_float_that_is_none_is_refused_and_nothing_is_written(tiny_model, tmp_path):
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
