"""How far a file's score may be from the reference's: every limit is here, and what follows from the field's figures.

limit        what the largest |difference| may be, per precision, in score units (the score runs over about 0..1)
gate         what a file in another precision than fp32 must hold over at least GATE_PHOTOS photos
tolerance    what a device may add: in manifests, for the phones
paper scale  an error as it would be if the photos' reference scores had the sd of the paper's, PAPER_SCORE_SD
MOS points   score x 100: people rate photos from 0 to 100 (mean opinion score)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LIMITS = {"fp32": 5e-5}  # promised: 1e-4; measured over all formats, views and sizes: 1.3e-5 (docs/experiments)
LEAST_SPREAD = 100  # limits
GATE_PHOTOS = 100
MOS_POINTS = 100  # per unit of score
# Standard deviation of the paper's model over the 900 test photos of UHD-IQA: the authors' published predictions
# (results/ of their repository). An error as large as a share of this blurs the ranking of real photos by that share.
PAPER_SCORE_SD = 0.0575


@dataclass(frozen=True)
class Gate:
    """What a lower precision may do to the score.

    Noise of sd .0025 on the authors' published predictions (sd .0575) costs less than .001 of SRCC against people,
    .005 costs .003, .015 the whole gain of the KAN head: hence the limits. An SRCC of .999 alone would allow .0026, so
    int8 weights have a stricter sd of their own.
    """

    srcc: float  # at least
    sd_on_paper_scale: float  # at most
    sd_of_range: float | None = None  # at most, as a share of the score range
    worst_sds: float = 5  # largest |difference|, in sds at their limit: one photo must not be far off

    def sd(self, references: Sequence[float]) -> float:
        """The largest sd, in score units, over photos with these reference scores."""
        of_paper = self.sd_on_paper_scale * float(np.std(references, ddof=1)) / PAPER_SCORE_SD
        if self.sd_of_range is None:
            return of_paper
        return min(of_paper, self.sd_of_range * min(float(np.ptp(references)), 1.0))


GATES = {
    "fp16": Gate(srcc=0.9999, sd_on_paper_scale=2.5e-3, sd_of_range=5e-4),
    "w8": Gate(srcc=0.999, sd_on_paper_scale=1.5e-3),
    "int8": Gate(srcc=0.998, sd_on_paper_scale=2.5e-3),
}

# How far a device's score of the golden photo may be from the reference's, by what the device computes in; in the
# manifest for the phones. float32: promised. float16: noise of this size costs less than .003 of SRCC against people
# (measured on the authors' 900 published predictions); three times as much would lose the KAN's whole gain. int8: what
# GATES allows one photo, on the scale of the paper.
TOLERANCES = {"float32": 1e-4, "float16": 5e-3, "int8": GATES["int8"].worst_sds * GATES["int8"].sd_on_paper_scale}


def limit_of(precision: str, references: Sequence[float]) -> float | None:
    """What the largest |difference| may be in a precision, over photos with these scores; None: not known."""
    if precision in LIMITS:
        return LIMITS[precision]
    if precision not in GATES or len(references) < 2:
        return None
    return GATES[precision].worst_sds * GATES[precision].sd(references)
