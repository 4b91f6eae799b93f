"""MIL reference evaluator: the ML Program of an .mlpackage, read from the file and run in PyTorch, on any system.

One file because reading a program and running it share how its values are declared.

    Manifest.json -> model protobuf -> constants (from it or from weights/*.bin) -> operations in order -> outputs

It proves the exported file: graph, weights, names, shapes, folded constants and, with ``arithmetic="declared"``,
float16 roundings. It says nothing about the kernels with which an iPhone or a Mac runs that file: a float16
accumulator there may lose more than the rounding of each result here.

Source: MIL.proto and Model.proto as shipped in coremltools.proto; what each operation computes is in `mil_ops`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import torch

from export.formats.coreml import mil_ops
from export.rewrite.graph_stats import GraphStats, layer_stats
from lariqa.errors import Refusal

if TYPE_CHECKING:  # coremltools prints while it is imported, so this module imports it only to open a package
    from coremltools.proto.MIL_pb2 import Function, Operation, Value, ValueType
    from coremltools.proto.Model_pb2 import Model

Arithmetic = Literal["float32", "declared"]

_BLOB_READERS = {
    "float32": "read_float_data",
    "float16": "read_fp16_data",  # as uint16 bit patterns
    "int32": "read_int32_data",
    "int16": "read_int16_data",
    "int8": "read_int8_data",
    "int4": "read_int4_data",  # one number per int8
    "uint32": "read_uint32_data",
    "uint16": "read_uint16_data",
    "uint8": "read_uint8_data",
    "uint4": "read_uint4_data",
}


@dataclass(frozen=True)
class TensorSpec:
    """What the program declares for one value, e.g. (1, 3, 384, 384) and "float32"; a side left open is None."""

    shape: tuple[int | None, ...]
    dtype: str

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a tensor may have this shape."""
        return len(shape) == len(self.shape) and all(
            ours in (None, side) for ours, side in zip(self.shape, shape, strict=True)
        )

    @property
    def numbers(self) -> int:
        """How many; a side left open counts nothing."""
        return prod(side or 0 for side in self.shape)


