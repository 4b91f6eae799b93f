"""The regression heads: branch features -> score. KAN, and the MLPs that the paper compares it with.

    reducer  (one per branch): 1000 -> width          regressor (one): width * branches -> 1

    kan         Kan[1000, width]                      Kan[width * branches, 1]
    mlp         ReLU, [Linear hidden, ReLU,] Linear width, ReLU      Linear 1

The paper's heads (Sections 3.3, 4.2 and 4.5) are rows of :data:`PAPER_HEADS`.
"""

from __future__ import annotations

from torch import nn

from lariqa.manifest.model_config import HeadConfig
from lariqa_train.model.kan import Kan

PAPER_HEADS = {
    "kan": HeadConfig("kan", 512),  # Section 4.5, the final model: 1000 -> 512 per branch
    "kan-small": HeadConfig("kan", 128),  # Sections 3.3 and 4.5, first step: 1000 -> 128 per branch
    "mlp": HeadConfig("mlp", 128),  # Section 3.3: the same architecture, 0.26 MFLOPs
    "mlp-matched": HeadConfig("mlp", 128, hidden=1125),  # Section 3.3: the same FLOPs as KAN, 2.60 M
    "mlp-authors": HeadConfig("mlp", 512, hidden=3100, relu_features=True),  # the authors' two-branch MLP weights
}


def make_reducer(config: HeadConfig, features: int) -> nn.Module:
    """(B, features) -> (B, config.width), for one branch."""
    if config.kind == "kan":
        return Kan([features, config.width], **_spline(config))
    layers: list[nn.Module] = [nn.ReLU()] if config.relu_features else []
    for wide in filter(None, (config.hidden, config.width)):
        layers += [nn.Linear(features, wide), nn.ReLU()]
        features = wide
    return nn.Sequential(*layers)


def make_regressor(config: HeadConfig, branches: int) -> nn.Module:
    """(B, config.width * branches) -> (B, 1), for the branches together."""
    if config.kind == "kan":
        return Kan([config.width * branches, 1], **_spline(config))
    return nn.Linear(config.width * branches, 1)


def _spline(config: HeadConfig) -> dict:
    return {"grid_size": config.grid_size, "spline_order": config.spline_order, "grid_range": config.grid_range}
