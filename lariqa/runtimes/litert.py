"""Open a .tflite artifact with LiteRT (formerly tflite-runtime) and run it.

LiteRT has two interfaces: the Interpreter, and the CompiledModel, which alone takes XNNPACK's flags. The same file runs
under tflite-runtime 2.14, which has the first only: where ai-edge-litert is missing and tflite-runtime is there, it is
used, with its own choice of flags.
"""

from __future__ import annotations

import atexit
import functools
import importlib.metadata
import os
import struct
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lariqa.backends import backend, quietly
from lariqa.errors import Refusal
from lariqa.runtimes.runtime import Runtime
from lariqa.runtimes.weight_cache import SETTING, packed_weights

if TYPE_CHECKING:
    import numpy as np

# XNNPACK's flags (xnnpack_delegate.h): 8-bit operators, signed 0x1 and unsigned 0x2, are its defaults and must be said
# again; 0x20 is TRANSIENT_INDIRECTION_BUFFER: the tables of pointers that its convolutions read by are made for each
# run, in memory that others use before and after. They take more room than the pictures: at 3840x2160
# 897 MB in all without the flag, 405 MB with it.
TRANSIENT = {"interface": "CompiledModel", "xnnpack_flags": 0x1 | 0x2 | 0x20}
METADATA_NAME = b"lariqa.json"  # of the entry in the file's metadata
SESSIONS: dict[str, dict[str, Any]] = {  # measured in docs/experiments/memory.md
    "low": TRANSIENT,
    "balanced": TRANSIENT,
    "fast": {"interface": "Interpreter"},  # making the tables anew costs a tenth of the time
    "naive": {"interface": "Interpreter"},
}


class TfliteRunner:
    """One model on the CPU, with the XNNPACK delegate that the runtime brings.

    Args:
        path: the file.
        threads: None: one for each core.
        session: which interface, and XNNPACK's flags, as the manifest has them; and a folder for packed weights.

    Raises:
        Refusal: neither runtime is installed, or the file cannot be opened.
    """

    executes_artifact = True

    def __init__(
        self, path: Path, threads: int | None = None, session: Mapping[str, Any] = SESSIONS["balanced"]
    ) -> None:
        self.path, self.threads = path, threads or os.cpu_count()
        module, self.runtime = _interpreter()
        flags = session.get("xnnpack_flags") if session.get("interface") == "CompiledModel" else None
        if flags is not None and module.__name__.startswith("ai_edge_litert"):
            self._run = self._compiled(flags, session.get(SETTING))
        else:
            interpreter = self._interpreter()
            output = interpreter.get_output_details()[0]["index"]

            def run(inputs: Mapping[str, np.ndarray]) -> float:
                _feed(interpreter, inputs)
                return float(interpreter.get_tensor(output).item())

            self._run = run

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """Input name -> array as the manifest describes it; returns the score."""
        return self._run(inputs)

    def placement(self, inputs: Mapping[str, np.ndarray]) -> dict[str, int]:
        """XNNPACK, or the interpreter's own kernels -> operators, from the graph as the delegate left it."""
        interpreter = self._interpreter()
        _resize(interpreter, inputs)  # or no delegate has seen the graph yet
        output = interpreter.get_output_details()[0]["index"]
        nodes = interpreter._get_ops_details()  # the replaced nodes, then one DELEGATE for each partition
        own = {index: node for node in nodes if node["op_name"] != "DELEGATE" for index in node["outputs"]}
        delegated = {index: node for node in nodes if node["op_name"] == "DELEGATE" for index in node["outputs"]}
        if not delegated:
            return {"builtin": len(nodes)}
        kept, seen, needed = set(), set(), [output]
        while needed:  # from the score back to the photo
            index = needed.pop()
            if index not in seen and (node := delegated.get(index) or own.get(index)):
                seen.add(index)
                needed.extend(node["inputs"])
                kept |= {node["index"]} if node["op_name"] != "DELEGATE" else set()
        replaced = sum(node["op_name"] != "DELEGATE" for node in nodes) - len(kept)
        return {"XNNPACK": replaced, **({"builtin": len(kept)} if kept else {})}

    def tensors(self, inputs: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
        """Every float tensor inside the graph, with its name, in the file's order; run without the delegate."""
        import numpy as np

        interpreter = self._interpreter(delegated=False, experimental_preserve_all_tensors=True)
        _feed(interpreter, inputs)
        details = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
        for node in interpreter._get_ops_details():
            for index in node["outputs"]:
                if index in details and details[index]["dtype"] == np.float32:
                    yield details[index]["name"], interpreter.get_tensor(index)

    def _interpreter(self, delegated: bool = True, **settings):
        module, runtime = _interpreter()
        if not delegated:
            settings["experimental_op_resolver_type"] = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        with quietly(f"opening {self.path} with {runtime}"):  # the interpreter prints to stderr
            interpreter = module.Interpreter(model_path=str(self.path), num_threads=self.threads, **settings)
            if not any(_is_open(detail) for detail in interpreter.get_input_details()):
                interpreter.allocate_tensors()  # of others, as soon as a photo says how large
        return interpreter

    def _compiled(self, flags: int, weight_cache: str | None):
        """A function from inputs to the score, by the CompiledModel interface.

        Where packed weights are kept, they are written by a model that is closed again: the one that scores maps them
        only, and never holds both.
        """
        import numpy as np

        compiled = backend("ai_edge_litert.compiled_model", "tflite")
        accelerator = backend("ai_edge_litert.hardware_accelerator", "tflite").HardwareAccelerator

        def opened(packed: Path | None):
            options = backend("ai_edge_litert.options", "tflite").Options(hardware_accelerators=accelerator.CPU)
            options.cpu_options.num_threads, options.cpu_options.xnnpack_flags = self.threads, flags
            options.cpu_options.xnnpack_weight_cache_path = str(packed or "")
            return compiled.CompiledModel.from_file(str(self.path), environment=_environment(), options=options)

        with quietly(f"opening {self.path} with {self.runtime}"):
            try:
                packed = None
                if weight_cache is not None:
                    packed = packed_weights(Path(weight_cache), self.path, self.runtime, opened)
                model = opened(packed)
                (signature,) = model.get_signature_list()
                inputs = model.create_input_buffers(0)
                (output,) = model.create_output_buffers(0)
                output.read(1, np.float32)  # the first use prints once more
            except Refusal:
                raise  # of the folder for packed weights
            except (RuntimeError, ValueError) as error:
                raise Refusal(f"{self.runtime} cannot open {self.path}: {' '.join(str(error).split())}") from error
        _silence_at_exit()
        names = model.get_signature_list()[signature]["inputs"]

        def run(given: Mapping[str, np.ndarray]) -> float:
            for name, buffer in zip(names, inputs, strict=True):
                buffer.write(given[name])
            model.run_by_index(0, inputs, [output])
            return float(output.read(1, np.float32)[0])

        return run


@functools.cache
def _environment():
    """LiteRT's environment, one for all models: each prints to stderr when it is destroyed."""
    module = backend("ai_edge_litert.environment", "tflite")
    return module.Environment.create(options=module.EnvironmentOptions(runtime_path=str(Path(module.__file__).parent)))


@functools.cache
def _silence_at_exit() -> None:
    """Silence stderr at exit: the environment prints what it destroys after Python is gone."""

    def silence() -> None:
        sys.stderr.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    atexit.register(silence)


def _feed(interpreter, inputs: Mapping[str, np.ndarray]) -> None:
    _resize(interpreter, inputs)
    index_of = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}
    for name, value in inputs.items():
        interpreter.set_tensor(index_of[name], value)
    interpreter.invoke()


