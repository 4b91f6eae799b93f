"""Does an exported file give the recorded score here? One picture, no PyTorch: the self-test that phones run as well.

The manifest holds PyTorch's score of the golden photo, which every language makes byte for byte (``photos.golden``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lariqa.errors import Refusal
from lariqa.manifest.manifest import Artifact, Manifest
from lariqa.photos import golden
from lariqa.runtimes.artifacts import describe, scorer_for
from lariqa.runtimes.scorer import Scorer

FLOAT32 = "float32"  # what the runtimes of this folder compute in on a CPU, as manifests name it


@dataclass(frozen=True)
class GoldenCheck:
    """One file's score of the golden photo."""

    artifact: Artifact
    runtime: str
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


def check_golden(path: Path, threads: int | None = None) -> GoldenCheck:
    """Score the golden photo with an exported file, and compare with what its manifest says.

    Args:
        path: the file, with its ``lariqa.json`` beside it.
        threads: None: the runtime's own choice.

    Raises:
        Refusal: as :func:`lariqa.runtimes.artifacts.open_artifact`; or the manifest has no score of the golden photo
            at a size that it names.
    """
    manifest, artifact = describe(path)
    return golden_check_of(scorer_for(path, manifest, artifact, threads), path, manifest, artifact)


def golden_check_of(scorer: Scorer, path: Path, manifest: Manifest, artifact: Artifact) -> GoldenCheck:
    """The same of a file that is open."""
    photos = (artifact.parity or {}).get("photos", ())
    recorded = next((row for row in photos if row["photo"] == golden.FILE_NAME), None)
    if recorded is None:
        raise Refusal(
            f"no score of the golden photo is recorded for {path.name}: keep the lariqa.json of its export beside it, "
            "or export again"
        )
    reference = recorded["reference"]
    height = recorded.get("height_px") or artifact.photo_height_px  # older manifests have the file's alone
    width = recorded.get("width_px") or artifact.photo_width_px
    if width is None or height is None:
        raise Refusal(
            f"{path.name} takes photos of any size, and the golden photo's is not recorded; verify it with --photos"
        )
    photo = golden.golden_photo(height, width)
    tolerance = max(artifact.parity["limit"], manifest.tolerances.get(FLOAT32, 0.0))
    return GoldenCheck(artifact, scorer.runner.runtime, reference, scorer.score(photo), tolerance)


def refuse_other_scores(scorer: Scorer, path: Path, manifest: Manifest, artifact: Artifact) -> None:
    """Refuse a device that the file was not proved on, if it does not give the golden photo's score.

    Raises:
        Refusal: it does not, with the figure; or as :func:`check_golden`.
    """
    check = golden_check_of(scorer, path, manifest, artifact)
    if not check.passed:
        raise Refusal(
            f"{scorer.device} scores the golden photo {check.score:.6f} with {path.name}, PyTorch "
            f"{check.reference:.6f}: {check.difference:.1e} apart, {check.tolerance:.0e} is allowed; score on the CPU"
        )
