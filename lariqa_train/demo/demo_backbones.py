"""The backbones of a training on generated data: their start, and the training of one or both on small views.

start       scattering filter banks, batch-norm statistics from a few pictures
branches    authentic: whole pictures, reduced; synthetic: small crops; each in a process of its own
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import VIEWS, PreprocessSpec
from lariqa.photos.views import PIXELS_OF
from lariqa_train.datasets.generated import Content, Picture, contents, render
from lariqa_train.demo.branch_processes import train_branch_on_all_cores
from lariqa_train.demo.branch_training import BranchSteps, Shown
from lariqa_train.demo.cached_features import planes
from lariqa_train.demo.demo_checkpoint import set_batch_norm_statistics
from lariqa_train.demo.demo_contents import Photographs, spec_of_pictures
from lariqa_train.demo.demo_recipe import DemoRecipe
from lariqa_train.demo.scattering import start_as_scattering
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.model import LarIqa
from lariqa_train.pictures.damage import BUNDLED_PHOTO

STATISTICS_OF = 96  # pictures, of batch norm


def start_backbones(model: LarIqa, wanted: Sequence[Content], recipe: DemoRecipe) -> None:
    """Scattering, and batch-norm statistics from pictures of contents of all kinds."""
    for view in VIEWS:
        start_as_scattering(getattr(model, view).backbone.to(memory_format=torch.channels_last), recipe.seed)
    _set_statistics(model, VIEWS, _some_pictures(wanted, recipe), recipe)


def learn_branch(
    model: LarIqa,
    photographs: Photographs,
    recipe: DemoRecipe,
    deadline: float,
    say: Callable[[str], None],
    progress: Callable[[int], None],
) -> bool:
    """Train the synthetic backbone, or take a trained one, without the photographs that are held out.

    Returns:
        Whether the deadline cut it short.

    Raises:
        Refusal: the checkpoint to take it from has none of this kind.
    """
    training = photographs.without(recipe.photograph_fold)
    wanted = contents(recipe.branch_scenes, [BUNDLED_PHOTO, *training], recipe.branch_parts, recipe.seed)
    backbone, late = model.synthetic.backbone, False
    if recipe.branch_from:
        source = load_checkpoint(recipe.branch_from)
        if source.synthetic is None or source.config.backbone != model.config.backbone:
            raise Refusal(f"{recipe.branch_from} has no synthetic branch with a {model.config.backbone}")
        backbone.load_state_dict(source.synthetic.backbone.state_dict())
    else:
        how = BranchSteps(
            steps=recipe.branch_steps,
            batch=recipe.branch_batch,
            versions=recipe.branch_group,
            crop_px=recipe.branch_crop_px,
            lr=recipe.branch_lr,
            rank_weight=recipe.branch_rank_weight,
            seed=recipe.seed,
        )
        say(f"rendering {len(wanted) * (recipe.branch_versions + 1)} pictures of {len(wanted)} contents")
        with tempfile.TemporaryDirectory(prefix="lariqa-pictures-") as folder:
            file = Path(folder, "pixels.npy")
            shown = Shown.rendered(wanted, recipe.branch_picture_px, recipe.branch_versions, file)
            late = train_branch_on_all_cores(backbone, shown, model.config.preprocess, how, deadline, progress)
    _set_statistics(model, ("synthetic",), _some_pictures(wanted, recipe), recipe)
    return late


def _some_pictures(wanted: Sequence[Content], recipe: DemoRecipe) -> list[Picture]:
    step = max(1, len(wanted) * 4 // STATISTICS_OF)
    return render(wanted[::step], min(recipe.picture_px, 512), 3)[:STATISTICS_OF]  # 512: at a fraction of the memory


def _set_statistics(model: LarIqa, views: Sequence[str], pictures: Sequence[Picture], recipe: DemoRecipe) -> None:
    spec: PreprocessSpec = spec_of_pictures(recipe, model.config.preprocess)
    spec = replace(spec, synthetic_crop_px=min(len(pictures[0].pixels), spec.synthetic_crop_px))
    for view in views:
        with torch.no_grad():
            cut = np.stack([PIXELS_OF[view](picture.pixels, spec) for picture in pictures])
            set_batch_norm_statistics(getattr(model, view).backbone, planes(cut, spec))
