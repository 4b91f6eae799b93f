"""The TFLite format in one object."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from export.formats.format import Format, RuntimeMemory
from export.formats.tflite.elsewhere.rows import OTHER_RUNTIMES
from export.rewrite.graph_options import GraphOptions
from lariqa.manifest.manifest import Artifact
from lariqa.runtimes.litert import RUNTIME

FORBIDDEN = """
    CAST EQUAL NOT_EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL LOGICAL_AND LOGICAL_OR LOGICAL_NOT SELECT SELECT_V2
    WHERE GATHER GATHER_ND SCATTER_ND IF WHILE STABLEHLO_COMPARE STABLEHLO_SELECT STABLEHLO_GATHER STABLEHLO_WHILE
    CUSTOM
"""
DELEGATED_BADLY = {  # operator -> where it was seen
    "RELU_0_TO_1": "slow or wrong in GPU delegates since LiteRT 2.1.5 (LiteRT issue 8598)",
    "CAST": "not taken by the GPU delegate (tensorflow issue 51741)",
    "LOGICAL_AND": "taken by the GPU delegate only where its one reader is a CAST (tensorflow issue 62314)",
}


@dataclass(frozen=True)
class Tflite(Format):
    """What is known of such files beside the facts below."""

    def memory_of(self, artifact: Artifact) -> RuntimeMemory | None:
        """Without its tables of pointers made for each run, XNNPACK holds more than a plan can tell."""
        return self.memory if "xnnpack_flags" in artifact.session else None

    def phone_warnings(self, operators: Counter[str]) -> list[str]:
        return [f"{name} x{operators[name]}: {seen}" for name, seen in DELEGATED_BADLY.items() if operators.get(name)]


FORMAT = Tflite(
    folder=__package__,
    runtime=RUNTIME,
    label="TFLite",
    colours=("#b9541a", "#f0a06a"),
    # XNNPACK takes no convolution with computed weights; the converter turns no layout round through a CAST.
    graph=GraphOptions(gate_in_weights=False, floats_before_planes=True),
    forbidden=frozenset(FORBIDDEN.split()),
    platforms=frozenset({"android", "linux-aarch64", "web"}),
    free_sides=frozenset({"view"}),  # the Interpreter resizes an input for each photo
    memory=RuntimeMemory(1.8, 0.9, 2.0, 1.0, 55.0),
    other_runtimes=OTHER_RUNTIMES,
)
