"""QatTask: quantisation-aware training as a task of its own; the method is in ``lariqa_train.quantization.qat``.

begin      round by what the layers see on training pictures; validate, so that training has a figure to beat
loss       distance of features and scores from the float model; human ratings are for validation only
conclude   keep the epoch whose validation scores moved least, or the start if no epoch moved them less
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import lightning
import numpy as np
import torch

from lariqa.manifest.model_config import Provenance
from lariqa_train.datasets.views import Pictures
from lariqa_train.model.model import LarIqa
from lariqa_train.quantization.qat import (
    bake,
    features_and_scores,
    round_by_outputs,
    round_while_training,
    teacher_of,
)
from lariqa_train.training.picture_data import PictureData
from lariqa_train.training.stages import BothBranches
from lariqa_train.training.task import LarIqaTask

CALIBRATION_PICTURES = 64  # training pictures
LEAST_VARIANCE = 1e-12


class RoundedBranches(BothBranches):
    """Both branches with rounded weights, beside the float model that they learn from."""

    def __init__(self, model: LarIqa) -> None:
        super().__init__(model, frozen=False)
        self.teacher = (teacher_of(model),)  # in a tuple, so that it is no part of what is trained and saved
        self.variance: Mapping[str, float] = {}  # of what the teacher gives; from calibrate
        round_while_training(model)
        self.train()

    @property
    def keeps_statistics(self) -> bool:
        """Always: batch norm is trained as it will be folded."""
        return True

    def calibrate(self, pictures: Iterable[dict[str, torch.Tensor]]) -> None:
        """Round by what the layers see on these pictures; before the first step."""
        self.variance = round_by_outputs(self.model, self.teacher[0], pictures)

    def distance(self, views: dict[str, torch.Tensor]) -> torch.Tensor:
        """How far features and scores are from the float model's: mean squares, as shares of what these vary by."""
        with torch.no_grad():
            wanted, scores = features_and_scores(self._teacher_here(), views)
        features, mine = features_and_scores(self.model, views)
        parts = {view: (features[view], wanted[view]) for view in features} | {"score": (mine, scores)}
        return sum(
            (given - target).square().mean() / max(self.variance[what], LEAST_VARIANCE)
            for what, (given, target) in parts.items()
        )

    def float_scores(self, views: dict[str, torch.Tensor]) -> torch.Tensor:
        """(B,) scores of the float model, which rounded weights are to keep."""
        with torch.no_grad():
            return self._teacher_here()(**views).flatten()

    def as_model(self, task: str, provenance: Provenance) -> LarIqa:
        """The model with its rounded weights."""
        bake(self.model)
        return super().as_model(task, provenance)

    def _teacher_here(self) -> LarIqa:
        """The teacher, on the device that trains."""
        return self.teacher[0].to(next(self.parameters()).device)


class QatTask(LarIqaTask):
    """Training of :class:`RoundedBranches`."""

    monitor, mode = "val_moved", "min"

    def begin(self, trainer: lightning.Trainer, data: PictureData, progress: Callable[[str], None]) -> None:
        """Calibrate, and keep the state and the figures before training."""
        self.network.calibrate(self._calibration_views(data.training, progress))
        progress("validating the rounded weights before training")
        (self._figures_before,) = trainer.validate(self, data, verbose=False)
        self._state_before = {name: value.cpu().clone() for name, value in self.state_dict().items()}

    def loss(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Distance from the float model, of this process's pictures."""
        return self.network.distance(self.views(batch))

    def validated_columns(self, batch: dict[str, torch.Tensor]) -> list[torch.Tensor]:
        """The columns of every task, and the float model's score."""
        return [*super().validated_columns(batch), self.network.float_scores(self.views(batch))]

    def log_validated(self, rows: np.ndarray) -> None:
        """The figures of every task, and the standard deviation of what rounding does to the score."""
        super().log_validated(rows)
        self._log("val_moved", float(np.std(rows[:, 2] - rows[:, 4])), shown=True)

    def conclude(
        self,
        trainer: lightning.Trainer,
        data: PictureData,
        best: Mapping[str, torch.Tensor],
        score: float,
        progress: Callable[[str], None],
    ) -> float:
        """Keep the best epoch if it moved the scores less than the start; arguments as in LarIqaTask."""
        before, helped = self._figures_before, score < self._figures_before["val_moved"]
        self.load_state_dict(best if helped else self._state_before)
        (after,) = trainer.validate(self, data, verbose=False) if helped else (before,)
        progress(
            f"validation scores are off the float model's by sd {before['val_moved']:.2e} as rounded, by {score:.2e} "
            f"after training: {'the trained' if helped else 'the rounded'} weights are kept"
        )
        return after["val_srcc"]

    def _calibration_views(
        self, pictures: Pictures, progress: Callable[[str], None]
    ) -> Iterator[dict[str, torch.Tensor]]:
        """Views, one picture at a time, of pictures from all over the data set; the same in every process."""
        count = min(CALIBRATION_PICTURES, len(pictures))
        for number in range(count):
            if number % 8 == 0:
                progress(f"what the layers see, picture {number + 1} of {count}")
            item = pictures[number * len(pictures) // count]
            yield self.views({view: item[view][None] for view in self.train_config.views})
