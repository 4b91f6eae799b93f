"""Open a .tflite artifact with LiteRT (the living name of tflite-runtime) and run it.

The same file runs under tflite-runtime 2.14: where ai-edge-litert is missing and tflite-runtime is there, it is used.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from export.backends import backend, quietly
from lariqa_train.refusal import Refusal


class TfliteRunner:
    """One interpreter on the CPU, with the XNNPACK delegate that it brings.

    Args:
        path: the file.
        threads: None: one for each core.

    Raises:
        Refusal: neither runtime is installed, or the file cannot be opened.
    """

    executes_artifact = True

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self.path, self.threads = path, threads or os.cpu_count()
        self.interpreter, self.runtime = self._opened()
        self.output = self.interpreter.get_output_details()[0]["index"]

    def _opened(self, **settings):
        module, runtime = _interpreter()
        if not settings.pop("delegated", True):
            settings["experimental_op_resolver_type"] = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        with quietly(f"opening {self.path} with {runtime}"):  # the interpreter greets on stderr
            interpreter = module.Interpreter(model_path=str(self.path), num_threads=self.threads, **settings)
            interpreter.allocate_tensors()
        return interpreter, runtime

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """Input name -> array as the manifest describes it; returns the score."""
        _feed(self.interpreter, inputs)
        return float(self.interpreter.get_tensor(self.output).item())

    def placement(self, inputs: Mapping[str, np.ndarray]) -> dict[str, int]:
        """XNNPACK, or the interpreter's own kernels -> operators, from the graph as the delegate left it."""
        nodes = self.interpreter._get_ops_details()  # the replaced nodes, then one DELEGATE for each partition
        own = {index: node for node in nodes if node["op_name"] != "DELEGATE" for index in node["outputs"]}
        delegated = {index: node for node in nodes if node["op_name"] == "DELEGATE" for index in node["outputs"]}
        if not delegated:
            return {"builtin": len(nodes)}
        kept, seen, needed = set(), set(), [self.output]
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
        interpreter, _ = self._opened(delegated=False, experimental_preserve_all_tensors=True)
        _feed(interpreter, inputs)
        details = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
        for node in interpreter._get_ops_details():
            for index in node["outputs"]:
                if index in details and details[index]["dtype"] == np.float32:
                    yield details[index]["name"], interpreter.get_tensor(index)


def _feed(interpreter, inputs: Mapping[str, np.ndarray]) -> None:
    index_of = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}
    for name, value in inputs.items():
        interpreter.set_tensor(index_of[name], value)
    interpreter.invoke()


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
