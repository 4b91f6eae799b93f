"""Open a .tflite artifact with LiteRT (the living name of tflite-runtime) and run it.

The same file runs under tflite-runtime 2.14: where ai-edge-litert is missing and tflite-runtime is there, it is used.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from export.backends import backend, quietly
from lariqa_train.refusal import Refusal


class TfliteRunner:
    """One interpreter on the CPU, with the XNNPACK delegate that it brings."""

    executes_artifact = True

    def __init__(self, path: Path) -> None:
        make_interpreter, self.runtime = _interpreter()
        with quietly(f"opening {path} with {self.runtime}"):  # the interpreter greets on stderr
            self.interpreter = make_interpreter(model_path=str(path), num_threads=os.cpu_count())
            self.interpreter.allocate_tensors()
        self.inputs = {detail["name"]: detail["index"] for detail in self.interpreter.get_input_details()}
        self.output = self.interpreter.get_output_details()[0]["index"]

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """Input name -> array as the manifest describes it; returns the score."""
        for name, value in inputs.items():
            self.interpreter.set_tensor(self.inputs[name], value)
        self.interpreter.invoke()
        return float(self.interpreter.get_tensor(self.output).item())


def _interpreter():
    """(Interpreter class, name and version of the runtime)."""
    try:
        module = backend("ai_edge_litert.interpreter", "tflite")
    except Refusal:
        try:
            from tflite_runtime.interpreter import Interpreter
        except ImportError:
            pass
        else:
            return Interpreter, f"tflite-runtime {importlib.metadata.version('tflite-runtime')}"
        raise
    return module.Interpreter, f"LiteRT {importlib.metadata.version('ai-edge-litert')}"
