"""Open an .mlpackage and run it with Core ML, on macOS.

Elsewhere the toolkit's checkout has a reference evaluator of ML Programs (``export.formats.coreml.evaluator``). It
proves the exported file, not Apple's kernels, and is never called Core ML.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lariqa.backends import backend, quietly, toolkit
from lariqa.errors import Refusal
from lariqa.runtimes.runtime import Runner, Runtime

if TYPE_CHECKING:
    import numpy as np

# Core ML has no option that says how memory is used; the graph says it all.
SESSIONS: dict[str, dict[str, Any]] = {"low": {}, "balanced": {}, "fast": {}, "naive": {}}


METADATA_KEY = "lariqa"  # of the user-defined metadata in the model's description


def open_coreml(path: Path, threads: int | None = None, session: Mapping[str, Any] = SESSIONS["balanced"]) -> Runner:
    """The runner for this machine; Core ML chooses its threads itself.

    Raises:
        Refusal: not on macOS, and the toolkit's checkout, which has the evaluator, is not installed.
    """
    if platform.system() == "Darwin":
        return CoreMLRunner(path)
    why = f"{path.name} runs on macOS alone, and the reference evaluator of such files"
    return toolkit("export.formats.coreml.evaluator", why).MilRunner(path)


def read_metadata(path: Path) -> str | None:
    """The embedded manifest's text, or None."""
    with quietly("importing coremltools"):
        backend("coremltools", "coreml")
    proto = backend("coremltools.proto.Model_pb2", "coreml")
    try:
        entries = json.loads((path / "Manifest.json").read_text(encoding="utf-8"))
        root = entries["itemInfoEntries"][entries["rootModelIdentifier"]]["path"]
        model = proto.Model.FromString((path / "Data" / root).read_bytes())
    except Exception as error:  # protobuf's error classes differ between its implementations
        raise Refusal(
            f"{path} cannot be read ({type(error).__name__}: {error}); copy or export the package again"
        ) from error
    return dict(model.description.metadata.userDefined).get(METADATA_KEY)


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
        import numpy as np
        from PIL import Image

        fed = {name: Image.fromarray(value[0]) if name in self.images else value for name, value in inputs.items()}
        return float(np.asarray(self.model.predict(fed)["score"]).item())


RUNTIME = Runtime(
    format="coreml",
    suffix=".mlpackage",
    precisions=("fp32", "fp16", "w8"),
    sessions=SESSIONS,
    modules=("coremltools",),
    open=open_coreml,
    metadata=read_metadata,
)
