"""The Core ML format in one object."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from export.formats.format import Format
from export.rewrite.graph_options import GraphOptions
from lariqa.runtimes.coreml import RUNTIME

FORBIDDEN = """
    cast equal not_equal greater greater_equal less less_equal logical_and logical_or logical_not logical_xor select
    non_zero gather gather_along_axis gather_nd scatter scatter_along_axis scatter_nd cond while_loop
"""


@dataclass(frozen=True)
class CoreML(Format):
    """What is known of such files beside the facts below."""

    def phone_warnings(self, operators: Counter[str]) -> list[str]:
        return [
            "compute units other than the CPU work in float16: MobileNetV3 drifts there (coremltools issue 2625), and "
            "a mean over ten thousand values may lose digits; compare the golden score with the phone's",
            "the first load on a phone is compiled for its chip and may take minutes; loaded is not yet warm",
        ]


FORMAT = CoreML(
    folder=__package__,
    runtime=RUNTIME,
    label="Core ML",
    colours=("#2c7a4d", "#7ccf9c"),
    graph=GraphOptions(gate_in_weights=False),  # a convolution with computed weights needs iOS 17, and runs on the CPU
    forbidden=frozenset(FORBIDDEN.split()),
    cannot={"int8": "int8 activations need an iOS 17 target, and the packages are made for iOS 16"},
    platforms=frozenset({"ios"}),
    executed_on=frozenset({"Darwin"}),
    free_sides=frozenset({"view"}),  # an image input has a range of sizes
    accelerated_compute={"fp16": "float16"},  # GPU and Neural Engine take nothing else
)
