"""What happens to a photo before the model: two views of one image.

    image (H, W, 3) uint8 RGB
      |- authentic: the whole photo, resized to side x side, antialiased bilinear as Pillow does it  (side, side, 3)
      '- synthetic: native pixels, whole ("full") or the centre crop ("crop", padded with black)     (h, w, 3)
    normalised, where a model takes tensors: pixel / 255, minus mean, over std, per channel         (1, 3, h, w)

Source: paper Sections 3.2 and 4.1. The crop is torchvision's ``CenterCrop``, the resize is ``PIL.Image.resize`` with
``BILINEAR`` (what torchvision's ``Resize`` does to a PIL image), the width first: both bit for bit, tests hold it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import MIN_SIDE_PX, VIEWS, InputKind, PreprocessSpec
from lariqa.photos.decoded import DecodedPhoto


@dataclass(frozen=True)
class CropPlan:
    """A centre crop as one slice and one padding: rows ``top:top + height`` and so on, then black borders."""

    top: int
    left: int
    height: int
    width: int
    pad_top: int
    pad_bottom: int
    pad_left: int
    pad_right: int

    @property
    def pads(self) -> bool:
        """Whether the photo is smaller than the crop in some direction."""
        return max(self.pad_top, self.pad_bottom, self.pad_left, self.pad_right) > 0


def plan_center_crop(height: int, width: int, crop: int) -> CropPlan:
    """Where torchvision's ``CenterCrop(crop)`` cuts and pads a ``height`` x ``width`` image (in pixels)."""

    def along(size: int) -> tuple[int, int, int, int]:
        if size >= crop:
            return round((size - crop) / 2), crop, 0, 0  # Python's round: halves go to even, as in torchvision
        return 0, size, (crop - size) // 2, (crop - size + 1) // 2

    top, rows, pad_top, pad_bottom = along(height)
    left, columns, pad_left, pad_right = along(width)
    return CropPlan(top, left, rows, columns, pad_top, pad_bottom, pad_left, pad_right)


def authentic_pixels(image: np.ndarray | DecodedPhoto, spec: PreprocessSpec, threads: int = 1) -> np.ndarray:
    """The authentic view as pixels: (H, W, 3) uint8 -> (side, side, 3) uint8, first the width, then the height.

    One pass at a time, because since version 13 Pillow itself starts with the height where that is cheaper (its pull
    request 9549), which moves some bytes by one level. Up to version 12, so for the authors, the width came first. No
    copy of a large photo is made.
    """
    side = spec.authentic_side_px
    return np.asarray(_photo(image).narrowed(side, threads).resize((side, side), Image.Resampling.BILINEAR))


def synthetic_pixels(image: np.ndarray | DecodedPhoto, spec: PreprocessSpec) -> np.ndarray:
    """The synthetic view as pixels: (H, W, 3) uint8 -> (h, w, 3) uint8, unchanged or the centre crop."""
    photo = _photo(image)
    if spec.synthetic_view == "full":
        return photo.pixels()
    plan = plan_center_crop(photo.height, photo.width, spec.synthetic_crop_px)
    cut = photo.crop(plan.top, plan.top + plan.height, plan.left, plan.left + plan.width)
    return np.pad(cut, ((plan.pad_top, plan.pad_bottom), (plan.pad_left, plan.pad_right), (0, 0))) if plan.pads else cut


def normalise(pixels: np.ndarray, spec: PreprocessSpec) -> np.ndarray:
    """(h, w, 3) uint8 -> (1, 3, h, w) float32: pixel / 255, minus mean, over std, each step rounded to float32."""
    mean, std = (np.array(values, np.float32)[:, None, None] for values in (spec.mean, spec.std))
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32)
    planes /= np.float32(255)
    planes -= mean
    planes /= std
    return planes[None]


PIXELS_OF = {"authentic": authentic_pixels, "synthetic": synthetic_pixels}


def prepare(
    image: np.ndarray | DecodedPhoto, spec: PreprocessSpec, views: Iterable[str] = VIEWS
) -> dict[str, np.ndarray]:
    """The model's inputs for one photo: :func:`inputs_of` a model that takes normalised views."""
    return inputs_of(image, "tensors", spec, views)


def inputs_of(
    image: np.ndarray | DecodedPhoto,
    takes: InputKind,
    spec: PreprocessSpec,
    views: Iterable[str] = VIEWS,
    threads: int = 1,
) -> dict[str, np.ndarray]:
    """A model's inputs for one photo.

    Args:
        image: (H, W, 3) uint8 RGB, as :func:`lariqa.photos.photo.open_photo` gives it, or as ``decode`` does.
        takes: the photo itself, its views as pixels, or its views normalised.
        spec: what the weights were trained with.
        views: which views to make; a single-branch model needs one.
        threads: that may resize the photo.

    Returns:
        pixels: "image" -> (1, H, W, 3) uint8; views: view name -> (1, h, w, 3) uint8; tensors: view name ->
        (1, 3, h, w) float32. All C-contiguous.

    Raises:
        Refusal: not a uint8 RGB image, or a side below ``MIN_SIDE_PX``.
    """
    check_image(image)
    if takes == "pixels":
        return {"image": np.ascontiguousarray(_photo(image).pixels())[None]}
    make = {**PIXELS_OF, "authentic": partial(authentic_pixels, threads=threads)}
    made = {view: make[view](image, spec) for view in views}
    if takes == "views":
        return {view: np.ascontiguousarray(pixels)[None] for view, pixels in made.items()}
    return {view: normalise(pixels, spec) for view, pixels in made.items()}


def check_image(image: np.ndarray | DecodedPhoto) -> None:
    """Refuse what is not a (H, W, 3) uint8 image of at least ``MIN_SIDE_PX`` on each side."""
    photo = _photo(image)
    if min(photo.height, photo.width) < MIN_SIDE_PX:
        raise Refusal(
            f"the photo is {photo.width}x{photo.height} px; the model needs at least {MIN_SIDE_PX} px on each side"
        )


def _photo(image: np.ndarray | DecodedPhoto) -> DecodedPhoto:
    if isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3:
        return DecodedPhoto(image)
    if not isinstance(image, DecodedPhoto):
        came = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise Refusal(f"expected an image as uint8 (height, width, 3), got {came}")
    return image
