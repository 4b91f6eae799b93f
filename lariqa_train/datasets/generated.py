"""Generated data: photographs and procedural scenes, distorted with known kind and severity. NOT human ratings.

A demonstration and a test bed: the score of a picture is 1 minus the severity of what was done to it, so a model that
learns it shows that learning works, not how well it would agree with people.

    content     a procedural scene, or a part of a photograph; each counts as one content
    pictures    of each content: one undistorted (score 1), and others of random kinds and severities

Contents never cross a split: training, validation and test scenes have different seeds. Same seed, same data.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np

from lariqa.errors import Refusal
from lariqa.names import as_text
from lariqa.photos.photo import open_photo
from lariqa_train.pictures.distortions import DISTORTIONS, score_of
from lariqa_train.pictures.scenes import as_photographed, render_scene

PARTS_TRIED = 4  # of a photo, to find one that shows something
SOFTEST = 0.35  # of 1, the photo's own detail: parts of it are shrunk by up to its inverse

FEW = 8  # fewer contents are rendered faster than other processes start

SCENE, PHOTO = "scene", "photo"


@dataclass(frozen=True)
class Content:
    """What a picture shows: a scene by its seed, or part number ``seed`` of a photo."""

    kind: str  # SCENE or PHOTO
    seed: int
    photo: Path | None = None
    label: str = ""  # of the photo, unique among those of one set

    @property
    def name(self) -> str:
        """Unique among contents."""
        return f"{self.kind}-{self.label}{self.seed}"


@dataclass(frozen=True)
class Picture:
    """One picture with what was done to it."""

    pixels: np.ndarray  # (side, side, 3) uint8 RGB
    content: str
    distortion: str  # a name of DISTORTIONS, or "none"
    severity: float  # 0..1

    @property
    def score(self) -> float:
        """What the model is to learn."""
        return score_of(self.severity)


def contents(scenes: int, photos: Sequence[Path], parts: int, seed: int) -> list[Content]:
    """``scenes`` scenes, and ``parts`` parts of each photo; another seed gives other scenes and parts."""
    made, first = [Content(SCENE, 1_000_000 * seed + number) for number in range(scenes)], 1_000_000 * seed
    for photo, label in labels(photos).items():
        # Each with seeds of its own: with the same severities for all, the model could memorise them.
        own = first + (crc32(label.encode()) << 32)
        made += [Content(PHOTO, own + number, photo, label) for number in range(parts)]
    return made


def labels(photos: Sequence[Path]) -> dict[Path, str]:
    """A name for each photo, unique among them: its stem; where several have that, with its folder or of its path.

    Cameras begin to count anew in every folder: 100CANON/IMG_0001.JPG, 101CANON/IMG_0001.JPG.
    """
    given = dict.fromkeys(photos)
    alike = Counter(photo.stem for photo in given)
    beside = Counter((photo.absolute().parent.name, photo.stem) for photo in given)

    def label(photo: Path) -> str:
        folder = photo.absolute().parent.name
        if alike[photo.stem] == 1:
            return photo.stem
        if beside[folder, photo.stem] == 1:
            return f"{folder}-{photo.stem}"
        return f"{photo.stem}-{crc32(os.fsencode(photo.absolute())):08x}"

    return {photo: as_text(label(photo)) for photo in given}


def undistorted(content: Content, side_px: int) -> np.ndarray:
    """A content as a good camera would show it: (side, side, 3) uint8.

    Raises:
        Refusal: the photo cannot be read, or is smaller than that.
    """
    if content.kind == SCENE:
        return as_photographed(render_scene(content.seed, side_px, side_px), content.seed)
    try:
        part = _part(_photo(content.photo), content.seed, side_px)
    except Refusal as refusal:
        if str(content.photo) in str(refusal):
            raise
        raise Refusal(f"{content.photo}: {refusal}") from refusal
    return as_photographed(part, content.seed)


def pictures_of(content: Content, side_px: int, versions: int) -> list[Picture]:
    """The content undistorted, and ``versions`` times distorted: every kind in turn, from a random one on."""
    random = np.random.default_rng([content.seed, 0xD157])
    original = undistorted(content, side_px)
    made, first = [Picture(original, content.name, "none", 0.0)], int(random.integers(len(DISTORTIONS)))
    kinds = list(DISTORTIONS)
    for number in range(versions):
        kind, severity = kinds[(first + number) % len(kinds)], float(random.random())
        made.append(Picture(DISTORTIONS[kind](original, severity, random), content.name, kind, severity))
    return made


def render(wanted: Sequence[Content], side_px: int, versions: int, processes: int | None = None) -> list[Picture]:
    """All pictures of all contents, made on every core; the number of cores does not change them."""
    return list(rendering(wanted, side_px, versions, processes))


def rendering(
    wanted: Sequence[Content], side_px: int, versions: int, processes: int | None = None
) -> Iterator[Picture]:
    """The same one after the other, for more than fit in memory."""
    processes = processes or (1 if len(wanted) <= FEW else os.cpu_count()) or 1
    make = partial(pictures_of, side_px=side_px, versions=versions)
    if processes == 1:
        for content in wanted:
            yield from make(content)
        return
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        for made in pool.map(make, wanted, chunksize=2):
            yield from made


@lru_cache(maxsize=2)
def _photo(path: Path) -> np.ndarray:
    return open_photo(path)


def _part(photo: np.ndarray, seed: int, side_px: int) -> np.ndarray:
    """A square part of a photo, the richest of a few, at a random scale, mirrored and with its channels exchanged."""
    height, width = photo.shape[:2]
    if min(height, width) < side_px:
        raise Refusal(
            f"a photo of {width}x{height} has no part of {side_px} px; use larger photos or a smaller picture_px"
        )
    random = np.random.default_rng([seed, 0x9A27])
    parts = []
    for _ in range(PARTS_TRIED):
        largest = min(height, width, side_px / SOFTEST)
        side = int(np.exp(random.uniform(np.log(side_px), np.log(largest))))
        top, left = random.integers(height - side + 1), random.integers(width - side + 1)
        part = photo[top : top + side, left : left + side]
        parts.append(cv2.resize(part, (side_px, side_px), interpolation=cv2.INTER_AREA))
    part = max(parts, key=lambda p: float(np.abs(np.diff(p.mean(-1), axis=1)).mean()))
    if random.random() < 0.5:
        part = part[:, ::-1]
    return np.ascontiguousarray(part[..., random.permutation(3)])
