"""Convolutions with zeros around their input, without Core AI's ``pad``.

The dialect's convolution knows no padding; the converter puts a ``pad`` before each. Apple's CPU kernel of ``pad``
takes 200 ns for each number, five sixths of a photo's time. A transposed convolution with a filter that holds one 1 and
else zeros makes the same picture, number by number, and takes 17 ns:

    y[c, i, j] = sum x[c, i - k, j - l] * one[k, l],  one[top, left] = 1, its size (top + bottom + 1, left + right + 1)

Where the four sides are alike the filter is 3x3, dilated by the padding. A photo's pixels are finite, so 0 * x is 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def surround(ops: Any, x: Any, top: int, bottom: int, left: int, right: int) -> Any:
    """Rows and columns of zeros around (B, C, h, w).

    Args:
        ops: the dialect's module, ``coreai._compiler.dialects.coreai``.
        x: the picture, as a value of the graph.
        top: rows above it.
        bottom: rows below it.
        left: columns before it.
        right: columns after it.
    """
    channels = x.type.shape[1]
    (rows, above, step_down), (columns, before, step_right) = _filter(top, bottom), _filter(left, right)
    one = np.zeros((channels, 1, rows, columns), np.float32)
    one[:, :, above, before] = 1
    steps = ([1, 1], [0, 0], [step_down, step_right], [0, 0], channels)  # stride, cut, dilation, more, groups
    return ops.conv_transpose2d(x, ops.constant(one), *(ops.constant(step, np.uint32) for step in steps))


def _filter(before: int, after: int) -> tuple[int, int, int]:
    """Along one side: (taps, which of them is 1, dilation) that put so many zeros before and after."""
    if before == after == 0:
        return 1, 0, 1
    if before == after:
        return 3, 1, before
    if 0 in (before, after):
        return 2, int(before > 0), before or after
    return before + after + 1, before, 1


def without_pads(converter: Any, ops: Any) -> None:
    """Have a ``TorchConverter`` surround where it would pad: convolutions of float pictures, and paddings by zeros.

    Args:
        converter: before it converts.
        ops: the dialect's module.
    """
    usual = {name: _usual(name) for name in ("convolution.default", "constant_pad_nd.default")}

    @converter.register_torch_lowering("aten::convolution.default", allow_override=True)
    def convolution(values: Mapping[str, Any], node: Any, location: Any) -> Any:
        x, weight, bias, stride, padding, dilation, transposed, more, groups = node.args
        x, weight = values[x.name], values[weight.name]
        if transposed or any(more) or len(x.type.shape) != 4 or not any(padding):
            return usual["convolution.default"](values, node, location)
        x = surround(ops, x, padding[0], padding[0], padding[1], padding[1])
        y = ops.conv2d(x, weight, stride, dilation, groups)
        if bias is None:
            return y
        return ops.broadcasting_add(y, ops.reshape(values[bias.name], [1, y.type.shape[1], 1, 1]))

    @converter.register_torch_lowering("aten::constant_pad_nd.default", allow_override=True)
    def constant_pad(values: Mapping[str, Any], node: Any, location: Any) -> Any:
        x, sides = values[node.args[0].name], _sides(node.args[1])
        if len(x.type.shape) != 4 or sides is None or any(node.args[2:]):
            return usual["constant_pad_nd.default"](values, node, location)
        return surround(ops, x, *sides)


def _sides(padding: Sequence[int]) -> tuple[int, int, int, int] | None:
    """PyTorch's order, the last dimension first -> top, bottom, left, right; None: other dimensions, or cut."""
    left, right, top, bottom, *others = (*padding, 0, 0)[: max(4, len(padding))]
    return None if any(others) or min(padding) < 0 else (top, bottom, left, right)


def _usual(name: str) -> Any:
    from coreai_torch._aten_to_core import _aten_to_core_resolver

    return _aten_to_core_resolver[name]
