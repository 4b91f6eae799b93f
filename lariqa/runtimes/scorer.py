"""A photo's pixels -> its score, whatever runs the model: the end of the trip, all that ``benchmarks`` knows of it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from lariqa.errors import Refusal
from lariqa.manifest.model_config import Provenance
from lariqa.manifest.preprocess_spec import InputKind, PreprocessSpec
from lariqa.photos.decoded import DecodedPhoto
from lariqa.photos.photo import decode
from lariqa.photos.views import check_image, inputs_of, plan_center_crop
from lariqa.runtimes.runtime import Runner


@dataclass(frozen=True)
class Scorer:
    """A model ready to score photos."""

    runner: Runner
    preprocess: PreprocessSpec
    views: tuple[str, ...]
    input: InputKind  # what the runner takes
    photo_size_px: tuple[int, int] | None  # (height, width) that it takes; None: any
    batch: int | None = 1  # photos in one run; None: as many as one gives it
    provenance: Provenance | None = None  # where the weights come from; None: not known
    precision: str = "fp32"  # of the file
    device: str = "cpu"  # where it runs
    threads: int = 1  # that make the views

    def score(self, photo: str | os.PathLike | np.ndarray | Image.Image | DecodedPhoto, fit: bool = False) -> float:
        """Score one photo.

        Args:
            photo: a file, as :func:`lariqa.photos.photo.open_photo` reads it; or its pixels, (H, W, 3) uint8 RGB; or an
                image opened by Pillow, shown upright and over white like a file; or what ``decode`` made of either.
            fit: resample a photo of another size (see :func:`fit_to`) instead of refusing it.

        Returns:
            The score, about 0 to 1; higher is better.

        Raises:
            Refusal: the photo does not fit, cannot be read, or is no photo.

        Example:
            >>> scorer = lariqa.load(model)
            >>> score = scorer.score(photo)
            >>> score == scorer.score(Image.open(photo)) == scorer.score(np.asarray(Image.open(photo)))
            True
        """
        return self.runner.run(self.inputs(_in_memory(photo), fit))

    def score_batch(self, photos: Iterable[str | os.PathLike | np.ndarray | Image.Image | DecodedPhoto]) -> list[float]:
        """Score several photos in one run, each as :meth:`score` would.

        Args:
            photos: any number, of any sizes; drawn one at a time. Their views are all in memory at once, 5.4 MB each.

        Returns:
            Their scores, in their order.

        Raises:
            Refusal: the file takes one photo at a time; or as :meth:`score`.
        """
        if self.batch is not None:
            raise Refusal("this file takes one photo at a time; export one with --batch dynamic")

        def inputs(photo):
            return self.inputs(_in_memory(photo))

        made = list(map(inputs, photos))  # a loop's variable would keep a photo until the next one is there
        if not made:
            return []
        return self.runner.run_batch({name: np.concatenate([one[name] for one in made]) for name in made[0]}).tolist()

    def inputs(self, photo: np.ndarray | DecodedPhoto, fit: bool = False) -> dict[str, np.ndarray]:
        """The runner's inputs for one photo."""
        check_image(photo)
        size = photo.shape[:2] if isinstance(photo, np.ndarray) else (photo.height, photo.width)
        if self.photo_size_px not in (None, size):
            if not fit:
                raise Refusal(_does_not_fit(size, self.photo_size_px))
            photo = fit_to(photo if isinstance(photo, np.ndarray) else photo.pixels(), *self.photo_size_px)
        return inputs_of(photo, self.input, self.preprocess, self.views, self.threads)


def _in_memory(photo: str | os.PathLike | np.ndarray | Image.Image | DecodedPhoto) -> np.ndarray | DecodedPhoto:
    return photo if isinstance(photo, np.ndarray | DecodedPhoto) else decode(photo)


def finite(score: float) -> float:
    """The score; a Refusal if it is NaN or infinite."""
    if not math.isfinite(score):
        raise Refusal(f"the score is {score}, not a number: the weights are damaged; import or train them again")
    return score


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
