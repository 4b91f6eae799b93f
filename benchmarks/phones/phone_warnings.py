"""What is known to be slow or to fail on phones, checked for one artifact; each warning names its source.

They are warnings, not verdicts: whether a phone suffers from one is for a benchmark on that phone to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.measure.measurement import Work
from export.formats import FORMATS
from lariqa.manifest.manifest import Artifact

LARGE_PX = 2_000_000  # above, the naive full view needs a gigabyte


@dataclass(frozen=True)
class Facts:
    """What the warnings are derived from."""

    artifact: Artifact
    operators: Counter[str]
    work: Work

    @property
    def photo_px(self) -> int:
        """Pixels of the photo that it takes; 0: any."""
        return (self.artifact.photo_width_px or 0) * (self.artifact.photo_height_px or 0)


def warnings_for(facts: Facts) -> Iterator[str]:
    """Every warning that applies, a sentence each."""
    for applies, sentence in WARNINGS:
        if applies(facts):
            yield sentence
    yield from FORMATS[facts.artifact.format].phone_warnings(facts.operators)


def _whole_photo(facts: Facts) -> bool:
    return facts.artifact.synthetic_view == "full" and "synthetic" in " ".join(facts.work.parts)


WARNINGS: tuple[tuple[Callable[[Facts], bool], str], ...] = (
    (
        lambda facts: _whole_photo(facts) and facts.photo_px > LARGE_PX and facts.artifact.memory in ("naive", "fast"),
        "the full view of a photo of this size takes 1 to 2 GB when executed like this; an iPhone XR gives an app 1.8 "
        "GB, and Android 17 ends apps by a cap: export --memory low, or --synthetic-view crop",
    ),
    (
        lambda facts: facts.artifact.input == "tensors",
        "the app makes the views and normalises them: a phone's own resize filters give other pixels and so another "
        "score; --input views takes the bytes that the sample apps' code makes, --input pixels has the resize inside",
    ),
    (
        lambda facts: facts.artifact.input == "views",
        "the app makes the views: a phone's own resize filters give other pixels and so another score; use the sample "
        "apps' code, whose bytes are Pillow's",
    ),
)
