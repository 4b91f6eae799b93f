"""The ONNX format in one object."""

from __future__ import annotations

from export.formats.format import Format, RuntimeMemory
from export.formats.onnx.elsewhere.rows import OTHER_RUNTIMES
from export.rewrite.graph_options import GraphOptions
from lariqa.runtimes.onnxruntime import RUNTIME

# A comparison, a boolean, a cast, a gather or a loop sends a graph, or a part of it, from a phone's GPU or NPU back to
# its CPU (the Cox-de Boor recursion has the first three for every knot). The fused KAN and the baked-in preprocessing
# need none.
FORBIDDEN = """
    Cast CastLike Equal Greater GreaterOrEqual Less LessOrEqual And Or Not Xor Where IsNaN IsInf NonZero Compress
    Gather GatherElements GatherND Scatter ScatterElements ScatterND If Loop Scan
"""


FORMAT = Format(
    folder=__package__,
    runtime=RUNTIME,
    label="ONNX",
    colours=("#2563a8", "#7ab0ec"),
    # ONNX Runtime computes in blocks of channels, and neither a slice nor a product with a gate knows that layout. Of
    # an operator's inputs it computes first what stands last in the file: sums that stand behind all of their groups
    # are taken one by one; a sum behind each group would wait for all of them (8 x 29 MiB at 4032x3024).
    graph=GraphOptions(gate_in_weights=True, crop_by_convolution=True, sums_last=True),
    forbidden=frozenset(FORBIDDEN.split()),
    platforms=frozenset({"android", "linux-aarch64", "web"}),
    free_sides=frozenset({"batch", "view"}),
    memory=RuntimeMemory(1.8, 1.8, 1.0, 1.15, 71.0, 1.6),
    other_runtimes=OTHER_RUNTIMES,
)
