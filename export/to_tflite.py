"""Export-ready model -> a .tflite file, through litert-torch (the living name of ai-edge-torch).

The converter's file is then repaired in its flatbuffer:

    CAST(uint8 -> float) becomes DEQUANTIZE: the image input is declared as quantised with scale 1 and zero point 0, so
        the numbers are the same; the GPU delegates do not take CAST;
    inputs and output get their names, in the tensors and in the signature;
    the manifest goes into the file's metadata under ``lariqa.json``.
"""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path

import numpy as np

from export.backends import backend, quietly, versions
from export.export_ready import ExportReady
from lariqa_train.refusal import Refusal

METADATA_NAME = b"lariqa.json"


def write_tflite(ready: ExportReady, path: Path, embedded: str) -> dict[str, str]:
    """Write ``ready`` to ``path``; arguments and errors as :func:`export.to_onnx.write_onnx`."""
    with quietly("importing litert-torch"):
        litert_torch = backend("litert_torch", "tflite")
    with quietly("the conversion to TFLite"):
        # Its bytes, not its file: where the disk is full, the converter's own writing ends the whole process.
        model = _parsed(litert_torch.convert(ready, ready.example()).model_content(), path)
        _dequantize_instead_of_cast(model)
        _name_inputs_and_output(model, [spec.name for spec in ready.inputs])
        _embed(model, embedded)
        path.write_bytes(_serialise(model))
    return versions("torch", "litert-torch", "ai-edge-litert")


def read_tflite_metadata(path: Path) -> str | None:
    """The embedded manifest's text, or None."""
    model = _load(path)
    for entry in model.metadata or []:
        if entry.name == METADATA_NAME:
            return bytes(model.buffers[entry.buffer].data).decode()
    return None


def tflite_operators(path: Path) -> Counter[str]:
    """Operator -> how often the file has it, in all its subgraphs."""
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    model = _load(path)
    return Counter(
        names[model.operatorCodes[operator.opcodeIndex].builtinCode]
        for graph in model.subgraphs
        for operator in graph.operators
    )


def _load(path: Path):
    try:
        return _parsed(path.read_bytes(), path)
    except OSError as odd:
        raise Refusal(f"{path} is not a readable TFLite file ({odd}); is it a file at all?") from odd


def _parsed(data: bytes, path: Path):
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    if data[4:8] != b"TFL3":
        raise Refusal(f"{path} is not a TFLite file; is the download complete?")
    try:
        return schema.ModelT.InitFromPackedBuf(data, 0)
    except (struct.error, LookupError, ValueError, TypeError) as odd:  # what flatbuffers raises past the end
        raise Refusal(f"{path} is not a readable TFLite file ({odd}); is the download complete?") from odd


def _serialise(model) -> bytes:
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


def _embed(model, text: str) -> None:
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(text.encode(), np.uint8)
    model.buffers.append(buffer)
    entry.name, entry.buffer = METADATA_NAME, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
