"""Open an .onnx artifact with ONNX Runtime and run it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from export.backends import backend
from lariqa_train.refusal import Refusal


class OnnxRunner:
    """One session on the CPU."""

    executes_artifact = True

    def __init__(self, path: Path) -> None:
        ort = backend("onnxruntime", "onnx")
        options = ort.SessionOptions()
        # The memory pattern reserves a second copy of the activations from the second run on: at 3840x2160 1705 MB
        # instead of 1040 MB, for no gain in time (docs/experiments.md).
        options.enable_mem_pattern = False
        options.log_severity_level = 3  # errors only
        try:
            self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as odd:  # ONNX Runtime's exception classes share no base but Exception
            raise Refusal(f"ONNX Runtime cannot open {path}: {' '.join(str(odd).split())}") from odd
        self.runtime = f"ONNX Runtime {ort.__version__}"

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """Input name -> array as the manifest describes it; returns the score."""
        return float(self.session.run(["score"], dict(inputs))[0].item())
