"""The ONNX format in one object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from export.formats.format import Format, Quantizer, RuntimeMemory
from export.rewrite.graph_options import GraphOptions
from lariqa.runtimes.onnxruntime import RUNTIME

if TYPE_CHECKING:
    import numpy as np

    from export.rewrite.export_ready import ExportReady
    from export.rewrite.graph_stats import GraphStats

# A comparison, a boolean, a cast, a gather or a loop sends a graph, or a part of it, from a phone's GPU or NPU back to
# its CPU (the Cox-de Boor recursion has the first three for every knot). The fused KAN and the baked-in preprocessing
# need none.
FORBIDDEN = """
    Cast CastLike Equal Greater GreaterOrEqual Less LessOrEqual And Or Not Xor Where IsNaN IsInf NonZero Compress
    Gather GatherElements GatherND Scatter ScatterElements ScatterND If Loop Scan
"""


@dataclass(frozen=True)
class Onnx(Format):
    """See ``Format``; each method's module is imported when it is first used."""

    def convert(self, ready: ExportReady, path: Path, embedded: str) -> dict[str, str]:
        from export.formats.onnx.convert import write_onnx

        ready.configure(self.graph)
        return write_onnx(ready, path, embedded)

    @property
    def quantize(self) -> Quantizer:
        from export.formats.onnx.quantize import quantize_onnx

        return quantize_onnx

    def collect_ranges(self, source: Path, inputs: Iterable[Mapping[str, np.ndarray]]) -> Any:
        from export.formats.onnx.quantize import collect_onnx_ranges

        return collect_onnx_ranges(source, inputs)

    def operators(self, path: Path) -> Counter[str]:
        from export.formats.onnx.convert import onnx_operators

        return onnx_operators(path)

    def layers(self, path: Path) -> GraphStats:
        from export.formats.onnx.convert import onnx_layers

        return onnx_layers(path)

    def weights(self, path: Path) -> dict[str, np.ndarray]:
        from export.formats.onnx.convert import onnx_weights

        return onnx_weights(path)


FORMAT = Onnx(
    runtime=RUNTIME,
    label="ONNX",
    colours=("#2563a8", "#7ab0ec"),
    # ONNX Runtime computes in blocks of channels, and neither a slice nor a product with a gate knows that layout. Of
    # an operator's inputs it computes first what stands last in the file: sums that stand behind all of their groups
    # are taken one by one; a sum behind each group would wait for all of them (8 x 29 MiB at 4032x3024).
    graph=GraphOptions(gate_in_weights=True, crop_by_convolution=True, sums_last=True),
    forbidden=frozenset(FORBIDDEN.split()),
    platforms=frozenset({"android", "linux-aarch64"}),
    memory=RuntimeMemory(1.8, 1.8, 1.0, 1.15, 71.0),
)
