"""Every layout of a TIFF, written by hand: 768 of photometric x depth x compression x planes x byte order x tiles, and
384 with a predictor."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from lariqa.photos.golden import golden_photo
from tests.support.tiff_writer import EVERY, photo_as, variants, write_tiff
from tests.sweeps.judge import Case


def cases() -> Iterator[Case]:
    """All of them; 8 bits side by side is what every program writes, so it must be read."""
    photo = golden_photo(61, 83)
    for variant in variants(EVERY):
        kind, depth, _, apart, *_ = variant
        samples, shown = photo_as(kind, depth, photo)
        yield Case(
            f"TIFF, {kind}, {depth}",
            " ".join(map(str, variant)),
            partial(_write, samples=samples, variant=(kind, *variant[2:])),
            shown,
            most=1 if depth == "float32" else 0,
            may_be_refused=depth != "uint8" or apart,
        )


def _write(path, samples, variant) -> None:
    write_tiff(path, samples, *variant)
