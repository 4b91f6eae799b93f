"""Train the whole model in minutes on two cores, on generated data: the demo that learns. NOT people's opinions.

    1 render     contents x distortions, kept in memory
    2 start      both backbones as scattering filter banks, batch-norm statistics from the pictures
    3 branch     the synthetic backbone is trained for some steps on small crops, with help at every stage
    4 features   what the frozen backbones see in every picture, once, standardised
    5 heads      from the pooled features on, everything: conv_head, classifier, KAN reducers, KAN regressor
    6 sizes      the standardisation at the sizes of use, folded into conv_head

A random MobileNetV3 sees little of blur or compression and needs many thousand steps to learn it; this start sees them
at once, so the heads, which cost almost nothing to train on kept features, reach most of what is reached.
The length is a fixed number of steps; a clock stops what would take too long, and says so.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lariqa_train.accuracy import measure_accuracy
from lariqa_train.datasets.generated import Picture, contents, render
from lariqa_train.demo_checkpoint import set_batch_norm_statistics
from lariqa_train.distort import BUNDLED_PHOTO, bundled_photo, versions
from lariqa_train.losses import accuracy_loss, ranking_loss
from lariqa_train.model import LarIqa, LarIqaConfig, Provenance
from lariqa_train.nearest import nearest
from lariqa_train.preprocess import PreprocessSpec, authentic_pixels, normalise_planes, prepare, synthetic_pixels
from lariqa_train.refusal import Refusal
from lariqa_train.scattering import start_as_scattering
from lariqa_train.train_config import recipe_path

LARGE_WEIGHT = 10  # one photo among thousands of pictures
SIZE_SEED, SIZE_VERSIONS = 4_000, 3  # contents for the statistics at the sizes of use
LEAST_DEVIATION = 0.05  # keeps the gain of quiet channels low: rounding of runtimes goes through it too
STATISTICS_OF = 96  # pictures, of batch norm
UNSEEN_SEED = 9_000  # added to the recipe's: contents that training never sees


@dataclass(frozen=True)
class DemoRecipe:
    """How much of everything; read from recipes/generated.toml."""

    seed: int = 1
    scenes: int = 110  # procedural contents
    photo_parts: int = 60  # contents cut from each photograph
    versions: int = 13  # distorted pictures of each content
    picture_px: int = 512  # side of a picture
    authentic_px: int = 160  # the whole picture resized to this: as 3840 to the model's size, in small
    synthetic_px: int = 320  # native crop of a picture
    large: bool = True  # the bundled photo at its own size and damaged, so that the sizes of use are learnt too
    branch_steps: int = 0
    branch_batch: int = 32
    branch_crop_px: int = 128
    branch_lr: float = 2e-3
    size_contents: int = 24  # scenes as large as in use, for the statistics there
    head_steps: int = 400
    head_batch: int = 128
    head_lr: float = 1e-3
    head_noise: float = 0.3  # on the standardised features, in deviations: few contents must serve for many
    rank_weight: float = 0.5
    unseen_contents: int = 20  # held out, for the figure that is printed
    unseen_versions: int = 8
    unseen_px: int = 0  # side of those pictures; 0: the model's crop, as in use
    guard_seconds: float = 600.0  # no further step begins after this


@dataclass(frozen=True)
class Learnt:
    """The trained model and what it reached."""

    model: LarIqa
    unseen_srcc: float  # on contents never seen in training
    unseen_pictures: int
    stopped_early: bool
    seconds: dict[str, float] = field(default_factory=dict)


def read_demo_recipe(recipe: str | Path, overrides: Sequence[str] = ()) -> DemoRecipe:
    """A recipe of generated data, with key=value overrides.

    Raises:
        Refusal: unreadable, an unknown key (the nearest is named), or a value of the wrong kind.
    """
    path = recipe_path(recipe)
    values = dict(tomllib.loads(path.read_text(encoding="utf-8")))
    values |= dict(override.partition("=")[::2] for override in overrides)
    kinds = {row.name: type(row.default) for row in fields(DemoRecipe)}
    for key in values:
        if key not in kinds:
            raise Refusal(f"{path.name} has no setting {key!r}{nearest(key, kinds)}; there are {', '.join(kinds)}")
        try:
            values[key] = _boolean(values[key]) if kinds[key] is bool else kinds[key](values[key])
        except (TypeError, ValueError) as odd:
            raise Refusal(f"{key} is {values[key]!r}; it must be {kinds[key].__name__}") from odd
    return DemoRecipe(**values)


def _boolean(value: object) -> bool:
    if str(value).lower() not in ("true", "false"):
        raise ValueError
    return str(value).lower() == "true"


def train_demo(
    recipe: DemoRecipe, made_by: str = "lariqa demo", progress: Callable[[str], None] = lambda step: None
) -> Learnt:
    """Train a model on generated data; the same recipe gives the same model on the same machine."""
    clock = _Clock(recipe.guard_seconds)
    state = torch.get_rng_state()
    torch.manual_seed(recipe.seed)
    try:
        photo = Path(__file__).parent / BUNDLED_PHOTO
        wanted = contents(recipe.scenes, [photo], recipe.photo_parts, recipe.seed)
        progress(f"rendering {len(wanted) * (recipe.versions + 1)} pictures of {len(wanted)} contents")
        pictures = render(wanted, recipe.picture_px, recipe.versions)
        clock.lap("render")
        model = LarIqa(LarIqaConfig(), Provenance(trained=False, made_by=made_by, note=NOTE))
        opinions = torch.tensor([picture.score for picture in pictures], dtype=torch.float32)
        views = {
            "authentic": np.stack([_authentic(p.pixels, recipe.authentic_px) for p in pictures]),
            "synthetic": np.stack([_centre(p.pixels, recipe.synthetic_px) for p in pictures]),
        }
        random = np.random.default_rng(recipe.seed)
        for view in views:
            backbone = getattr(model, view).backbone.to(memory_format=torch.channels_last)
            start_as_scattering(backbone, recipe.seed)
            some = random.choice(len(pictures), min(STATISTICS_OF, len(pictures)), replace=False)
            with torch.no_grad():
                set_batch_norm_statistics(backbone, _planes(views[view][some], model.config.preprocess))
        if recipe.branch_steps:
            _train_branch(model, pictures, opinions, recipe, clock, progress)
        clock.lap("branch")
        progress("what the backbones see in every picture")
        spec, sizes = model.config.preprocess, _pictures_of_use(recipe)
        large = _large_versions() if recipe.large else []
        features, statistics = {}, {}
        for view in views:
            small = pooled_features(getattr(model, view).backbone, views[view], spec)
            of_use = _features_of(model, view, sizes)
            statistics[view] = of_use.mean(0), of_use.std(0) + LEAST_DEVIATION
            features[view] = (small - small.mean(0)) / (small.std(0) + LEAST_DEVIATION)
            if large:
                whole = _features_of(model, view, [image for image, _ in large])
                whole = (whole - statistics[view][0]) / statistics[view][1]
                features[view] = torch.cat([features[view], whole.repeat(LARGE_WEIGHT, 1)])
        opinions = torch.cat([opinions, torch.tensor([score for _, score in large] * LARGE_WEIGHT)])
        clock.lap("features")
        _train_heads(model, features, opinions, recipe, clock, progress)
        for view, (mean, deviation) in statistics.items():
            _take_statistics(getattr(model, view).backbone.conv_head, mean, deviation)
        clock.lap("heads")
        progress("scoring contents that training never saw")
        unseen = unseen_pictures(recipe)
        srcc = score_pictures(model, unseen)
        clock.lap("unseen")
    finally:
        torch.set_rng_state(state)
    return Learnt(model.eval(), srcc, len(unseen), clock.rang, clock.laps)


NOTE = "trained on generated distortions, a demonstration: nobody's opinions"


def unseen_pictures(recipe: DemoRecipe) -> list[Picture]:
    """Distorted scenes with other seeds than those of training."""
    side = recipe.unseen_px or PreprocessSpec().synthetic_crop_px
    return render(contents(recipe.unseen_contents, [], 0, recipe.seed + UNSEEN_SEED), side, recipe.unseen_versions)


def score_pictures(model: LarIqa, pictures: Sequence[Picture]) -> float:
    """SRCC of the model's scores with the generated ones."""
    scores = []
    with torch.inference_mode():
        for picture in pictures:
            side = min(picture.pixels.shape[0], model.config.preprocess.synthetic_crop_px)
            spec = replace(model.config.preprocess, synthetic_crop_px=side)
            scores.append(model(**prepare(picture.pixels, spec)).item())
    return measure_accuracy(np.array(scores), np.array([picture.score for picture in pictures])).srcc


