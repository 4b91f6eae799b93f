"""The Core AI format in one object."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from export.formats.format import Format
from export.rewrite.graph_options import GraphOptions
from lariqa.runtimes.coreai import RUNTIME

FORBIDDEN = """
    equal not_equal greater less and or xor not where if while scan non_zero argmax argsort sort
    gather_along_axis gather_nd scatter_along_axis scatter_nd
"""


@dataclass(frozen=True)
class CoreAI(Format):
    """What is known of such files beside the facts below."""

    def phone_warnings(self, operators: Counter[str]) -> list[str]:
        return [
            "no phone has run such a file yet: it is proved on Apple's CPU kernels alone, and needs iOS 27",
            "the Neural Engine works in float16: a matrix product that feeds a hard swish was .199 off there "
            "(coreai-torch issue 51); compare the golden score with the phone's",
        ]


FORMAT = CoreAI(
    folder=__package__,
    runtime=RUNTIME,
    label="Core AI",
    colours=("#7a3fa0", "#c79be6"),
    graph=GraphOptions(gate_in_weights=False, zeros_by_convolution=True),
    forbidden=frozenset(FORBIDDEN.split()),
    cannot={"int8": "Apple's tools store int8 activations for no device that could prove them here"},
    platforms=frozenset({"ios"}),
    executed_on=frozenset({"Linux", "Darwin"}),
    accelerated_compute={"fp16": "float16"},  # the Neural Engine takes nothing else
)
