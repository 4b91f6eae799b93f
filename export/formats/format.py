"""What a file format is: how it is written, quantised and read back, and everything else that depends on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from export.rewrite.graph_options import GraphOptions
from lariqa.errors import Refusal
from lariqa.manifest.manifest import Artifact
from lariqa.runtimes.runtime import Runtime

if TYPE_CHECKING:  # they import torch; a list of formats should not
    import numpy as np

    from export.rewrite.export_ready import ExportReady
    from export.rewrite.graph_stats import GraphStats
    from lariqa_train.quantization.precision import WeightFormat


@dataclass(frozen=True)
class RuntimeMemory:
    """What a runtime adds to a run's peak; see ``export.proof.memory_model``."""

    weight_copies: float
    kept_weight_copies: float  # where packed weights are mapped from a file
    input_copies: float
    alive_copies: float
    slack_mib: float


class Quantizer(Protocol):
    """Writes a float32 file again with its weights in other formats."""

    def __call__(
        self,
        source: Path,
        path: Path,
        weight_formats: Mapping[str, WeightFormat],
        embedded: str,
        ranges: Any = None,
        compute: str = "float32",
        rounded: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, str]:
        """Quantise one file.

        Args:
            source: a float32 file of this toolkit.
            path: where to; ends in the format's suffix.
            weight_formats: name of a weight as in ``Format.layers`` -> its format; what is not named stays float32.
            embedded: the manifest, as JSON text, for the file's metadata.
            ranges: from ``Format.collect_ranges``; needed where a weight format is int8.
            compute: what layers below int8 compute in, "float32" or "float16".
            rounded: name of a weight -> its numbers, in its order, already on their grid (``quantization.gptq``).

        Returns:
            Package that did it -> version.

        Raises:
            Refusal: the format cannot do it, or a layer would silently stay float32.
        """
        ...


@dataclass(frozen=True)
class Format(ABC):
    """One file format. Its name, suffix, precisions and sessions are those of the runtime that opens it.

    Args:
        runtime: what opens such files.
        label: the name that people read.
        colours: of its marks in a report: on a light page, on a dark one.
        graph: the form of the graph that its runtime likes best.
        forbidden: operators that accelerators refuse or fall back on.
        cannot: precision -> why the format has none of it.
        platforms: where its runtime has builds that the toolkit uses: "android", "ios", "linux-aarch64".
        executed_on: systems on which its own runtime runs here (``platform.system()``); empty: on all.
        memory: what its runtime adds to a run's peak; None: not known.
        accelerated_compute: precision -> what layers may compute in on accelerators, where it is not float32.
    """

    runtime: Runtime
    label: str
    colours: tuple[str, str]
    graph: GraphOptions
    forbidden: frozenset[str]
    cannot: Mapping[str, str] = field(default_factory=dict)
    platforms: frozenset[str] = frozenset()
    executed_on: frozenset[str] = frozenset()
    memory: RuntimeMemory | None = None
    accelerated_compute: Mapping[str, str] = field(default_factory=dict)

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

    @abstractmethod
    def convert(self, ready: ExportReady, path: Path, embedded: str) -> dict[str, str]:
        """Write an export-ready model to ``path``, the manifest ``embedded`` in it; converter package -> version.

        Raises:
            Refusal: the converter is not installed, or cannot express the model.
        """

    @property
    @abstractmethod
    def quantize(self) -> Quantizer:
        """What writes a float32 file again in lower precision."""

    def collect_ranges(self, source: Path, inputs: Iterable[Mapping[str, np.ndarray]]) -> Any:
        """Ranges of a float32 file's activations over these inputs, as the format's own tool keeps them.

        Raises:
            Refusal: the format has no int8 activations.
        """
        raise Refusal(f"{self.label} has no int8 activations here: {self.cannot.get('int8', 'nothing writes them')}")

    @abstractmethod
    def operators(self, path: Path) -> Counter[str]:
        """Operator -> how often the file has it."""

    @abstractmethod
    def layers(self, path: Path) -> GraphStats:
        """Convolutions, matrix products and weights of the file."""

    @abstractmethod
    def weights(self, path: Path) -> dict[str, np.ndarray]:
        """Stored float32 weight -> its numbers."""

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
