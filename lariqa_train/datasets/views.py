"""Pictures for the trainer: each item is one photo's views as bytes, its MOS, and where it comes from.

    authentic   the whole photo resized (Section 3.2), as ``preprocess`` does it
    synthetic   native pixels: a random crop in training, the centre crop otherwise; black where the photo is smaller

Augmentation is flips and crops only: nothing that changes quality. It depends on (seed, epoch, row) alone, so a run
that is resumed or spread over processes sees the same pictures. Normalisation and colour spaces happen later, in
batches on the device.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.photos.photo import open_photo
from lariqa.photos.views import authentic_pixels, synthetic_pixels
from lariqa_train.datasets.rows import Row
from lariqa_train.datasets.view_cache import ViewCache


class Pictures(Dataset):
    """Rows of one or several data sets as one sequence; indexed by (row, epoch).

    Args:
        tasks: data set -> its rows; tasks are numbered in this order.
        spec: sizes of the views.
        views: which views to make.
        training: random crops and flips, or centre crops and none.
        seed: of everything random.
        cache: resized views made before, if any.
    """

    def __init__(
        self,
        tasks: Mapping[str, Sequence[Row]],
        spec: PreprocessSpec,
        views: Sequence[str],
        training: bool,
        seed: int,
        cache: ViewCache | None = None,
    ) -> None:
        self.tasks = tuple(tasks)
        self.rows = [(number, row) for number, rows in enumerate(tasks.values()) for row in rows]
        self.spec, self.views, self.training, self.seed, self.cache = spec, tuple(views), training, seed, cache

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: tuple[int, int] | int) -> dict[str, torch.Tensor]:
        row_number, epoch = index if isinstance(index, tuple) else (index, 0)
        task, row = self.rows[row_number]
        random = np.random.default_rng([self.seed, epoch, row_number]) if self.training else None
        pixels = self._pixels(row, random)
        if random is not None and random.random() < 0.5:
            pixels = {view: image[:, ::-1] for view, image in pixels.items()}
        item = {view: torch.from_numpy(np.array(image.transpose(2, 0, 1))) for view, image in pixels.items()}
        item["mos"] = torch.tensor(row.mos, dtype=torch.float32)
        return {**item, "task": torch.tensor(task), "row": torch.tensor(row_number)}

    def _pixels(self, row: Row, random: np.random.Generator | None) -> dict[str, np.ndarray]:
        cached = self.cache.view(row.image) if self.cache and "authentic" in self.views else None
        image = open_photo(row.image) if cached is None or "synthetic" in self.views else None
        made = {}
        for view in self.views:
            if view == "authentic":
                made[view] = authentic_pixels(image, self.spec) if cached is None else cached
            else:
                made[view] = synthetic_pixels(
                    image if random is None else random_part(image, self.spec, random), self.spec
                )
        return made


def random_part(image: np.ndarray, spec: PreprocessSpec, random: np.random.Generator) -> np.ndarray:
    """A part of the size of the crop, anywhere in the photo; along a side that is shorter, all of it."""
    if spec.synthetic_view == "full":
        return image
    part = image
    for axis in (0, 1):
        spare = part.shape[axis] - spec.synthetic_crop_px
        if spare > 0:
            start = int(random.integers(spare + 1))
            part = (
                part.take(range(start, start + spec.synthetic_crop_px), axis)
                if axis
                else part[start:][: spec.synthetic_crop_px]
            )
    return part


class EpochSampler(Sampler):
    """(row, epoch) pairs in a new order each epoch, dealt to the processes so that together they see one order.

    Process r of n takes every n-th, so that batch k of all processes together is batch k of a single one. The last
    rows of an epoch that fill no whole batch wait for another epoch, in training; otherwise every row comes once, the
    last one again where processes would run out unevenly.
    """

    def __init__(self, rows: int, batch: int, shuffle: bool, seed: int, rank: int = 0, processes: int = 1) -> None:
        self.rows, self.batch, self.shuffle, self.seed = rows, batch, shuffle, seed
        self.rank, self.processes, self.epoch = rank, processes, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = np.arange(self.rows)
        if self.shuffle:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(self.rows)
            order = order[: self.rows // self.batch * self.batch]
        else:
            order = np.append(order, np.full(-self.rows % self.processes, self.rows - 1))
        yield from ((int(row), self.epoch) for row in order[self.rank :: self.processes])

    def __len__(self) -> int:
        whole = self.rows // self.batch * self.batch if self.shuffle else self.rows + -self.rows % self.processes
        return whole // self.processes


def spec_for(spec: PreprocessSpec, authentic_side_px: int, synthetic_crop_px: int) -> PreprocessSpec:
    """The backbone's normalisation with the sizes of a recipe."""
    return replace(spec, authentic_side_px=authentic_side_px, synthetic_crop_px=synthetic_crop_px)
