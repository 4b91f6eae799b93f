"""``python -m export.parity_matrix``: parity of every format, input, view and size, in one table.

Three formats x two contracts x two views x four photo sizes, from the decoded pixels to the score, on the bundled photo
and its damaged versions, with the demo checkpoint. About half an hour on two cores; ``make test`` proves a selection.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from export.formats import USUAL
from export.pipeline import export_proved
from export.proof.limits import LIMITS
from export.proof.parity import Parity, compare, reference_scores
from export.proof.proof_photos import proof_photos
from export.rewrite.export_ready import ExportRequest
from lariqa.runtimes.artifacts import open_artifact
from lariqa_train.demo.demo_checkpoint import make_demo_checkpoint
from lariqa_train.model.model import LarIqa
from lariqa_train.model.reference import reference_scorer

PHOTOS = "3840x2160 2160x3840 4032x3024 1280x720"  # width x height; the last is smaller than the crop
SIZES = [tuple(map(int, size.split("x"))) for size in PHOTOS.split()]
VIEWS = ("crop", "full")


def matrix(model: LarIqa) -> Iterator[tuple[str, str, str, tuple[int, int], Parity]]:
    """(format, input, view, (width, height), parity) for every combination."""
    for kind, view in product(("pixels", "tensors"), VIEWS):
        any_size = kind == "tensors" and view == "crop"  # one file serves photos of every size
        for width, height in SIZES[:1] if any_size else SIZES:
            with tempfile.TemporaryDirectory() as folder:
                request = ExportRequest(kind, height, width, view)
                for proved in export_proved(model, request, list(USUAL), Path(folder)):
                    yield proved.artifact.format, kind, view, (width, height), proved.parity
                    for other in SIZES[1:] if any_size else ():
                        yield proved.artifact.format, kind, view, other, again(proved.path, model, view, other)


def again(artifact: Path, model: LarIqa, view: str, size: tuple[int, int]) -> Parity:
    """Parity of one file on photos of another size."""
    photos = proof_photos(size[1], size[0])
    reference = reference_scorer(model, view)
    expected = reference_scores(reference, photos, LIMITS["fp32"], lambda step: None)
    return compare(open_artifact(artifact), expected, photos, "fp32", reference.runner.runtime, lambda step: None)


def main() -> int:
    """Print the table as it grows; status 1 if any limit was missed."""
    print("| format | input | view | photo | worst | mean | reference spread | |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    missed = 0
    for name, kind, view, (width, height), parity in matrix(make_demo_checkpoint()):
        verdict = "ok" if parity.passed else "MISSED"
        missed += not parity.passed
        figures = f"{parity.worst:.1e} | {parity.mean:.1e} | {parity.spread:.2f}"
        print(f"| {name} | {kind} | {view} | {width}x{height} | {figures} | {verdict} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
