"""What happens to a photo before the model: two views of one image. The only place that knows 384, 1280, mean and std.

    image (H, W, 3) uint8 RGB
      |- authentic: the whole photo, resized to side x side, antialiased bilinear as Pillow does it  (1, 3, side, side)
      '- synthetic: native pixels, whole ("full") or the centre crop ("crop", padded with black)      (1, 3, h, w)
    both: pixel / 255, minus mean, over std, per channel

Source: paper Sections 3.2 and 4.1. The crop is torchvision's ``CenterCrop``, the resize is ``PIL.Image.resize`` with
``BILINEAR`` (what torchvision's ``Resize`` does to a PIL image), the width first: both bit for bit, tests hold it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

import numpy as np
import torch
from PIL import Image

from lariqa_train.refusal import Refusal

SyntheticView = Literal["crop", "full"]
VIEWS = ("authentic", "synthetic")
MIN_SIDE_PX = 32  # the backbones halve the picture five times: below this nothing of the photo is left to judge


@dataclass(frozen=True)
class PreprocessSpec:
    """How pixels become the model's two inputs. Travels with the weights and, as JSON, to the phones."""

    authentic_side_px: int = 384  # Section 4.1: 384x384 for UHD-IQA (224 in branch pre-training)
    synthetic_view: SyntheticView = "crop"  # the authors' released weights; "full" is the paper's <= 37 GMACs
    synthetic_crop_px: int = 1280  # Section 4.1: 1280x1280 centre crop for UHD-IQA
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)  # ImageNet, RGB order, of pixels in 0..1
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", tuple(float(value) for value in self.mean))
        object.__setattr__(self, "std", tuple(float(value) for value in self.std))
        if self.synthetic_view not in get_args(SyntheticView):
            raise Refusal(f"synthetic_view is {self.synthetic_view!r}; it must be one of {get_args(SyntheticView)}")
        for name in ("authentic_side_px", "synthetic_crop_px"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < MIN_SIDE_PX:
                raise Refusal(f"{name} is {getattr(self, name)!r}; it must be a whole number >= {MIN_SIDE_PX}")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise Refusal(f"mean {self.mean} and std {self.std} must have three values each, std above zero")

    def to_json(self) -> dict[str, Any]:
        """The spec as plain JSON values, with the words that a reader in another language needs."""
        return {
            **asdict(self),
            "mean": list(self.mean),
            "std": list(self.std),
            "resize": "pillow-bilinear-antialias-width-first",
            "crop": "torchvision-center-crop",
            "crop_fill_rgb": [0, 0, 0],
            "channel_order": "RGB",
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> PreprocessSpec:
        """The inverse of :meth:`to_json`; keys that are words for other readers are checked, not guessed.

        Raises:
            Refusal: a key is missing, or says something that this code does not do.
        """
        names = {field.name for field in fields(cls)}
        try:
            spec = cls(**{name: data[name] for name in names})
        except KeyError as missing:
            raise Refusal(f"the preprocessing spec has no {missing}; it has {sorted(data)}") from missing
        promised = spec.to_json()
        odd = {key: value for key, value in data.items() if promised.get(key) != value}
        if odd:
            raise Refusal(f"the preprocessing spec says {odd}, which this version does not do; upgrade the toolkit")
        return spec

    def with_view(self, synthetic_view: SyntheticView | None) -> PreprocessSpec:
        """The same spec with another synthetic view; itself for None."""
        return replace(self, synthetic_view=synthetic_view) if synthetic_view else self

    def view_size_px(self, view: str, height: int, width: int) -> tuple[int, int]:
        """(height, width) of one view of a photo of that size."""
        if view == "authentic":
            return self.authentic_side_px, self.authentic_side_px
        return (self.synthetic_crop_px,) * 2 if self.synthetic_view == "crop" else (height, width)


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


def authentic_pixels(image: np.ndarray, spec: PreprocessSpec) -> np.ndarray:
    """The authentic view as pixels: (H, W, 3) uint8 -> (side, side, 3) uint8, first the width, then the height.

    One pass at a time, because since version 13 Pillow itself starts with the height where that is cheaper (its pull
    request 9549), which moves some bytes by one level. Up to version 12, so for the authors, the width came first.
    """
    side, bilinear = spec.authentic_side_px, Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(image).resize((side, image.shape[0]), bilinear).resize((side, side), bilinear))


def synthetic_pixels(image: np.ndarray, spec: PreprocessSpec) -> np.ndarray:
    """The synthetic view as pixels: (H, W, 3) uint8 -> (h, w, 3) uint8, unchanged or the centre crop."""
    if spec.synthetic_view == "full":
        return image
    plan = plan_center_crop(image.shape[0], image.shape[1], spec.synthetic_crop_px)
    cut = image[plan.top : plan.top + plan.height, plan.left : plan.left + plan.width]
    return np.pad(cut, ((plan.pad_top, plan.pad_bottom), (plan.pad_left, plan.pad_right), (0, 0))) if plan.pads else cut


def normalise(pixels: np.ndarray, spec: PreprocessSpec) -> torch.Tensor:
    """(h, w, 3) uint8 -> (1, 3, h, w) float32: pixel / 255, minus mean, over std."""
    return normalise_planes(torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None], spec)  # Pillow's are read-only


def normalise_planes(planes: torch.Tensor, spec: PreprocessSpec) -> torch.Tensor:
    """(B, 3, h, w) levels 0..255 of any type, on any device -> float32: over 255, minus mean, over std."""
    mean, std = (_channels(values).to(planes.device) for values in (spec.mean, spec.std))
    return (planes / 255 - mean) / std


def prepare(image: np.ndarray, spec: PreprocessSpec, views: Iterable[str] = VIEWS) -> dict[str, torch.Tensor]:
    """The model's inputs for one photo.

    Args:
        image: (H, W, 3) uint8 RGB, as :func:`lariqa_train.photo.open_photo` gives it.
        spec: what the weights were trained with.
        views: which views to make; a single-branch model needs one.

    Returns:
        view name -> (1, 3, h, w) float32.

    Raises:
        Refusal: not a uint8 RGB image, or a side below ``MIN_SIDE_PX``.
    """
    check_image(image)
    cut = {"authentic": authentic_pixels, "synthetic": synthetic_pixels}
    return {view: normalise(cut[view](image, spec), spec) for view in views}


def check_image(image: np.ndarray) -> None:
    """Refuse what is not a (H, W, 3) uint8 image of at least ``MIN_SIDE_PX`` on each side."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        came = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise Refusal(f"expected an image as uint8 (height, width, 3), got {came}")
    if min(image.shape[:2]) < MIN_SIDE_PX:
        height, width = image.shape[:2]
        raise Refusal(f"the photo is {width}x{height} px; the model needs at least {MIN_SIDE_PX} px on each side")


def _channels(values: Sequence[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1)
