"""Open an .onnx artifact with ONNX Runtime and run it."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lariqa.backends import backend
from lariqa.errors import Refusal
from lariqa.runtimes.openvino import DEVICE_NAME, LOW_DEVICE_NAME, OpenVinoRunner
from lariqa.runtimes.runtime import DEVICE, OperatorTime, Runner, Runtime

if TYPE_CHECKING:
    import numpy as np

# What each way of execution asks of the session (docs/experiments/memory.md); a phone can ask it too.
# The memory pattern sets aside a second copy of the activations, from the second run on: 1905 MB instead of 1040 MB in
# the full view, for no gain in time. Without the reuse of buffers the peak would be another 12 % lower, but the
# runtime's Java and Objective-C interfaces have no switch for that. The level of optimisation is the runtime's own
# default, said because the proof holds for it: fusions change the order of sums, which moves int8 files by 3e-4.
LEVEL = "graph_optimization_level"
PROVED_AT = {LEVEL: "all"}
SESSIONS = {
    "low": {"enable_mem_pattern": False, **PROVED_AT},
    "balanced": {"enable_mem_pattern": False, **PROVED_AT},
    "fast": {"enable_mem_pattern": False, **PROVED_AT},
    "naive": PROVED_AT,  # as the runtime comes
}
LEVELS = {
    "disabled": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}
CPU = "CPUExecutionProvider"
# Device -> provider of ONNX Runtime and its options. Without TF32, which keeps 10 bits of a float32's 23.
PROVIDERS: dict[str, tuple[str, dict[str, str]]] = {
    "cpu": (CPU, {}),
    "cuda": ("CUDAExecutionProvider", {"use_tf32": "0"}),
    "migraphx": ("MIGraphXExecutionProvider", {}),
    "directml": ("DmlExecutionProvider", {}),
    "coreml": ("CoreMLExecutionProvider", {}),
}
NO_FALLBACK = "session.disable_cpu_ep_fallback"  # else operators that a device lacks run on the CPU without a word
METADATA_KEY = "lariqa"  # of the file's metadata properties
FLOAT = 1  # onnx.TensorProto.FLOAT


class OnnxRunner:
    """One session on one device.

    Args:
        path: the file.
        threads: inside one operator; None: the runtime's own choice, one for each core.
        session: options of the session, as the manifest has them; DEVICE among them: one of PROVIDERS.

    Raises:
        Refusal: onnxruntime is missing or has not the device, or cannot open the file there.
    """

    executes_artifact = True

    def __init__(
        self, path: Path, threads: int | None = None, session: Mapping[str, Any] = SESSIONS["balanced"]
    ) -> None:
        self.path, self.threads = path, threads
        self.device = session.get(DEVICE, "cpu")
        self.options = {name: value for name, value in session.items() if name != DEVICE}
        self.session = self._session(str(path))
        self.runtime = f"ONNX Runtime {backend('onnxruntime', 'onnx').__version__}"

    def _session(self, model: str | bytes, **settings):
        ort = backend("onnxruntime", "onnx")
        options = ort.SessionOptions()
        options.log_severity_level = 3  # errors only
        options.intra_op_num_threads = self.threads or 0
        for name, value in {**self.options, **settings}.items():
            setattr(options, name, self._level(value) if name == LEVEL else value)
        provider, its_options = PROVIDERS[self.device]
        if provider != CPU:
            _refuse_absent(self.device, ort.get_available_providers())
            options.add_session_config_entry(NO_FALLBACK, "1")
        try:
            session = ort.InferenceSession(model, options, providers=[(provider, its_options)])
        except Exception as error:  # ONNX Runtime's exception classes share no base but Exception
            where = "" if provider == CPU else f" on {self.device} alone"
            raise Refusal(f"ONNX Runtime cannot open {self.path}{where}: {' '.join(str(error).split())}") from error
        if session.get_providers()[0] != provider:
            raise Refusal(
                f"ONNX Runtime did not take {self.device}, but {session.get_providers()[0]}: its libraries or driver "
                "are missing; install them, or score on the CPU"
            )
        return session

    def _level(self, name: str):
        if name not in LEVELS:
            raise Refusal(
                f"{self.path} was proved at the optimisation level {name!r} of ONNX Runtime; this version knows "
                f"{', '.join(LEVELS)}: take a newer version of the toolkit, or export again"
            )
        return getattr(backend("onnxruntime", "onnx").GraphOptimizationLevel, LEVELS[name])

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """Input name -> array as the manifest describes it; returns the score."""
        return float(self.session.run(["score"], dict(inputs))[0].item())

    def run_batch(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Input name -> arrays of n photos; returns their n scores. Only of a file that takes batches."""
        return self.session.run(["score"], dict(inputs))[0][:, 0]

    def operator_times(self, inputs: Mapping[str, np.ndarray], runs: int) -> tuple[str, list[OperatorTime]]:
        """ONNX Runtime's own profiler over a few runs, in a session of its own."""
        with tempfile.TemporaryDirectory() as folder:
            session = self._session(
                str(self.path), enable_profiling=True, profile_file_prefix=str(Path(folder, "profile"))
            )
            for _ in range(runs + 1):
                session.run(["score"], dict(inputs))
            events = json.loads(Path(session.end_profiling()).read_text())
        kernels = [event for event in events if event.get("name", "").endswith("_kernel_time")]
        once = len(kernels) // (runs + 1)  # the first run is not counted: it allocates
        return "ONNX Runtime profiler", [
            OperatorTime(
                event["name"].removesuffix("_kernel_time"),
                event["args"]["op_name"],
                event["args"]["provider"],
                event["dur"] / 1000 / runs,
            )
            for event in kernels[once:]
        ]

    def placement(self, inputs: Mapping[str, np.ndarray]) -> dict[str, int]:
        """Execution provider -> operators that it ran, as the profiler saw it."""
        return dict(Counter(time.ran_on for time in self.operator_times(inputs, 1)[1]))

    def tensors(self, inputs: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
        """Every float tensor inside the graph, with its name, in the file's order; without the runtime's fusions."""
        onnx = backend("onnx", "onnx")
        model = onnx.shape_inference.infer_shapes(onnx.load(str(self.path)))
        order = {name: n for n, name in enumerate(name for node in model.graph.node for name in node.output)}
        floats = [v for v in model.graph.value_info if v.name in order and v.type.tensor_type.elem_type == FLOAT]
        model.graph.output.extend(floats)
        session = self._session(model.SerializeToString(), graph_optimization_level="disabled")
        names = [value.name for value in model.graph.output]
        yield from sorted(zip(names, session.run(names, dict(inputs)), strict=True), key=lambda pair: order[pair[0]])


def open_onnx(path: Path, threads: int | None = None, session: Mapping[str, Any] = SESSIONS["balanced"]) -> Runner:
    """The runner for a session's device: ONNX Runtime, or for one of them OpenVINO's own package."""
    device = session.get(DEVICE)
    if device in (DEVICE_NAME, LOW_DEVICE_NAME):
        return OpenVinoRunner(path, threads, session, "f32" if device == DEVICE_NAME else "bf16")
    return OnnxRunner(path, threads, session)


def _refuse_absent(device: str, available: Sequence[str]) -> None:
    provider = PROVIDERS[device][0]
    if provider not in available:
        there = ", ".join(name for name, (its, _) in PROVIDERS.items() if its in available)
        raise Refusal(
            f"--device {device} needs an ONNX Runtime with {provider}; the one installed here has {there}: "
            "install the package of ONNX Runtime that is made for it, or score on the CPU"
        )


def read_metadata(path: Path) -> str | None:
    """The embedded manifest's text, or None; read by a session that prepares nothing for running."""
    ort = backend("onnxruntime", "onnx")
    options = ort.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = ort.InferenceSession(str(path), options, providers=[CPU])
    except Exception as error:  # ONNX Runtime's exception classes share no base but Exception
        raise Refusal(
            f"{path} is not a readable ONNX file ({type(error).__name__}); is the download complete?"
        ) from error
    return session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)


RUNTIME = Runtime(
    format="onnx",
    suffix=".onnx",
    precisions=("fp32", "fp16", "w8", "int8"),
    sessions=SESSIONS,
    batch_session={"enable_mem_pattern": False, **PROVED_AT},  # a pattern would be kept for each number of photos
    modules=("onnxruntime",),
    devices=(*PROVIDERS, DEVICE_NAME, LOW_DEVICE_NAME),
    open=open_onnx,
    metadata=read_metadata,
)
