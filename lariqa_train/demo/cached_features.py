"""What frozen backbones see in generated pictures: rendered, seen and dropped, content by content, on every core.

    content -> its pictures at the size of use -> both views -> last feature maps, averaged -> (960,) per view

Only the averages are kept: 8 KB a picture, where the pixels would be 5 MB, so that thousands of pictures at the sizes
at which the model is used fit in memory. Small pictures would be cheaper but different: they are mostly border, where
convolutions see black.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np
import torch
from torch import nn

from lariqa.manifest.preprocess_spec import VIEWS, PreprocessSpec
from lariqa.photos.views import PIXELS_OF
from lariqa_train.datasets.generated import FEW, Content, pictures_of
from lariqa_train.model.model import LarIqa
from lariqa_train.model.normalise import normalise_planes
from lariqa_train.pictures.distortions import score_of


@dataclass(frozen=True)
class Seen:
    """Pictures as the backbones see them, in the order of the contents."""

    features: dict[str, torch.Tensor]  # view -> (N, 960)
    severity: np.ndarray  # (N,)
    distortion: np.ndarray  # (N,) names, "none" for undistorted pictures
    content: np.ndarray  # (N,) names

    @property
    def targets(self) -> torch.Tensor:
        """(N,) what is learnt: 1 for undistorted pictures, down to 0."""
        return torch.from_numpy(score_of(self.severity)).float()


def see(
    model: LarIqa,
    wanted: Sequence[Content],
    side_px: int,
    versions: int,
    spec: PreprocessSpec,
    progress: Callable[[int], None] = lambda contents: None,
    *,
    exact: bool = False,
    processes: int | None = None,
) -> Seen:
    """Render contents and their distortions, and keep what the model's backbones see in them.

    Args:
        model: whose backbones look; on the CPU, in evaluation mode.
        wanted: contents.
        side_px: of the square pictures.
        versions: distorted pictures of each content.
        spec: the sizes of the views; no larger than the pictures.
        progress: called with the number of contents done.
        exact: in float32, as the model scores; else in bfloat16 where the machine has it: half the time, and scores
            shifted by some hundredths.
        processes: how many; by default one per core. The result is the same.
    """
    backbones = {view: getattr(model, view).backbone for view in VIEWS}
    processes = min(processes or (1 if len(wanted) <= FEW else os.cpu_count()) or 1, len(wanted))
    rows = []
    if processes == 1:
        for number, content in enumerate(wanted):
            rows += _see_content(content, side_px, versions, backbones, spec, exact)
            progress(number + 1)
    else:
        state = {view: backbone.state_dict() for view, backbone in backbones.items()}
        with ProcessPoolExecutor(
            processes, get_context("spawn"), _begin, (model.config, state, side_px, versions, spec, exact)
        ) as pool:
            for number, made in enumerate(pool.map(_see_in_worker, wanted)):
                rows += made
                progress(number + 1)
    return Seen(
        {view: torch.from_numpy(np.stack([row[0][view] for row in rows])) for view in VIEWS},
        *(np.array([row[column] for row in rows]) for column in (1, 2, 3)),
    )


def pooled(backbone: nn.Module, views: np.ndarray, spec: PreprocessSpec, exact: bool = False) -> np.ndarray:
    """(N, h, w, 3) uint8 -> (N, 960) float32: the last feature maps, averaged."""
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16_pays() and not exact):
        return backbone.forward_features(planes(views, spec)).float().mean((2, 3)).numpy()


def planes(views: np.ndarray, spec: PreprocessSpec) -> torch.Tensor:
    """(N, h, w, 3) uint8 -> (N, 3, h, w) normalised, channels last in memory, as the CPU likes it."""
    lying = torch.from_numpy(np.array(views)).permute(0, 3, 1, 2)
    return normalise_planes(lying, spec).contiguous(memory_format=torch.channels_last)


def bfloat16_pays() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware; elsewhere it would be slower, and float32 is used."""
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())


def _see_content(
    content: Content, side_px: int, versions: int, backbones: dict, spec: PreprocessSpec, exact: bool
) -> list:
    rows = []
    for picture in pictures_of(content, side_px, versions):
        pixels = {view: PIXELS_OF[view](picture.pixels, spec)[None] for view in VIEWS}
        seen = {view: pooled(backbones[view], pixels[view], spec, exact)[0] for view in VIEWS}
        rows.append((seen, picture.severity, picture.distortion, picture.content))
    return rows


_worker: tuple = ()  # of a process of the pool: what is the same for all contents


def _begin(config, state: dict, *rest) -> None:
    global _worker
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    model = LarIqa(config)
    for view, weights in state.items():
        getattr(model, view).backbone.load_state_dict(weights)
    backbones = {view: getattr(model, view).backbone.eval().to(memory_format=torch.channels_last) for view in VIEWS}
    side_px, versions, spec, exact = rest
    _worker = (side_px, versions, backbones, spec, exact)


def _see_in_worker(content: Content) -> list[tuple]:
    return _see_content(content, *_worker)
