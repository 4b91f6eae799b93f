"""Train the whole model in minutes on two cores, on generated data: the demo that learns. NOT people's opinions.

    1 start      both backbones as scattering filter banks, batch-norm statistics from a few pictures
    2 branch     the synthetic backbone is trained for some steps on small crops (long recipe)
    3 features   what the frozen backbones see in every picture, once, standardised
    4 heads      from the pooled features on, everything: conv_head, classifier, KAN reducers, KAN regressor
    5 sizes      the standardisation at the sizes of use, folded into conv_head

A random MobileNetV3 sees little of blur or compression and needs many thousand steps to learn it; this start sees them
at once, so the heads, which cost almost nothing to train on kept features, reach most of what is reached.
The length is a fixed number of steps; a clock stops the branch where it would take too long, and says so. The heads
are trained to the end in any case: half-trained ones would waste all that came before.

Figures are on contents that training never saw: scenes with other seeds; and, where a folder of photographs is given,
the group of them that was held out. Where no branch was trained, so that the backbones saw no photograph, every group
is held out in turn; the model is the first of these.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from lariqa_train.accuracy import measure_accuracy
from lariqa_train.branch_training import train_branch
from lariqa_train.checkpoint import load_checkpoint
from lariqa_train.datasets.generated import Content, contents, render
from lariqa_train.demo_checkpoint import set_batch_norm_statistics
from lariqa_train.demo_recipe import DemoRecipe
from lariqa_train.distort import BUNDLED_PHOTO, bundled_photo, versions
from lariqa_train.head_training import scores_of_features, take_statistics, train_heads
from lariqa_train.kept_features import Seen, planes, pooled, see
from lariqa_train.model import LarIqa, LarIqaConfig, Provenance
from lariqa_train.photo_files import photos_in
from lariqa_train.preprocess import VIEWS, PreprocessSpec, authentic_pixels, synthetic_pixels
from lariqa_train.refusal import Refusal
from lariqa_train.scattering import start_as_scattering

NOTE = "trained on generated distortions, a demonstration: nobody's opinions"
LARGE_WEIGHT = 10  # one photo among thousands of pictures
SIZE_SEED, SIZE_VERSIONS = 4_000, 3  # contents for the statistics at the sizes of use
LEAST_DEVIATION = 0.05  # keeps the gain of quiet channels low: rounding of runtimes goes through it too
STATISTICS_OF = 96  # pictures, of batch norm
UNSEEN_SEED = 9_000  # added to the recipe's: contents that training never sees
BUNDLED = Path(__file__).parent / BUNDLED_PHOTO
CUT = {"authentic": authentic_pixels, "synthetic": synthetic_pixels}


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
    clock = _Clock(recipe.guard_seconds)
    photographs, too_small = usable_photographs(recipe)
    state = torch.get_rng_state()
    torch.manual_seed(recipe.seed)
    try:
        model = LarIqa(LarIqaConfig(), Provenance(trained=False, made_by=made_by, note=NOTE)).eval()
        own = contents(recipe.scenes, [BUNDLED], recipe.photo_parts, recipe.seed)
        others = contents(0, photographs, recipe.photograph_parts, recipe.seed)
        small = _spec_of_pictures(recipe, model)
        _start(model, own, recipe, small)
        clock.lap("start")
        learnt_branch = _learn_branch(model, photographs, recipe, small, clock, progress)
        wanted = own + others
        told = _counting(progress, "what the backbones see in every picture: content", len(wanted))
        seen = see(model, wanted, recipe.picture_px, recipe.versions, small, told)
        of_use = _statistics_of_use(model, recipe, progress)
        clock.lap("features")

        fold_of = {content.name: _fold(content.photo, recipe) for content in others}
        fold = np.array([fold_of.get(name, -1) for name in seen.content])
        held_out = [recipe.photograph_fold]
        if photographs and not learnt_branch:  # the backbones saw none of them, so each group can be held out
            held_out += [group for group in range(recipe.photograph_folds) if group != recipe.photograph_fold]
        reached, kept = [], None
        for held in held_out:
            told = _counting(progress, f"training the heads without photographs of group {held}: step")
            rows = np.flatnonzero(fold != held)
            moments = {view: _moments(seen.features[view][rows]) for view in VIEWS}
            _train_heads(model, seen, rows, moments, of_use or moments, recipe, told)
            if photographs:
                out = np.flatnonzero(fold == held)
                scores = scores_of_features(model, _standardised(seen, out, moments))
                reached.append((measure_accuracy(scores, seen.opinions[out].numpy()).srcc, len(out)))
            if kept is None:
                for view, (mean, deviation) in (of_use or moments).items():
                    take_statistics(getattr(model, view).backbone, mean, deviation)
                kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        model.load_state_dict(kept)
        clock.lap("heads")
        unseen = see_unseen(model, recipe, progress)
        srcc = measure_accuracy(scores_of_features(model, unseen.features), unseen.opinions.numpy()).srcc
        clock.lap("unseen")
    finally:
        torch.set_rng_state(state)
    return Learnt(model.eval(), srcc, len(unseen.severity), clock.rang, tuple(reached), too_small, clock.laps)


def unseen_contents(recipe: DemoRecipe) -> list[Content]:
    """Scenes with other seeds than those of training."""
    return contents(recipe.unseen_contents, [], 0, recipe.seed + UNSEEN_SEED)


def see_unseen(model: LarIqa, recipe: DemoRecipe, progress: Callable[[str], None] = lambda step: None) -> Seen:
    """What the model's backbones see in them, at the size of use."""
    wanted = unseen_contents(recipe)
    told = _counting(progress, "contents that training never saw: content", len(wanted))
    side = recipe.unseen_px or model.config.preprocess.synthetic_crop_px
    return see(model, wanted, side, recipe.unseen_versions, _spec_of_use(model, side), told, exact=True)


