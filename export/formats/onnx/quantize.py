"""A float32 .onnx file -> the same graph with weights stored low.

    fp16   initialiser in float16, Cast to float
    w8     initialiser in int8, Cast to float, Mul by the scales
    int8   ONNX Runtime's own QDQ quantiser: int8 weights and activations, one scale for each channel

Cast and Mul of constants are folded while a session is opened: computing costs what it costs in float32. The
standard's DequantizeLinear is not used for w8 because ONNX Runtime keeps it for its int8 kernels, runs it again for
every photo and takes 1.65 times as long (docs/experiments).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from export.formats.format import Quantization
from lariqa.backends import backend, quietly, versions
from lariqa.runtimes.onnxruntime import METADATA_KEY
from lariqa_train.quantization.int8_grid import quantise
from lariqa_train.quantization.precision import WeightFormat

QUANTISED = ("Conv", "Gemm")


def quantize(source: Path, path: Path, embedded: str, asked: Quantization) -> dict[str, str]:
    """Write ``source`` again in other weight formats; see :meth:`export.formats.format.Format.quantize`."""
    onnx = backend("onnx", "onnx")
    model = onnx.load(str(source))
    read = {node.input[1] for node in model.graph.node if node.op_type in QUANTISED}
    # A weight that a gate's factors go into is computed for every photo: its layer can only store int8.
    weight_formats = {
        name: "w8" if weight_format == "int8" and name not in read else weight_format
        for name, weight_format in asked.weight_formats.items()
    }
    used = {"onnx"}
    _take(model.graph, asked.given)
    statically = {name for name, weight_format in weight_formats.items() if weight_format == "int8"}
    if statically:
        with quietly("ONNX Runtime's quantiser"):
            model = _quantised(model, statically, asked.ranges)
        used.add("onnxruntime")
    _store(model.graph, weight_formats)
    onnx.helper.set_model_props(model, {METADATA_KEY: embedded})
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    return versions(*sorted(used))


def _take(graph, weights: Mapping[str, np.ndarray]) -> None:
    """Put these weights in the place of those of their names."""
    onnx = backend("onnx", "onnx")
    for tensor in graph.initializer:
        if tensor.name in weights:
            numbers = weights[tensor.name].reshape(tuple(tensor.dims))
            tensor.CopyFrom(onnx.numpy_helper.from_array(numbers, tensor.name))


def _store(graph, weight_formats: Mapping[str, WeightFormat]) -> None:
    """Weights of weight formats fp16 and w8: the low initialiser, and the nodes that make the float one of it."""
    onnx = backend("onnx", "onnx")
    numpy_helper, make_node, to_float = onnx.numpy_helper, onnx.helper.make_node, onnx.TensorProto.FLOAT
    nodes, initialisers = [], []
    for tensor in graph.initializer:
        weight_format, name = weight_formats.get(tensor.name, "fp32"), tensor.name
        if weight_format == "fp16":
            half = numpy_helper.to_array(tensor).astype(np.float16)
            initialisers.append(numpy_helper.from_array(half, f"{name}.float16"))
            nodes.append(make_node("Cast", [f"{name}.float16"], [name], to=to_float))
        elif weight_format == "w8":
            quantised, scale = quantise(numpy_helper.to_array(tensor))
            initialisers.append(numpy_helper.from_array(quantised, f"{name}.int8"))
            initialisers.append(numpy_helper.from_array(scale, f"{name}.scale"))
            nodes.append(make_node("Cast", [f"{name}.int8"], [f"{name}.steps"], to=to_float))
            nodes.append(make_node("Mul", [f"{name}.steps", f"{name}.scale"], [name]))
        else:
            initialisers.append(tensor)
    nodes.extend(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(initialisers)
    graph.node.extend(nodes)


def collect_ranges(source: Path, inputs: Iterable[Mapping[str, np.ndarray]]) -> Any:
    """Smallest and largest value of every activation over these inputs, as moving averages, by ONNX Runtime's own tool.

    Its entropy and percentile calibrators keep every activation of every picture in memory (onnxruntime issue 10503).
    Its own session would keep those of one: it computes all of them before the first is reduced.
    """
    calibrate, runtime = backend("onnxruntime.quantization.calibrate", "onnx"), backend("onnxruntime", "onnx")
    options = runtime.SessionOptions()
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL  # else tensors disappear
    options.execution_order = runtime.ExecutionOrder.PRIORITY_BASED
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    with tempfile.TemporaryDirectory() as folder, quietly("ONNX Runtime's calibration"):
        calibrator = calibrate.create_calibrator(
            source,
            list(QUANTISED),
            augmented_model_path=str(Path(folder, "augmented.onnx")),
            extra_options={"moving_average": True, "averaging_constant": 0.1},
        )
        calibrator.infer_session = runtime.InferenceSession(
            calibrator.augmented_model_path, options, providers=["CPUExecutionProvider"]
        )
        for given in inputs:  # one at a time: their outputs are forgotten after each
            calibrator.collect_data(_Once(given))
        return calibrator.compute_data()


class _Once:
    """ONNX Runtime's data reader over one set of inputs."""

    def __init__(self, given: Mapping[str, np.ndarray]) -> None:
        self.left = [dict(given)]

    def get_next(self):
        return self.left.pop() if self.left else None


def _quantised(model, weights: set[str], ranges: Any):
    """QDQ around the layers with these weights: int8 weights per channel, uint8 activations."""
    quantiser = backend("onnxruntime.quantization.qdq_quantizer", "onnx").QDQQuantizer
    kinds = backend("onnxruntime.quantization", "onnx").QuantType
    nodes = []
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"
        if node.op_type in QUANTISED and node.input[1] in weights:
            nodes.append(node.name)
    made = quantiser(
        model,
        True,
        False,
        kinds.QInt8,
        kinds.QUInt8,
        ranges,
        nodes,
        [],
        list(QUANTISED),
        {"ForceQuantizeNoInputCheck": False},
    )
    made.quantize_model()
    made.model.topological_sort()
    return made.model.model
