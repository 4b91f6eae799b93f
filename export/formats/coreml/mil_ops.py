"""What each MIL operation computes, in PyTorch: the table behind `mil_reference`.

One file because it is one table, with what its rows share.

Names of operations and arguments, defaults and formulas are those of coremltools' operation definitions
(coremltools/converters/mil/mil/ops/defs, iOS15 to iOS18). Floats are computed in float32; the caller rounds
to float16 where the program declares it. No function writes into its arguments.

An argument is a tensor, unless its name stands in ``SETTINGS``: then it is a Python number, boolean or list.
Strings are ``str``; the tuple argument of ``concat`` and ``stack`` is a list of tensors.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from math import ceil
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# fmt: off
SETTINGS = {
    "align_corners", "axes", "axis", "begin", "begin_mask", "ceil_mode", "dilations", "end", "end_mask", "epsilon",
    "exclude_padding_from_average", "groups", "half_pixel_centers", "interleave", "keep_dims", "kernel_sizes",
    "num_splits", "pad", "perm", "reps", "shape", "size", "split_sizes", "squeeze_mask", "stride", "strides",
    "transpose_x", "transpose_y",
}
# fmt: on
DTYPES = {  # the computing dtype of each dtype that a program may declare
    "float16": torch.float32,
    "float32": torch.float32,
    "bool": torch.bool,
    "int8": torch.int8,
    "int16": torch.int16,
    "int32": torch.int32,
    "uint8": torch.uint8,
    "uint16": torch.uint16,
    "uint32": torch.uint32,
    "int4": torch.int8,  # compressed weights are unpacked to one number per byte
    "uint4": torch.uint8,
}


def apply(op_type: str, arguments: dict[str, Any]) -> Sequence[Any]:
    """Run one operation: ``arguments`` by their MIL names -> its results, in the order of the MIL outputs."""
    plain = {
        name: value.tolist() if name in SETTINGS and isinstance(value, Tensor) else value
        for name, value in arguments.items()
    }
    results = OPS[op_type](**plain)
    return results if isinstance(results, tuple) else (results,)


# --- elementwise ------------------------------------------------------------------------------------------------------


def _cast(x: Tensor, dtype: str) -> Tensor:
    return x.to(DTYPES[{"fp16": "float16", "fp32": "float32"}.get(dtype, dtype)])


def _gelu(x: Tensor, mode: str = "EXACT") -> Tensor:
    if mode == "SIGMOID_APPROXIMATION":
        return x * torch.sigmoid(1.702 * x)
    return F.gelu(x, approximate={"EXACT": "none", "TANH_APPROXIMATION": "tanh"}[mode])


# --- products ---------------------------------------------------------------------------------------------------------


def _padding(
    pad_type: str, pad: list[int] | None, sizes: Sequence[int], kernel: list[int], strides: list[int]
) -> list[tuple[int, int]]:
    """Zeros (before, after) each spatial dimension; ``kernel`` is the dilated extent.

    "same": the output has ceil(size / stride) values; an odd zero goes to the end, with "same_lower" to the start. So
    coremltools infers shapes and converts TensorFlow's SAME; the text of its `conv` says otherwise for strides > 1.
    """
    if pad_type == "valid":
        return [(0, 0)] * len(sizes)
    if pad_type == "custom":
        pad = pad or [0] * 2 * len(sizes)
        return list(zip(pad[0::2], pad[1::2], strict=True))
    if pad_type not in ("same", "same_lower"):
        raise ValueError(f"pad_type {pad_type!r} is none of valid, custom, same, same_lower")
    totals = [max(0, (ceil(n / s) - 1) * s + k - n) for n, k, s in zip(sizes, kernel, strides, strict=True)]
    halves = [(total // 2, total - total // 2) for total in totals]
    return halves if pad_type == "same" else [(after, before) for before, after in halves]


def _symmetric(padding: list[tuple[int, int]]) -> list[int] | None:
    """The one number per dimension that torch's own padding takes, if there is one."""
    return [before for before, _ in padding] if all(before == after for before, after in padding) else None