def _resize(interpreter, inputs: Mapping[str, np.ndarray]) -> None:
    """Give inputs that leave sides open the sides of these; nothing where they have them, or leave none open."""
    details = {detail["name"]: detail for detail in interpreter.get_input_details()}
    if any(_is_open(details[name]) for name in inputs):
        for name, value in inputs.items():
            interpreter.resize_tensor_input(details[name]["index"], value.shape, strict=True)
        interpreter.allocate_tensors()


def _is_open(detail: dict[str, Any]) -> bool:
    """Whether an input leaves sides open, which the first photo gives."""
    return -1 in detail["shape_signature"]


def _interpreter():
    """(the interpreter's module, name and version of the runtime)."""
    try:
        module = backend("ai_edge_litert.interpreter", "tflite")
    except Refusal:
        try:
            from tflite_runtime import interpreter
        except ImportError:
            pass
        else:
            return interpreter, f"tflite-runtime {importlib.metadata.version('tflite-runtime')}"
        raise
    return module, f"LiteRT {importlib.metadata.version('ai-edge-litert')}"


def read_metadata(path: Path) -> str | None:
    """The embedded manifest's text, or None; nothing else of the file is unpacked."""
    schema = backend("ai_edge_litert.schema_py_generated", "tflite")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Refusal(f"{path} is not a readable TFLite file ({error}); is it a file at all?") from error
    if data[4:8] != b"TFL3":
        raise Refusal(f"{path} is not a TFLite file; is the download complete?")
    try:
        model = schema.Model.GetRootAs(data)
        entries = (model.Metadata(index) for index in range(model.MetadataLength()))
        buffer = next((entry.Buffer() for entry in entries if entry.Name() == METADATA_NAME), None)
        return None if buffer is None else model.Buffers(buffer).DataAsNumpy().tobytes().decode()
    except (struct.error, LookupError, ValueError, TypeError, AttributeError) as error:  # what flatbuffers raises
        raise Refusal(f"{path} is not a readable TFLite file ({error}); is the download complete?") from error


RUNTIME = Runtime(
    format="tflite",
    suffix=".tflite",
    precisions=("fp32", "fp16", "w8", "int8"),
    sessions=SESSIONS,
    modules=("ai_edge_litert.interpreter", "ai_edge_litert.compiled_model"),
    open=TfliteRunner,
    metadata=read_metadata,
)
