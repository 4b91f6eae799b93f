"""Export-ready model -> a .tflite file, through litert-torch (formerly ai-edge-torch).

The converter's file is then repaired in its flatbuffer:

    CAST(uint8 -> float) becomes DEQUANTIZE: the image input is declared as quantised with scale 1 and zero point 0, so
        the numbers are the same; the GPU delegates do not take CAST;
    CONCATENATION of more tensors than XNNPACK takes is done in steps, so that one delegate runs the whole graph;
    inputs and output get their names, in the tensors and in the signature;
    the manifest goes into the file's metadata under ``lariqa.json``.
"""

from __future__ import annotations

import contextlib
import struct
import sys
from collections import Counter
from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from export.rewrite.graph_stats import GraphStats, layer_stats
from export.rewrite.ready_model import ExportReady
from lariqa.backends import backend, quietly, versions
from lariqa.errors import Refusal
from lariqa.runtimes.litert import METADATA_NAME

ALL_STRIDES = 64  # a multiple of the product of any backbone's strides, twice over
WIDEST_CONCATENATION = 5  # that XNNPACK takes


def write(ready: ExportReady, path: Path, embedded: str) -> dict[str, str]:
    """Write ``ready`` to ``path``; arguments and errors as :meth:`export.formats.format.Format.convert`."""
    with quietly("importing litert-torch"):
        litert_torch = backend("litert_torch", "tflite")
    with quietly("the conversion to TFLite"):
        # Its bytes, not its file: where the disk is full, the converter's own writing ends the whole process.
        with _constants_kept_alive():
            converted = litert_torch.convert(ready, _example(ready))
        model = parsed(converted.model_content(), path)
        _dequantize_instead_of_cast(model)
        _join_in_steps(model)
        _name_inputs_and_output(model, [spec.name for spec in ready.inputs])
        _leave_sides_open(model, ready.flexible)
        embed(model, embedded)
        path.write_bytes(serialise(model))
    return versions("torch", "litert-torch", "ai-edge-litert")


def operators(path: Path) -> Counter[str]:
    """Operator -> how often the file has it, in all its subgraphs."""
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    model = _load(path)
    return Counter(
        names[model.operatorCodes[operator.opcodeIndex].builtinCode]
        for graph in model.subgraphs
        for operator in graph.operators
    )


def layers(path: Path) -> GraphStats:
    """Convolutions, matrix products and weights of the file."""
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    codes = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    model = _load(path)
    layers, used = [], set()
    for graph in model.subgraphs:
        tensors = graph.tensors
        stored = {n for n, tensor in enumerate(tensors) if model.buffers[tensor.buffer].data is not None}
        used |= {tensors[n].buffer for n in stored}
        maker = {n: operator for operator in graph.operators for n in operator.outputs}
        for operator in graph.operators:
            name = codes[model.operatorCodes[operator.opcodeIndex].builtinCode]
            first, second = [*operator.inputs, -1, -1][:2]
            if name in ("CONV_2D", "FULLY_CONNECTED"):  # weights (out, ..., in)
                summed, factors = prod(tensors[second].shape[1:]), (second,)
            elif name == "DEPTHWISE_CONV_2D":  # weights (1, height, width, out)
                summed, factors = prod(tensors[second].shape[1:3]), (second,)
            elif name == "BATCH_MATMUL":
                summed = int(tensors[first].shape[-2 if operator.builtinOptions.adjX else -1])
                factors = (second, first)
            else:
                continue
            weight = -1
            for factor in factors:
                while factor not in stored and factor in maker:  # behind DEQUANTIZE, RESHAPE, TRANSPOSE
                    factor = maker[factor].inputs[0]
                if factor in stored:
                    weight = factor
                    break
            result = tensors[operator.outputs[0]]
            label = f"buffer {tensors[weight].buffer}" if weight >= 0 else ""
            shape = tensors[weight].shape if weight >= 0 else ()
            size = len(model.buffers[tensors[weight].buffer].data) if weight >= 0 else 0
            layers.append(layer_stats(result.name.decode(), name, tuple(result.shape), summed, label, shape, size))
    numbers = {tensor.buffer: prod(tensor.shape) for graph in model.subgraphs for tensor in graph.tensors}
    return GraphStats(tuple(layers), sum(int(numbers[n]) for n in used), sum(len(model.buffers[n].data) for n in used))


def weights(path: Path) -> dict[str, np.ndarray]:
    """Stored float32 weight, by its buffer as in ``layers`` -> its numbers."""
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    model = _load(path)
    return {
        f"buffer {tensor.buffer}": np.asarray(model.buffers[tensor.buffer].data, np.uint8).view(np.float32)
        for graph in model.subgraphs
        for tensor in graph.tensors
        if tensor.type == schema.TensorType.FLOAT32 and model.buffers[tensor.buffer].data is not None
    }


def _load(path: Path):
    try:
        return parsed(path.read_bytes(), path)
    except OSError as error:
        raise Refusal(f"{path} is not a readable TFLite file ({error}); is it a file at all?") from error