def _constant_pad(x: Tensor, padding: list[tuple[int, int]], value: float = 0.0) -> Tensor:
    return F.pad(x, list(chain.from_iterable(reversed(padding))), value=value)  # torch counts from the last dimension


def _conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    strides: list[int] | None = None,
    pad_type: str = "valid",
    pad: list[int] | None = None,
    dilations: list[int] | None = None,
    groups: int = 1,
) -> Tensor:
    spatial = x.dim() - 2
    strides, dilations = strides or [1] * spatial, dilations or [1] * spatial
    extent = [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], dilations, strict=True)]
    padding = _padding(pad_type, pad, x.shape[2:], extent, strides)
    conv = (F.conv1d, F.conv2d, F.conv3d)[spatial - 1]
    zeros = _symmetric(padding)
    if zeros is None:
        x, zeros = _constant_pad(x, padding), 0
    return conv(x, weight, bias, strides, zeros, dilations, groups)


# --- pooling and resizing ---------------------------------------------------------------------------------------------


def _pool(
    pools: Sequence[Callable[..., Tensor]],
    outside: float,
    x: Tensor,
    kernel_sizes: list[int],
    pad_type: str,
    strides: list[int] | None = None,
    pad: list[int] | None = None,
    ceil_mode: bool = False,
    **options: bool,
) -> Tensor:
    strides = strides or [1] * len(kernel_sizes)
    padding = _padding(pad_type, pad, x.shape[2:], kernel_sizes, strides)
    if ceil_mode or options.get("count_include_pad") is False:  # torch must know which values are padding
        zeros = _symmetric(padding)
        if zeros is None:
            raise ValueError(f"padding {padding} must be symmetric with ceil_mode or exclude_padding_from_average")
    else:  # torch's own padding would be limited to half the kernel
        x, zeros = _constant_pad(x, padding, outside), 0
    return pools[len(kernel_sizes) - 1](x, kernel_sizes, strides, zeros, ceil_mode=ceil_mode, **options)


def _avg_pool(x: Tensor, exclude_padding_from_average: bool = False, **window: Any) -> Tensor:
    pools = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)
    return _pool(pools, 0.0, x, **window, count_include_pad=not exclude_padding_from_average)


def _max_pool(x: Tensor, **window: Any) -> Tensor:
    return _pool((F.max_pool1d, F.max_pool2d, F.max_pool3d), float("-inf"), x, **window)


def _upsample_bilinear(
    x: Tensor,
    scale_factor_height: Tensor | int = 1,
    scale_factor_width: Tensor | int = 1,
    align_corners: bool = True,
    half_pixel_centers: bool | None = None,
) -> Tensor:
    if half_pixel_centers is align_corners:
        raise ValueError("half_pixel_centers other than `not align_corners` is not known here")
    height, width = int(x.shape[-2] * scale_factor_height), int(x.shape[-1] * scale_factor_width)
    return F.interpolate(x, (height, width), mode="bilinear", align_corners=align_corners)


# --- reductions and normalisation -------------------------------------------------------------------------------------


def _reduce(reduction: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def reduce(x: Tensor, axes: list[int] | None = None, keep_dims: bool = False) -> Tensor:
        return reduction(x, list(range(x.dim())) if axes is None else axes, keep_dims)

    return reduce


def _layer_norm(
    x: Tensor,
    axes: list[int] | None = None,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: float = 1e-5,
) -> Tensor:
    """Any axes, not only the last ones: gamma and beta have the shape of x along ``axes``, in the order of x."""
    axes = list(range(x.dim())) if axes is None else [axis % x.dim() for axis in axes]
    along = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]
    centred = x - x.mean(axes, keepdim=True)
    normal = centred * torch.rsqrt(centred.square().mean(axes, keepdim=True) + epsilon)
    if gamma is not None:
        normal = normal * gamma.reshape(along)
    return normal if beta is None else normal + beta.reshape(along)


# --- shapes -----------------------------------------------------------------------------------------------------------


