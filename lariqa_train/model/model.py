"""What the model is: two mobile backbones that look at two views of one photo, joined by Kolmogorov-Arnold heads.

    authentic (1, 3, 384, 384) -> backbone -> 1000 -> reducer -> 512 --.
                                                                       concat 1024 -> regressor -> score (1, 1)
    synthetic (1, 3, h, w)     -> backbone -> 1000 -> reducer -> 512 --'

Source: paper Figure 1, Sections 3 and 4.5. MobileNetV3-Large twice with KAN heads: 21,216,304 parameters.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import timm
import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import nn

from lariqa.errors import Refusal, nearest
from lariqa.manifest.model_config import LarIqaConfig, Provenance, read_description
from lariqa.manifest.preprocess_spec import VIEWS, PreprocessSpec
from lariqa_train.model.heads import make_reducer, make_regressor

BACKBONES = {  # Section 3.4: name in the paper -> name in timm
    "MobileNetV3-Large": "mobilenetv3_large_100",
    "MobileNetV2": "mobilenetv2_100",
    "MobileViT-S": "mobilevit_s",
    "MobileCLIP-S2": "fastvit_mci2",  # its image encoder
}


RANDOM_WEIGHTS = Provenance(trained=False, made_by="random initialisation")


def check_backbone(name: str) -> None:
    """Refuse a backbone that timm does not have."""
    if not timm.is_model(name):
        named = ", ".join(sorted(BACKBONES.values()))
        raise Refusal(f"timm has no backbone {name!r}{nearest(name, timm.list_models())}; the paper's are {named}")


def preprocess_for(backbone: str) -> PreprocessSpec:
    """The paper's preprocessing with the mean and std that this timm backbone was trained with."""
    published = timm.get_pretrained_cfg(backbone, allow_unregistered=False)
    return PreprocessSpec(mean=published.mean, std=published.std)


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

    ``LarIqa.from_pretrained(folder or hub id)`` and ``model.save_pretrained(folder)`` work as usual in that
    ecosystem: ``model.safetensors`` beside ``config.json``, which also holds the preprocessing and the provenance.
    """

    def __init__(self, config: LarIqaConfig | dict | None = None, provenance: Provenance = RANDOM_WEIGHTS) -> None:
        super().__init__()
        if isinstance(config, dict):
            config, provenance = read_description(config)
        self.config = config or LarIqaConfig()
        check_backbone(self.config.backbone)
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
