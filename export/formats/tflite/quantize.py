"""A float32 .tflite file -> the same graph with weights stored low, through ai-edge-quantizer.

    fp16   weight in float16 behind a DEQUANTIZE            XNNPACK and the GPU delegates unpack it while they load
    w8     weight in int8 per channel behind a DEQUANTIZE   likewise
    int8   static int8 kernels, ranges from calibration

The quantizer picks operators by a regular expression over the names of their results, which here are hardly unique: so
each operator's result is named after its place in the file while the quantizer works.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from export.formats.format import Quantization
from export.formats.tflite.convert import embed, parsed, serialise
from lariqa.backends import backend, quietly, versions
from lariqa_train.quantization.precision import WeightFormat, refuse_left_float

COMPUTING = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def quantize(source: Path, path: Path, embedded: str, asked: Quantization) -> dict[str, str]:
    """Write ``source`` again in other weight formats; see :meth:`export.formats.format.Format.quantize`."""
    quantizer_module = backend("ai_edge_quantizer.quantizer", "tflite")
    model = parsed(source.read_bytes(), source)
    _take(model, asked.given)
    kept = _name_by_place(model)
    if wanted := list(_operators(model, asked.weight_formats)):  # the quantizer refuses to do nothing
        with quietly("ai-edge-quantizer"):
            quantizer = quantizer_module.Quantizer(serialise(model))
            for operator in wanted:
                _ask(quantizer, *operator)
            result = quantizer.quantize(asked.ranges, enable_progress_bar=False, enable_progress_report=False)
        lowered = parsed(bytes(result.quantized_model), path)
    else:
        lowered = model
    for graph in lowered.subgraphs:
        for tensor in graph.tensors:
            tensor.name = kept.get(tensor.name, tensor.name)
    embed(lowered, embedded)
    path.write_bytes(serialise(lowered))
    return versions("ai-edge-quantizer", "ai-edge-litert")


def _take(model, weights: Mapping[str, np.ndarray]) -> None:
    """Put these numbers in the place of those of their buffers."""
    for name, numbers in weights.items():
        buffer = model.buffers[int(name.removeprefix("buffer "))]
        buffer.data = np.frombuffer(np.ascontiguousarray(numbers, np.float32).tobytes(), np.uint8)


def _operators(model, weight_formats: Mapping[str, WeightFormat]) -> Iterable[tuple[str, str, WeightFormat]]:
    """(expression that finds its result, kind, weight_format) of each operator whose weight_format is not float32."""
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    codes = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    graph, taken = model.subgraphs[0], set()
    for operator in graph.operators:
        kind = codes[model.operatorCodes[operator.opcodeIndex].builtinCode]
        if kind in COMPUTING:
            weight = f"buffer {graph.tensors[operator.inputs[1]].buffer}"
            weight_format = weight_formats.get(weight, "fp32")
            if weight_format != "fp32":
                taken.add(weight)
                name = graph.tensors[operator.outputs[0]].name.decode()
                yield rf"^{name}(;|$)", kind, weight_format
    low = {weight for weight, weight_format in weight_formats.items() if weight_format != "fp32"}
    refuse_left_float(low - taken, "no layer that the quantizer knows reads this weight as it is stored")


def _ask(quantizer, expression: str, kind: str, weight_format: WeightFormat) -> None:
    """Tell the quantizer what is to become of the operators that an expression finds."""
    kinds = backend("ai_edge_quantizer.qtyping", "tflite").TFLOperationName
    casting = backend("ai_edge_quantizer.algorithm_manager", "tflite").AlgorithmName.FLOAT_CASTING
    if weight_format == "fp16":
        tensorwise = backend("ai_edge_quantizer.qtyping", "tflite").QuantGranularity.TENSORWISE
        quantizer.add_weight_only_config(expression, kinds[kind], 16, granularity=tensorwise, algorithm_key=casting)
    elif weight_format == "w8":
        quantizer.add_weight_only_config(expression, kinds[kind], 8)
    else:
        quantizer.add_static_config(expression, kinds[kind], 8, 8)


def _name_by_place(model) -> dict[bytes, bytes]:
    """Give every operator's result, but the score, the name of its place in the file; new name -> old name."""
    kept = {}
    for graph in model.subgraphs:
        for index, operator in enumerate(graph.operators):
            for result in set(operator.outputs) - set(graph.outputs):
                new = f"operator_{index:05d}".encode()
                kept[new], graph.tensors[result].name = graph.tensors[result].name, new
    return kept


def collect_ranges(source: Path, inputs: Iterable[Mapping[str, np.ndarray]]) -> Any:
    """Smallest and largest value of every tensor over these inputs, as moving averages, by the quantizer's own tool.

    Seen while the model runs: in its other mode the tool keeps every tensor of a run, over 12 GB for a 4K photo.
    """
    quantizer_module = backend("ai_edge_quantizer.quantizer", "tflite")
    seen_running = backend("ai_edge_quantizer.calibrator", "tflite").CalibrationMode.CALIBRATION_PROFILER_BASED
    model = parsed(source.read_bytes(), source)
    _name_by_place(model)
    with quietly("ai-edge-quantizer's calibration"):
        quantizer = quantizer_module.Quantizer(serialise(model))
        for kind in COMPUTING:
            _ask(quantizer, ".*", kind, "int8")
        ranges = None
        for given in inputs:  # one at a time: given together they would all be held
            one = {"serving_default": [dict(given)]}
            ranges = quantizer.calibrate(one, ranges, num_threads=os.cpu_count(), mode=seen_running)
        return ranges
