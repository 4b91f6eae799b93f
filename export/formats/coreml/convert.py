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
from export.rewrite.tiled_net import ReadRows
from lariqa.backends import backend, quietly, versions
from lariqa.manifest.manifest import InputSpec
from lariqa.manifest.preprocess_spec import MIN_SIDE_PX
from lariqa.runtimes.coreml import METADATA_KEY

LARGEST_SIDE_PX = 16384  # of a view of any size: an image input is declared with bounds


def write(ready: ExportReady, path: Path, embedded: str) -> dict[str, str]:
    """Write ``ready`` to the folder ``path``; arguments and errors as :meth:`export.formats.format.Format.convert`."""
    with quietly("importing coremltools"):
        ct = backend("coremltools", "coreml")
    with quietly("the conversion to Core ML"), own_temporary_folder(), torch.inference_mode():
        model, example, inputs = _traceable(ready, ct)
        # torch.export rather than torch.jit.trace: traces of the attention backbones break with numpy 2.
        program = torch.export.export(model, example, dynamic_shapes=_dynamic_shapes(ready)).run_decompositions({})
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
        return self.ready.score_planes({name: self.reader(name, x) for name, x in given.items()})

    def reader(self, view: str, planes: torch.Tensor) -> ReadRows:
        """Of a view's rows; of one whose rows nobody has counted, all of them."""
        if view in self.ready.flexible:
            return lambda first, last: planes
        return lambda first, last: cut(planes, 2, first, last)


def _dynamic_shapes(ready: ExportReady) -> dict | None:
    """Which sides of the planes are not fixed, as torch.export wants it; None: all are."""
    if not ready.flexible:
        return None
    # One above the smallest: at that one the last map has a side of 1, which torch would keep apart; Core ML does not.
    height, width = (torch.export.Dim(name, min=MIN_SIDE_PX + 1, max=LARGEST_SIDE_PX) for name in ("height", "width"))
    return {"images": tuple({2: height, 3: width} if spec.name in ready.flexible else {} for spec in ready.inputs)}


def _image(ready: ExportReady, spec: InputSpec, planes: torch.Tensor, ct):
    """One image input; a side that is left open has a range, and the size that it was exported with as its default."""
    sides = [
        ct.RangeDim(MIN_SIDE_PX, LARGEST_SIDE_PX, default=side) if spec.name in ready.flexible else side
        for side in planes.shape[2:]
    ]
    return ct.ImageType(spec.name, shape=ct.Shape((1, 3, *sides)), color_layout=ct.colorlayout.RGB)


def _traceable(ready: ExportReady, ct) -> tuple[nn.Module, tuple[torch.Tensor, ...], list]:
    if not isinstance(ready, FromViews | FromPixels):
        return (
            ready,
            ready.example(),
            [ct.TensorType(spec.name, shape=spec.shape, dtype=np.float32) for spec in ready.inputs],
        )
    planes = tuple(x.permute(0, 3, 1, 2).float().contiguous() for x in ready.example())
    images = [_image(ready, spec, x, ct) for spec, x in zip(ready.inputs, planes, strict=True)]
    return _FromPlanes(ready).eval(), planes, images
