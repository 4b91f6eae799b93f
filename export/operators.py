"""Which operators an exported graph must not have, and why: those that accelerators refuse or fall back on.

A comparison, a boolean, a cast, a gather or a loop sends a graph, or a part of it, from a phone's GPU or NPU back to
its CPU (the Cox-de Boor recursion has the first three for every knot). The fused KAN and the baked-in preprocessing
need none.
"""

from __future__ import annotations

from collections import Counter

from lariqa_train.refusal import Refusal

# fmt: off
FORBIDDEN = {
    "onnx": frozenset({
        "Cast", "CastLike", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Not", "Xor",
        "Where", "IsNaN", "IsInf", "NonZero", "Compress", "Gather", "GatherElements", "GatherND", "Scatter",
        "ScatterElements", "ScatterND", "If", "Loop", "Scan",
    }),
    "coreml": frozenset({
        "cast", "equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "logical_and", "logical_or",
        "logical_not", "logical_xor", "select", "non_zero", "gather", "gather_along_axis", "gather_nd", "scatter",
        "scatter_along_axis", "scatter_nd", "cond", "while_loop",
    }),
    "tflite": frozenset({
        "CAST", "EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "LOGICAL_AND", "LOGICAL_OR",
        "LOGICAL_NOT", "SELECT", "SELECT_V2", "WHERE", "GATHER", "GATHER_ND", "SCATTER_ND", "IF", "WHILE",
        "STABLEHLO_COMPARE", "STABLEHLO_SELECT", "STABLEHLO_GATHER", "STABLEHLO_WHILE", "CUSTOM",
    }),
}
# fmt: on


def refuse_forbidden(format_name: str, operators: Counter[str]) -> None:
    """Check one file's operators.

    Raises:
        Refusal: it has a forbidden one; lists them with their counts.
    """
    found = {name: count for name, count in operators.items() if name in FORBIDDEN[format_name]}
    if found:
        listed = ", ".join(f"{name} x{count}" for name, count in sorted(found.items()))
        raise Refusal(
            f"the {format_name} graph has operators that accelerators refuse: {listed}; "
            "this backbone cannot be exported as it is"
        )
