"""Generated data as files, so that every command takes it as it takes a data set. A DEMONSTRATION, no human ratings.

    generated.csv     image, score (1 - severity), group, set, distortion, severity
    images/           PNG, lossless: nothing is done to a picture that the table does not name

Written by ``lariqa datasets generate ROOT``; what the pictures show and what is done to them:
:mod:`lariqa_train.datasets.generated`. All parts of one photograph are one group and lie on one side of the split.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lariqa.atomic import replace, staging
from lariqa.errors import Refusal
from lariqa.names import on_disk
from lariqa_train.datasets.generated import SCENE, Content, contents, pictures_of
from lariqa_train.datasets.rows import SETS, DataSet, RawRow, first_of, read_csv

TABLE = "generated.csv"
SHARES = (0.7, 0.1, 0.2)  # of the contents, for training, validation and test
COLUMNS = ("image", "score", "group", "set", "distortion", "severity")


def read(root: Path) -> Iterator[RawRow]:
    """Every line of the table."""
    for where, row in read_csv(first_of(root, TABLE), ("image", "score", "group", "set"), renamed={"content": "group"}):
        yield RawRow(root / row["image"], row["score"], row["group"], where, row["set"])


GENERATED = DataSet(
    name="generated",
    title="generated distortions (a demonstration)",
    kind="generated",
    images=0,
    mos_range=(0, 1),
    higher_is_better=True,
    licence="a demonstration: the score is 1 - severity, no human ratings, so no measure of accuracy",
    source="this toolkit: `lariqa datasets generate ROOT` makes it",
    layout=(TABLE, "images"),
    read=read,
    official_split=True,
)


def write_generated(
    folder: Path,
    *,
    scenes: int = 60,
    photos: Sequence[Path] = (),
    parts: int = 4,
    versions: int = 13,
    side_px: int = 512,
    seed: int = 1,
    progress: Callable[[str], None] = lambda step: None,
) -> int:
    """Render contents and their distortions into a folder, with the table; returns how many pictures.

    Args:
        folder: an older generated set there is replaced as a whole, or stays as it was.
        scenes: procedural contents.
        photos: photographs, each of which is one content.
        parts: pictures cut from each of them.
        versions: distorted pictures of each scene or part.
        side_px: of the square pictures.
        seed: of everything random.

    Raises:
        Refusal: too few contents for a split, a photo that cannot be read or is too small, or no room on the disk.
    """
    wanted = contents(scenes, photos, parts, seed)
    sets = _deal(sorted({_shows(content) for content in wanted}), seed)
    lines = []
    with staging(folder) as stage:
        (stage / "images").mkdir()
        make = partial(_write, folder=stage / "images", side_px=side_px, versions=versions)
        with ProcessPoolExecutor(
            os.cpu_count(), mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
        ) as pool:
            for number, (content, made) in enumerate(zip(wanted, pool.map(make, wanted, chunksize=2), strict=True)):
                if number % 10 == 0:
                    progress(f"content {number} of {len(wanted)}")
                shows = _shows(content)
                lines += [(name, 1 - severity, shows, sets[shows], kind, severity) for name, kind, severity in made]
        with (stage / TABLE).open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for name, score, *rest, severity in lines:
                table.writerow([f"images/{name}", f"{score:.6f}", *rest, f"{severity:.6f}"])
        for name in ("images", TABLE):
            replace(stage / name, folder / name)
    return len(lines)


def _write(content: Content, folder: Path, side_px: int, versions: int) -> list[tuple[str, str, float]]:
    made = []
    for number, picture in enumerate(pictures_of(content, side_px, versions)):
        name = f"{content.name}-{number:02d}-{picture.distortion}.png"
        Image.fromarray(picture.pixels).save(folder / on_disk(name), compress_level=1)
        made.append((name, picture.distortion, picture.severity))
    return made


def _shows(content: Content) -> str:
    """What must not be on both sides of a split: the scene, or the whole photograph."""
    return content.name if content.kind == SCENE else content.label


def _deal(names: Sequence[str], seed: int) -> dict[str, str]:
    """Content -> its set, by name and seed only."""
    if len(names) < len(SETS):
        raise Refusal(f"{len(names)} contents cannot be dealt to {', '.join(SETS)}; ask for more scenes or photographs")
    order = np.random.default_rng([seed, 0xDEA1]).permutation(len(names))
    bounds = np.cumsum([max(1, round(share * len(names))) for share in SHARES[1:]])
    which = [("validation", "test", "training")[int(np.searchsorted(bounds, place, side="right"))] for place in order]
    return dict(zip(names, which, strict=True))
