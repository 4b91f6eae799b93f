"""Train a backbone on small crops of distorted pictures, before any head: it learns to see what was done to them.

Every stage has a helper of its own that is thrown away afterwards: it guesses the score and the kind of distortion from
the means and deviations of the stage's maps, so that the first layers, which see distortions first, get gradients at
once. Batch norm counts batches here, so the batches are large and the crops small. A batch holds several versions of
each crop: what distinguishes them is the distortion alone, not what the picture shows.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa_train.datasets.generated import Content, rendering
from lariqa_train.demo.cached_features import bfloat16_pays, planes
from lariqa_train.demo.depthwise_gradients import float32_depthwise_gradients
from lariqa_train.model.hooks import watching
from lariqa_train.training.losses import accuracy_loss, ranking_loss
from lariqa_train.training.task import warmup_cosine

LAST_WEIGHT, HELPER_WEIGHT, KIND_WEIGHT = 3.0, 0.5, 0.3  # of the losses: last stage, other stages, kind beside score
WARMUP = 0.05  # share of the steps
WEIGHT_DECAY = 1e-2
DROPOUT = 0.1
BLOCK_PX, ALIGNED = 8, 0.8  # share of the crops that lie on JPEG's blocks, as crops of most photos' centres do


@dataclass(frozen=True)
class Shown:
    """What a branch is shown in training: all versions of all contents, as its view has them."""

    pixels: np.ndarray  # (N, side, side, 3) uint8, in a file
    targets: np.ndarray  # (N,) float32
    kinds: np.ndarray  # (N,) int64, numbers of the distortions
    contents: np.ndarray  # (N,) int64, numbers of the contents

    @classmethod
    def rendered(cls, wanted: Sequence[Content], side_px: int, versions: int, path: Path) -> Shown:
        """Pictures of contents; the pixels go to a file, which several processes can map.

        Raises:
            Refusal: no room for it on the disk (a full disk under a mapped file kills the process without a message).
        """
        made = (versions + 1) * len(wanted)
        needed, free = made * side_px**2 * 3, shutil.disk_usage(path.parent).free
        if needed > free:
            raise Refusal(
                f"{made} pictures need {needed / 2**30:.1f} GiB in {path.parent}, which has {free / 2**30:.1f}; "
                "set TMPDIR to a larger disk, or a smaller branch_parts or branch_picture_px"
            )
        pixels = np.lib.format.open_memmap(path, "w+", np.uint8, (made, side_px, side_px, 3))
        targets, kinds, shows = [], [], []
        for number, picture in enumerate(rendering(wanted, side_px, versions)):
            pixels[number] = picture.pixels
            targets.append(picture.score)
            kinds.append(picture.distortion)
            shows.append(picture.content)
        pixels.flush()
        numbers = (np.unique(np.array(column), return_inverse=True)[1] for column in (kinds, shows))
        return cls(np.load(path, mmap_mode="r"), np.array(targets, np.float32), *numbers)


@dataclass(frozen=True)
class BranchSteps:
    """How a branch is trained: AdamW with a warm-up and a cosine."""

    steps: int
    batch: int  # crops
    versions: int  # of each crop, among them
    crop_px: int
    lr: float
    rank_weight: float
    seed: int
    share: int = 0  # of several processes' crops, which are these


def train_branch(
    backbone: nn.Module,
    shown: Shown,
    spec: PreprocessSpec,
    how: BranchSteps,
    over: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda step: None,
    average: Callable[[Sequence[torch.Tensor]], None] = lambda parameters: None,
) -> None:
    """Train all layers up to the pooling; batch-norm statistics are those of small crops afterwards.

    Args:
        backbone: a timm MobileNetV3.
        shown: distorted and undistorted pictures.
        spec: its mean and std.
        how: how.
        over: asked before each step: whether to stop.
        progress: called with the number of each step.
        average: called with the parameters once their gradients are there.
    """
    random = np.random.default_rng([how.seed, how.share])
    targets, kinds = torch.from_numpy(shown.targets), torch.from_numpy(shown.kinds)
    versions_of = [np.flatnonzero(shown.contents == number) for number in range(shown.contents.max() + 1)]
    last = len(backbone.blocks) - 1
    with _kept_maps(backbone) as maps:
        with torch.no_grad():  # for the stages' widths
            backbone.eval().forward_features(planes(shown.pixels[:1, : how.crop_px, : how.crop_px], spec))
        trained = [p for name, p in backbone.named_parameters() if not name.startswith(("conv_head", "classifier"))]
        helpers = nn.ModuleList(_helper(maps[n].shape[1], n == last, int(kinds.max()) + 1) for n in range(last + 1))
        everything = [*trained, *helpers.parameters()]
        groups = [
            {"params": [p for p in everything if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
            {"params": [p for p in everything if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=how.lr, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: warmup_cosine(step, how.steps, max(1, round(WARMUP * how.steps)))
        )
        backbone.train()
        for step in range(how.steps):
            if over():
                break
            progress(step)
            chosen, crops = _draw(shown.pixels, versions_of, how, random)
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16_pays()):
                backbone.forward_features(planes(crops, spec))
            loss = 0
            for number, helper in enumerate(helpers):
                guessed = helper(_moments(maps[number].float(), number == last))
                mine = accuracy_loss(guessed[:, 0], targets[chosen], 2.0, 0.5)
                mine = mine + KIND_WEIGHT * functional.cross_entropy(guessed[:, 1:], kinds[chosen])
                if number == last:
                    mine = mine + how.rank_weight * ranking_loss(guessed[:, 0], targets[chosen])
                loss = loss + (LAST_WEIGHT if number == last else HELPER_WEIGHT) * mine
            optimiser.zero_grad()
            loss.backward()
            average(everything)
            nn.utils.clip_grad_norm_(everything, 5.0)
            optimiser.step()
            schedule.step()
    backbone.eval()


@contextmanager
def _kept_maps(backbone: nn.Module) -> Iterator[dict[int, torch.Tensor]]:
    """Stage -> what it made in the latest pass; depthwise gradients by way of float32 where bfloat16 is used."""
    maps: dict[int, torch.Tensor] = {}

    def keep(number: str, block: nn.Module, made: torch.Tensor) -> None:
        maps[int(number)] = made

    blocks = dict(backbone.blocks.named_children())
    with watching(blocks, after=keep), float32_depthwise_gradients(backbone):
        yield maps


def _helper(channels: int, last: bool, kinds: int) -> nn.Module:
    seen, wide = (channels, 256) if last else (2 * channels, 64)
    dropout = nn.Dropout(DROPOUT if last else 0)
    return nn.Sequential(
        nn.BatchNorm1d(seen), nn.Linear(seen, wide), nn.Hardswish(), dropout, nn.Linear(wide, 1 + kinds)
    )


def _moments(maps: torch.Tensor, last: bool) -> torch.Tensor:
    """(B, C, h, w) -> means and log-variances; at the end the means only, which are all that the model keeps."""
    means = maps.mean((2, 3))
    return means if last else torch.cat([means, (maps.var((2, 3)) + 1e-4).log()], 1)


def _draw(
    pixels: np.ndarray, versions_of: list[np.ndarray], how: BranchSteps, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and their crops: the same part of several versions of each content, mirrored alike."""
    side = min(how.crop_px, pixels.shape[1])
    rows, crops = [], []
    wanted = -(-how.batch // how.versions)
    for content in random.choice(len(versions_of), wanted, replace=wanted > len(versions_of)):
        own = versions_of[content]
        chosen = random.choice(own, min(how.versions, len(own)), replace=False)
        top, left = random.integers(pixels.shape[1] - side + 1, size=2)
        if random.random() < ALIGNED:
            top, left = top - top % BLOCK_PX, left - left % BLOCK_PX
        part = pixels[chosen, top : top + side, left : left + side]
        part = part[:, :, ::-1] if random.random() < 0.5 else part
        crops.append(part)
        rows.append(chosen)
    return np.concatenate(rows), np.concatenate(crops)
