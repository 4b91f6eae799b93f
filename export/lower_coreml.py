"""A float32 .mlpackage -> the same program with weights stored low, through coremltools.

    fp16   weight in float16 behind constexpr_cast                      unpacked while the model is loaded
    w8     weight in int8 per channel behind constexpr_affine_dequantize   likewise

With ``compute="float16"`` everything from the second layer of each branch on also computes in float16, as phones' GPUs
and neural engines do; the resize, the mean and the first layers stay float32, between casts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from export.backends import backend, quietly, versions
from export.precision import Level
from export.to_coreml import METADATA_KEY
from lariqa_train.refusal import Refusal


def lower_coreml(
    source: Path,
    path: Path,
    levels: Mapping[str, Level],
    embedded: str,
    ranges: Any = None,
    compute: str = "float32",
) -> dict[str, str]:
    """Write ``source`` again to ``path`` with its weights at other levels; arguments as ``lower_onnx``.

    Raises:
        Refusal: a level is int8.
    """
    if "int8" in levels.values():
        raise Refusal("int8 activations need an iOS 17 target; the nearest for Core ML is w8")
    with quietly("importing coremltools"):
        ct = backend("coremltools", "coreml")
        optimize = backend("coremltools.optimize.coreml", "coreml")
    with quietly("lowering the Core ML package"):
        package = ct.models.MLModel(str(source), skip_model_load=True)
        chosen = {name for name, level in levels.items() if level == "w8"}
        if chosen:
            int8 = optimize.OpLinearQuantizerConfig(mode="linear_symmetric", dtype="int8", weight_threshold=0)
            config = optimize.OptimizationConfig(op_name_configs=dict.fromkeys(sorted(chosen), int8))
            package = optimize.linear_quantize_weights(package, config=config)
        halved = {name for name, level in levels.items() if level == "fp16"}
        if compute == "float16":
            package = _computing_in_half(package, halved, ct)
        elif halved:
            package = _halved(package, halved, ct)
        package.user_defined_metadata[METADATA_KEY] = embedded
        package.save(str(path))
    return versions("coremltools")


def _halved(package, names: set[str], ct):
    """Float32 constants of these names -> float16 ones behind constexpr_cast, which gives float32 again."""
    graph_pass = backend("coremltools.converters.mil.mil.passes.graph_pass", "coreml").AbstractGraphPass
    build = backend("coremltools.converters.mil.mil", "coreml").Builder

    class Halve(graph_pass):
        def apply(self, program) -> None:
            for function in program.functions.values():
                for op in list(function.operations):
                    if op.op_type == "const" and op.outputs[0].name in names and op.outputs[0].child_ops:
                        half = op.outputs[0].val.astype(np.float16)
                        with function:
                            new = build.constexpr_cast(
                                source_val=half, output_dtype="fp32", before_op=op, name=f"{op.outputs[0].name}_half"
                            )
                        function.replace_uses_of_var_after_op(
                            anchor_op=op, old_var=op.outputs[0], new_var=new, force_replace=True
                        )
                        function.remove_ops([op])

    return ct.models.utils._apply_graph_pass(package, Halve())


def _computing_in_half(package, lowered: set[str], ct):
    """Everything in float16 but what lies between the photo and the last layer whose weight is not ``lowered``."""
    passes = backend("coremltools.converters.mil.mil.passes.defs.quantization", "coreml")
    graph_pass = backend("coremltools.converters.mil.mil.passes.graph_pass", "coreml").AbstractGraphPass

    class Half(graph_pass):
        def apply(self, program) -> None:
            exact = set()
            for function in program.functions.values():
                waiting = [
                    op
                    for op in function.operations
                    if op.op_type in ("conv", "linear", "matmul") and not lowered & {v.name for v in _read(op)}
                ]
                while waiting:
                    op = waiting.pop()
                    if op.name not in exact:
                        exact.add(op.name)
                        waiting += [value.op for value in _read(op) if value.op is not None]
            passes.FP16ComputePrecision(op_selector=lambda op: op.name not in exact).apply(program)

    return ct.models.utils._apply_graph_pass(package, Half())


def _read(op) -> list:
    values = []
    for value in op.inputs.values():
        values += value if isinstance(value, list | tuple) else [value]
    return [value for value in values if value is not None]
