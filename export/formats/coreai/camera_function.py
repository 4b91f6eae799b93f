"""A second function in the same file: the model's inputs as the camera's pixel buffers, 32BGRA, in the place of arrays.

    camera   each input an image -> image_to_tensor, [h, w, 4] -> channels 2, 1, 0 -> [1, h, w, 3] -> main

The weights are stored once. Core AI takes images on Apple's systems alone, so ``main`` is proved here and the operators
before it are not: the function is written only where ``GraphOptions.camera_function`` asks for it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from export.rewrite.ready_model import ExportReady
from lariqa.backends import backend
from lariqa.errors import Refusal

NAME = "camera"


def refuse_floats(ready: ExportReady) -> None:
    """Refuse a model whose inputs are no pictures of bytes."""
    if any(spec.dtype != "uint8" for spec in ready.inputs):
        raise Refusal("a camera gives bytes, and these inputs are floats; leave the camera out, or export other inputs")


def add_camera_function(program: Any, ready: ExportReady, extra: str) -> None:
    """Add the function to a converted program, whose "main" it calls; the inputs are pictures of bytes."""
    authoring = backend("coreai.authoring", extra)
    ops = backend("coreai._compiler.dialects.coreai", extra)
    four_cc = backend("coreai._compiler._mlir_libs._coreaiIR._bindings.mlir.dialects.coreai", extra).FourCC
    main = program._get_graph("main")
    with program._module:
        images = [authoring.ImageSpec(four_cc.BGRA32, *spec.shape[1:3])._to_mlir_type() for spec in ready.inputs]
        graph = ops.GraphOp(
            name=NAME, input_types=images, result_types=[], input_names=[spec.name for spec in ready.inputs]
        )
        with graph.block:
            arrays = [_rgb(ops, value, spec.shape) for value, spec in zip(graph.arguments, ready.inputs, strict=True)]
            score = ops.invoke(main.function_type.value.results, "main", arrays)[0]
        graph.set_outputs_spec_from_dict(OrderedDict(score=score))


def _rgb(ops: Any, image: Any, shape: tuple[int, ...]) -> Any:
    _, height, width, _ = shape
    pixels = ops.image_to_tensor(image)
    parts = [ops.slice_(pixels, [0, 0, at], [height, width, at + 1], [1, 1, 1]) for at in (2, 1, 0)]
    return ops.reshape(ops.concat(2, parts), np.array(shape, np.uint32))
