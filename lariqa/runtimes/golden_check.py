"""Does an exported file give the recorded scores here? A few pictures, no PyTorch: the self-test of phones as well.

The manifest holds PyTorch's score of the golden photo (``photos.golden``) and of the audition's pictures
(``photos.audition``), which every language makes byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lariqa.errors import Refusal
from lariqa.manifest.manifest import Artifact, Manifest
from lariqa.photos import golden
from lariqa.photos.audition import GENERATOR, audition_pictures
from lariqa.runtimes.artifacts import describe, scorer_for
from lariqa.runtimes.openvino import DEVICE_NAME, LOW_DEVICE_NAME
from lariqa.runtimes.scorer import Scorer

FLOAT32, FLOAT16 = "float32", "float16"  # what a device computes in, as manifests name it
# These compute in float32 on a CPU, as what proved the file did: one picture shows that they do.
ONE_PICTURE_IS_ENOUGH = frozenset({"cpu", DEVICE_NAME})


@dataclass(frozen=True)
class GoldenCheck:
    """One file's score of one picture."""

    artifact: Artifact
    runtime: str
    picture: str
    reference: float  # PyTorch's, from the manifest
    score: float
    tolerance: float  # for the difference, in score units

    @property
    def difference(self) -> float:
        """|score - reference|."""
        return abs(self.score - self.reference)

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance; a score that is no number passes nothing."""
        return self.difference <= self.tolerance


def check_golden(path: Path, threads: int | None = None) -> list[GoldenCheck]:
    """Score the golden photo and the audition's pictures, and compare with what the file's manifest says.

    Args:
        path: the file, with its ``lariqa.json`` beside it.
        threads: None: the runtime's own choice.

    Returns:
        One check for each picture, the golden photo first; it is alone where the manifest has no audition.

    Raises:
        Refusal: as :func:`lariqa.runtimes.artifacts.open_artifact`; or the manifest has no score of the golden photo
            at a size that it names.
    """
    manifest, artifact = describe(path)
    return list(golden_checks(scorer_for(path, manifest, artifact, threads), path, manifest, artifact))


def golden_checks(scorer: Scorer, path: Path, manifest: Manifest, artifact: Artifact) -> Iterator[GoldenCheck]:
    """The same of a file that is open, one after another."""
    arithmetic = FLOAT16 if scorer.device == LOW_DEVICE_NAME else FLOAT32
    tolerance = max(artifact.parity["limit"] if artifact.parity else 0.0, manifest.tolerances.get(arithmetic, 0.0))

    def check(picture: str, reference: float, score: float) -> GoldenCheck:
        return GoldenCheck(artifact, scorer.runner.runtime, picture, reference, score, tolerance)

    reference, photo = _golden_of(path, artifact)
    yield check(golden.FILE_NAME, reference, scorer.score(photo))
    if (manifest.golden or {}).get("generator") != GENERATOR:
        return  # pictures of the same names by other rules would judge wrongly
    references = {(row["picture"], row["height_px"], row["width_px"]): row["reference"] for row in artifact.audition}
    for height, width in dict.fromkeys((height, width) for _, height, width in references):
        for name, picture in audition_pictures(height, width):
            if (name, height, width) in references:
                yield check(name, references[name, height, width], scorer.score(picture))


def _golden_of(path: Path, artifact: Artifact) -> tuple[float, np.ndarray]:
    photos = (artifact.parity or {}).get("photos", ())
    recorded = next((row for row in photos if row["photo"] == golden.FILE_NAME), None)
    if recorded is None:
        raise Refusal(
            f"no score of the golden photo is recorded for {path.name}: keep the lariqa.json of its export beside it, "
            "or export again"
        )
    height = recorded.get("height_px") or artifact.photo_height_px  # older manifests have the file's alone
    width = recorded.get("width_px") or artifact.photo_width_px
    if width is None or height is None:
        raise Refusal(
            f"{path.name} takes photos of any size, and the golden photo's is not recorded; verify it with --photos"
        )
    return recorded["reference"], golden.golden_photo(height, width)


def refuse_other_scores(scorer: Scorer, path: Path, manifest: Manifest, artifact: Artifact) -> None:
    """Refuse a device that the file was not proved on, if it does not give the recorded scores.

    Raises:
        Refusal: it does not, with the picture and the figure; or as :func:`check_golden`.
    """
    cure = "leave --precision-hint out" if scorer.device == LOW_DEVICE_NAME else "score on the CPU"
    for check in golden_checks(scorer, path, manifest, artifact):
        if not check.passed:
            picture = "the golden photo" if check.picture == golden.FILE_NAME else f"the picture {check.picture!r}"
            raise Refusal(
                f"{scorer.device} scores {picture} {check.score:.6f} with {path.name}, PyTorch {check.reference:.6f}: "
                f"{check.difference:.1e} apart, {check.tolerance:.0e} is allowed; {cure}"
            )
        if scorer.device in ONE_PICTURE_IS_ENOUGH:
            return