def parsed(data: bytes, path: Path):
    """A .tflite file's bytes as the schema's mutable objects; ``path`` names it in errors."""
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    if data[4:8] != b"TFL3":
        raise Refusal(f"{path} is not a TFLite file; is the download complete?")
    try:
        model = schema.ModelT.InitFromPackedBuf(data, 0)
    except (struct.error, LookupError, ValueError, TypeError) as error:  # what flatbuffers raises past the end
        raise Refusal(f"{path} is not a readable TFLite file ({error}); is the download complete?") from error
    for buffer in model.buffers:
        if buffer.offset > 1:  # ai-edge-quantizer puts large weights behind the flatbuffer
            buffer.data = np.frombuffer(data, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def serialise(model) -> bytes:
    """The inverse of :func:`parsed`."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _dequantize_instead_of_cast(model) -> None:
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    graph = model.subgraphs[0]
    bytes_ = {index for index, tensor in enumerate(graph.tensors) if tensor.type == schema.TensorType.UINT8}
    for index in bytes_:
        quantised = schema.QuantizationParametersT()
        quantised.scale, quantised.zeroPoint = np.array([1.0], np.float32), np.array([0], np.int64)
        graph.tensors[index].quantization = quantised
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if code.builtinCode == schema.BuiltinOperator.CAST and operator.inputs[0] in bytes_:
            operator.opcodeIndex = _operator_code(model, schema.BuiltinOperator.DEQUANTIZE)
            operator.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
            operator.builtinOptions = schema.DequantizeOptionsT()


@contextlib.contextmanager
def _constants_kept_alive() -> Iterator[None]:
    """Keep the converter from taking one constant for another.

    litert-torch 0.10 knows a constant by its address and its shape, and does not hold it: where one is freed in the
    middle of a conversion and the next of the same shape lands in its place, the file gets the first one twice. Seen
    with two branches' first convolutions: 7e-2 of score, now and then. What is held cannot be freed.
    """
    constants = sys.modules.get("litert_torch.backend.inline_consts")  # loaded with the converter
    if constants is None:  # another converter, with other faults
        yield
        return
    fingerprints = constants._ConstantFingerprint
    original, held = fingerprints.from_tensor, []

    def holding(tensor):
        held.append(tensor)
        return original(tensor)

    fingerprints.from_tensor = holding
    try:
        yield
    finally:
        fingerprints.from_tensor = original


def _join_in_steps(model) -> None:
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    graph = model.subgraphs[0]
    operators = []
    for operator in graph.operators:
        if model.operatorCodes[operator.opcodeIndex].builtinCode == schema.BuiltinOperator.CONCATENATION:
            parts, axis = list(operator.inputs), operator.builtinOptions.axis
            while len(parts) > WIDEST_CONCATENATION:
                joined = []
                for at in range(0, len(parts), WIDEST_CONCATENATION):
                    some = parts[at : at + WIDEST_CONCATENATION]
                    if len(some) > 1:
                        operators.append(_concatenation(graph, operator, some, axis))
                        some = [operators[-1].outputs[0]]
                    joined += some
                parts = joined
            operator.inputs = np.array(parts, np.int32)
        operators.append(operator)
    graph.operators = operators


def _concatenation(graph, like, parts: list[int], axis: int):
    """An operator as ``like`` that joins some tensors into a new one."""
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    first, tensor, operator = graph.tensors[parts[0]], schema.TensorT(), schema.OperatorT()
    shape = np.array(first.shape, np.int32)
    shape[axis] = sum(int(graph.tensors[n].shape[axis]) for n in parts)
    tensor.shape, tensor.type, tensor.quantization = shape, first.type, first.quantization
    tensor.buffer, tensor.hasRank = 0, True
    tensor.name = first.name + b"/joined"
    graph.tensors.append(tensor)
    operator.opcodeIndex, operator.inputs = like.opcodeIndex, np.array(parts, np.int32)
    operator.outputs = np.array([len(graph.tensors) - 1], np.int32)
    operator.builtinOptionsType, operator.builtinOptions = like.builtinOptionsType, like.builtinOptions
    return operator


def _operator_code(model, builtin: int) -> int:
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    for index, code in enumerate(model.operatorCodes):
        if code.builtinCode == builtin:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _name_inputs_and_output(model, names: list[str]) -> None:
    graph, signature = model.subgraphs[0], model.signatureDefs[0]
    for name, index in zip([*names, "score"], [*graph.inputs, *graph.outputs], strict=True):
        graph.tensors[index].name = name.encode()
        for entry in (*signature.inputs, *signature.outputs):
            if entry.tensorIndex == index:
                entry.name = name.encode()


def _example(ready: ExportReady) -> tuple[torch.Tensor, ...]:
    """Inputs for the tracing; of a view of any size, one whose sides all strides of the network divide.

    Where a side is odd before a stride, the converter pads that convolution as TensorFlow's "SAME" does, which at an
    even side is one pixel off: the file would be exact for some sizes. Where all are even, it pads explicitly.
    """
    return tuple(
        functional.pad(x, (0, 0, 0, -x.shape[2] % ALL_STRIDES, 0, -x.shape[1] % ALL_STRIDES))
        if spec.name in ready.flexible
        else x
        for spec, x in zip(ready.inputs, ready.example(), strict=True)
    )


def _leave_sides_open(model, names: set[str]) -> None:
    """Declare height and width of these inputs as open; their shapes are those of the tracing."""
    graph = model.subgraphs[0]
    for index in graph.inputs:
        tensor = graph.tensors[index]
        if tensor.name.decode() in names:
            tensor.shapeSignature = [1, -1, -1, 3]


def embed(model, text: str) -> None:
    """Put the manifest's text into the file's metadata, in the place of one that is there."""
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    model.metadata = [entry for entry in model.metadata or [] if entry.name != METADATA_NAME]
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(text.encode(), np.uint8)
    model.buffers.append(buffer)
    entry.name, entry.buffer = METADATA_NAME, len(model.buffers) - 1
    model.metadata.append(entry)
