"""What phones judge their units by: reference scores of the audition's pictures, in a file's row of the manifest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

from export.proof.limits import TOLERANCES
from export.proof.proof_photos import USUAL_CROP_PX
from export.rewrite.ready_model import ExportReady
from lariqa.manifest.manifest import Artifact
from lariqa.photos.audition import SIZE_PX, AuditionScore, audition_pictures
from lariqa.runtimes.scorer import Scorer
from lariqa.time_left import counted


class Audition:
    """The pictures of one export and their reference scores, which are made when the first file asks for them.

    A file that takes one size of photo alone, and one that is given no photo, has no audition: phones prefer files that
    take any, and judge by the golden photo otherwise.
    """

    def __init__(self, ready: ExportReady, reference: Scorer, progress: Callable[[str], None]) -> None:
        self.reference, self.progress = reference, progress
        self.takes_part = ready.takes == "views" and ready.preprocess.synthetic_view == "crop"
        share = ready.preprocess.synthetic_crop_px / USUAL_CROP_PX
        self.height, self.width = (max(2, round(side * share)) for side in SIZE_PX)
        self._references: dict[str, float] = {}

    def judged_by(self, scorer: Scorer, artifact: Artifact) -> Artifact:
        """The row with the scores that a phone holds its units to.

        A picture on which this file is farther from the reference than its proof allows is left out: a unit that ran
        the file as it is would be refused for it. In float32 that does not happen; rounded weights may be that far off
        on a picture unlike all that they were fitted to.
        """
        if not self.takes_part:
            return artifact
        allowed = max(TOLERANCES["float32"], artifact.parity["limit"])
        rows = []
        pictures = dict(audition_pictures(self.height, self.width))
        for name in counted(list(pictures), len(pictures), "the audition's pictures", self.progress):
            if name not in self._references:
                self._references[name] = self.reference.score(pictures[name])
            row = AuditionScore(name, self.width, self.height, self._references[name], scorer.score(pictures[name]))
            if abs(row.score - row.reference) <= allowed:
                rows.append(asdict(row))
        return replace(artifact, audition=tuple(rows))
