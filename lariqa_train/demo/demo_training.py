"""Train the whole model in minutes on two cores, on generated data: the demo that learns. NOT human ratings.

    1 start      both backbones as scattering filter banks, batch-norm statistics from a few pictures
    2 branch     the synthetic backbone is trained for some steps on small crops (long recipe)
    3 features   what the frozen backbones see in every picture, once, standardised
    4 heads      from the pooled features on, everything: conv_head, classifier, KAN reducers, KAN regressor
    5 sizes      the standardisation at the sizes of use, folded into conv_head

A random MobileNetV3 sees little of blur or compression and needs many thousand steps to learn it; this start sees them
at once, so the heads, which cost almost nothing to train on kept features, achieve most of the result.
The length is a fixed number of steps; a clock stops the branch where it would take too long, and says so. The heads
are trained to the end in any case: half-trained ones would waste the work before them.

Figures are at the sizes of use, on contents that training never saw: scenes with other seeds; and, where a folder of
photographs is given, the group of them that was held out. Where no branch was trained, so that the backbones saw no
photograph, every group is held out in turn; the model is the first of these.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from lariqa.manifest.model_config import LarIqaConfig, Provenance
from lariqa_train.datasets.generated import contents
from lariqa_train.demo.cached_features import see
from lariqa_train.demo.demo_backbones import learn_branch, start_backbones
from lariqa_train.demo.demo_contents import (
    contents_of_use,
    find_photographs,
    held_out_contents,
    side_of_use,
    spec_of_pictures,
    spec_of_use,
    unseen_contents,
)
from lariqa_train.demo.demo_heads import learn_heads, moments_of_use, standardised
from lariqa_train.demo.demo_recipe import DemoRecipe
from lariqa_train.demo.head_training import fold_standardisation, scores_of_features
from lariqa_train.model.model import LarIqa
from lariqa_train.pictures.damage import BUNDLED_PHOTO
from lariqa_train.training.accuracy import measure_accuracy

NOTE = "trained on generated distortions, a demonstration: no human ratings"


@dataclass(frozen=True)
class Learnt:
    """The trained model and what it reached."""

    model: LarIqa
    unseen_srcc: float  # on scenes never seen in training
    unseen_pictures: int
    stopped_early: bool
    photographs: tuple[tuple[float, int], ...] = ()  # SRCC and pictures of each group of photographs while held out
    too_small: int = 0  # photographs that have no part of the pictures' size
    seconds: dict[str, float] = field(default_factory=dict)


def train_demo(
    recipe: DemoRecipe, made_by: str = "lariqa demo", progress: Callable[[str], None] = lambda step: None
) -> Learnt:
    """Train a model on generated data; the same recipe gives the same model on the same machine.

    Raises:
        Refusal: the folder of photographs cannot be used.
    """
    clock = _Clock()
    state = torch.get_rng_state()
    torch.manual_seed(recipe.seed)
    try:
        model = LarIqa(LarIqaConfig(), Provenance(trained=False, made_by=made_by, note=NOTE)).eval()
        spec = model.config.preprocess
        side, used = side_of_use(recipe, spec), spec_of_use(recipe, spec)
        photographs = find_photographs(recipe, spec)
        own = contents(recipe.scenes, [BUNDLED_PHOTO], recipe.photo_parts, recipe.seed)
        start_backbones(model, own, recipe)
        clock.lap("start")

        late, learnt_branch = False, bool(recipe.branch_steps or recipe.branch_from)
        if learnt_branch:
            told = _counting(progress, "training the synthetic branch: step", recipe.branch_steps, 25)
            late = learn_branch(model, photographs, recipe, clock.began + recipe.guard_seconds, progress, told)
            clock.lap("branch")

        groups = [recipe.photograph_fold] if photographs.training else []
        if groups and not learnt_branch:  # the backbones saw no photograph, so each group can be held out
            groups += [group for group in range(photographs.folds) if group != recipe.photograph_fold]
        shown = photographs.without(recipe.photograph_fold) if learnt_branch else photographs.training
        wanted = own + contents(0, shown, recipe.photograph_parts, recipe.seed + recipe.head_seed)
        group_of = {f"{content.name}": photographs.group(content.photo) for content in wanted[len(own) :]}
        told = _counting(progress, "what the backbones see in every picture: content", len(wanted))
        seen = see(model, wanted, recipe.picture_px, recipe.versions, spec_of_pictures(recipe, spec), told)
        group = np.array([group_of.get(name, -1) for name in seen.content])
        of_use = None
        if recipe.picture_px < spec.synthetic_crop_px:
            further = contents_of_use(recipe, photographs if learnt_branch else None)
            told = _counting(progress, "the same at the sizes of use: content", len(further))
            of_use = moments_of_use(model, further, recipe, told)
        clock.lap("features")

        reached, kept = [], None
        for held_out in groups or [-2]:
            told = _counting(progress, f"training the heads{f' without group {held_out}' if groups else ''}: step")
            moments = learn_heads(model, seen, np.flatnonzero(group != held_out), of_use, recipe, told)
            if groups:
                judged = held_out_contents(recipe, photographs.judged_of(held_out))
                told = _counting(progress, "photographs that were held out: content", len(judged))
                out = see(model, judged, side, recipe.held_out_versions, used, told)
                scores = scores_of_features(model, standardised(out.features, moments))
                reached.append((measure_accuracy(scores, out.targets.numpy()).srcc, len(scores)))
            if kept is None:
                for view, (mean, deviation) in moments.items():
                    fold_standardisation(getattr(model, view).backbone, mean, deviation)
                kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        model.load_state_dict(kept)
        clock.lap("heads")

        wanted = unseen_contents(recipe)
        told = _counting(progress, "contents that training never saw: content", len(wanted))
        unseen = see(model, wanted, side, recipe.unseen_versions, used, told, exact=True)
        srcc = measure_accuracy(scores_of_features(model, unseen.features), unseen.targets.numpy()).srcc
        clock.lap("unseen")
    finally:
        torch.set_rng_state(state)
    judged_groups, small = tuple(reached), photographs.too_small
    return Learnt(model.eval(), srcc, len(unseen.severity), late, judged_groups, small, clock.laps)


def _counting(progress: Callable[[str], None], what: str, of: int = 0, every: int = 50) -> Callable[[int], None]:
    """A progress of numbers, told now and then."""
    every = min(every, max(1, of // 8)) if of else every

    def tell(number: int) -> None:
        if number % every == 0:
            progress(f"{what} {number}{f' of {of}' if of else ''}")

    return tell


class _Clock:
    """Lap times."""

    def __init__(self) -> None:
        self.began = self.last = time.monotonic()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name], self.last = now - self.last, now
