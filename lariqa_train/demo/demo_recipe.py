"""DemoRecipe: how much of everything goes into a training on generated data; read from TOML, key=value on top."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from lariqa.errors import Refusal, nearest
from lariqa_train.training.train_config import recipe_path


@dataclass(frozen=True)
class DemoRecipe:
    """How much of everything; read from recipes/generated.toml or generated_long.toml."""

    seed: int = 1
    scenes: int = 110  # procedural contents
    photo_parts: int = 60  # contents cut from the bundled photo
    photographs: str = ""  # a folder of further photographs; `lariqa datasets fetch-photographs` fetches some
    photograph_parts: int = 8  # contents cut from each of them
    photograph_folds: int = 5  # they are dealt into so many groups by their names
    photograph_fold: int = 0  # the group that the model never sees
    held_out_parts: int = 4  # contents cut from each of them to judge the model, as large as in use
    held_out_versions: int = 6  # distorted pictures of each of these
    versions: int = 13  # distorted pictures of each content
    picture_px: int = 512  # side of a picture; from the model's crop on, pictures are as in use
    authentic_px: int = 160  # the whole picture resized to this: the ratio of 3840 to the model's size
    synthetic_px: int = 320  # native crop of a picture
    large: bool = True  # the bundled photo at its own size and damaged, so that the sizes of use are learnt too
    branch_steps: int = 0  # of training the synthetic backbone, before any head
    branch_from: str = ""  # a checkpoint whose synthetic backbone is taken instead of training one
    branch_scenes: int = 60
    branch_parts: int = 10  # of each photograph
    branch_versions: int = 12
    branch_picture_px: int = 512
    branch_batch: int = 64  # crops, dealt to two processes where there are two cores
    branch_group: int = 4  # versions of each crop in a batch
    branch_crop_px: int = 128
    branch_lr: float = 2e-3
    branch_rank_weight: float = 1.0
    size_contents: int = 24  # scenes as large as in use, for the statistics there
    size_parts: int = 1  # and parts of each photograph, where a branch was trained
    head_seed: int = 0  # added to the recipe's for the photographs' parts: others than the branches saw
    head_steps: int = 400
    head_batch: int = 128
    head_lr: float = 1e-3
    head_noise: float = 0.3  # on the standardised features, in deviations: few contents must serve for many
    content_noise: float = 0.0  # at most so much of the difference between two contents' means is added to them
    authentic_blank: float = 0.0  # share of the pictures of which the authentic view sees nothing: it learns less
    rank_weight: float = 0.5
    unseen_contents: int = 20  # scenes held out, for the figure that is printed
    unseen_versions: int = 8
    unseen_px: int = 0  # side of those pictures; 0: the model's crop, as in use
    guard_seconds: float = 600.0  # no further step of the branch begins after this


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
        except (TypeError, ValueError) as error:
            raise Refusal(f"{key} is {values[key]!r}; it must be {kinds[key].__name__}") from error
    return DemoRecipe(**values)


def _boolean(value: object) -> bool:
    if str(value).lower() not in ("true", "false"):
        raise ValueError
    return str(value).lower() == "true"
