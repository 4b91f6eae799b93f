"""The pictures of a lower precision's export: three sets that share no pixel, and their reference scores, made once.

    calibration   statistics for rounding, ranges of activations; the user's photos, or generated pictures
    selection     on which weight formats are chosen
    validation    the final gate; after a miss, the next attempt is judged on a fresh set

Generated pictures are in turn a window of the bundled photograph and a generated scene, in other light and colour, four
in five damaged. Scenes differ by their seeds. Of the photograph, calibration and selection see the left half and
validation the right one: no part of it is on both sides.

A generated picture that is out of the reference's distribution is left out, whatever a file makes of it
(``in_distribution``).
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
from export.proof.proof_photos import PhotoFiles, photo_files, seeded_photos, seeded_scenes
from export.quantize.in_distribution import InDistribution
from lariqa.errors import Refusal
from lariqa.photos.photo import decode, open_photo
from lariqa.photos.photo_files import photos_in
from lariqa.photos.views import check_image
from lariqa.runtimes.scorer import Scorer
from lariqa.time_left import counted

CALIBRATION_PICTURES, SELECTION_PICTURES = 64, 24
SHOWN = 20  # photos that are named in a refusal
MOST_TRIED = 4  # times as many pictures as are wanted
CALIBRATION_SEED, SELECTION_SEED, VALIDATION_SEED = 20003, 20002, 20001
LEFT, RIGHT = (0.0, 0.5), (0.5, 1.0)  # of the bundled photograph's width
GENERATED = "windows of the bundled photograph's left half and generated scenes, four in five damaged (generated)"


def refuse_unusable(photos: Sequence[str], progress: Callable[[str], None] = lambda step: None) -> None:
    """Decode each photo for calibration once, before hours of work that would end at a bad one.

    Raises:
        Refusal: photos that cannot be read, or too small: all of them named.
    """
    files, faults = photos_in(photos), {}
    for path in counted(files, len(files), "reading each photo for calibration once", progress):
        try:
            check_image(decode(path))
        except Refusal as refusal:
            faults[path] = str(refusal)
    if faults:
        (first, reason), *others = faults.items()
        named = reason if str(first) in reason else f"{first}: {reason}"
        also = f"; neither can {', '.join(map(str, list(faults)[1 : SHOWN + 1]))}" if others else ""
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        raise Refusal(f"{len(faults)} of {len(files)} photos cannot calibrate: {named}{also}{more}")


@dataclass
class PictureSets:
    """All pictures of one export.

    Args:
        reference: the PyTorch reference.
        size: (height, width) of generated pictures.
        folder: where they are kept as files: 64 of 3840x2160 would take 1.6 GB.
        calibration_photos: the user's; empty: generated pictures.
        validation_pictures: how many validate; fewer than GATE_PHOTOS prove less.
        proof: the photos of every proof, which validate as well.
        progress: called with each step in words.
        calibration_size: (height, width) that the user's photos are resampled to; None: as they are.
    """

    reference: Scorer | None
    size: tuple[int, int]
    folder: Path
    calibration_photos: Sequence[str] = ()
    validation_pictures: int = GATE_PHOTOS
    proof: Mapping[str, np.ndarray] = field(default_factory=dict)
    progress: Callable[[str], None] = lambda step: None
    calibration_size: tuple[int, int] | None = None
    _made: dict[str, tuple[Pictures, dict[str, float]]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)  # set -> generated pictures out of distribution

    def calibration(self) -> Iterator[np.ndarray]:
        """(height, width, 3) uint8, one after another."""
        if self.calibration_photos:
            yield from PhotoFiles(self.calibration_photos, self.calibration_size).values()
        else:
            yield from self._once("calibration", CALIBRATION_PICTURES, CALIBRATION_SEED, LEFT)[0].values()

    def selection(self) -> tuple[Pictures, dict[str, float]]:
        """(pictures, name -> reference score) on which weight formats are chosen."""
        return self._once("selection", SELECTION_PICTURES, SELECTION_SEED, LEFT)

    def validation(self, attempt: int = 0) -> tuple[Pictures, dict[str, float]]:
        """Those of the final gate, with the proof's photos; each attempt has its own, whatever the format."""
        pictures, scores = self._once(
            f"validation {attempt}", self.validation_pictures, VALIDATION_SEED + 10 * attempt, RIGHT
        )
        files = {path: name for name, path in pictures.files.items()}
        return Pictures(files, self.proof), self.in_distribution.proof_scores | scores

    @cached_property
    def in_distribution(self) -> InDistribution:
        """The check that every generated picture has to pass."""
        return InDistribution(self.reference, self.proof)

    def _once(self, name: str, count: int, seed: int, part: tuple[float, float]) -> tuple[Pictures, dict[str, float]]:
        if name not in self._made:
            folder = self.folder / name.replace(" ", "-")
            folder.mkdir()
            files, scores = {}, {}
            candidates = generated_pictures(MOST_TRIED * count, *self.size, seed, part)
            counter = counted(range(count), count, f"pictures for {name}, made and scored by PyTorch", self.progress)
            for number, candidate in enumerate(candidates):
                ((path, called),) = photo_files(folder, [candidate], number).items()
                score, inside = self.in_distribution.score(open_photo(path))
                if inside:
                    files[path], scores[called] = called, score
                    next(counter)
                else:
                    path.unlink()
                if len(files) == count:
                    break
            if len(files) < count:
                raise Refusal(
                    f"only {len(files)} of {MOST_TRIED * count} pictures are in distribution: the others' scores or "
                    f"features are not like the proof photos'; {count} are needed for {name}, so no lower "
                    "precision can be validated; export it in fp32, or train it on pictures of more kinds"
                )
            refuse_alike(scores, LIMITS["fp32"])
            self.left_out[name] = outside = number + 1 - count
            if outside:
                self.progress(f"{outside} generated pictures left out: out of distribution")
            self._made[name] = Pictures(files, {}), scores
        return self._made[name]


def generated_pictures(
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
