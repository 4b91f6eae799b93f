"""The heads of a training on generated data: learnt from standardised features of small pictures, then for large ones.

Features of small pictures and of pictures as in use differ, because small ones are mostly border, where convolutions
see black. So each size is standardised by its own mean and deviation, and those of the sizes of use are folded into
``conv_head`` in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from lariqa.manifest.preprocess_spec import VIEWS
from lariqa.photos.views import PIXELS_OF
from lariqa_train.datasets.generated import Content
from lariqa_train.demo.cached_features import Seen, pooled, see
from lariqa_train.demo.demo_contents import side_of_use, spec_of_use
from lariqa_train.demo.demo_recipe import DemoRecipe
from lariqa_train.demo.head_training import FeatureNoise, train_heads
from lariqa_train.model.model import LarIqa
from lariqa_train.pictures.damage import BUNDLED_PHOTO, bundled_photo, versions

Moments = dict[str, tuple[torch.Tensor, torch.Tensor]]  # view -> mean and deviation of its features, (960,) each

LARGE_WEIGHT = 10  # one photo among thousands of pictures
SIZE_VERSIONS = 3  # of each content, for the statistics at the sizes of use
LEAST_DEVIATION = 0.05  # keeps the gain of quiet channels low: rounding of runtimes goes through it too


def moments(features: dict[str, torch.Tensor]) -> Moments:
    """Mean and deviation of the features (N, 960) of each view."""
    return {view: (kept.mean(0), kept.std(0) + LEAST_DEVIATION) for view, kept in features.items()}


def standardised(features: dict[str, torch.Tensor], by: Moments) -> dict[str, torch.Tensor]:
    """The features of each view, with mean 0 and deviation 1 where the moments are their own."""
    return {view: (features[view] - mean) / deviation for view, (mean, deviation) in by.items()}


def rows_of(features: dict[str, torch.Tensor], rows: Sequence[int] | np.ndarray) -> dict[str, torch.Tensor]:
    """Some rows of the features of each view."""
    return {view: kept[rows] for view, kept in features.items()}


def moments_of_use(
    model: LarIqa, wanted: Sequence[Content], recipe: DemoRecipe, progress: Callable[[int], None]
) -> Moments:
    """The moments of pictures as large as in use."""
    spec = model.config.preprocess
    side, views = side_of_use(recipe, spec), spec_of_use(recipe, spec)
    seen = see(model, wanted, side, SIZE_VERSIONS, views, progress)
    share = SIZE_VERSIONS + 1  # keep as few undistorted ones as training has
    kept = [number for number, s in enumerate(seen.severity) if s or number % (4 * share) == 0]
    return moments(rows_of(seen.features, kept))


def learn_heads(
    model: LarIqa, seen: Seen, rows: np.ndarray, of_use: Moments | None, recipe: DemoRecipe, progress
) -> Moments:
    """Train the heads on some of the pictures that were seen; returns the moments that the model is to be used with."""
    kept = rows_of(seen.features, rows)
    own = moments(kept)
    features, targets, contents = standardised(kept, own), seen.targets[rows], seen.content[rows]
    if recipe.large:
        large, scores = _large_versions(model, of_use or own)
        features = {view: torch.cat([features[view], large[view]]) for view in VIEWS}
        targets = torch.cat([targets, scores])
        contents = np.concatenate([contents, np.full(len(scores), BUNDLED_PHOTO.stem)])
    train_heads(
        model,
        features,
        targets,
        contents,
        steps=recipe.head_steps,
        batch=recipe.head_batch,
        lr=recipe.head_lr,
        noise=FeatureNoise(recipe.head_noise, recipe.content_noise, {"authentic": recipe.authentic_blank}),
        rank_weight=recipe.rank_weight,
        seed=recipe.seed,
        progress=progress,
    )
    return of_use or own


def _large_versions(model: LarIqa, of_use: Moments) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """The whole bundled photo and damaged versions, standardised, with scores: the sizes of use are then among what is
    learnt, heavy compression too.
    """
    photo, images, scores = bundled_photo(), [], []
    for severity in (0.25, 0.5, 0.9, 1.0):
        for kind, image in versions(photo, severity).items():
            if kind != "original" or severity == 0.5:
                images.append(image)
                scores.append(1.0 if kind == "original" else 1 - (0.3 + 0.7 * severity))
    spec, features = model.config.preprocess, {}
    for view, (mean, deviation) in of_use.items():
        backbone = getattr(model, view).backbone
        seen = np.concatenate([pooled(backbone, PIXELS_OF[view](image, spec)[None], spec) for image in images])
        features[view] = ((torch.from_numpy(seen) - mean) / deviation).repeat(LARGE_WEIGHT, 1)
    return features, torch.tensor(scores * LARGE_WEIGHT)
