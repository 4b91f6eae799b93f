"""Export-ready model -> a Core AI asset, an .aimodel folder: the program, its check sum, and metadata as JSON.

    torch.export -> Apple's converter (coreai-torch) -> the dialect `coreai` -> main.mlirb, with the weights in it

The converter's RELEASE mode: its default writes paths of the exporting machine into the file. Bytes come in as NHWC
tensors; the manifest goes into the metadata, and with it the sha256 of the program, which nothing else compares. Two
conversions of one model differ: the converter names things at random, and stamps the date.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from export.formats.coreai.camera_function import add_camera_function, refuse_floats
from export.formats.coreai.read_program import Program
from export.formats.coreai.zeros_around import without_pads
from export.rewrite.graph_stats import GraphStats
from export.rewrite.ready_model import ExportReady
from lariqa.backends import backend, quietly, versions
from lariqa.runtimes.coreai import METADATA_KEY, PROGRAM, PROGRAM_KEY

EXTRA = "write-coreai"


def write(ready: ExportReady, path: Path, embedded: str) -> dict[str, str]:
    """Write ``ready`` to the folder ``path``; arguments and errors as :meth:`export.formats.format.Format.convert`."""
    if ready.options.camera_function:
        refuse_floats(ready)
    with quietly("importing coreai-torch"):
        backend("coreai.authoring", EXTRA)  # first: coreai.runtime before it is a circular import
        coreai_torch = backend("coreai_torch", EXTRA)
        ops = backend("coreai._compiler.dialects.coreai", EXTRA)
    with quietly("the conversion to Core AI"), torch.inference_mode():
        program = torch.export.export(ready, ready.example())
        program = program.run_decompositions(coreai_torch.get_decomp_table())
        converter = coreai_torch.TorchConverter(mode=coreai_torch.TorchConverter.Mode.RELEASE)
        if ready.options.zeros_by_convolution:
            without_pads(converter, ops)
        converter.add_exported_program(
            program, input_names=[spec.name for spec in ready.inputs], output_names=["score"]
        )
        converted = converter.to_coreai()
        if ready.options.camera_function:
            add_camera_function(converted, ready, EXTRA)
        save(converted, path, embedded)
    return versions("torch", "coreai-torch", "coreai-core")


def save(program, path: Path, embedded: str) -> None:
    """Write a program to the folder ``path`` with its manifest and check sum in the metadata."""
    metadata = backend("coreai.runtime", EXTRA).AIModelAssetMetadata()
    metadata.model_description = "LAR-IQA no-reference image quality"
    metadata.set_custom(METADATA_KEY, embedded)
    asset = program.save_asset(path, metadata)
    digest = hashlib.sha256((path / PROGRAM).read_bytes()).hexdigest()
    asset.update_metadata(lambda known: known.set_custom(PROGRAM_KEY, digest))


def operators(path: Path) -> Counter[str]:
    """Operator -> how often the program has it; what it calls is counted where that is written."""
    return Program(path).operators()


def layers(path: Path) -> GraphStats:
    """Convolutions, matrix products and weights of the program."""
    return Program(path).layers()


def weights(path: Path) -> dict[str, np.ndarray]:
    """Stored float32 weight -> its numbers."""
    return Program(path).weights()
