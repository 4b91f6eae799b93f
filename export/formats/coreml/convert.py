"""Export-ready model -> a Core ML ML Program, an .mlpackage folder.

Deployment target iOS 16 / macOS 13: every operator used here is in its opset. The pixels input is an image
(a CVPixelBuffer, RGB): Core ML itself turns it into floats, so the graph holds no cast. Names and dtypes are
given; left to itself the converter renames and narrows them.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import torch
from torch import nn

from export.formats.coreml.mil_reference import MilProgram
from export.formats.coreml.temporary import own_temporary_folder
from export.rewrite.graph_stats import GraphStats
from export.rewrite.pillow_resize import cut
from export.rewrite.ready_model import ExportReady, FromPixels, FromViews
from lariqa.backends import backend, quietly, versions
from lariqa.runtimes.coreml import METADATA_KEY


def write(ready: ExportReady, path: Path, embedded: str) -> dict[str, str]:
    """Write ``ready`` to the folder ``path``; arguments and errors as :meth:`export.formats.format.Format.convert`."""
    with quietly("importing coremltools"):
        ct = backend("coremltools", "coreml")
    with quietly("the conversion to Core ML"), own_temporary_folder(), torch.inference_mode():
        model, example, inputs = _traceable(ready, ct)
        # torch.export rather than torch.jit.trace: traces of the attention backbones break with numpy 2.
        program = torch.export.export(model, example).run_decompositions({})
        package = ct.convert(
            program,
            convert_to="mlprogram",
            inputs=inputs,
            outputs=[ct.TensorType("score", dtype=np.float32)],
            minimum_deployment_target=ct.target.iOS16,
            compute_precision=ct.precision.FLOAT32,
            skip_model_load=True,
        )
        package.short_description = "LAR-IQA no-reference image quality"
        package.user_defined_metadata[METADATA_KEY] = embedded
        package.save(str(path))
    return versions("torch", "coremltools")


def operators(path: Path) -> Counter[str]:
    """Operator -> how often the program has it."""
    return open_program(path).operators()


def layers(path: Path) -> GraphStats:
    """Convolutions, matrix products and weights of the program."""
    return open_program(path).layers()


def weights(path: Path) -> dict[str, np.ndarray]:
    """Stored float32 weight -> its numbers."""
    return open_program(path).weights()


def open_program(path: Path) -> MilProgram:
    """The ML Program in a package, ready for the reference evaluator, which rounds to float16 where the program does.

    Raises:
        Refusal: coremltools is not installed, or the package is damaged or no ML Program.
    """
    with quietly("importing coremltools"):
        backend("coremltools", "coreml")
    return MilProgram(path, "declared")


class _FromPlanes(nn.Module):
    """Bytes as Core ML sees them: an image input arrives as (1, 3, H, W) float, 0..255."""

    def __init__(self, ready: FromViews | FromPixels) -> None:
        super().__init__()
        self.ready = ready

    def forward(self, *images: torch.Tensor) -> torch.Tensor:
        if isinstance(self.ready, FromPixels):
            (image,) = images
            return self.ready.score_pixels(
                lambda top, bottom, left, right: cut(cut(image, 2, top, bottom), 3, left, right)
            )
        given = dict(zip(self.ready.views, images, strict=True))
        return self.ready.score_planes(
            {name: lambda first, last, x=x: cut(x, 2, first, last) for name, x in given.items()}
        )


def _traceable(ready: ExportReady, ct) -> tuple[nn.Module, tuple[torch.Tensor, ...], list]:
    if not isinstance(ready, FromViews | FromPixels):
        return (
            ready,
            ready.example(),
            [ct.TensorType(spec.name, shape=spec.shape, dtype=np.float32) for spec in ready.inputs],
        )
    planes = tuple(x.permute(0, 3, 1, 2).float().contiguous() for x in ready.example())
    images = [
        ct.ImageType(spec.name, shape=tuple(x.shape), color_layout=ct.colorlayout.RGB)
        for spec, x in zip(ready.inputs, planes, strict=True)
    ]
    return _FromPlanes(ready).eval(), planes, images