class MilProgram:
    """An ML Program with one function, ready to run.

    Attributes:
        inputs: name -> shape and dtype, in the order of the program.
        outputs: likewise.
        op_types: how often each operation occurs; "const" is not counted.
        operator_of: name of a result -> the operation that gives it.
        metadata: the user-defined metadata of the model description.
        image_inputs: name -> (height, width) in pixels of the inputs that the description declares as RGB images;
            where a size may differ from run to run, the default. The runtime of a phone turns such an image into the
            float tensor (1, 3, height, width), 0..255, that the program reads; `run` takes that tensor.

    Raises:
        Refusal: the package is missing, unreadable or truncated, is no ML Program, has several functions or states,
            leaves open how many sides a tensor has, has an image input that is not RGB, or uses operations that are
            not in `mil_ops`.
    """

    def __init__(self, package: Path, arithmetic: Arithmetic = "float32"):
        """``arithmetic``: "float32" keeps every float in float32, also where the program declares float16;
        "declared" computes in float32 and rounds each input, constant and result that is declared float16.
        """
        if arithmetic not in get_args(Arithmetic):
            raise ValueError(f"arithmetic is one of {get_args(Arithmetic)}, not {arithmetic!r}")
        self._package = Path(package)
        self._rounds = arithmetic == "declared"
        self._blob_files: dict[str, Any] = {}
        try:
            self._load()
        except Refusal:
            raise
        except (KeyError, ValueError, RuntimeError) as error:  # a damaged protobuf or weight file
            reason = f"{type(error).__name__}: {error}"
            raise Refusal(f"{self._package} cannot be read ({reason}); copy or export the package again") from error

    def _load(self) -> None:
        model, self._folder = _read_model(self._package)
        function = _only_function(self._package, model)
        block = function.block_specializations[function.opset]
        self.op_types = Counter(op.type for op in block.operations if op.type != "const")
        if unknown := sorted(self.op_types.keys() - mil_ops.OPS.keys()):
            raise Refusal(
                f"{self._package} uses operations that the MIL reference evaluator does not know: "
                f"{', '.join(unknown)}; add them to export/formats/coreml/mil_ops.py or run the package on a Mac"
            )
        self.metadata = dict(model.description.metadata.userDefined)
        self.inputs = {value.name: self._spec(value.name, value.type) for value in function.inputs}
        self._specs = self.inputs | {
            value.name: self._spec(value.name, value.type)
            for op in block.operations
            for value in op.outputs
            if value.type.WhichOneof("type") == "tensorType"  # a constant may also be a list of strings
        }
        self.outputs = {name: self._specs[name] for name in block.outputs}
        self.image_inputs, self._image_ranges = self._images(model)

        self._constants: dict[str, Any] = {}
        operations = []
        self._stored_numbers = self._stored_bytes = 0
        self._bytes_of: dict[str, int] = {}  # a constant -> bytes, as stored
        for op in block.operations:
            if op.type == "const" or op.type.startswith("constexpr_"):
                before = self._stored_bytes
                self._count_stored(op)
                self._bytes_of |= dict.fromkeys((value.name for value in op.outputs), self._stored_bytes - before)
                self._constants |= self._evaluate(op, self._constants)
            else:
                operations.append(op)
        self.operator_of = {value.name: op.type for op in operations for value in op.outputs}
        self._steps = _with_last_uses(operations, self._constants.keys() | self.outputs.keys())

    @torch.inference_mode()
    def run(
        self, observe: Callable[[str, torch.Tensor], None] | None = None, /, **inputs: np.ndarray | torch.Tensor
    ) -> dict[str, np.ndarray]:
        """Run the program once.

        Args:
            observe: called with the name and the tensor of each operation's result, in the order of the program.
            inputs: one array per name in ``self.inputs``, with its shape and dtype; float32 may stand for float16.

        Returns:
            One array per name in ``self.outputs``. Floats come as float32, also where float16 is declared.

        Raises:
            Refusal: a name, shape or dtype of the inputs is not the declared one.
            RuntimeError: an operation failed, or its result is not what the program declares; names the operation.
        """
        values = self._constants | self._checked(inputs)
        del inputs  # so that an input can be freed after its last use
        for op, finished in self._steps:
            results = self._evaluate(op, values)
            values |= results
            if observe is not None:
                for name, result in results.items():
                    observe(name, result)
            for name in finished:  # at 3840x2160 one value takes up to 531 MB
                del values[name]
        return {name: values[name].numpy() for name in self.outputs}

    def layers(self) -> GraphStats:
        """Convolutions, matrix products and weights, in the order of the program."""
        layers, belongs = [], {}
        for op, _ in self._steps:
            read = [binding.name for argument in op.inputs.values() for binding in argument.arguments]
            before = next((belongs[name] for name in read if name in belongs), None)
            if before is not None:
                belongs |= dict.fromkeys((value.name for value in op.outputs), before)
            bound = {name: argument.arguments[0].name for name, argument in op.inputs.items() if argument.arguments}
            shape = {name: self._specs[value].shape for name, value in bound.items() if value in self._specs}
            result = op.outputs[0].name
            if op.type == "conv":
                summed, factors = prod(shape["weight"][1:]), ("weight",)
            elif op.type == "linear":
                summed, factors = shape["weight"][1], ("weight",)
            elif op.type == "matmul":
                turned = self._constants.get(bound.get("transpose_x", ""), torch.tensor(False))
                summed, factors = shape["x"][-2 if bool(turned) else -1], ("y", "x")
            else:
                continue
            belongs[result] = result
            weight = next((bound[name] for name in factors if bound[name] in self._constants), "")
            spec = self._specs[weight] if weight else TensorSpec((), "float32")
            size = self._bytes_of[weight] if weight else 0
            layers.append(
                layer_stats(result, op.type, (self._specs[result].numbers,), summed or 0, weight, (spec.numbers,), size)
            )
        return GraphStats(tuple(layers), self._stored_numbers, self._stored_bytes, belongs)

    def operators(self) -> Counter[str]:
        """``op_types``, with casts between floats, which every compute unit has, apart from the others."""
        counts = Counter(self.op_types)
        for op, _ in self._steps:
            if op.type == "cast":
                read = self._specs.get(op.inputs["x"].arguments[0].name)
                written = self._specs[op.outputs[0].name]
                if read and read.dtype.startswith("float") and written.dtype.startswith("float"):
                    counts.subtract({"cast": 1})
                    counts["cast between floats"] += 1
        return +counts

    def weights(self) -> dict[str, np.ndarray]:
        """Constants that are float32 tensors, by name."""
        tensors = {name: value for name, value in self._constants.items() if isinstance(value, torch.Tensor)}
        return {name: value.numpy() for name, value in tensors.items() if value.dtype == torch.float32}

    def _count_stored(self, op: Operation) -> None:
        """Add a constant's numbers and bytes, as stored: compressed weights count by what they are compressed to."""
        for name, value in op.attributes.items():
            if name != "name" and value.type.WhichOneof("type") == "tensorType":
                spec = self._spec(name, value.type)
                if spec.dtype != "string":
                    self._stored_numbers += spec.numbers
                    self._stored_bytes += _stored_bytes(spec)

    def _checked(self, inputs: dict[str, np.ndarray | torch.Tensor]) -> dict[str, torch.Tensor]:
        if inputs.keys() != self.inputs.keys():
            raise Refusal(f"{self._package.name} expects the inputs {sorted(self.inputs)}, got {sorted(inputs)}")
        checked = {}
        for name, spec in self.inputs.items():
            given = inputs[name]
            came = TensorSpec(tuple(given.shape), str(given.dtype).removeprefix("torch."))
            dtypes = {spec.dtype, "float32"} if spec.dtype == "float16" else {spec.dtype}
            if not spec.fits(came.shape) or came.dtype not in dtypes:
                raise Refusal(
                    f"input {name!r} of {self._package.name} expects {_said(spec)}, got {_said(came)}; convert it first"
                )
            for side, (least, most) in zip(came.shape[2:], self._image_ranges.get(name, ()), strict=False):
                if not least <= side <= most:
                    raise Refusal(
                        f"input {name!r} of {self._package.name} expects sides of {least} to {most} px, got {side}"
                    )
            if not isinstance(given, torch.Tensor):
                given = torch.from_numpy(np.require(given, requirements=["C", "W"]))
            checked[name] = self._rounded(given.to(mil_ops.DTYPES[spec.dtype]), spec)
        return checked

    def _evaluate(self, op: Operation, values: dict[str, Any]) -> dict[str, Any]:
        """One operation: results by name, each with the declared shape and dtype."""
        try:
            # Constants and the compressed weights of iOS 16 keep their arguments in attributes.
            arguments = {name: self._value(value) for name, value in op.attributes.items() if name != "name"}
            for name, argument in op.inputs.items():
                bound = [values[b.name] if b.name else self._value(b.value) for b in argument.arguments]
                arguments[name] = bound if name == "values" else bound[0]  # MIL's one argument that is a tuple
            results = mil_ops.apply(op.type, arguments)
            names = [output.name for output in op.outputs]
            return {name: self._as_declared(name, result) for name, result in zip(names, results, strict=True)}
        except Exception as error:
            where = f"{op.type} {op.outputs[0].name!r}"
            raise RuntimeError(f"MIL reference evaluator: {where}: {type(error).__name__}: {error}") from error

    def _as_declared(self, name: str, result: Any) -> Any:
        if not isinstance(result, torch.Tensor):
            return result  # a string, or a list of them
        spec = self._specs[name]
        if not spec.fits(tuple(result.shape)) or result.dtype != mil_ops.DTYPES[spec.dtype]:
            came = TensorSpec(tuple(result.shape), str(result.dtype).removeprefix("torch."))
            raise ValueError(f"{name!r} is declared as {_said(spec)}, computed as {_said(came)}")
        return self._rounded(result, spec)

    def _rounded(self, value: torch.Tensor, spec: TensorSpec) -> torch.Tensor:
        return value.half().float() if self._rounds and spec.dtype == "float16" else value

    def _value(self, value: Value) -> Any:
        """A constant of the file: tensor, string, or list."""
        kind = value.immediateValue.WhichOneof("value")
        if kind in ("list", "tuple"):
            return [self._value(item) for item in getattr(value.immediateValue, kind).values]
        spec = self._spec("a constant", value.type)
        if value.WhichOneof("value") == "blobFileValue":
            array = self._blob(value.blobFileValue.fileName, value.blobFileValue.offset, spec.dtype)
        else:
            tensor = value.immediateValue.tensor
            numbers = getattr(tensor, tensor.WhichOneof("value")).values
            if spec.dtype == "string":
                return list(numbers) if spec.shape else numbers[0]
            array = np.frombuffer(numbers, spec.dtype) if isinstance(numbers, bytes) else np.array(numbers, spec.dtype)
        return torch.tensor(array.reshape(spec.shape)).to(mil_ops.DTYPES[spec.dtype])

    def _blob(self, file_name: str, offset: int, dtype: str) -> np.ndarray:
        from coremltools.libmilstoragepython import _BlobStorageReader

        path = file_name.replace("@model_path", str(self._folder))
        if path not in self._blob_files:
            self._blob_files[path] = _BlobStorageReader(path)
        array = getattr(self._blob_files[path], _BLOB_READERS[dtype])(offset)
        return array.view(np.float16) if dtype == "float16" else array

    def _spec(self, name: str, value_type: ValueType) -> TensorSpec:
        from coremltools.proto.MIL_pb2 import DataType

        if value_type.WhichOneof("type") != "tensorType":
            raise Refusal(f"{self._package} declares {name!r} as {value_type.WhichOneof('type')}; expected a tensor")
        dimensions = value_type.tensorType.dimensions
        if any(dimension.unknown.variadic for dimension in dimensions):
            raise Refusal(f"{self._package} leaves open how many sides {name!r} has; export it with a fixed number")
        is_fixed = [dimension.WhichOneof("dimension") == "constant" for dimension in dimensions]
        shape = tuple(d.constant.size if fixed else None for d, fixed in zip(dimensions, is_fixed, strict=True))
        return TensorSpec(shape, DataType.Name(value_type.tensorType.dataType).lower())

    def _images(self, model: Model) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[tuple[int, int], ...]]]:
        """Of the image inputs: (height, width); where these may differ, (least, most) of each."""
        sizes, allowed = {}, {}
        for feature in model.description.input:
            if feature.type.WhichOneof("Type") != "imageType":
                continue
            image = feature.type.imageType
            layout = image.ColorSpace.Name(image.colorSpace)
            declared, expected = self.inputs[feature.name], (1, 3, image.height, image.width)
            if layout != "RGB" or not declared.fits(expected):
                raise Refusal(
                    f"image input {feature.name!r} of {self._package} must be RGB with the shape {expected}, it is "
                    f"{layout} with {declared.shape}; export it as an RGB image"
                )
            if image.HasField("imageSizeRange"):
                ranges = image.imageSizeRange.heightRange, image.imageSizeRange.widthRange
                allowed[feature.name] = tuple((sides.lowerBound, sides.upperBound) for sides in ranges)
            sizes[feature.name] = (image.height, image.width)
        return sizes, allowed


