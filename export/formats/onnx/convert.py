"""Export-ready model -> one self-contained .onnx file.

Opset 18 with IR version 8 is the oldest pair that has every operator used here, so that runtimes of the last years,
phones' included, open it. Exported by ``torch.onnx.export(dynamo=True)``, then three small changes:

    HardSigmoid(x) becomes Clip(x / 6 + 0.5, 0, 1): OpenCV 5 takes any a * HardSigmoid(b) for HardSwish(b), and is wrong
        without a word. Pixels become float32 by Cast, not by DequantizeLinear, which MNN and onnx's own evaluator
        refuse at this opset. In this form the seven runtimes of docs/runtimes.md give the same score;
    the exporter's notes (stack traces with the paths of the exporting machine) are dropped;
    the manifest goes into the metadata.
"""

from __future__ import annotations

from collections import Counter
from math import prod
from pathlib import Path

import numpy as np
import torch

from export.rewrite.graph_stats import GraphStats, layer_stats
from export.rewrite.ready_model import ExportReady
from lariqa.backends import backend, quietly, versions
from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import MIN_SIDE_PX
from lariqa.runtimes.onnxruntime import FLOAT, METADATA_KEY

OPSET = 18
IR_VERSION = 8
LARGEST_BATCH, LARGEST_SIDE_PX = 1024, 65535  # bounds that torch.export asks for; the file has none
TRACED = 2  # photos in the example of a batch: one would become a constant


def write(ready: ExportReady, path: Path, embedded: str) -> dict[str, str]:
    """Write ``ready`` to ``path``.

    Args:
        ready: the model, its inputs named and shaped.
        path: where to; ends in .onnx.
        embedded: the manifest, as JSON text, for the file's metadata.

    Returns:
        Converter package -> version.

    Raises:
        Refusal: onnx is not installed, or cannot express the model.
    """
    onnx = backend("onnx", "onnx")
    backend("onnxscript", "onnx")
    with quietly("the conversion to ONNX"):
        program = torch.onnx.export(
            ready,
            ready.example(TRACED if ready.batches else 1),
            dynamic_shapes=_dynamic_shapes(ready),
            dynamo=True,
            opset_version=OPSET,
            external_data=False,
            verbose=False,
            input_names=[spec.name for spec in ready.inputs],
            output_names=["score"],
        )
        model = program.model_proto
        _spell_out_hard_sigmoids(model)
        _drop_notes(model)
        model.ir_version = IR_VERSION
        model.producer_name, model.producer_version = "lariqa", ""
        onnx.helper.set_model_props(model, {METADATA_KEY: embedded})
        onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    return versions("torch", "onnx", "onnxscript")


def _dynamic_shapes(ready: ExportReady) -> dict | None:
    """Which sides of the inputs are not fixed, as torch.export wants it; None: all are."""
    if not ready.batches and not ready.flexible:
        return None
    batch = torch.export.Dim("batch", min=1, max=LARGEST_BATCH)
    height, width = (torch.export.Dim(name, min=MIN_SIDE_PX, max=LARGEST_SIDE_PX) for name in ("height", "width"))
    free = []
    for spec in ready.inputs:
        sides = {0: batch} if ready.batches else {}
        free.append(sides | ({1: height, 2: width} if spec.name in ready.flexible else {}))
    return {"views": tuple(free)}


def operators(path: Path) -> Counter[str]:
    """Operator -> how often the file has it.

    What only unpacks a weight, folded at load, goes by another name; so does what makes numbers of the photo's bytes.
    """
    onnx = backend("onnx", "onnx")
    graph, unpacked = _load(path).graph, set()
    unpacked.update(tensor.name for tensor in graph.initializer)
    pixels = {value.name for value in graph.input if value.type.tensor_type.elem_type == onnx.TensorProto.UINT8}
    counts: Counter[str] = Counter()
    for node in graph.node:  # in order of execution
        constant = node.op_type in ("Cast", "Mul") and all(name in unpacked for name in node.input)
        of_pixels = bool(node.input) and node.input[0] in pixels
        of = " of a weight" if constant else " of pixels" if of_pixels and node.op_type == "Cast" else ""
        counts[node.op_type + of] += 1
        unpacked.update(node.output if constant else ())
        pixels.update(node.output if of_pixels and node.op_type != "Cast" else ())  # Transpose, Slice: still bytes
    return counts


