"""The model's inputs as tensors: those of ``lariqa.photos.views``, and the same for a batch of planes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch

from lariqa.manifest.preprocess_spec import VIEWS, PreprocessSpec
from lariqa.photos import views as numpy_views


def prepare(image: np.ndarray, spec: PreprocessSpec, views: Iterable[str] = VIEWS) -> dict[str, torch.Tensor]:
    """View name -> (1, 3, h, w) float32 tensor; arguments and errors as :func:`lariqa.photos.views.prepare`."""
    return {view: torch.from_numpy(x) for view, x in numpy_views.prepare(image, spec, views).items()}


def normalise(pixels: np.ndarray, spec: PreprocessSpec) -> torch.Tensor:
    """(h, w, 3) uint8 -> (1, 3, h, w) float32 tensor."""
    return torch.from_numpy(numpy_views.normalise(pixels, spec))


def normalise_planes(planes: torch.Tensor, spec: PreprocessSpec) -> torch.Tensor:
    """(B, 3, h, w) levels 0..255 of any type, on any device -> float32: over 255, minus mean, over std."""
    mean, std = (_channels(values).to(planes.device) for values in (spec.mean, spec.std))
    return (planes / 255 - mean) / std


def _channels(values: Sequence[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1)