def _read_model(package: Path) -> tuple[Model, Path]:
    """The model's protobuf, and the folder that MIL calls @model_path."""
    from coremltools.proto.Model_pb2 import Model
    from google.protobuf.message import DecodeError

    if not package.is_dir():
        came = "a file" if package.exists() else "nothing"
        raise Refusal(f"expected an .mlpackage folder at {package}, found {came}; check the path")
    model = Model()
    try:
        manifest = json.loads((package / "Manifest.json").read_text())
        root = package / "Data" / manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"]
        model.ParseFromString(root.read_bytes())
    except (OSError, ValueError, KeyError, TypeError, DecodeError) as error:
        raise Refusal(
            f"{package} is not a readable .mlpackage ({type(error).__name__}: {error}); copy or export it again"
        ) from error
    return model, root.parent


def _only_function(package: Path, model: Model) -> Function:
    if (kind := model.WhichOneof("Type")) != "mlProgram":
        raise Refusal(f"expected an ML Program in {package}, found {kind or 'no model'}; export it as mlprogram")
    functions = model.mlProgram.functions
    if len(functions) != 1 or model.description.state:
        states = [state.name for state in model.description.state]
        raise Refusal(
            f"expected one function and no state in {package}, found the functions {sorted(functions)} and the states "
            f"{states}; export one stateless function"
        )
    (function,) = functions.values()
    if function.opset not in function.block_specializations:
        raise Refusal(f"{package} has no program for its own opset {function.opset!r}; export it again")
    return function


def _with_last_uses(operations: list[Operation], kept: set[str]) -> list[tuple[Operation, list[str]]]:
    """Each operation with the values that nothing reads after it; ``kept`` names are never among them."""
    last: dict[str, int] = {}
    for index, op in enumerate(operations):
        read = {binding.name for argument in op.inputs.values() for binding in argument.arguments if binding.name}
        for name in (read | {output.name for output in op.outputs}) - kept:
            last[name] = index
    finished: list[list[str]] = [[] for _ in operations]
    for name, index in last.items():
        finished[index].append(name)
    return list(zip(operations, finished, strict=True))


def _stored_bytes(spec: TensorSpec) -> int:
    bits = int(spec.dtype.lstrip("abcdefghijklmnopqrstuvwxyz") or 8)  # bool has no number
    return (spec.numbers * bits + 7) // 8


def _said(spec: TensorSpec) -> str:
    return f"{spec.dtype} {spec.shape}"
