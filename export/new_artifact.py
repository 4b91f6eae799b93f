"""The row of a file that is about to be written, and the manifest that it goes into."""

from __future__ import annotations

from pathlib import Path

from export.formats.format import Format
from export.proof.limits import TOLERANCES
from export.rewrite.export_ready import usual_memory
from export.rewrite.ready_model import ExportReady
from lariqa.digest import sha256_of
from lariqa.manifest.manifest import Artifact, Manifest
from lariqa.photos import audition, golden
from lariqa_train.model.model import LarIqa


def new_manifest(model: LarIqa, checkpoint_sha256: str) -> Manifest:
    """A manifest without artifacts yet."""
    pictures = {
        "file": golden.FILE_NAME,
        "sha256": sha256_of(golden.TILE),
        "fill": golden.FILL,
        "generator": audition.GENERATOR,
        **{kind: _lossy(*files) for kind, files in audition.LOSSY.items()},
    }
    return Manifest(checkpoint_sha256, model.config, model.provenance, tolerances=TOLERANCES, golden=pictures)


def _lossy(file: Path, pixels: Path) -> dict[str, str]:
    """A file by which a phone's decoder is judged, and its right pixels."""
    return {
        "file": file.name,
        "sha256": sha256_of(file),
        "pixels_file": pixels.name,
        "pixels_sha256": sha256_of(pixels),
    }


def new_artifact(ready: ExportReady, row: Format, precision: str, macs: int) -> Artifact:
    """The row of an artifact that is about to be written."""
    view = ready.preprocess.synthetic_view
    height, width = ready.photo_size_px or (None, None)
    size = f"_{width}x{height}" if width else ""
    batch = "_batch" if ready.batches else ""
    memory = "" if ready.memory == usual_memory(ready.batches, bool(ready.flexible)) else f"_{ready.memory}"
    return Artifact(
        file=f"lariqa_{ready.takes}_{view}{size}_{precision}{batch}{memory}{row.suffix}",
        format=row.name,
        precision=precision,
        input=ready.takes,
        synthetic_view=view,
        photo_width_px=width,
        photo_height_px=height,
        inputs=ready.inputs,
        output="score",
        macs=macs,
        batch=None if ready.batches else 1,
        memory=ready.memory,
        session={**row.runtime.sessions[ready.memory], **(row.runtime.batch_session if ready.batches else {})},
    )
