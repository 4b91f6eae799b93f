"""PictureData: the training and validation loaders of a run, for Lightning's Trainer."""

from __future__ import annotations

import os
from collections.abc import Mapping

import lightning
import torch
from torch.utils.data import DataLoader

from lariqa_train.datasets.split import Split
from lariqa_train.datasets.views import EpochSampler, Pictures
from lariqa_train.training.train_config import TrainConfig


class PictureData(lightning.LightningDataModule):
    """The loaders, dealt to however many processes the Trainer has."""

    def __init__(self, splits: Mapping[str, Split], config: TrainConfig, spec, cache) -> None:
        super().__init__()
        self.config = config
        self.training = Pictures(
            {name: split.training for name, split in splits.items()}, spec, config.views, True, config.seed, cache
        )
        self.validation = Pictures(
            {name: split.validation for name, split in splits.items()}, spec, config.views, False, config.seed, cache
        )

    def train_dataloader(self) -> DataLoader:
        return self._loader(self.training, shuffle=True)

    def val_dataloader(self) -> DataLoader:
        return self._loader(self.validation, shuffle=False)

    def _loader(self, pictures: Pictures, shuffle: bool) -> DataLoader:
        processes, rank = self.trainer.world_size, self.trainer.global_rank
        workers = self.config.workers if self.config.workers >= 0 else max(1, (os.cpu_count() or 1) // processes)
        sampler = EpochSampler(len(pictures), self.config.batch_size, shuffle, self.config.seed, rank, processes)
        return DataLoader(
            pictures,
            batch_size=self.config.batch_size // processes,
            sampler=sampler,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=torch.cuda.is_available(),
        )
