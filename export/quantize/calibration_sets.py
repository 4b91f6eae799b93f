"""The pictures of a lower precision's export: three kinds that share no pixel, and their reference scores, made once.

    calibrating   what the layers are seen on: rounding, ranges of activations; the user's photos, or made ones
    choosing      on which weight formats are chosen
    judging       the final gate; after a miss, the next attempt is judged on a fresh set

Made ones are in turn a window of the bundled photograph and a generated scene, in other light and colour, four in five
damaged. Scenes differ by their seeds. Of the photograph, calibrating and choosing see the left half and judging the
right one: no part of it is on both sides.

A made picture that the reference does not know is left out, whatever a file makes of it (``in_distribution``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from export.proof.limits import GATE_PHOTOS, LIMITS
from export.proof.parity import refuse_alike
from export.proof.proof_photos import photo_files, photos_from, seeded_photos, seeded_scenes
from export.quantize.in_distribution import InDistribution
from lariqa.errors import Refusal
from lariqa.photos.photo import open_photo
from lariqa.runtimes.scorer import Scorer
from lariqa.time_left import counted

CALIBRATING, CHOOSING = 64, 24
MOST_TRIED = 4  # times as many pictures as are wanted
CALIBRATE_SEED, CHOOSE_SEED, JUDGE_SEED = 20003, 20002, 20001
LEFT, RIGHT = (0.0, 0.5), (0.5, 1.0)  # of the bundled photograph's width
MADE = "windows of the bundled photograph's left half and generated scenes, four in five damaged (generated)"


@dataclass
class CalibrationSets:
    """All pictures of one export.

    Args:
        reference: the PyTorch reference.
        size: (height, width) of the pictures.
        folder: where they are kept as files: 64 of 3840x2160 would take 1.6 GB.
        calibration: the user's photos; empty: made ones.
        validation_pictures: how many pictures judge; fewer than GATE_PHOTOS prove less.
        proof: the photos of every proof, judged along.
        progress: called with each step in words.
    """

    reference: Scorer | None
    size: tuple[int, int]
    folder: Path
    calibration: Sequence[str] = ()
    validation_pictures: int = GATE_PHOTOS
    proof: Mapping[str, np.ndarray] = field(default_factory=dict)
    progress: Callable[[str], None] = lambda step: None
    _made: dict[str, tuple[Pictures, dict[str, float]]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)  # kind -> made pictures that the model does not know

    def calibrating(self) -> Iterator[np.ndarray]:
        """(height, width, 3) uint8, one after another."""
        if self.calibration:
            yield from photos_from(self.calibration, self.size).values()
        else:
            yield from self._once("calibrating", CALIBRATING, CALIBRATE_SEED, LEFT)[0].values()

    def choosing(self) -> tuple[Pictures, dict[str, float]]:
        """(pictures, name -> reference score) on which weight formats are chosen."""
        return self._once("choosing", CHOOSING, CHOOSE_SEED, LEFT)

    def judging(self, attempt: int = 0) -> tuple[Pictures, dict[str, float]]:
        """Those of the final gate, with the proof's photos; each attempt has its own, whatever the format."""
        pictures, scores = self._once(f"judging {attempt}", self.validation_pictures, JUDGE_SEED + 10 * attempt, RIGHT)
        files = {path: name for name, path in pictures.files.items()}
        return Pictures(files, self.proof), self.known.proof_scores | scores

    @cached_property
    def known(self) -> InDistribution:
        """Which pictures the model knows."""
        return InDistribution(self.reference, self.proof)

    def _once(self, name: str, count: int, seed: int, part: tuple[float, float]) -> tuple[Pictures, dict[str, float]]:
        if name not in self._made:
            folder = self.folder / name.replace(" ", "-")
            folder.mkdir()
            files, scores = {}, {}
            candidates = made_pictures(MOST_TRIED * count, *self.size, seed, part)
            told = counted(range(count), count, f"pictures for {name}, made and scored by PyTorch", self.progress)
            for number, candidate in enumerate(candidates):
                ((path, called),) = photo_files(folder, [candidate], number).items()
                score, known = self.known.score(open_photo(path))
                if known:
                    files[path], scores[called] = called, score
                    next(told)
                else:
                    path.unlink()
                if len(files) == count:
                    break
            if len(files) < count:
                raise Refusal(
                    f"the model knows only {len(files)} of {MOST_TRIED * count} made pictures: the others' scores or "
                    f"features are not like the proof photos'; {count} are needed for {name}, so a lower precision "
                    "cannot be judged; export it in fp32, or train it on pictures of more kinds"
                )
            refuse_alike(scores, LIMITS["fp32"])
            self.left_out[name] = unknown = number + 1 - count
            if unknown:
                self.progress(f"{unknown} made pictures left out: the model does not know them")
            self._made[name] = Pictures(files, {}), scores
        return self._made[name]


def made_pictures(
    count: int, height: int, width: int, seed: int, part: tuple[float, float]
) -> Iterator[tuple[str, np.ndarray]]:
    """(name, pixels): windows of a part of the bundled photograph and generated scenes in turn."""
    windows = seeded_photos(count - count // 2, height, width, seed, part)
    scenes = seeded_scenes(count // 2, height, width, seed)
    for source in islice(cycle((windows, scenes)), count):
        yield next(source)


class Pictures(Mapping):
    """Name -> pixels: the proof's photos, then pictures opened one at a time."""

    def __init__(self, files: Mapping[Path, str], held: Mapping[str, np.ndarray]) -> None:
        self.files, self.held = {name: path for path, name in files.items()}, held

    def __getitem__(self, name: str) -> np.ndarray:
        return self.held[name] if name in self.held else open_photo(self.files[name])

    def __iter__(self) -> Iterator[str]:
        return iter([*self.held, *self.files])

    def __len__(self) -> int:
        return len(self.held) + len(self.files)