def usable_photographs(recipe: DemoRecipe) -> tuple[list[Path], int]:
    """The photographs of the recipe's folder that have parts of the pictures' size, and how many have none.

    Raises:
        Refusal: too few of them to hold any out.
    """
    if not recipe.photographs:
        return [], 0
    found = photos_in([recipe.photographs])
    fitting = []
    for path in found:
        try:
            with Image.open(path) as image:
                fitting += [path] if min(image.size) >= recipe.picture_px else []
        except OSError:
            fitting.append(path)  # refused, with the reason, when it is opened as a photo
    if len({_fold(path, recipe) for path in fitting}) < recipe.photograph_folds:
        raise Refusal(
            f"{recipe.photographs} has {len(fitting)} photographs of {recipe.picture_px} px and more, too few to hold "
            f"out {recipe.photograph_folds} parts of them in turn; add photographs, or set a smaller photograph_folds"
        )
    return fitting, len(found) - len(fitting)


def _fold(photo: Path, recipe: DemoRecipe) -> int:
    """Which part of the photographs it belongs to, by its name alone."""
    return int(sha256(photo.stem.encode()).hexdigest(), 16) % recipe.photograph_folds


def _spec_of_pictures(recipe: DemoRecipe, model: LarIqa) -> PreprocessSpec:
    """The views of a training picture: those of use, or the same in small."""
    spec = model.config.preprocess
    if recipe.picture_px >= spec.synthetic_crop_px:
        return spec
    return replace(spec, authentic_side_px=recipe.authentic_px, synthetic_crop_px=recipe.synthetic_px)


def _spec_of_use(model: LarIqa, side_px: int) -> PreprocessSpec:
    spec = model.config.preprocess
    return replace(spec, synthetic_crop_px=min(side_px, spec.synthetic_crop_px))


def _start(model: LarIqa, wanted: Sequence[Content], recipe: DemoRecipe, spec: PreprocessSpec) -> None:
    """Scattering, and batch-norm statistics from pictures of contents of all kinds."""
    for view in VIEWS:
        backbone = getattr(model, view).backbone.to(memory_format=torch.channels_last)
        start_as_scattering(backbone, recipe.seed)
    _set_statistics(model, VIEWS, wanted, recipe, spec)


