"""Train a backbone on small crops of distorted pictures, before any head of the model is: to see what was done to them.

Every stage has a helper of its own that is thrown away afterwards: it guesses the score and the kind of distortion from
the means and deviations of the stage's maps, so that the first layers, which see distortions first, get gradients at
once. Batch norm counts batches here, so the batches are large and the crops small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lariqa_train.datasets.generated import Picture
from lariqa_train.kept_features import bfloat16_pays, planes
from lariqa_train.losses import accuracy_loss
from lariqa_train.preprocess import PreprocessSpec
from lariqa_train.task import warmup_cosine

LAST_WEIGHT, HELPER_WEIGHT, KIND_WEIGHT = 3.0, 0.5, 0.3  # of the losses: last stage, other stages, kind beside score
WARMUP = 0.1  # share of the steps


def train_branch(
    backbone: nn.Module,
    pictures: Sequence[Picture],
    spec: PreprocessSpec,
    *,
    steps: int,
    batch: int,
    crop_px: int,
    lr: float,
    seed: int,
    over: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda step: None,
) -> None:
    """Train all layers up to the pooling; batch-norm statistics are those of small crops afterwards.

    Args:
        backbone: a timm MobileNetV3.
        pictures: distorted and undistorted.
        spec: its mean and std.
        steps, batch, lr: of AdamW with warm-up and cosine.
        crop_px: side of the random crops, mirrored at random.
        seed: of the crops.
        over: asked before each step: whether to stop.
        progress: called with the number of each step.
    """
    random = np.random.default_rng(seed)
    kinds = sorted({picture.distortion for picture in pictures})
    kind = torch.tensor([kinds.index(picture.distortion) for picture in pictures])
    opinions = torch.tensor([picture.score for picture in pictures], dtype=torch.float32)
    maps: dict[int, torch.Tensor] = {}
    hooks = [
        block.register_forward_hook(lambda module, given, made, number=number: maps.__setitem__(number, made))
        for number, block in enumerate(backbone.blocks)
    ]
    last = len(backbone.blocks) - 1
    with torch.no_grad():  # for the stages' widths
        backbone.eval().forward_features(planes(pictures[0].pixels[None, :crop_px, :crop_px], spec))
    trained = [p for name, p in backbone.named_parameters() if not name.startswith(("conv_head", "classifier"))]
    helpers = nn.ModuleList(_helper(maps[n].shape[1], n == last, len(kinds)) for n in range(last + 1))
    optimiser = torch.optim.AdamW([*trained, *helpers.parameters()], lr=lr, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: warmup_cosine(step, steps, max(1, round(WARMUP * steps)))
    )
    backbone.train()
    for step in range(steps):
        if over():
            break
        progress(step)
        chosen = random.integers(len(pictures), size=batch)
        crops = np.stack([_random_crop(pictures[i].pixels, crop_px, random) for i in chosen])
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16_pays()):
            backbone.forward_features(planes(crops, spec))
        loss = 0
        for number, helper in enumerate(helpers):
            guessed = helper(_moments(maps[number].float(), number == last))
            mine = accuracy_loss(guessed[:, 0], opinions[chosen], 2.0, 0.5)
            mine = mine + KIND_WEIGHT * functional.cross_entropy(guessed[:, 1:], kind[chosen])
            loss = loss + (LAST_WEIGHT if number == last else HELPER_WEIGHT) * mine
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 5.0)
        optimiser.step()
        schedule.step()
    for hook in hooks:
        hook.remove()
    backbone.eval()


def _helper(channels: int, last: bool, kinds: int) -> nn.Module:
    seen, wide = (channels, 256) if last else (2 * channels, 64)
    return nn.Sequential(nn.BatchNorm1d(seen), nn.Linear(seen, wide), nn.Hardswish(), nn.Linear(wide, 1 + kinds))


def _moments(maps: torch.Tensor, last: bool) -> torch.Tensor:
    """(B, C, h, w) -> means and log-variances; at the end the means only, which are all that the model keeps."""
    means = maps.mean((2, 3))
    return means if last else torch.cat([means, (maps.var((2, 3)) + 1e-4).log()], 1)


def _random_crop(pixels: np.ndarray, side: int, random: np.random.Generator) -> np.ndarray:
    top, left = random.integers(pixels.shape[0] - side + 1), random.integers(pixels.shape[1] - side + 1)
    crop = pixels[top : top + side, left : left + side]
    return crop[:, ::-1] if random.random() < 0.5 else crop
