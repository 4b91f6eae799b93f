"""A float32 .mlpackage -> the same program with weights stored low, through coremltools.

    fp16   weight in float16 behind constexpr_cast                      unpacked while the model is loaded
    w8     weight in int8 per channel behind constexpr_affine_dequantize   likewise

With ``compute="float16"`` the products of low layers are computed in float16; what lies between them stays float32
(``half_operations``), and so do the resize, the mean, the first layers and the gates.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from export.formats.coreml.half_operations import half_products, read
from export.formats.coreml.temporary import own_temporary_folder
from export.formats.format import Quantization
from lariqa.backends import backend, quietly, versions
from lariqa.runtimes.coreml import METADATA_KEY


def quantize(source: Path, path: Path, embedded: str, asked: Quantization) -> dict[str, str]:
    """Write ``source`` again in other weight formats; see :meth:`export.formats.format.Format.quantize`."""
    with quietly("importing coremltools"):
        ct = backend("coremltools", "coreml")
        optimize = backend("coremltools.optimize.coreml", "coreml")
    with quietly("the quantisation of the Core ML package"), own_temporary_folder():
        package = ct.models.MLModel(str(source), skip_model_load=True)
        if asked.given:
            package = _taking(package, asked.given, ct)
        chosen = {name for name, weight_format in asked.weight_formats.items() if weight_format == "w8"}
        if chosen:
            int8 = optimize.OpLinearQuantizerConfig(mode="linear_symmetric", dtype="int8", weight_threshold=0)
            config = optimize.OptimizationConfig(op_name_configs=dict.fromkeys(sorted(chosen), int8))
            package = optimize.linear_quantize_weights(package, config=config)
        halved = {name for name, weight_format in asked.weight_formats.items() if weight_format == "fp16"}
        if asked.compute == "float16":
            package = _computing_in_half(package, halved, ct)
        elif halved:
            package = _halved(package, halved, ct)
        package.user_defined_metadata[METADATA_KEY] = embedded
        package.save(str(path))
    return versions("coremltools")


def _halved(package, names: set[str], ct):
    """Float32 constants of these names -> float16 ones behind constexpr_cast, which gives float32 again."""
    build = backend("coremltools.converters.mil.mil", "coreml").Builder

    def half(op, name: str):
        return build.constexpr_cast(
            source_val=op.outputs[0].val.astype(np.float16), output_dtype="fp32", before_op=op, name=f"{name}_half"
        )

    return _replacing(package, names, half, ct)


def _taking(package, weights: Mapping[str, np.ndarray], ct):
    """Constants of these names := these weights."""
    build = backend("coremltools.converters.mil.mil", "coreml").Builder

    def take(op, name: str):
        return build.const(val=weights[name].reshape(op.outputs[0].shape), before_op=op, name=f"{name}_rounded")

    return _replacing(package, set(weights), take, ct)


def _replacing(package, names: set[str], make, ct):
    """Put what ``make(op, name)`` gives in the place of each constant of these names, and give it that name."""
    graph_pass = backend("coremltools.converters.mil.mil.passes.graph_pass", "coreml").AbstractGraphPass

    class Replace(graph_pass):
        def apply(self, program) -> None:
            for function in program.functions.values():
                for op in list(function.operations):
                    name = op.outputs[0].name if op.outputs else ""
                    if op.op_type == "const" and name in names and op.outputs[0].child_ops:
                        with function:
                            new = make(op, name)
                        function.replace_uses_of_var_after_op(
                            anchor_op=op, old_var=op.outputs[0], new_var=new, force_replace=True
                        )
                        function.remove_ops([op])
                        new.name = new.op.name = name

    return ct.models.utils._apply_graph_pass(package, Replace())


def _computing_in_half(package, lowered: set[str], ct):
    """The products of ``half_products`` in float16; the weights of other lowered layers only stored in it."""
    passes = backend("coremltools.converters.mil.mil.passes.defs.quantization", "coreml")
    graph_pass = backend("coremltools.converters.mil.mil.passes.graph_pass", "coreml").AbstractGraphPass
    build = backend("coremltools.converters.mil.mil", "coreml").Builder
    stored_only = set(lowered)

    class Half(graph_pass):
        def apply(self, program) -> None:
            half: set[str] = set()
            for function in program.functions.values():
                for op in half_products(function.operations, lowered):
                    half.add(_without_bias(function, op, build).name)
                    stored_only.difference_update(value.name for value in read(op))
            passes.FP16ComputePrecision(op_selector=lambda op: op.name in half).apply(program)

    package = ct.models.utils._apply_graph_pass(package, Half())
    return _halved(package, stored_only, ct)


def _without_bias(function, op, build):
    """The product alone, its bias added behind it; itself, if it has none."""
    bias = op.inputs.get("bias")
    if bias is None or bias.val is None:
        return op
    given = {name: value for name, value in op.inputs.items() if name != "bias" and value is not None}
    with function:
        product = getattr(build, op.op_type)(**given, before_op=op, name=f"{op.name}_product")
        numbers = bias.val.reshape(1, -1, *[1] * (op.outputs[0].rank - 2))
        result = build.add(x=product, y=numbers, before_op=op, name=f"{op.name}_biased")
    name = op.outputs[0].name
    function.replace_uses_of_var_after_op(anchor_op=op, old_var=op.outputs[0], new_var=result)
    function.remove_ops([op])
    result.name = result.op.name = name
    return product.op
