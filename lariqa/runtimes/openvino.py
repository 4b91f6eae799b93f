"""Run an .onnx artifact with OpenVINO, float32 asked for: often the quicker one on x86 (docs/runtimes.md).

OpenVINO's own package, not ONNX Runtime with OpenVINO inside: that one is installed in the place of ONNX Runtime, and
is many versions older. Without INFERENCE_PRECISION_HINT it computes in bfloat16 wherever the processor can, which moves
scores by .15 (docs/runtimes.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lariqa.backends import backend
from lariqa.errors import Refusal

if TYPE_CHECKING:
    import numpy as np

DEVICE_NAME = "openvino"  # on the command line
LOW_DEVICE_NAME = "openvino-bf16"  # ``--device openvino --precision-hint bf16``; takes no scores that it gets wrong


class OpenVinoRunner:
    """One compiled model on the CPU.

    Args:
        path: the file.
        threads: None: OpenVINO's own choice.
        session: options of ONNX Runtime's session, which have no meaning here.
        precision: INFERENCE_PRECISION_HINT: "f32", or "bf16", which is no more than a hint: a processor without it
            computes in float32.

    Raises:
        Refusal: openvino is missing, or cannot open the file.
    """

    executes_artifact = True

    def __init__(
        self, path: Path, threads: int | None = None, session: Mapping[str, Any] | None = None, precision: str = "f32"
    ) -> None:
        openvino = backend("openvino", "openvino")
        options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        try:
            self._request = openvino.Core().compile_model(str(path), "CPU", options).create_infer_request()
        except Exception as error:  # its exceptions share no base but Exception
            raise Refusal(f"OpenVINO cannot open {path}: {' '.join(str(error).split())}") from error
        low = "" if precision == "f32" else f", {precision}"
        self.runtime = f"OpenVINO {openvino.__version__.partition('-')[0]}{low}"

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """Input name -> array as the manifest describes it; returns the score."""
        return float(self._request.infer(dict(inputs))["score"].item())

    def run_batch(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Input name -> arrays of n photos; returns their n scores. Only of a file that takes batches."""
        return self._request.infer(dict(inputs))["score"][:, 0].copy()
