"""What the model is: two mobile backbones that look at two views of one photo, joined by Kolmogorov-Arnold heads.

    authentic (1, 3, 384, 384) -> backbone -> 1000 -> reducer -> 512 --.
                                                                       concat 1024 -> regressor -> score (1, 1)
    synthetic (1, 3, h, w)     -> backbone -> 1000 -> reducer -> 512 --'

Source: paper Figure 1, Sections 3 and 4.5. MobileNetV3-Large twice with KAN heads: 21,216,304 parameters.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import timm
import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import nn

from lariqa_train.heads import PAPER_HEADS, HeadConfig, make_reducer, make_regressor
from lariqa_train.preprocess import VIEWS, PreprocessSpec
from lariqa_train.refusal import Refusal

BACKBONES = {  # Section 3.4: name in the paper -> name in timm
    "MobileNetV3-Large": "mobilenetv3_large_100",
    "MobileNetV2": "mobilenetv2_100",
    "MobileViT-S": "mobilevit_s",
    "MobileCLIP-S2": "fastvit_mci2",  # its image encoder
}


@dataclass(frozen=True)
class LarIqaConfig:
    """Everything needed to build the model; saved with the weights."""

    backbone: str = BACKBONES["MobileNetV3-Large"]  # a timm name
    branches: tuple[str, ...] = VIEWS  # both, or one of them for a single-branch model
    features: int = 1000  # the backbone's ImageNet logits are the branch features (Section 3.3)
    head: HeadConfig | None = field(default_factory=lambda: PAPER_HEADS["kan"])  # None: a bare encoder, no score
    preprocess: PreprocessSpec = field(default_factory=PreprocessSpec)

    def __post_init__(self) -> None:
        object.__setattr__(self, "branches", tuple(self.branches))
        if self.branches not in (VIEWS, VIEWS[:1], VIEWS[1:]):
            raise Refusal(f"branches are {self.branches}; expected {VIEWS}, {VIEWS[:1]} or {VIEWS[1:]}")
        if not timm.is_model(self.backbone):
            raise Refusal(f"timm has no backbone {self.backbone!r}; the paper's are {sorted(BACKBONES.values())}")

    def to_json(self) -> dict[str, Any]:
        """The configuration as plain JSON values."""
        return {
            **asdict(self),
            "branches": list(self.branches),
            "preprocess": self.preprocess.to_json(),
            "head": asdict(self.head) | {"grid_range": list(self.head.grid_range)} if self.head else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LarIqaConfig:
        """The inverse of :meth:`to_json`.

        Raises:
            Refusal: a key is unknown or missing, or a value is not possible.
        """
        try:
            head = HeadConfig(**data["head"]) if data["head"] else None
            return cls(**{**data, "head": head, "preprocess": PreprocessSpec.from_json(data["preprocess"])})
        except (TypeError, KeyError) as odd:
            raise Refusal(f"the model configuration is not one of this toolkit's: {odd}") from odd


@dataclass(frozen=True)
class Provenance:
    """Where the weights come from. A score without it means nothing, so it travels with them."""

    trained: bool  # whether people's opinions of real photos ever shaped these weights
    made_by: str  # the command or the recipe
    source_sha256: str = ""  # of the file they were imported from, where there is one
    note: str = ""  # what must be said beside a score, where "not trained" would not say it all


RANDOM_WEIGHTS = Provenance(trained=False, made_by="random initialisation")


def preprocess_for(backbone: str) -> PreprocessSpec:
    """The paper's preprocessing with the mean and std that this timm backbone was trained with."""
    published = timm.get_pretrained_cfg(backbone, allow_unregistered=False)
    return PreprocessSpec(mean=published.mean, std=published.std)


def read_description(data: dict[str, Any]) -> tuple[LarIqaConfig, Provenance]:
    """The inverse of :meth:`LarIqa.describe`.

    Raises:
        Refusal: a key is unknown or missing, or a value is not possible.
    """
    try:
        provenance = Provenance(**data["provenance"])
    except (TypeError, KeyError) as odd:
        raise Refusal(f"the model description has no usable provenance: {odd}") from odd
    return LarIqaConfig.from_json({key: data[key] for key in data if key != "provenance"}), provenance


class Branch(nn.Module):
    """One view's encoder and reducer: (B, 3, h, w) -> (B, width)."""

    def __init__(self, config: LarIqaConfig) -> None:
        super().__init__()
        self.backbone = timm.create_model(config.backbone, pretrained=False, num_classes=config.features)
        self.reducer = make_reducer(config.head, config.features) if config.head else nn.Identity()

    def forward(self, view: torch.Tensor) -> torch.Tensor:
        return self.reducer(self.backbone(view))


class LarIqa(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="lariqa",
    license="mit",
    tags=["image-quality-assessment", "no-reference", "kolmogorov-arnold-network"],
):
    """The image-quality model: two views of a photo -> its score (about 0..1, higher is better).

    ``LarIqa.from_pretrained(folder or hub id)`` and ``model.save_pretrained(folder)`` work as everywhere in that
    ecosystem: ``model.safetensors`` beside ``config.json``, which also holds the preprocessing and the provenance.
    """

    def __init__(self, config: LarIqaConfig | dict | None = None, provenance: Provenance = RANDOM_WEIGHTS) -> None:
        super().__init__()
        if isinstance(config, dict):
            config, provenance = read_description(config)
        self.config = config or LarIqaConfig()
        self.provenance = provenance
        for view in VIEWS:
            setattr(self, view, Branch(self.config) if view in self.config.branches else None)
        self.regressor = make_regressor(self.config.head, len(self.config.branches)) if self.config.head else None

    def describe(self) -> dict[str, Any]:
        """Configuration, preprocessing and provenance as plain JSON values; ``LarIqa(description)`` builds it again."""
        return {**self.config.to_json(), "provenance": asdict(self.provenance)}

    def save_pretrained(self, save_directory: str | Path, **options: Any) -> str | None:
        """Write ``model.safetensors``, ``config.json`` and a model card; options as in huggingface_hub."""
        return super().save_pretrained(save_directory, **{"config": self.describe(), **options})

    def forward(self, authentic: torch.Tensor | None = None, synthetic: torch.Tensor | None = None) -> torch.Tensor:
        """Score a batch.

        Args:
            authentic: (B, 3, side, side) normalised, or None where the model has no authentic branch.
            synthetic: (B, 3, h, w) normalised, or None where the model has no synthetic branch.

        Returns:
            (B, 1) scores; (B, features) for a bare encoder.
        """
        reduced = torch.cat([getattr(self, view)(x) for view, x in self._views(authentic, synthetic)], dim=1)
        return self.regressor(reduced) if self.regressor is not None else reduced

    def features(
        self, authentic: torch.Tensor | None = None, synthetic: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        """View name -> (B, 1000) backbone features, what the heads see."""
        return {view: getattr(self, view).backbone(x) for view, x in self._views(authentic, synthetic)}

    def _views(self, authentic: torch.Tensor | None, synthetic: torch.Tensor | None) -> list[tuple[str, torch.Tensor]]:
        given = {"authentic": authentic, "synthetic": synthetic}
        missing = [view for view in self.config.branches if given[view] is None]
        if missing:
            raise ValueError(f"this model's branches are {self.config.branches}; no input came for {missing}")
        return [(view, given[view]) for view in self.config.branches]