def _set_statistics(model: LarIqa, views, wanted: Sequence[Content], recipe: DemoRecipe, spec: PreprocessSpec) -> None:
    step = max(1, len(wanted) * 4 // STATISTICS_OF)
    side = min(recipe.picture_px, 512)  # enough for the statistics, at a fraction of the memory
    pictures = render(wanted[::step], side, 3)[:STATISTICS_OF]
    spec = replace(spec, synthetic_crop_px=min(side, spec.synthetic_crop_px))
    for view in views:
        with torch.no_grad():
            cut = np.stack([CUT[view](picture.pixels, spec) for picture in pictures])
            set_batch_norm_statistics(getattr(model, view).backbone, planes(cut, spec))


def _learn_branch(model: LarIqa, photographs: Sequence[Path], recipe: DemoRecipe, small, clock, progress) -> bool:
    """Train the synthetic backbone, or take a trained one; whether it has seen photographs that are not held out."""
    if not recipe.branch_steps and not recipe.branch_from:
        return False
    training = [photo for photo in photographs if _fold(photo, recipe) != recipe.photograph_fold]
    wanted = contents(recipe.branch_scenes, [BUNDLED, *training], recipe.branch_parts, recipe.seed)
    if recipe.branch_from:
        source = load_checkpoint(recipe.branch_from)
        if source.synthetic is None or source.config.backbone != model.config.backbone:
            raise Refusal(f"{recipe.branch_from} has no synthetic branch with a {model.config.backbone}")
        model.synthetic.backbone.load_state_dict(source.synthetic.backbone.state_dict())
    else:
        made = recipe.branch_versions + 1
        progress(f"rendering {len(wanted) * made} pictures of {len(wanted)} contents")
        train_branch(
            model.synthetic.backbone,
            render(wanted, recipe.branch_picture_px, recipe.branch_versions),
            model.config.preprocess,
            steps=recipe.branch_steps,
            batch=recipe.branch_batch,
            crop_px=recipe.branch_crop_px,
            lr=recipe.branch_lr,
            seed=recipe.seed,
            over=clock.over,
            progress=_counting(progress, "training the synthetic branch: step", recipe.branch_steps, 25),
        )
    _set_statistics(model, ("synthetic",), wanted, recipe, small)
    clock.lap("branch")
    return True


def _statistics_of_use(model: LarIqa, recipe: DemoRecipe, progress) -> dict[str, tuple] | None:
    """View -> mean and deviation of the features of pictures as large as in use: those of small pictures are others.
    None where the recipe's pictures are as large.
    """
    if recipe.picture_px >= model.config.preprocess.synthetic_crop_px:
        return None
    side = recipe.unseen_px or model.config.preprocess.synthetic_crop_px
    further = contents(recipe.size_contents, [], 0, recipe.seed + SIZE_SEED)
    told = _counting(progress, "the same at the sizes of use: content", len(further))
    seen = see(model, further, side, SIZE_VERSIONS, _spec_of_use(model, side), told)
    share = SIZE_VERSIONS + 1  # keep as few undistorted ones as training has
    kept = [number for number, s in enumerate(seen.severity) if s or number % (4 * share) == 0]
    return {view: _moments(seen.features[view][kept]) for view in VIEWS}


def _moments(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return features.mean(0), features.std(0) + LEAST_DEVIATION


def _standardised(seen: Seen, rows: np.ndarray, moments: dict[str, tuple]) -> dict[str, torch.Tensor]:
    return {view: (seen.features[view][rows] - mean) / deviation for view, (mean, deviation) in moments.items()}


def _large_versions(model: LarIqa, of_use: dict[str, tuple]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
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
        seen = np.concatenate([pooled(backbone, CUT[view](image, spec)[None], spec) for image in images])
        features[view] = ((torch.from_numpy(seen) - mean) / deviation).repeat(LARGE_WEIGHT, 1)
    return features, torch.tensor(scores * LARGE_WEIGHT)


def _train_heads(model: LarIqa, seen: Seen, rows: np.ndarray, moments, of_use, recipe, progress) -> None:
    features, opinions = _standardised(seen, rows, moments), seen.opinions[rows]
    if recipe.large:
        large, scores = _large_versions(model, of_use)
        features = {view: torch.cat([features[view], large[view]]) for view in VIEWS}
        opinions = torch.cat([opinions, scores])
    train_heads(
        model,
        features,
        opinions,
        steps=recipe.head_steps,
        batch=recipe.head_batch,
        lr=recipe.head_lr,
        noise=recipe.head_noise,
        rank_weight=recipe.rank_weight,
        seed=recipe.seed,
        progress=progress,
    )


def _counting(progress: Callable[[str], None], what: str, of: int = 0, every: int = 50) -> Callable[[int], None]:
    """A progress of numbers, told now and then."""
    every = min(every, max(1, of // 8)) if of else every

    def tell(number: int) -> None:
        if number % every == 0:
            progress(f"{what} {number}{f' of {of}' if of else ''}")

    return tell


class _Clock:
    """Wall-clock guard and lap times."""

    def __init__(self, guard_seconds: float) -> None:
        self.began = self.last = time.monotonic()
        self.guard_seconds, self.rang, self.laps = guard_seconds, False, {}

    def over(self) -> bool:
        self.rang = self.rang or time.monotonic() - self.began > self.guard_seconds
        return self.rang

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name], self.last = now - self.last, now
