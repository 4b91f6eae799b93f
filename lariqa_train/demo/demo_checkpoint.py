"""A seeded, calibrated stand-in for trained weights: NOT TRAINED, and labelled so everywhere.

Random weights alone prove nothing: their features collapse, three different photos get the same score, and an exporter
that ignored its input would pass. So every statistic that training would have set is set from real image content:

    batch norm     running mean and variance from views of the bundled photo and of damaged versions of it
    logits         mean 0, standard deviation 1 over the same views: spread over the spline support
    reducers       outputs with standard deviation 0.4, by scaling their weights: inside the core of the next grid
    score          mean 0.5, standard deviation 0.15, by scaling and shifting the last KAN

Afterwards scores differ clearly between a photo and its blurred, noisy and recompressed versions; which of them is
higher means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from lariqa.manifest.model_config import LarIqaConfig, Provenance
from lariqa_train.model.kan import KanLinear
from lariqa_train.model.model import LarIqa
from lariqa_train.model.normalise import prepare
from lariqa_train.pictures.damage import bundled_photo, versions

REDUCED_STD = 0.4
LEAST_VARIANCE = 1e-2  # of the layer's mean: a channel inactive on these pictures must not explode on others
SCORE_MEAN, SCORE_STD = 0.5, 0.15
CALIBRATION_CROP_PX = 512  # enough for the statistics, at a fraction of the time


def make_demo_checkpoint(
    config: LarIqaConfig | None = None, seed: int = 1, pictures: Iterable[np.ndarray] | None = None
) -> LarIqa:
    """Build, seed and calibrate a model.

    Args:
        config: of the model; the paper's by default.
        seed: the same seed gives the same weights on the same version of torch.
        pictures: (H, W, 3) uint8 images of one size to calibrate on, instead of parts of the bundled photo.
    """
    generator_state = torch.get_rng_state()
    torch.manual_seed(seed)
    try:
        model = LarIqa(
            config, Provenance(trained=False, made_by=f"lariqa demo --seed {seed}: calibrated random weights")
        )
    finally:
        torch.set_rng_state(generator_state)
    views = calibration_views(model.config, seed, pictures)
    with torch.no_grad():
        for view in model.config.branches:
            branch = getattr(model, view)
            set_batch_norm_statistics(branch.backbone, views[view])
            standardise_features(branch.backbone, views[view])
        if model.regressor is not None:
            _calibrate_heads(model.eval(), views)
    return model.eval()


def calibration_pictures(seed: int) -> list[np.ndarray]:
    """Parts of the bundled photo at its native pixels, as they are and damaged."""
    photo, random = bundled_photo(), np.random.default_rng(seed)
    height, width = photo.shape[0] // 2, photo.shape[1] // 2
    pictures = []
    for severity in (0.25, 0.5, 1.0):
        top, left = random.integers(0, photo.shape[0] - height), random.integers(0, photo.shape[1] - width)
        pictures += versions(photo[top : top + height, left : left + width], severity).values()
    return pictures


def calibration_views(
    config: LarIqaConfig, seed: int, pictures: Iterable[np.ndarray] | None
) -> dict[str, torch.Tensor]:
    """View name -> (N, 3, h, w) of all pictures; of the bundled ones the synthetic view is a small crop."""
    spec = config.preprocess
    if pictures is None:
        pictures = calibration_pictures(seed)
        crop = min(spec.synthetic_crop_px, CALIBRATION_CROP_PX)
        spec = replace(spec, synthetic_view="crop", synthetic_crop_px=crop)
    prepared = [prepare(picture, spec, config.branches) for picture in pictures]
    return {view: torch.cat([views[view] for views in prepared]) for view in config.branches}


def set_batch_norm_statistics(backbone: nn.Module, images: torch.Tensor) -> None:
    """Running mean and variance of every batch norm := those of ``images``."""
    norms = [module for module in backbone.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0  # the last batch counts alone
    backbone.train()(images)
    backbone.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.running_var.clamp_min_(LEAST_VARIANCE * norm.running_var.mean())


def standardise_features(backbone: nn.Module, images: torch.Tensor) -> None:
    """Scale and shift the classifier so that each feature has mean 0 and standard deviation 1 over ``images``."""
    classifier = backbone.get_classifier()
    features = backbone(images)
    scale = 1 / features.std(0).clamp_min(1e-6)
    classifier.weight.mul_(scale[:, None])
    classifier.bias.copy_((classifier.bias - features.mean(0)) * scale)


def _calibrate_heads(model: LarIqa, views: dict[str, torch.Tensor]) -> None:
    for view in model.config.branches:
        branch = getattr(model, view)
        _scale_last(branch.reducer, REDUCED_STD / branch(views[view]).std())
    _scale_last(model.regressor, SCORE_STD / model(**views).std())
    last = _last_layer(model.regressor)
    if isinstance(last, nn.Linear):
        last.bias.add_(SCORE_MEAN - model(**views).mean())
        return
    # A KAN layer has no bias. Its splines sum to one inside the grid: raising all coefficients alike raises the score.
    before = model(**views).mean()
    last.spline_weight.add_(1 / last.spline_scaler[..., None])
    gain = model(**views).mean() - before
    last.spline_weight.add_(((SCORE_MEAN - before) / gain - 1) / last.spline_scaler[..., None])


def _scale_last(head: nn.Module, factor: torch.Tensor) -> None:
    last = _last_layer(head)
    weights = (last.base_weight, last.spline_weight) if isinstance(last, KanLinear) else (last.weight, last.bias)
    for weight in weights:
        weight.mul_(factor)


def _last_layer(head: nn.Module) -> nn.Module:
    return [module for module in head.modules() if isinstance(module, KanLinear | nn.Linear)][-1]
