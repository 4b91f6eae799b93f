"""A float32 .aimodel -> the same program with weights stored low, by the dialect's own operators for it.

    fp16   constant in float16, times 1
    w8     constant in int8, times one step for each output channel

Both by ``blockwise_shift_scale``, which Apple's converter writes for compressed weights. A cast would say the same of
float16, but all casts but those of the largest constants are folded to float32.

What computes stays float32, but where float16 is asked for: then the convolutions of pictures whose weight is low read
and give float16. Biases, activations, sums, means, and what is one number for a channel (gates, the layers behind the
last mean) stay float32: what these lose to rounding is the same in every pixel, and no average takes it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from export.formats.coreai.convert import save
from export.formats.coreai.read_program import CONVOLUTION, Program, numbers_of, resources
from export.formats.format import Quantization
from lariqa.backends import backend, quietly, versions
from lariqa_train.quantization.int8_grid import quantise
from lariqa_train.quantization.precision import WeightFormat


def quantize(source: Path, path: Path, embedded: str, asked: Quantization) -> dict[str, str]:
    """Write ``source`` again in other weight formats; see :meth:`export.formats.format.Format.quantize`."""
    read = Program(source)
    with quietly("the quantisation of the Core AI program"):
        ir, ops = (backend(f"coreai._compiler.{name}", "coreai") for name in ("ir", "dialects.coreai"))
        blobs = resources(read.module)
        for name, op in list(read.constants()):
            weight_format = asked.weight_formats.get(name, "fp32")
            if weight_format == "fp32":
                continue
            numbers = numbers_of(op, blobs)
            numbers = asked.given.get(name, numbers).astype(np.float32).reshape(numbers.shape)
            if weight_format == "fp16" and asked.compute == "float16":
                _compute_in_half(op, numbers.astype(np.float16), ir, ops)
            if list(op.results[0].uses):
                with ir.InsertionPoint(op), op.location:
                    stored = _scaled(ops, *_stored(numbers, weight_format))
                op.results[0].replace_all_uses_with(stored)
            op.erase()
        save(read.program, path, embedded)
    return versions("coreai-core")


def collect_ranges(source: Path, inputs: Iterable[Mapping[str, np.ndarray]]) -> Any:
    """Never asked for: the format has no int8 activations (``Format.cannot``)."""
    raise NotImplementedError


def _convolutions_of_pictures(weight: Any) -> Iterator[Any]:
    """Those that read this constant itself as their weight, and give more than one number for a channel."""
    for use in weight.results[0].uses:
        reader = use.owner
        of_pictures = reader.name == CONVOLUTION and prod(reader.results[0].type.shape[2:]) > 1
        if of_pictures and reader.operands[1].owner == weight:
            yield reader


def _compute_in_half(weight: Any, numbers: np.ndarray, ir: Any, ops: Any) -> None:
    """Put convolutions in float16, between two casts, in the place of those of pictures that read this constant."""
    with ir.InsertionPoint(weight), weight.location:
        half = ops.constant(numbers)  # one for all strips of a picture; unread, it is not written
    for convolution in list(_convolutions_of_pictures(weight)):
        read, _, *settings = convolution.operands
        with ir.InsertionPoint(convolution), convolution.location:
            result = ops.conv2d(ops.cast(read, ir.F16Type.get()), half, *settings)
            result = ops.cast(result, ir.F32Type.get())
        convolution.results[0].replace_all_uses_with(result)
        convolution.erase()


def _stored(numbers: np.ndarray, weight_format: WeightFormat) -> tuple[np.ndarray, np.ndarray]:
    """(what the file holds, what it is multiplied by)."""
    if weight_format == "w8":
        return quantise(numbers)
    return numbers.astype(np.float16), np.ones((1,) * numbers.ndim)


def _scaled(ops: Any, stored: np.ndarray, step: np.ndarray) -> Any:
    nothing = np.zeros(step.shape, stored.dtype), np.zeros(step.shape, np.float32)  # taken off before, added after
    return ops.blockwise_shift_scale(*map(ops.constant, (stored, step.astype(np.float32), *nothing)))
