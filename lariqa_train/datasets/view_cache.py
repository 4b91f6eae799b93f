"""Decode every photo once, on all cores, before training: report all that cannot be read, and keep the resized view,
so that later epochs need not decode it again.

Decoding a 3840x2160 JPEG and resizing it takes about 65 ms of a core, reading 384x384x3 bytes back almost nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lariqa.atomic import writing
from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.names import as_text
from lariqa.photos.photo import open_photo, reason_of
from lariqa.photos.views import authentic_pixels, check_image
from lariqa_train.datasets.rows import Row, refuse_faults


@dataclass(frozen=True)
class ViewCache:
    """Resized views by photo, mapped from disk."""

    views: np.ndarray  # (N, side, side, 3) uint8
    number: dict[Path, int]

    def view(self, image: Path) -> np.ndarray | None:
        """(side, side, 3) uint8, or None for a photo that is not in the cache."""
        return np.asarray(self.views[self.number[image]]) if image in self.number else None


def check_and_cache(
    rows: Sequence[Row],
    spec: PreprocessSpec,
    folder: Path,
    keep: bool,
    progress: Callable[[str], None] = lambda step: None,
) -> ViewCache | None:
    """Decode each photo once.

    Args:
        rows: of all data sets together.
        spec: the size of the resized view.
        folder: where the views and the note of what was checked are kept; files there that fit are used again.
        keep: whether to keep resized views (for the authentic branch), or only to check.
        progress: called with each step in words.

    Raises:
        Refusal: photos that cannot be read or are too small, all of them named.
    """
    images = sorted({row.image for row in rows})
    stem = folder / f"{_digest(images, spec if keep else None)}"
    kept, checked = stem.with_suffix(".npy"), stem.with_suffix(".checked")
    number = {image: i for i, image in enumerate(images)}
    if keep and kept.exists():
        return ViewCache(np.load(kept, mmap_mode="r"), number)
    if not keep and checked.exists():
        return None
    side = spec.authentic_side_px
    if not keep:
        _decode_all(images, None, spec, progress)
        with writing(checked) as beside:
            beside.write_text(f"{len(images)} photos could be read\n")
        return None
    with writing(kept) as beside:
        views = np.lib.format.open_memmap(beside, "w+", np.uint8, (len(images), side, side, 3))
        _decode_all(images, views, spec, progress)
        views.flush()
        del views
    return ViewCache(np.load(kept, mmap_mode="r"), number)


def _decode_all(images: Sequence[Path], views: np.ndarray | None, spec: PreprocessSpec, progress: Callable) -> None:
    def decode(number: int) -> str | None:
        try:
            image = open_photo(images[number])
            check_image(image)
        except Refusal as refusal:
            text = str(refusal)
            return text if str(images[number]) in text else f"{images[number]}: {text}"
        except OSError as error:  # of the photo's disk, not of the one that is written to
            return f"{images[number]}: expected a file that can be read, came {reason_of(error)}; check the disk"
        if views is not None:
            views[number] = authentic_pixels(image, spec)
        return None

    faults = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoding and resizing release the GIL
        for number, fault in enumerate(pool.map(decode, range(len(images)))):
            if fault:
                faults.append(fault)
            if number % 100 == 0:
                progress(f"decoding each photo once: {number} of {len(images)}")
    refuse_faults("the photos", faults)


def _digest(images: Sequence[Path], spec: PreprocessSpec | None) -> str:
    """Changes with any photo's name, size or time, and with the view's size."""
    digest = hashlib.sha256(str(spec and spec.authentic_side_px).encode())
    for image in images:
        try:
            about = image.stat()
            known = f"{about.st_size}\0{about.st_mtime_ns}"
        except OSError:
            known = "unreadable"  # decoding it says why
        digest.update(f"{as_text(image)}\0{known}\n".encode())
    return digest.hexdigest()[:24]