def pooled_features(backbone: nn.Module, views: np.ndarray, spec: PreprocessSpec, batch: int = 32) -> torch.Tensor:
    """(N, h, w, 3) uint8 -> (N, 960): the last feature maps, averaged, of a frozen backbone."""
    backbone.eval()
    made = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=_bfloat16_pays()):
        for start in range(0, len(views), batch):
            maps = backbone.forward_features(_planes(views[start : start + batch], spec))
            made.append(maps.float().mean((2, 3)))
    return torch.cat(made).clone()


def _head_of(backbone: nn.Module, pooled: torch.Tensor) -> torch.Tensor:
    """(N, 960) -> (N, 1000): the rest of the backbone, which needs the pooled features only."""
    return backbone.forward_head(pooled[:, :, None, None])


def _train_heads(model, features, opinions, recipe: DemoRecipe, clock, progress) -> None:
    """Everything after the pooling, on kept features."""
    branches = {view: getattr(model, view) for view in features}
    for view, branch in branches.items():
        _start_head(branch.backbone, features[view])
    parameters = [p for branch in branches.values() for p in branch.reducer.parameters()]
    parameters += list(model.regressor.parameters())
    for branch in branches.values():
        parameters += [*branch.backbone.conv_head.parameters(), *branch.backbone.get_classifier().parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=recipe.head_lr, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.head_lr, total_steps=recipe.head_steps)
    random = torch.Generator().manual_seed(recipe.seed)
    for step in range(recipe.head_steps):
        if clock.over():
            break
        if step % 50 == 0:
            progress(f"training the heads: step {step} of {recipe.head_steps}")
        chosen = torch.randint(len(opinions), (recipe.head_batch,), generator=random)
        reduced = [
            branch.reducer(_head_of(branch.backbone, _noisy(features[view][chosen], recipe.head_noise, random)))
            for view, branch in branches.items()
        ]
        scores = model.regressor(torch.cat(reduced, 1)).flatten()
        loss = 4 * accuracy_loss(scores, opinions[chosen], 1.0, 0.25) + recipe.rank_weight * ranking_loss(
            scores, opinions[chosen]
        )
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimiser.step()
        schedule.step()
    model.eval()