def layers(path: Path) -> GraphStats:
    """Convolutions, matrix products and weights of the file; its shapes are inferred where it does not state them."""
    onnx = backend("onnx", "onnx")
    graph = onnx.shape_inference.infer_shapes(_load(path)).graph
    values = [*graph.value_info, *graph.output, *graph.input]
    shapes = {value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim) for value in values}
    stored = {tensor.name: tensor for tensor in graph.initializer}
    shapes |= {name: tuple(tensor.dims) for name, tensor in stored.items()}
    maker = {name: node for node in graph.node for name in node.output}

    def weight_of(name: str) -> str:  # behind what only unpacks or turns it, for example DequantizeLinear
        while name not in stored and name in maker:
            name = maker[name].input[0]
        return name if name in stored else ""

    layers, belongs = [], {}
    for node in graph.node:
        before = next((belongs[name] for name in node.input if name in belongs), None)
        if before is not None:
            belongs |= dict.fromkeys((node.name, *node.output), before)
        if node.op_type == "Conv":
            inputs, summed = node.input[1:2], prod(shapes[node.input[1]][1:])
        elif node.op_type in ("MatMul", "Gemm"):
            turned = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
            inputs, summed = node.input[:2], shapes[node.input[0]][-2 if turned else -1]
        else:
            continue
        weight = next(filter(None, map(weight_of, reversed(inputs))), "")
        result = shapes[node.output[0]]
        belongs |= dict.fromkeys((node.name, *node.output), node.output[0])
        size = _tensor_bytes(stored[weight]) if weight else 0
        layers.append(layer_stats(node.output[0], node.op_type, result, summed, weight, shapes.get(weight, ()), size))
    # A scalar or an index list is no weight, but the file holds it: counted, and too small to matter.
    numbers = sum(prod(tensor.dims) for tensor in graph.initializer)
    return GraphStats(tuple(layers), numbers, sum(map(_tensor_bytes, graph.initializer)), belongs)


def weights(path: Path) -> dict[str, np.ndarray]:
    """Stored float32 weight -> its numbers."""
    onnx = backend("onnx", "onnx")
    floats = (t for t in _load(path).graph.initializer if t.data_type == onnx.TensorProto.FLOAT)
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in floats}


def _tensor_bytes(tensor) -> int:
    onnx = backend("onnx", "onnx")
    bits = 4 if tensor.data_type in (onnx.TensorProto.INT4, onnx.TensorProto.UINT4) else 0
    return prod(tensor.dims) * bits // 8 if bits else onnx.numpy_helper.to_array(tensor).nbytes


def _load(path: Path):
    onnx = backend("onnx", "onnx")
    try:
        return onnx.load(str(path))
    except Exception as error:  # protobuf's error classes differ between its implementations
        raise Refusal(
            f"{path} is not a readable ONNX file ({type(error).__name__}); is the download complete?"
        ) from error


def _spell_out_hard_sigmoids(model) -> None:
    onnx = backend("onnx", "onnx")
    nodes, constants = [], {}
    for node in model.graph.node:
        if node.op_type != "HardSigmoid":
            nodes.append(node)
            continue
        factors = {"alpha": 0.2, "beta": 0.5} | {attribute.name: attribute.f for attribute in node.attribute}
        alpha, beta = factors["alpha"], factors["beta"]
        times, plus = f"times_{alpha:.6g}", f"plus_{beta:.6g}"
        constants |= {times: alpha, plus: beta, "zero": 0.0, "one": 1.0}
        (given,), (result,) = node.input, node.output
        nodes += [
            onnx.helper.make_node("Mul", [given, times], [f"{result}_scaled"], f"{node.name}_scale"),
            onnx.helper.make_node("Add", [f"{result}_scaled", plus], [f"{result}_moved"], f"{node.name}_move"),
            onnx.helper.make_node("Clip", [f"{result}_moved", "zero", "one"], [result], node.name),
        ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for name, number in constants.items():  # in the order of the graph, so that one model gives one file
        model.graph.initializer.append(onnx.helper.make_tensor(name, FLOAT, [], [number]))


def _drop_notes(model) -> None:
    del model.metadata_props[:]
    model.graph.doc_string = ""
    for part in (
        *model.graph.node,
        *model.graph.initializer,
        *model.graph.value_info,
        *model.graph.input,
        *model.graph.output,
        model.graph,
    ):
        part.doc_string = ""
        del part.metadata_props[:]
