"""Run an .mlpackage where there is no Core ML: its ML Program, evaluated operator by operator in float32."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from export.formats.coreml.convert import open_program
from lariqa.runtimes.runtime import OperatorTime


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