@torch.no_grad()
def _start_head(backbone: nn.Module, features: torch.Tensor) -> None:
    """Logits of standardised features spread over the KAN's support (standard deviation 0.7)."""
    convolution, classifier = backbone.conv_head, backbone.get_classifier()
    nn.init.kaiming_normal_(convolution.weight)
    convolution.weight.mul_(0.7)
    convolution.bias.zero_()
    logits = _head_of(backbone, features[:512])
    factor = 0.7 / logits.std(0).clamp_min(1e-6)
    classifier.weight.mul_(factor[:, None])
    classifier.bias.copy_((classifier.bias - logits.mean(0)) * factor)


@torch.no_grad()
def _take_statistics(convolution: nn.Module, mean: torch.Tensor, deviation: torch.Tensor) -> None:
    """Fold the standardisation of the pooled features into the convolution that takes them."""
    convolution.weight.div_(deviation.view(1, -1, 1, 1))
    convolution.bias.sub_(convolution.weight[:, :, 0, 0] @ mean)


def _train_branch(model, pictures, opinions, recipe: DemoRecipe, clock, progress) -> None:
    """Teach the synthetic backbone on small crops; helpers at every stage bring the gradient to the first layers."""
    spec = model.config.preprocess
    backbone = model.synthetic.backbone
    maps: dict[int, torch.Tensor] = {}
    hooks = [
        block.register_forward_hook(lambda module, given, made, number=number: maps.__setitem__(number, made))
        for number, block in enumerate(backbone.blocks)
    ]
    widths = [16, 24, 40, 80, 112, 160, 960]
    helpers = nn.ModuleList(
        nn.Sequential(nn.BatchNorm1d(2 * width), nn.Linear(2 * width, 32), nn.Hardswish(), nn.Linear(32, 1))
        for width in widths
    )
    trained = [p for name, p in backbone.named_parameters() if not name.startswith(("conv_head", "classifier"))]
    optimiser = torch.optim.AdamW(
        [{"params": trained}, {"params": helpers.parameters()}], lr=recipe.branch_lr, weight_decay=1e-2
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.branch_lr, total_steps=recipe.branch_steps, pct_start=0.15
    )
    random = np.random.default_rng(recipe.seed)
    backbone.train()
    for step in range(recipe.branch_steps):
        if clock.over():
            break
        if step % 25 == 0:
            progress(f"training the synthetic branch: step {step} of {recipe.branch_steps}")
        chosen = random.integers(len(pictures), size=recipe.branch_batch)
        crops = np.stack([_random_crop(pictures[i].pixels, recipe.branch_crop_px, random) for i in chosen])
        with torch.autocast("cpu", torch.bfloat16, enabled=_bfloat16_pays()):
            backbone.forward_features(_planes(crops, spec))
        target = opinions[torch.from_numpy(chosen)]
        loss = 0
        for number, helper in enumerate(helpers):
            made = maps[number].float()
            seen = torch.cat([made.mean((2, 3)), (made.var((2, 3)) + 1e-4).log()], 1)
            if number == len(widths) - 1:
                seen = torch.cat([seen[:, : widths[-1]]] * 2, 1)  # at the end only the mean is what the model keeps
            loss = loss + accuracy_loss(helper(seen).flatten(), target, 2.0, 0.5) * (
                3 if number == len(widths) - 1 else 1
            )
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 5.0)
        optimiser.step()
        schedule.step()
    for hook in hooks:
        hook.remove()
    some = random.choice(len(pictures), min(STATISTICS_OF, len(pictures)), replace=False)
    with torch.no_grad():
        set_batch_norm_statistics(
            backbone, _planes(np.stack([_centre(pictures[i].pixels, recipe.synthetic_px) for i in some]), spec)
        )


