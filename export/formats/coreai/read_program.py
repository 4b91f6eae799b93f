"""The program in an .aimodel folder, read: its operators, its layers and their weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np

from export.rewrite.graph_stats import GraphStats, layer_stats
from lariqa.backends import backend, quietly
from lariqa.runtimes.coreai import check_program, name_of

CONSTANT, CONVOLUTION, PRODUCT = "coreai.constant", "coreai.conv2d", "coreai.decomposable.broadcasting_batch_matmul"
ONES = "coreai.conv_transpose2d"  # puts zeros around a picture; its filter is no weight
# Between a stored weight and what reads it.
UNPACKING = ("coreai.cast", "coreai.blockwise_shift_scale", "coreai.transpose", "coreai.reshape")
DTYPES = {"f32": np.float32, "f16": np.float16, "si8": np.int8, "ui8": np.uint8, "ui32": np.uint32, "si32": np.int32}
RESOURCE = re.compile(r"dense_resource<([^>]+)>")
ALIGNMENT = 4  # bytes before the numbers of a resource


class Program:
    """One parsed program; its operations must not outlive it.

    Args:
        path: the folder.

    Raises:
        Refusal: coreai-core is not installed, or the program is damaged: the parser would abort the process.
    """

    def __init__(self, path: Path) -> None:
        check_program(path)
        with quietly("importing coreai-core"):
            authoring = backend("coreai.authoring", "coreai")
        with quietly(f"reading {path}"):
            self.program = authoring.AIModelAsset.load(path).program
        self.module = self.program._module._mlir_module

    def graphs(self) -> dict[str, list]:
        """Graph -> its operations, in their order; "main" is the model, the others are called by it."""
        return {
            graph.sym_name.value: list(graph.regions[0].blocks[0].operations)
            for graph in self.module.body.operations
            if graph.name == "coreai.graph"
        }

    def operators(self) -> Counter[str]:
        """Operator -> how often the program has it, without constants and plumbing."""
        names = (op.name for ops in self.graphs().values() for op in ops)
        short = (name.rsplit(".", 1)[-1].removeprefix("broadcasting_") for name in names)
        return Counter(name for name in short if name not in ("constant", "output", "invoke"))

    def constants(self) -> Iterator[tuple[str, object]]:
        """(name, operation) of every constant of "main"; the name is its place, which no other thing gives it."""
        operations = (op for op in self.graphs()["main"] if op.name == CONSTANT)
        for number, op in enumerate(operations):
            yield f"constant {number}", op

    def layers(self) -> GraphStats:
        """Convolutions, matrix products and weights of the program."""
        stored = {op: name for name, op in self.constants()}
        seen, layers, filters = Counter(), [], set()
        for op in self.graphs()["main"]:
            if op.name == ONES:
                filters.update(value.owner for value in list(op.operands)[1:])
            if op.name not in (CONVOLUTION, PRODUCT):
                continue
            first, second = (tuple(value.type.shape) for value in list(op.operands)[:2])
            sources = [constant_behind(value) for value in (op.operands[1], op.operands[0])]
            source = next((constant for constant in sources if constant is not None), None)
            summed = prod(second[1:]) if op.name == CONVOLUTION else first[-1]
            name = name_of(op.name, seen[op.name])
            seen[op.name] += 1
            shape, size = ((), 0) if source is None else (_shape(source), _bytes(source))
            label = "" if source is None else stored[source]
            kind = op.name.rsplit(".", 1)[-1].removeprefix("broadcasting_")
            layers.append(layer_stats(name, kind, tuple(op.results[0].type.shape), summed, label, shape, size))
        kept = [op for op in stored if op not in filters]
        numbers = sum(prod(_shape(op)) for op in kept)
        belongs = {layer.name: layer.name for layer in layers}
        return GraphStats(tuple(layers), numbers, sum(map(_bytes, kept)), belongs)

    def weights(self) -> dict[str, np.ndarray]:
        """Stored float32 weight -> its numbers."""
        blobs = resources(self.module)
        return {name: numbers_of(op, blobs) for name, op in self.constants() if _dtype(op) is np.float32}


def constant_behind(value) -> object | None:
    """The constant that a value is, or is unpacked or turned from; None: it is computed."""
    op = value.owner
    while getattr(op, "name", "") in UNPACKING:
        op = op.operands[0].owner
    return op if getattr(op, "name", "") == CONSTANT else None


def numbers_of(op, blobs: dict[str, bytes]) -> np.ndarray:
    """A constant's numbers."""
    ir = backend("coreai._compiler.ir", "coreai")
    value = op.attributes["value"]
    if ir.DenseElementsAttr.isinstance(value):
        return np.array(ir.DenseElementsAttr(value)).astype(_dtype(op), copy=False).reshape(_shape(op))
    name = RESOURCE.search(str(value))[1]
    return np.frombuffer(blobs[name], _dtype(op)).reshape(_shape(op))


def resources(module) -> dict[str, bytes]:
    """Name -> bytes of the large constants; the bindings give them as text alone."""
    text = str(module)
    section = text[max(0, text.rfind("dialect_resources")) :]
    found = re.finditer(r'([\w.$-]+): "0x([0-9A-Fa-f]+)"', section)
    return {match[1]: bytes.fromhex(match[2])[ALIGNMENT:] for match in found}


def _shape(op) -> tuple[int, ...]:
    return tuple(op.results[0].type.shape)


def _dtype(op) -> type | None:
    return DTYPES.get(str(op.results[0].type.element_type))


def _bytes(op) -> int:
    dtype = _dtype(op)
    return prod(_shape(op)) * (np.dtype(dtype).itemsize if dtype else 1)
