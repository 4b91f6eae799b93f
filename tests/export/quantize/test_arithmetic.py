"""What a file computes in is measured: float16 where accelerators want it and the score holds, else float32."""

from dataclasses import fields

import numpy as np

from export.formats import FORMATS
from export.formats.format import Format, Quantization
from export.new_artifact import new_artifact, new_manifest
from export.proof.proof_photos import photos_to_prove
from export.quantize.quantized_export import QuantizedExport
from export.rewrite.export_ready import ExportRequest, make_export_ready
from lariqa.runtimes.artifacts import describe
from lariqa_train.model.reference import reference_scorer
from lariqa_train.quantization.precision import Plan

HEIGHT, WIDTH = 150, 200


class Accelerated(Format):
    """ONNX, as if its accelerators wanted float16; what they would round is rounded in the weights."""

    steps = 0  # of a weight for each 1.0; 0: arithmetic that loses nothing

    def quantize(self, source, path, embedded, asked):
        """As the format does, and weights that are moved where float16 is asked for."""
        rounded = dict(asked.rounded)
        if asked.compute == "float16" and self.steps:
            rounded = {name: np.round(numbers * self.steps) / self.steps for name, numbers in rounded.items()}
        asked = Quantization(asked.weight_formats, asked.ranges, "float32", rounded)
        return super().quantize(source, path, embedded, asked)


def test_float16_is_computed_in_where_the_score_holds_and_float32_where_it_does_not(tiny_model, tmp_path, monkeypatch):
    ready, said = make_export_ready(tiny_model, ExportRequest("pixels", HEIGHT, WIDTH)), []
    quantized = QuantizedExport(
        ready,
        reference_scorer(tiny_model, None),
        (HEIGHT, WIDTH),
        tmp_path,
        keep_float=("authentic / blocks", "synthetic / blocks.0", "synthetic / blocks.1"),
        validation_pictures=4,
        proof=photos_to_prove(ready.photo_size_px, ready.preprocess, (HEIGHT, WIDTH)),
        progress=said.append,
    )
    given = {field.name: getattr(FORMATS["onnx"], field.name) for field in fields(Format)}
    row = Accelerated(**given | {"accelerated_compute": {"fp16": "float16"}})
    for steps, compute in ((0, "float16"), (4, "float32")):  # the plan that held first is tried again, and refused
        monkeypatch.setattr(Accelerated, "steps", steps)
        said.clear()
        artifact, staged = new_artifact(ready, row, "fp16", 1), tmp_path / f"computed_in_{compute}.onnx"
        written, parity = quantized.write(row, "fp16", staged, new_manifest(tiny_model, "0" * 64), artifact)
        assert parity.passed and parity.spread > 0.01, compute
        assert written.plan["compute"] == compute
        assert Plan.from_json(describe(staged)[1].plan) == Plan.from_json(written.plan)
        assert "fp16" in written.plan["weight_formats"].values()
        assert any("computed in float16" in line for line in said)
        assert any("computed in float32" in line for line in said) == (compute == "float32")
