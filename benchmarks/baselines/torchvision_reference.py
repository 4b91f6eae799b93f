"""The model as its authors run it: plain PyTorch, unfused, the two views made in Python by torchvision's transforms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from torchvision import transforms

from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.runtimes.scorer import Runner, fit_to
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.reference import TorchRunner


@dataclass(frozen=True)
class PeerScorer:
    """As ``lariqa.runtimes.scorer.Scorer``, for models that are not ours: a function makes the inputs."""

    runner: Runner
    prepare: Callable[[np.ndarray], dict[str, np.ndarray]]
    photo_size_px: tuple[int, int] | None = None

    def inputs(self, image: np.ndarray, fit: bool = False) -> dict[str, np.ndarray]:
        """The runner's inputs for one photo."""
        if self.photo_size_px not in (None, image.shape[:2]):
            image = fit_to(image, *self.photo_size_px)
        return self.prepare(image)


def open_authors_way(checkpoint: Path, view: str, threads: int) -> PeerScorer:
    """Plain PyTorch with the views made by torchvision's transforms."""
    model = load_checkpoint(checkpoint)
    spec = model.config.preprocess.with_view(view)
    return PeerScorer(TorchRunner(model), partial(torchvision_views, spec=spec, branches=model.config.branches))


def torchvision_views(image: np.ndarray, spec: PreprocessSpec, branches: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The two views as the authors make them: from a PIL image, with torchvision."""
    to_tensor = [transforms.ToTensor(), transforms.Normalize(spec.mean, spec.std)]
    cut = [transforms.CenterCrop(spec.synthetic_crop_px)] if spec.synthetic_view == "crop" else []
    made_by = {
        "authentic": transforms.Compose([transforms.Resize((spec.authentic_side_px,) * 2), *to_tensor]),
        "synthetic": transforms.Compose([*cut, *to_tensor]),
    }
    picture = Image.fromarray(image)
    return {branch: made_by[branch](picture)[None].numpy() for branch in branches}
