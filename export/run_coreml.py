"""Open an .mlpackage and run it: with Core ML on macOS, with the MIL reference evaluator elsewhere.

The evaluator proves the exported file, not Apple's kernels; it never goes by the name of Core ML.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from export.backends import backend, quietly
from export.scorer import OperatorTime
from export.to_coreml import open_program


# Core ML has no option that says how memory is used; the graph says it all.
SESSIONS: dict[str, dict[str, Any]] = {"low": {}, "balanced": {}, "fast": {}, "naive": {}}


def open_coreml(
    path: Path, threads: int | None = None, session: Mapping[str, Any] = SESSIONS["balanced"]
) -> CoreMLRunner | MilRunner:
    """The runner for this machine; ``threads`` are Core ML's own affair, and torch's for the evaluator."""
    return CoreMLRunner(path) if platform.system() == "Darwin" else MilRunner(path)


class CoreMLRunner:
    """``MLModel.predict`` on macOS, on the CPU: float32 arithmetic, so that parity means the file and not a kernel."""

    executes_artifact = True

    def __init__(self, path: Path) -> None:
        with quietly("importing coremltools"):
            ct = backend("coremltools", "coreml")
        self.model = ct.models.MLModel(str(path), compute_units=ct.ComputeUnit.CPU_ONLY)
        self.runtime = f"Core ML, macOS {platform.mac_ver()[0]}"
        self.images = {spec.name for spec in self.model.get_spec().description.input if spec.type.HasField("imageType")}

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """Input name -> array as the manifest describes it; returns the score."""
        fed = {name: Image.fromarray(value[0]) if name in self.images else value for name, value in inputs.items()}
        return float(np.asarray(self.model.predict(fed)["score"]).item())


class MilRunner:
    """The program evaluated op by op in float32."""

    executes_artifact = False

    def __init__(self, path: Path) -> None:
        self.program = open_program(path)
        self.runtime = "MIL reference evaluator"
        self.operator_of = self.program.operator_of

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """Input name -> array as the manifest describes it; returns the score."""
        return float(self.program.run(**self._fed(inputs))["score"].item())

    def placement(self, inputs: Mapping[str, np.ndarray]) -> dict[str, int]:
        """All of it is evaluated here, and nothing by Core ML."""
        return {self.runtime: sum(self.program.op_types.values())}

    def operator_times(self, inputs: Mapping[str, np.ndarray], runs: int) -> tuple[str, list[OperatorTime]]:
        """What the evaluator took for each operation; it says nothing about Core ML."""
        times: list[OperatorTime] = []
        began = 0.0

        def observe(name: str, result) -> None:
            nonlocal began
            now = time.perf_counter()
            times.append(OperatorTime(name, self.operator_of[name], self.runtime, (now - began) * 1000 / runs))
            began = time.perf_counter()

        for _ in range(runs):
            began = time.perf_counter()
            self.program.run(observe, **self._fed(inputs))
        return self.runtime, times

    def tensors(self, inputs: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
        """Every float tensor inside the program, with its name, in its order."""
        inside: list[tuple[str, np.ndarray]] = []

        def keep(name: str, result) -> None:
            if result.is_floating_point():
                inside.append((name, result.numpy()))

        self.program.run(keep, **self._fed(inputs))
        yield from inside

    def _fed(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: _planes(value) if name in self.program.image_inputs else value for name, value in inputs.items()}


def _planes(image: np.ndarray) -> np.ndarray:
    """(1, H, W, 3) uint8 -> (1, 3, H, W) float32 0..255, as Core ML hands an image input to the program."""
    return np.ascontiguousarray(image.transpose(0, 3, 1, 2), dtype=np.float32)
