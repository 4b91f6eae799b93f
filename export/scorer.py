"""A photo's pixels -> its score, whatever runs the model: the end of the trip, all that ``benchmarks`` knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from lariqa_train.preprocess import PreprocessSpec, check_image, plan_center_crop, prepare
from lariqa_train.refusal import Refusal


@dataclass(frozen=True)
class OperatorTime:
    """One operator of one run, as a runtime's own profiler saw it."""

    name: str  # of the operator in the runtime's graph, which begins with its name in the file where it is one of it
    operator: str
    ran_on: str  # provider, delegate or backend
    time_ms: float


class Runner(Protocol):
    """What opens one model and runs it."""

    runtime: str  # name and version, as shown to people
    executes_artifact: bool  # whether this is the runtime that the file is made for

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """Input name -> array; returns the score."""
        ...

    # What a runtime tells of itself, where it does:
    #   placement(inputs) -> what really ran it: name -> operators
    #   operator_times(inputs, runs) -> (profiler's name, one OperatorTime for each operator and run, in ms of one run)
    #   tensors(inputs) -> every float tensor inside, with its name, in the order of the file


@dataclass(frozen=True)
class Scorer:
    """A model ready to score photos."""

    runner: Runner
    preprocess: PreprocessSpec
    views: tuple[str, ...]
    input: str  # pixels: the runner takes the photo itself; tensors: the prepared views
    photo_size_px: tuple[int, int] | None  # (height, width) that it takes; None: any

    def score(self, image: np.ndarray, fit: bool = False) -> float:
        """Score one photo.

        Args:
            image: (H, W, 3) uint8 RGB.
            fit: resample a photo of another size (see :func:`fit_to`) instead of refusing it.

        Raises:
            Refusal: the photo does not fit, or is no photo.
        """
        return self.runner.run(self.inputs(image, fit))

    def inputs(self, image: np.ndarray, fit: bool = False) -> dict[str, np.ndarray]:
        """The runner's inputs for one photo."""
        check_image(image)
        if self.photo_size_px not in (None, image.shape[:2]):
            if not fit:
                raise Refusal(_does_not_fit(image.shape[:2], self.photo_size_px))
            image = fit_to(image, *self.photo_size_px)
        if self.input == "pixels":
            return {"image": np.ascontiguousarray(image)[None]}
        return {view: tensor.numpy() for view, tensor in prepare(image, self.preprocess, self.views).items()}


def fit_to(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resample a photo to a size: scaled to cover it (Pillow's antialiased bilinear), then cut in the middle.

    The score of a resampled photo is the score of another picture: resampling hides noise and blur. The width first,
    one pass at a time, as for the authentic view: the phones do the same, and get the same bytes.
    """
    scale = max(height / image.shape[0], width / image.shape[1])
    covering = max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale))
    bilinear = Image.Resampling.BILINEAR
    wide = Image.fromarray(image).resize((covering[0], image.shape[0]), bilinear)
    scaled = np.asarray(wide.resize(covering, bilinear))
    rows, columns = plan_center_crop(*scaled.shape[:2], height), plan_center_crop(*scaled.shape[:2], width)
    return scaled[rows.top : rows.top + height, columns.left : columns.left + width]


def _does_not_fit(came: tuple[int, int], takes: tuple[int, int]) -> str:
    (height, width), (takes_height, takes_width) = came, takes
    return (
        f"the photo is {width}x{height} px, this model file takes {takes_width}x{takes_height}: "
        f"export one with --size {width}x{height}, or pass --fit to resample the photo (its score will differ)"
    )
