"""How pixels become the model's two views, as data: it travels with the weights and, as JSON, to the phones.

The only place that knows 384, 1280, mean and std. Source: paper Sections 3.2 and 4.1.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from lariqa.errors import Refusal

InputKind = Literal["views", "pixels", "tensors"]  # the two views as pixels; the decoded photo; the normalised views
SyntheticView = Literal["crop", "full"]
VIEWS = ("authentic", "synthetic")
MIN_SIDE_PX = 32  # the backbones halve the picture five times: below this too little of the photo is left to judge


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
        unknown = {key: value for key, value in data.items() if promised.get(key) != value}
        if unknown:
            raise Refusal(f"the preprocessing spec says {unknown}, which this version does not do; upgrade the toolkit")
        return spec

    def with_view(self, synthetic_view: SyntheticView | None) -> PreprocessSpec:
        """The same spec with another synthetic view; itself for None."""
        return replace(self, synthetic_view=synthetic_view) if synthetic_view else self

    def view_size_px(self, view: str, height: int, width: int) -> tuple[int, int]:
        """(height, width) of one view of a photo of that size."""
        if view == "authentic":
            return self.authentic_side_px, self.authentic_side_px
        return (self.synthetic_crop_px,) * 2 if self.synthetic_view == "crop" else (height, width)
