"""The unfused model through each converter with its default settings, run by each runtime with its default settings.

Written as in the first example of each converter's documentation. The views are made in Python.
"""

from __future__ import annotations

import platform
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.baselines.torchvision_reference import PeerScorer, torchvision_views
from lariqa.backends import backend, quietly, versions
from lariqa.errors import Refusal
from lariqa.runtimes.scorer import Runner
from lariqa_train.model.checkpoint import load_checkpoint


def convert_onnx(model: nn.Module, path: Path) -> None:
    """``torch.onnx.export`` as its documentation begins."""
    backend("onnxscript", "onnx")
    with quietly("the naive conversion to ONNX"):
        torch.onnx.export(model, model.example(), str(path), dynamo=True)


def convert_tflite(model: nn.Module, path: Path) -> None:
    """``litert_torch.convert`` as its documentation begins."""
    with quietly("importing litert-torch"):
        litert_torch = backend("litert_torch", "tflite")
    with quietly("the naive conversion to TFLite"):
        litert_torch.convert(model, model.example()).export(str(path))


def convert_coreml(model: nn.Module, path: Path) -> None:
    """``coremltools.convert`` of a trace, as its documentation begins: float16, an ML Program."""
    with quietly("importing coremltools"):
        ct = backend("coremltools", "coreml")
    with quietly("the naive conversion to Core ML"), torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(model, model.example())
        inputs = [ct.TensorType(name=f"input_{n}", shape=x.shape) for n, x in enumerate(model.example())]
        ct.convert(traced, inputs=inputs, skip_model_load=True).save(str(path))


class NaiveOnnxRunner:
    """A session with ONNX Runtime's defaults, but for the number of threads."""

    executes_artifact = True

    def __init__(self, path: Path, threads: int) -> None:
        ort = backend("onnxruntime", "onnx")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.names = [entry.name for entry in self.session.get_inputs()]
        self.runtime = f"ONNX Runtime {ort.__version__}"

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """View name -> array, in the model's order of inputs; returns the score."""
        return float(self.session.run(None, dict(zip(self.names, inputs.values(), strict=True)))[0].item())


class NaiveTfliteRunner:
    """An interpreter with LiteRT's defaults, but for the number of threads."""

    executes_artifact = True

    def __init__(self, path: Path, threads: int) -> None:
        module = backend("ai_edge_litert.interpreter", "tflite")
        with quietly(f"opening {path}"):
            self.interpreter = module.Interpreter(model_path=str(path), num_threads=threads)
            self.interpreter.allocate_tensors()
        # Names are the converter's, args_0, args_1 ...: their order is the model's.
        self.indices = [entry["index"] for entry in sorted(self.interpreter.get_input_details(), key=_name)]
        self.runtime = f"LiteRT {versions('ai-edge-litert')['ai-edge-litert']}"

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """View name -> array, in the model's order of inputs; returns the score."""
        for index, value in zip(self.indices, inputs.values(), strict=True):
            self.interpreter.set_tensor(index, value)
        self.interpreter.invoke()
        return float(self.interpreter.get_tensor(self.interpreter.get_output_details()[0]["index"]).item())


class NaiveCoreMLRunner:
    """``MLModel.predict`` with Core ML's defaults. macOS only; refused elsewhere."""

    executes_artifact = True

    def __init__(self, path: Path, threads: int) -> None:
        if platform.system() != "Darwin":
            raise Refusal("Core ML runs on macOS only; the file was converted, its size is in the table")
        ct = backend("coremltools", "coreml")
        self.model = ct.models.MLModel(str(path))
        self.runtime = f"Core ML, macOS {platform.mac_ver()[0]}"

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """View name -> array, in the model's order of inputs; returns the score."""
        fed = {f"input_{n}": value for n, value in enumerate(inputs.values())}
        return float(next(iter(self.model.predict(fed).values())).item())


def open_naive(make_runner: Callable[[Path, int], Runner], path: Path, checkpoint: Path, view: str, threads: int):
    """A naive export behind the views made in Python."""
    config = load_checkpoint(checkpoint).config
    prepare = partial(torchvision_views, spec=config.preprocess.with_view(view), branches=config.branches)
    return PeerScorer(make_runner(path, threads), prepare)


NAIVE = (
    ("onnx", ".onnx", convert_onnx, partial(open_naive, NaiveOnnxRunner), "onnxruntime"),
    ("tflite", ".tflite", convert_tflite, partial(open_naive, NaiveTfliteRunner), "ai_edge_litert.interpreter"),
    ("coreml", ".mlpackage", convert_coreml, partial(open_naive, NaiveCoreMLRunner), "coremltools"),
)


def _name(entry: dict) -> str:
    return entry["name"]
