"""One row per format: suffix, writer, runner, how to read a file back. A new format is two files and one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from export import run_coreml, run_onnx, run_tflite, to_coreml, to_onnx, to_tflite
from export.artifact import Artifact, Manifest, parse_manifest, read_manifest
from export.export_ready import ExportReady
from export.file_layers import FileLayers
from export.lean_net import Dialect
from export.lower_coreml import lower_coreml
from export.lower_onnx import lower_onnx, ranges_onnx
from export.lower_tflite import lower_tflite, ranges_tflite
from export.run_coreml import open_coreml
from export.run_onnx import OnnxRunner
from export.run_tflite import TfliteRunner
from export.scorer import Runner, Scorer
from export.to_coreml import coreml_layers, coreml_operators, coreml_weights, read_coreml_metadata, write_coreml
from export.to_onnx import onnx_layers, onnx_operators, onnx_weights, read_onnx_metadata, write_onnx
from export.to_tflite import read_tflite_metadata, tflite_layers, tflite_operators, tflite_weights, write_tflite
from export.weight_cache import with_weight_cache
from lariqa_train.checkpoint import sha256_of
from lariqa_train.refusal import Refusal


@dataclass(frozen=True)
class Format:
    """How one format is written, opened and read back."""

    name: str
    suffix: str
    precisions: tuple[str, ...]
    write: Callable[[ExportReady, Path, str], dict[str, str]]
    lower: Callable[..., dict[str, str]]  # see export.lower_onnx.lower_onnx
    ranges: Callable[..., object] | None  # see export.lower_onnx.ranges_onnx; None: no int8 activations
    open: Callable[[Path, int | None, Mapping[str, Any]], Runner]
    dialect: Dialect  # the form of the graph that its runtime likes
    sessions: Mapping[str, dict[str, Any]]  # way of execution -> options of the runtime
    metadata: Callable[[Path], str | None]
    operators: Callable[[Path], Counter[str]]
    layers: Callable[[Path], FileLayers]
    weights: Callable[[Path], dict[str, np.ndarray]]
    runtime_modules: tuple[str, ...]  # what opening a file imports


FORMATS = {
    row.name: row
    for row in (
        Format(
            name="onnx",
            suffix=".onnx",
            precisions=("fp32", "fp16", "w8", "int8"),
            write=write_onnx,
            lower=lower_onnx,
            ranges=ranges_onnx,
            open=OnnxRunner,
            dialect=to_onnx.DIALECT,
            sessions=run_onnx.SESSIONS,
            metadata=read_onnx_metadata,
            operators=onnx_operators,
            layers=onnx_layers,
            weights=onnx_weights,
            runtime_modules=("onnxruntime",),
        ),
        Format(
            name="coreml",
            suffix=".mlpackage",
            precisions=("fp32", "fp16", "w8"),
            write=write_coreml,
            lower=lower_coreml,
            ranges=None,
            open=open_coreml,
            dialect=to_coreml.DIALECT,
            sessions=run_coreml.SESSIONS,
            metadata=read_coreml_metadata,
            operators=coreml_operators,
            layers=coreml_layers,
            weights=coreml_weights,
            runtime_modules=("coremltools",),
        ),
        Format(
            name="tflite",
            suffix=".tflite",
            precisions=("fp32", "fp16", "w8", "int8"),
            write=write_tflite,
            lower=lower_tflite,
            ranges=ranges_tflite,
            open=TfliteRunner,
            dialect=to_tflite.DIALECT,
            sessions=run_tflite.SESSIONS,
            metadata=read_tflite_metadata,
            operators=tflite_operators,
            layers=tflite_layers,
            weights=tflite_weights,
            runtime_modules=("ai_edge_litert.interpreter", "ai_edge_litert.compiled_model"),
        ),
    )
}


def format_of(path: Path) -> Format:
    """The format of a model file, by its suffix.

    Raises:
        Refusal: no format has that suffix.
    """
    for row in FORMATS.values():
        if path.suffix == row.suffix:
            return row
    raise Refusal(
        f"{path} is not a model: its name ends in none of {', '.join(row.suffix for row in FORMATS.values())}"
    )


def describe(path: Path) -> tuple[Manifest, Artifact]:
    """What a model file promises: from the ``lariqa.json`` beside it if that names it, else from the file itself.

    Raises:
        Refusal: no such file, not one of this toolkit's, or not the file that was proved (its sha256 differs).
    """
    if not path.exists():
        raise Refusal(f"no model at {path}; `lariqa export` makes one")
    manifest = read_manifest(path.parent)
    for artifact in manifest.artifacts if manifest else ():
        if artifact.file == path.name:
            row = format_of(path)
            if artifact.format != row.name or artifact.precision not in row.precisions:
                raise Refusal(
                    f"lariqa.json says that {path} is {artifact.format} in {artifact.precision}; this version opens "
                    f"{row.suffix} files as {row.name} in {', '.join(row.precisions)}; export again"
                )
            if sha256_of(path) != artifact.sha256:
                raise Refusal(
                    f"{path} is not the file that lariqa.json beside it describes (its sha256 differs); export again"
                )
            return manifest, artifact
    text = format_of(path).metadata(path)
    if text is None:
        raise Refusal(f"{path} carries no lariqa manifest: it was not written by `lariqa export`")
    manifest = parse_manifest(text, f"the manifest inside {path}")
    if [artifact.format for artifact in manifest.artifacts] != [format_of(path).name]:
        raise Refusal(f"the manifest inside {path} describes another file; export again")
    return manifest, manifest.artifacts[0]


def open_artifact(path: Path, threads: int | None = None, weight_cache: Path | None = None) -> Scorer:
    """A Scorer for a model file.

    Args:
        path: the file.
        threads: None: the runtime's own choice.
        weight_cache: a folder for packed weights (``weight_cache.py``).

    Raises:
        Refusal: as :func:`describe`; the runtime is missing, cannot open it, or cannot keep packed weights.
    """
    manifest, artifact = describe(path)
    return scorer_for(path, manifest, artifact, threads, weight_cache)


def scorer_for(
    path: Path, manifest: Manifest, artifact: Artifact, threads: int | None = None, weight_cache: Path | None = None
) -> Scorer:
    """A Scorer for a model file whose promise is known."""
    size = None if artifact.photo_width_px is None else (artifact.photo_height_px, artifact.photo_width_px)
    spec = manifest.config.preprocess.with_view(artifact.synthetic_view)
    runner = FORMATS[artifact.format].open(path, threads, with_weight_cache(artifact, weight_cache))
    return Scorer(runner, spec, manifest.config.branches, artifact.input, size)
