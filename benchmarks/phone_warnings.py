"""What is known to hurt on phones, held against one artifact: each warning with the place where it was seen.

They are warnings, not verdicts: whether a phone suffers from one is for a benchmark on that phone to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.measurement import Work
from export.artifact import Artifact

LARGE_PX = 2_000_000  # above, the naive full view needs a gigabyte
DELEGATED_BADLY = {  # operator in a TFLite file -> where it was seen
    "RELU_0_TO_1": "slow or wrong in GPU delegates since LiteRT 2.1.5 (LiteRT issue 8598)",
    "CAST": "not taken by the GPU delegate (tensorflow issue 51741)",
    "LOGICAL_AND": "taken by the GPU delegate only where its one reader is a CAST (tensorflow issue 62314)",
}


@dataclass(frozen=True)
class Facts:
    """What a warning looks at."""

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
    if facts.artifact.format == "tflite":
        for operator, seen in DELEGATED_BADLY.items():
            if count := facts.operators.get(operator):
                yield f"{operator} x{count}: {seen}"


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
        "the app makes the views: a phone's own resize filters give other pixels and so another score; "
        "--input pixels has Pillow's resize in the graph",
    ),
    (
        lambda facts: facts.artifact.format == "coreml",
        "compute units other than the CPU work in float16: MobileNetV3 drifts there (coremltools issue 2625), and a "
        "mean over ten thousand values may lose digits; hold the golden score against the phone's",
    ),
    (
        lambda facts: facts.artifact.format == "coreml",
        "the first load on a phone is compiled for its chip and may take minutes; loaded is not yet warm",
    ),
)
