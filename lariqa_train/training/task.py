"""LarIqaTask: what one step, one validation and the optimiser are, for Lightning's Trainer.

    bytes on the device -> [colour space ->] normalise -> model -> scores
    loss = L_acc + rob_weight L_rob + rank_weight L_rank

Losses look at a batch as a whole (PLCC, pairs), so the scores of all processes are gathered first: two processes with
half the batch each get the gradient of one with all of it. Batch norm alone sees the process's own half.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

import lightning
import numpy as np
import torch

from lariqa_train.model.normalise import normalise_planes
from lariqa_train.training.accuracy import LEAST_IMAGES, measure_accuracy
from lariqa_train.training.color import to_color_space
from lariqa_train.training.losses import accuracy_loss, color_space_loss, ranking_loss
from lariqa_train.training.picture_data import PictureData
from lariqa_train.training.train_config import TrainConfig


def warmup_cosine(step: int, steps: int, warmup_steps: int) -> float:
    """The learning rate's factor: linear from 0, then half a cosine down to 0 (Section 4.1)."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return 0.5 * (1 + math.cos(math.pi * (step - warmup_steps) / max(1, steps - warmup_steps)))


class LarIqaTask(lightning.LightningModule):
    """Training of a network of :mod:`lariqa_train.training.stages`.

    Another way of training overrides :meth:`loss`, and where it needs to :meth:`begin`, :meth:`conclude` and what is
    validated: ``fit`` asks nothing else.
    """

    monitor, mode = "val_srcc", "max"  # the best epoch has the highest

    def __init__(self, network: torch.nn.Module, config: TrainConfig, tasks: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.train_config, self.tasks = network, config, tasks
        spec = network.config.preprocess if hasattr(network, "config") else network.model.config.preprocess
        self.spec = spec
        self._validated: list[torch.Tensor] = []

    def scores(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """(B,) scores of a batch of bytes."""
        return self.network(self.views(batch), batch["task"])

    def views(self, batch: dict[str, torch.Tensor], space: str = "rgb") -> dict[str, torch.Tensor]:
        """View -> (B, 3, h, w), normalised, seen in a colour space."""
        return {
            view: normalise_planes(to_color_space(batch[view], space) if space != "rgb" else batch[view], self.spec)
            for view in self.train_config.views
        }

    def begin(self, trainer: lightning.Trainer, data: PictureData, progress: Callable[[str], None]) -> None:
        """Prepare for the first step: nothing to do here."""

    def conclude(
        self,
        trainer: lightning.Trainer,
        data: PictureData,
        best: Mapping[str, torch.Tensor],
        score: float,
        progress: Callable[[str], None],
    ) -> float:
        """Load the weights to keep; returns their validation SRCC.

        Args:
            trainer: the one that has trained.
            data: what it trained on.
            best: state of the best epoch.
            score: ``monitor`` of that epoch.
            progress: called with each step in words.
        """
        self.load_state_dict(best)
        return score

    def training_step(self, batch: dict[str, torch.Tensor], number: int) -> torch.Tensor:
        loss = self.loss(batch)
        self.log("loss", loss, prog_bar=True, on_step=True, on_epoch=False)
        return loss

    def loss(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """What one step minimises, over all processes together."""
        config = self.train_config
        spaces = config.color_spaces if config.rob_weight else ("rgb",)
        views = {space: self.views(batch, space) for space in dict.fromkeys(("rgb", *spaces))}
        by_space = {space: self._of_all(self.network(seen, batch["task"]).float()) for space, seen in views.items()}
        mos, task = self._of_all(batch["mos"]), self._of_all(batch["task"])
        present = task.unique()
        losses = []
        for one in present:  # a correlation across data sets would compare scales that have nothing in common
            mine = task == one
            scores, rated = by_space["rgb"][mine], mos[mine]
            loss = accuracy_loss(scores, rated, config.alpha, config.beta)
            if config.rob_weight:
                loss = loss + config.rob_weight * color_space_loss({s: by_space[s][mine] for s in spaces}, rated)
            if config.rank_weight:
                loss = loss + config.rank_weight * ranking_loss(scores, rated)
            losses.append(loss * mine.sum() / len(task))
        return torch.stack(losses).sum()

    def validation_step(self, batch: dict[str, torch.Tensor], number: int) -> None:
        self._validated.append(torch.stack([column.double() for column in self.validated_columns(batch)]))

    def validated_columns(self, batch: dict[str, torch.Tensor]) -> list[torch.Tensor]:
        """What is kept of each validated image, (B,) each: row, task, score, MOS."""
        return [batch["row"], batch["task"], self.scores(batch), batch["mos"]]

    def on_validation_epoch_end(self) -> None:
        rows = self._of_all(torch.cat(self._validated, 1).T.contiguous()).cpu().numpy()  # (N, columns)
        self._validated.clear()
        self.log_validated(rows[np.unique(rows[:, 0], return_index=True)[1]])  # one seen by two processes counts once

    def log_validated(self, rows: np.ndarray) -> None:
        """Log the figures of one validation, from (N, columns) of :meth:`validated_columns`."""
        srcc = []
        for number, task in enumerate(self.tasks):
            mine = rows[rows[:, 1] == number]
            if len(mine) < LEAST_IMAGES or not np.isfinite(mine).all():
                srcc.append(-1.0)
                continue
            measured = measure_accuracy(mine[:, 2], mine[:, 3])
            for name in ("srcc", "plcc", "rmse"):
                value = getattr(measured, name)
                self._log(f"val_{name}/{task}", -1.0 if math.isnan(value) else value)
            srcc.append(-1.0 if math.isnan(measured.srcc) else measured.srcc)
        self._log("val_srcc", float(np.mean(srcc)), shown=True)

    def configure_optimizers(self) -> dict:
        config = self.train_config
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        optimiser = torch.optim.AdamW(trained, lr=config.lr, weight_decay=config.weight_decay)
        steps = int(self.trainer.estimated_stepping_batches)
        warmup = max(1, round(config.warmup * steps))
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: warmup_cosine(step, steps, warmup))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _of_all(self, local: torch.Tensor) -> torch.Tensor:
        """(B, ...) of this process -> (B * processes, ...), with gradients."""
        if self.trainer.world_size == 1:
            return local
        return self.all_gather(local, sync_grads=local.requires_grad).flatten(0, 1)

    def _log(self, name: str, value: float, shown: bool = False) -> None:
        # The figure is of all processes together already: every one logs the same.
        self.log(re.sub(r"[^\w/]", "_", name), value, prog_bar=shown, sync_dist=False, rank_zero_only=False)
