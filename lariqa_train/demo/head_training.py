"""Train everything after the backbones' pooling on kept features: conv_head, classifier, KAN reducers, KAN regressor.

What a step costs does not depend on the pictures' size: a thousand steps take a minute or two on two cores. The
features are standardised for that; :func:`fold_standardisation` folds that into ``conv_head`` afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from lariqa_train.model.model import LarIqa
from lariqa_train.training.losses import accuracy_loss, ranking_loss

LOGITS_STD = 0.7  # spread of the logits over the KAN's support (-1..1) at the start


@dataclass(frozen=True)
class FeatureNoise:
    """What is done to the kept features in every step: few contents must serve for many."""

    white: float  # in deviations, on each feature
    content: float = 0.0  # at most so much of the difference between two contents' means: another photo, as damaged
    blank: Mapping[str, float] = field(default_factory=dict)  # view -> share of the pictures of which it sees nothing


def train_heads(
    model: LarIqa,
    features: dict[str, torch.Tensor],
    targets: torch.Tensor,
    contents: np.ndarray,
    *,
    steps: int,
    batch: int,
    lr: float,
    noise: FeatureNoise,
    rank_weight: float,
    seed: int,
    progress: Callable[[int], None] = lambda step: None,
) -> None:
    """Train the heads, from a start of their own.

    Args:
        model: both branches; its backbones are left alone up to the pooling.
        features: view -> (N, 960), standardised.
        targets: (N,) scores.
        contents: (N,) names.
        steps, batch, lr: of AdamW with one cycle.
        noise: on the features.
        rank_weight: of the ranking loss beside L_acc.
        seed: of the batches and the noise.
        progress: called with the number of each step.
    """
    branches = {view: getattr(model, view) for view in features}
    for view, branch in branches.items():
        _start(branch.backbone, features[view])
    parameters = [p for branch in branches.values() for p in branch.reducer.parameters()]
    parameters += list(model.regressor.parameters())
    for branch in branches.values():
        parameters += [*branch.backbone.conv_head.parameters(), *branch.backbone.get_classifier().parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=lr, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps)
    random = torch.Generator().manual_seed(seed)
    means = {view: _means_of_contents(kept, contents) for view, kept in features.items()}
    for step in range(steps):
        progress(step)
        chosen = torch.randint(len(targets), (batch,), generator=random)
        scores = score_features(model, _noisy({v: kept[chosen] for v, kept in features.items()}, means, noise, random))
        loss = 4 * accuracy_loss(scores, targets[chosen], 1.0, 0.25)
        loss = loss + rank_weight * ranking_loss(scores, targets[chosen])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimiser.step()
        schedule.step()
    model.eval()


def _noisy(
    features: dict[str, torch.Tensor], means: dict[str, torch.Tensor], noise: FeatureNoise, random: torch.Generator
) -> dict[str, torch.Tensor]:
    """The features (batch, 960) of each view, with noise; both views of a picture move to the same other content."""
    noisy = {v: kept + noise.white * torch.randn(kept.shape, generator=random) for v, kept in features.items()}
    batch = len(next(iter(noisy.values())))
    if noise.content:
        known = len(next(iter(means.values())))
        there, here = torch.randint(known, (2, batch), generator=random)
        far = noise.content * torch.rand(batch, 1, generator=random)
        noisy = {view: kept + far * (means[view][there] - means[view][here]) for view, kept in noisy.items()}
    for view, share in ((view, share) for view, share in noise.blank.items() if share):
        noisy[view] = noisy[view] * (torch.rand(batch, 1, generator=random) >= share)
    return noisy


def _means_of_contents(features: torch.Tensor, contents: np.ndarray) -> torch.Tensor:
    """(N, 960) and N names -> (contents, 960)."""
    numbers = torch.from_numpy(np.unique(contents, return_inverse=True)[1])
    sums = torch.zeros(int(numbers.max()) + 1, features.shape[1]).index_add_(0, numbers, features)
    return sums / numbers.bincount()[:, None]


def score_features(model: LarIqa, features: dict[str, torch.Tensor]) -> torch.Tensor:
    """View -> (N, 960) pooled features: the model's scores, (N,)."""
    reduced = [
        getattr(model, view).reducer(_logits(getattr(model, view).backbone, features[view])) for view in features
    ]
    return model.regressor(torch.cat(reduced, 1)).flatten()


@torch.inference_mode()
def scores_of_features(model: LarIqa, features: dict[str, torch.Tensor]) -> np.ndarray:
    """The same for many, in parts, without gradients."""
    parts = zip(*(kept.split(256) for kept in features.values()), strict=True)
    return torch.cat([score_features(model, dict(zip(features, part, strict=True))) for part in parts]).numpy()


@torch.no_grad()
def fold_standardisation(backbone: nn.Module, mean: torch.Tensor, deviation: torch.Tensor) -> None:
    """Fold the standardisation of the pooled features into the convolution that takes them."""
    convolution = backbone.conv_head
    convolution.weight.div_(deviation.view(1, -1, 1, 1))
    convolution.bias.sub_(convolution.weight[:, :, 0, 0] @ mean)


def _logits(backbone: nn.Module, pooled: torch.Tensor) -> torch.Tensor:
    """(N, 960) -> (N, 1000): the rest of the backbone, which needs the pooled features only."""
    return backbone.forward_head(pooled[:, :, None, None])


@torch.no_grad()
def _start(backbone: nn.Module, features: torch.Tensor) -> None:
    convolution, classifier = backbone.conv_head, backbone.get_classifier()
    nn.init.kaiming_normal_(convolution.weight)
    convolution.weight.mul_(0.7)
    convolution.bias.zero_()
    classifier.reset_parameters()
    logits = _logits(backbone, features[:512])
    factor = LOGITS_STD / logits.std(0).clamp_min(1e-6)
    classifier.weight.mul_(factor[:, None])
    classifier.bias.copy_((classifier.bias - logits.mean(0)) * factor)
