"""What a file format is: how it is written, quantised and read back, and everything else that depends on it."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from export.formats.other_runtime import OtherRuntimes
from export.rewrite.graph_options import GraphOptions
from lariqa.errors import Refusal
from lariqa.manifest.manifest import Artifact
from lariqa.runtimes.runtime import Runtime

if TYPE_CHECKING:  # they import torch; a list of formats should not
    import numpy as np

    from export.rewrite.graph_stats import GraphStats
    from export.rewrite.ready_model import ExportReady
    from lariqa_train.quantization.precision import WeightFormat


@dataclass(frozen=True)
class RuntimeMemory:
    """What a runtime adds to a run's peak; see ``export.proof.memory_model``."""

    weight_copies: float
    kept_weight_copies: float  # where packed weights are mapped from a file
    input_copies: float
    alive_copies: float
    slack_mib: float
    open_alive_copies: float = 0.0  # the same where height and width are the photo's; 0: not known


@dataclass(frozen=True)
class Quantization:
    """What is asked of each stored weight of a file.

    Args:
        weight_formats: name of a weight as in ``Format.layers`` -> its format; what is not named stays float32.
        ranges: from ``Format.collect_ranges``; needed where a weight format is int8.
        compute: what layers below int8 compute in, "float32" or "float16".
        rounded: name of a weight -> its numbers, in its order, already on their grid (``quantization.gptq``).
    """

    weight_formats: Mapping[str, WeightFormat]
    ranges: Any = None
    compute: str = "float32"
    rounded: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, np.ndarray]:
        """The rounded numbers of the weights that do not stay float32."""
        formats = self.weight_formats
        return {name: self.rounded[name] for name in formats if name in self.rounded and formats[name] != "fp32"}


@dataclass(frozen=True)
class Format:
    """One file format. Its name, suffix, precisions and sessions are those of the runtime that opens it.

    Its folder has two modules with the same names in every format: ``convert`` (write, operators, layers, weights) and
    ``quantize`` (quantize, collect_ranges). They are imported when they are first used.

    Args:
        folder: the package of the two modules.
        runtime: what opens such files.
        label: the name that people read.
        colours: of its marks in a report: on a light page, on a dark one.
        graph: the form of the graph that its runtime likes best.
        forbidden: operators that accelerators refuse or fall back on.
        cannot: precision -> why the format has none of it.
        platforms: where its runtime has builds that the toolkit uses: "android", "ios", "linux-aarch64", "web".
        executed_on: systems on which its own runtime runs here (``platform.system()``); empty: on all.
        memory: what its runtime adds to a run's peak; None: not known.
        free_sides: what a file may leave open: "batch", how many photos; "view", the sides of a full view.
        accelerated_compute: precision -> what layers may compute in on accelerators, where it is not float32.
        other_runtimes: other people's that open such files, each tried on request (``export.other_runtimes``).
    """

    folder: str
    runtime: Runtime
    label: str
    colours: tuple[str, str]
    graph: GraphOptions
    forbidden: frozenset[str]
    cannot: Mapping[str, str] = field(default_factory=dict)
    platforms: frozenset[str] = frozenset()
    executed_on: frozenset[str] = frozenset()
    memory: RuntimeMemory | None = None
    free_sides: frozenset[str] = frozenset()
    accelerated_compute: Mapping[str, str] = field(default_factory=dict)
    other_runtimes: OtherRuntimes | None = None

    @property
    def name(self) -> str:
        """As in manifests and on the command line."""
        return self.runtime.format

    @property
    def suffix(self) -> str:
        """Of its files."""
        return self.runtime.suffix

    @property
    def precisions(self) -> tuple[str, ...]:
        """Those that it is written in."""
        return self.runtime.precisions

    def convert(self, ready: ExportReady, path: Path, embedded: str) -> dict[str, str]:
        """Write an export-ready model to ``path``, the manifest ``embedded`` in it; converter package -> version.

        Raises:
            Refusal: the converter is not installed, or cannot express the model.
        """
        self.refuse_free_sides(ready)
        ready.configure(self.graph)
        return self._module("convert").write(ready, path, embedded)

    def refuse_free_sides(self, ready: ExportReady) -> None:
        """Refuse a model whose inputs have open sides where files of this format have none."""
        asked = {"batch": bool(ready.batches), "view": bool(ready.flexible)}
        words = {"batch": "batches", "view": "a full view of any size"}
        for what in sorted(name for name, is_asked in asked.items() if is_asked and name not in self.free_sides):
            raise Refusal(
                f"{self.label} files are not written for {words[what]}; choose a format that is, or other options"
            )

    def quantize(self, source: Path, path: Path, embedded: str, asked: Quantization) -> dict[str, str]:
        """Write a float32 file of this toolkit again, its weights in other formats; package that did it -> version.

        Raises:
            Refusal: the format has not all that is asked, or a layer would silently stay float32.
        """
        for weight_format in sorted(set(asked.weight_formats.values())):
            self._refuse_without(weight_format)
        return self._module("quantize").quantize(source, path, embedded, asked)

    def collect_ranges(self, source: Path, inputs: Iterable[Mapping[str, np.ndarray]]) -> Any:
        """Ranges of a float32 file's activations over these inputs, as the format's own tool keeps them.

        Raises:
            Refusal: the format has no int8 activations.
        """
        self._refuse_without("int8")
        return self._module("quantize").collect_ranges(source, inputs)

    def operators(self, path: Path) -> Counter[str]:
        """Operator -> how often the file has it."""
        return self._module("convert").operators(path)

    def layers(self, path: Path) -> GraphStats:
        """Convolutions, matrix products and weights of the file."""
        return self._module("convert").layers(path)

    def weights(self, path: Path) -> dict[str, np.ndarray]:
        """Stored float32 weight -> its numbers."""
        return self._module("convert").weights(path)

    def _refuse_without(self, weight_format: str) -> None:
        if weight_format not in self.precisions:
            raise Refusal(f"{self.label} has no {weight_format}: {self.cannot.get(weight_format, 'nothing writes it')}")

    def _module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.folder}.{name}")

    def compute_order(self, precision: str) -> tuple[str, ...]:
        """What to try to compute in, the most wanted first: an accelerator may take float16 alone."""
        wanted = self.accelerated_compute.get(precision)
        return (wanted, "float32") if wanted else ("float32",)

    def runs_here(self, system: str) -> bool:
        """Whether the runtime that the files are made for runs on a system, as ``platform.system()`` names it."""
        return not self.executed_on or system in self.executed_on

    def memory_of(self, artifact: Artifact) -> RuntimeMemory | None:
        """What the runtime adds to a run of this file; None: not known."""
        return self.memory

    def phone_warnings(self, operators: Counter[str]) -> list[str]:
        """What is known to hurt such files on phones, a sentence each, with the place where it was seen."""
        return []

    def refuse_forbidden(self, path: Path) -> None:
        """Check a file's operators.

        Raises:
            Refusal: it has a forbidden one; lists them with their counts.
        """
        found = {name: count for name, count in self.operators(path).items() if name in self.forbidden}
        if found:
            listed = ", ".join(f"{name} x{count}" for name, count in sorted(found.items()))
            raise Refusal(
                f"the {self.name} graph has operators that accelerators refuse: {listed}; "
                "this backbone cannot be exported as it is"
            )
