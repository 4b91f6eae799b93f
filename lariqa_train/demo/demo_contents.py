"""What a training on generated data shows: scenes, the bundled photo, photographs; and which of it training never sees.

Photographs are dealt into groups by their names; the group that is held out is judged at the sizes of use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from PIL import Image

from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.names import as_text
from lariqa.photos.photo_files import photos_in
from lariqa_train.datasets.generated import Content, contents
from lariqa_train.demo.demo_recipe import DemoRecipe

UNSEEN_SEED = 9_000  # added to the recipe's: contents that training never sees
SIZE_SEED = 4_000  # the same, of contents for the statistics at the sizes of use


@dataclass(frozen=True)
class Photographs:
    """The photographs of the recipe's folder, in groups."""

    training: list[Path]  # large enough for the recipe's pictures
    judged: list[Path]  # of them, large enough for pictures as in use
    too_small: int  # for training
    folds: int

    def group(self, photo: Path) -> int:
        """Which group a photograph belongs to, by its name alone."""
        return int(sha256(as_text(photo.stem).encode()).hexdigest(), 16) % self.folds

    def without(self, held_out: int) -> list[Path]:
        """The training photographs of the other groups."""
        return [photo for photo in self.training if self.group(photo) != held_out]

    def judged_of(self, held_out: int) -> list[Path]:
        """The photographs of one group that are large enough to be judged."""
        return [photo for photo in self.judged if self.group(photo) == held_out]


def find_photographs(recipe: DemoRecipe, spec: PreprocessSpec) -> Photographs:
    """The photographs of the recipe's folder; none where it names none.

    Raises:
        Refusal: too few of them to hold any out.
    """
    folds = recipe.photograph_folds
    if not recipe.photographs:
        return Photographs([], [], 0, folds)
    found, side = {}, side_of_use(recipe, spec)
    for path in photos_in([recipe.photographs]):
        try:
            with Image.open(path) as image:
                found[path] = min(image.size)
        except OSError:
            found[path] = side  # refused, with the reason, when it is opened as a photo
    training, judged = ([path for path, px in found.items() if px >= least] for least in (recipe.picture_px, side))
    photographs = Photographs(training, judged, len(found) - len(training), folds)
    for fitting, px in ((training, recipe.picture_px), (judged, side)):
        if len({photographs.group(path) for path in fitting}) < folds:
            raise Refusal(
                f"{recipe.photographs} has {len(fitting)} photographs of {px} px and more, too few to hold out "
                f"{folds} parts of them in turn; add photographs, or set a smaller photograph_folds"
            )
    return photographs


def held_out_contents(recipe: DemoRecipe, photographs: Sequence[Path]) -> list[Content]:
    """The parts by which photographs are judged."""
    return contents(0, photographs, recipe.held_out_parts, recipe.seed)


def unseen_contents(recipe: DemoRecipe) -> list[Content]:
    """Scenes with other seeds than those of training."""
    return contents(recipe.unseen_contents, [], 0, recipe.seed + UNSEEN_SEED)


def contents_of_use(recipe: DemoRecipe, photographs: Photographs | None) -> list[Content]:
    """Contents for the statistics at the sizes of use: scenes, and parts of the training's photographs."""
    judged = photographs.judged if photographs else []
    large = [photo for photo in judged if photographs.group(photo) != recipe.photograph_fold]
    return contents(recipe.size_contents, large, recipe.size_parts, recipe.seed + SIZE_SEED)


def side_of_use(recipe: DemoRecipe, spec: PreprocessSpec) -> int:
    """Side of a square picture as in use, in pixels."""
    return recipe.unseen_px or spec.synthetic_crop_px


def spec_of_use(recipe: DemoRecipe, spec: PreprocessSpec) -> PreprocessSpec:
    """The views of such a picture."""
    return replace(spec, synthetic_crop_px=min(side_of_use(recipe, spec), spec.synthetic_crop_px))


def spec_of_pictures(recipe: DemoRecipe, spec: PreprocessSpec) -> PreprocessSpec:
    """The views of a training picture: those of use, or the same at a smaller size."""
    if recipe.picture_px >= spec.synthetic_crop_px:
        return spec
    return replace(spec, authentic_side_px=recipe.authentic_px, synthetic_crop_px=recipe.synthetic_px)