def _large_versions() -> list[tuple[np.ndarray, float]]:
    """The whole bundled photo and damaged versions, with scores: the sizes of use are then among what is learnt."""
    photo, made = bundled_photo(), []
    for severity in (0.25, 0.5, 0.9):
        for kind, image in versions(photo, severity).items():
            if kind != "original" or severity == 0.5:
                made.append((image, 1.0 if kind == "original" else 1 - (0.3 + 0.7 * severity)))
    return made


def _features_of(model: LarIqa, view: str, images: Sequence[np.ndarray]) -> torch.Tensor:
    """(N, 960) of pictures prepared as in use."""
    cut = authentic_pixels if view == "authentic" else synthetic_pixels
    backbone, spec = getattr(model, view).backbone, model.config.preprocess
    return torch.cat([pooled_features(backbone, cut(image, spec)[None], spec) for image in images])


def _pictures_of_use(recipe: DemoRecipe) -> list[np.ndarray]:
    """Further training scenes as large as in use. Small pictures are mostly border, where convolutions see black, so
    their features have other means and deviations; these are where the model's come from.
    """
    side = recipe.unseen_px or PreprocessSpec().synthetic_crop_px
    made = render(contents(recipe.size_contents, [], 0, recipe.seed + SIZE_SEED), side, SIZE_VERSIONS)
    share = SIZE_VERSIONS + 1  # keep as few undistorted ones as training has
    return [p.pixels for number, p in enumerate(made) if p.severity or number % (4 * share) == 0]


def _noisy(features: torch.Tensor, deviation: float, random: torch.Generator) -> torch.Tensor:
    return features + deviation * torch.randn(features.shape, generator=random)


def _planes(views: np.ndarray, spec: PreprocessSpec) -> torch.Tensor:
    planes = torch.from_numpy(np.array(views)).permute(0, 3, 1, 2)  # channels last, as they lie
    return normalise_planes(planes, spec).contiguous(memory_format=torch.channels_last)


def _authentic(pixels: np.ndarray, side: int) -> np.ndarray:
    return authentic_pixels(pixels, PreprocessSpec(authentic_side_px=side))


def _centre(pixels: np.ndarray, side: int) -> np.ndarray:
    return synthetic_pixels(pixels, PreprocessSpec(synthetic_crop_px=side))


def _random_crop(pixels: np.ndarray, side: int, random: np.random.Generator) -> np.ndarray:
    top, left = random.integers(pixels.shape[0] - side + 1), random.integers(pixels.shape[1] - side + 1)
    crop = pixels[top : top + side, left : left + side]
    return crop[:, ::-1] if random.random() < 0.5 else crop


def _bfloat16_pays() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware; elsewhere it would be slower, and float32 is used."""
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())


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