def _reshape(x: Tensor, shape: list[int]) -> Tensor:
    return x.reshape([size or x.shape[axis] for axis, size in enumerate(shape)])  # 0 keeps the size of that axis


def _expand_dims(x: Tensor, axes: list[int]) -> Tensor:
    rank = x.dim() + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x


def _concat(values: list[Tensor], axis: int, interleave: bool = False) -> Tensor:
    if not interleave:
        return torch.cat(values, axis)
    axis %= values[0].dim()
    return torch.stack(values, axis + 1).flatten(axis, axis + 1)


def _split(
    x: Tensor, axis: int, num_splits: int | None = None, split_sizes: list[int] | None = None
) -> tuple[Tensor, ...]:
    return x.split(split_sizes or x.shape[axis] // num_splits, axis)


def _pad(x: Tensor, pad: list[int], mode: str = "constant", constant_val: Tensor | float = 0.0) -> Tensor:
    """``pad`` is (before, after) of each of the last dimensions, in the order of x."""
    padding = list(zip(pad[0::2], pad[1::2], strict=True))
    if mode == "constant":
        return _constant_pad(x, padding, float(constant_val))
    for axis, (before, after) in enumerate(padding, x.dim() - len(padding)):
        last = x.shape[axis] - 1
        index = torch.arange(-before, last + 1 + after)
        inside = {"replicate": index.clamp(0, last), "reflect": last - (last - index.abs()).abs()}[mode]
        x = x.index_select(axis, inside)
    return x


def _slice_by_index(
    x: Tensor,
    begin: list[int],
    end: list[int],
    stride: list[int] | None = None,
    begin_mask: list[bool] | None = None,
    end_mask: list[bool] | None = None,
    squeeze_mask: list[bool] | None = None,
) -> Tensor:
    """numpy's x[begin:end:stride] per axis; a mask leaves begin or end open, a squeezed axis takes x[begin] alone."""
    opened = [False] * x.dim()
    begin_mask, end_mask, squeeze_mask = begin_mask or opened, end_mask or opened, squeeze_mask or opened
    slices, backwards = [], []
    for axis, size in enumerate(x.shape):
        first = None if begin_mask[axis] else begin[axis]
        taken = range(size)[first : None if end_mask[axis] else end[axis] : stride[axis] if stride else 1]
        if squeeze_mask[axis]:
            position = range(size)[first or 0]
            taken = range(position, position + 1)
        if taken.step < 0:  # torch slices forwards only
            taken = taken[::-1]
            backwards.append(axis)
        slices.append(slice(taken.start, taken.stop, taken.step))
    x = x[tuple(slices)]
    x = x.flip(backwards) if backwards else x
    return x.squeeze(tuple(axis for axis, squeeze in enumerate(squeeze_mask) if squeeze))


def _slice_by_size(x: Tensor, begin: list[int], size: list[int]) -> Tensor:
    for axis, (first, length) in enumerate(zip(begin, size, strict=True)):
        first %= x.shape[axis]
        x = x.narrow(axis, first, x.shape[axis] - first if length == -1 else length)
    return x


# --- compressed weights -----------------------------------------------------------------------------------------------


def _affine_dequantize(quantized_data: Tensor, zero_point: Tensor, scale: Tensor, axis: int) -> Tensor:
    """scale * (quantized_data - zero_point); a vector of scales or zero points runs along ``axis``."""
    along = [1] * quantized_data.dim()
    along[axis] = -1
    spread = [part.float().reshape(along if part.dim() else []) for part in (scale, zero_point)]
    return spread[0] * (quantized_data.float() - spread[1])


def _blockwise_shift_scale(data: Tensor, scale: Tensor, offset: Tensor | None = None) -> Tensor:
    """scale * (data - offset); each scale and offset holds for a block of data.shape / scale.shape values."""

    def spread(part: Tensor) -> Tensor:
        for axis, size in enumerate(data.shape):
            part = part.repeat_interleave(size // part.shape[axis], axis)
        return part

    return spread(scale) * (data.float() if offset is None else data.float() - spread(offset.float()))


OPS: dict[str, Callable[..., Any]] = {
    "const": lambda val: val,
    "constexpr_affine_dequantize": _affine_dequantize,
    "constexpr_cast": lambda source_val, output_dtype: source_val,  # float16 -> float32: the same numbers
    "constexpr_blockwise_shift_scale": _blockwise_shift_scale,
    "identity": lambda x: x,
    "cast": _cast,
    # elementwise, one argument
    "abs": lambda x: x.abs(),
    "ceil": lambda x: x.ceil(),
    "clip": lambda x, alpha, beta: x.clamp(float(alpha), float(beta)),
    "erf": lambda x: x.erf(),
    "exp": lambda x: x.exp(),
    "floor": lambda x: x.floor(),
    "gelu": _gelu,
    "inverse": lambda x, epsilon=1e-4: 1 / (x + epsilon),
    "log": lambda x, epsilon=1e-45: (x + epsilon).log(),
    "relu": lambda x: x.relu(),
    "relu6": lambda x: x.clamp(0, 6),
    "round": lambda x: x.round(),  # halves go to the even neighbour, as in numpy
    "rsqrt": lambda x, epsilon=1e-12: (x + epsilon).rsqrt(),
    "sigmoid": lambda x: x.sigmoid(),
    "sigmoid_hard": lambda x, alpha, beta: (x * alpha).add_(beta).clamp_(0, 1),  # one large tensor instead of three
    "silu": lambda x: F.silu(x),
    "sqrt": lambda x: x.sqrt(),
    "square": lambda x: x.square(),
    "tanh": lambda x: x.tanh(),
    "thresholded_relu": lambda x, alpha: torch.where(x >= alpha, x, 0),  # torch's threshold has > instead of >=
    # elementwise, two arguments
    "add": lambda x, y: x + y,
    "maximum": lambda x, y: torch.maximum(x, y),
    "minimum": lambda x, y: torch.minimum(x, y),
    "mul": lambda x, y: x * y,
    "pow": lambda x, y: x**y,
    "real_div": lambda x, y: x / y,
    "sub": lambda x, y: x - y,
    # products
    "conv": _conv,
    "linear": lambda x, weight, bias=None: F.linear(x, weight, bias),
    "matmul": lambda x, y, transpose_x=False, transpose_y=False: (
        (x.mT if transpose_x else x) @ (y.mT if transpose_y else y)
    ),
    "scaled_dot_product_attention": F.scaled_dot_product_attention,
    # pooling and resizing
    "avg_pool": _avg_pool,
    "max_pool": _max_pool,
    "upsample_bilinear": _upsample_bilinear,
    # reductions and normalisation
    "reduce_max": _reduce(torch.amax),
    "reduce_mean": _reduce(torch.mean),
    "reduce_min": _reduce(torch.amin),
    "reduce_sum": _reduce(lambda x, axes, keep_dims: x.sum(axes, keep_dims, dtype=x.dtype)),
    "softmax": lambda x, axis=-1: x.softmax(axis),
    "batch_norm": lambda x, mean, variance, gamma=None, beta=None, epsilon=1e-5: F.batch_norm(
        x, mean, variance, gamma, beta, eps=epsilon
    ),
    "instance_norm": lambda x, gamma=None, beta=None, epsilon=1e-5: F.instance_norm(
        x, weight=gamma, bias=beta, eps=epsilon
    ),
    "layer_norm": _layer_norm,
    # shapes
    "concat": _concat,
    "expand_dims": _expand_dims,
    "pad": _pad,
    "reshape": _reshape,
    "slice_by_index": _slice_by_index,
    "slice_by_size": _slice_by_size,
    "split": _split,
    "squeeze": lambda x, axes=None: x.squeeze() if axes is None else x.squeeze(tuple(axes)),
    "stack": lambda values, axis: torch.stack(values, axis),
    "tile": lambda x, reps: x.repeat(reps),
    "transpose": lambda x, perm: x.permute(perm),
}
