"""The pictures of a lower precision's export: three kinds that share no pixel, and their reference scores, made once.

    calibrating   what the layers are seen on: rounding, ranges of activations; the user's photos, or made ones
    choosing      on which levels are chosen
    judging       the final gate; after a miss, the next attempt is judged on a fresh set

Made ones are in turn a window of the bundled photograph and a generated scene, in other light and colour, four in five
damaged. Scenes differ by their seeds. Of the photograph, calibrating and choosing see the left half and judging the
right one: no part of it is on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from benchmarks.parity import GATE_PHOTOS, LIMITS, reference_scores
from benchmarks.time_left import counted
from benchmarks.workload import photo_files, photos_from, seeded_photos, seeded_scenes
from export.scorer import Scorer
from lariqa_train.photo import open_photo

CALIBRATING, CHOOSING = 24, 24
CALIBRATE_SEED, CHOOSE_SEED, JUDGE_SEED = 20003, 20002, 20001
LEFT, RIGHT = (0.0, 0.5), (0.5, 1.0)  # of the bundled photograph's width
MADE = "windows of the bundled photograph's left half and generated scenes, four in five damaged (generated)"


@dataclass
class GatePictures:
    """All pictures of one export.

    Args:
        reference: the PyTorch reference.
        size: (height, width) of the pictures.
        folder: where they are kept as files: 24 of 3840x2160 would take 600 MB.
        calibration: the user's photos; empty: made ones.
        judges: how many pictures judge; fewer than GATE_PHOTOS prove less.
        proof: the photos of every proof, judged along.
        progress: called with each step in words.
    """

    reference: Scorer | None
    size: tuple[int, int]
    folder: Path
    calibration: Sequence[str] = ()
    judges: int = GATE_PHOTOS
    proof: Mapping[str, np.ndarray] = field(default_factory=dict)
    progress: Callable[[str], None] = lambda step: None
    _made: dict[str, tuple[Pictures, dict[str, float]]] = field(default_factory=dict)

    def calibrating(self) -> Iterator[np.ndarray]:
        """(height, width, 3) uint8, one after another."""
        if self.calibration:
            yield from photos_from(self.calibration, self.size).values()
        else:
            for _, photo in made_pictures(CALIBRATING, *self.size, CALIBRATE_SEED, LEFT):
                yield photo

    def choosing(self) -> tuple[Pictures, dict[str, float]]:
        """(pictures, name -> reference score) on which levels are chosen."""
        return self._once("choosing", CHOOSING, CHOOSE_SEED, LEFT, {})

    def judging(self, attempt: int = 0) -> tuple[Pictures, dict[str, float]]:
        """Those of the final gate; each attempt has its own, whatever the format."""
        return self._once(f"judging {attempt}", self.judges, JUDGE_SEED + 10 * attempt, RIGHT, self.proof)

    def _once(self, name: str, count: int, seed: int, part: tuple[float, float], held) -> tuple:
        if name not in self._made:
            folder = self.folder / name.replace(" ", "-")
            folder.mkdir()
            made = made_pictures(count, *self.size, seed, part)
            made = counted(made, count, f"making pictures for {name}", self.progress)
            pictures = Pictures(photo_files(folder, made), held)
            scores = reference_scores(self.reference, pictures, LIMITS["fp32"], self.progress, f" for {name}")
            self._made[name] = pictures, scores
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

    def first(self, count: int) -> Iterable[str]:
        """Names of the first few."""
        return islice(self, count)
