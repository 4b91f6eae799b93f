"""A model file as the subject of a row: what its manifest says of it."""

from __future__ import annotations

from benchmarks.measurement import Subject
from export.artifact import Artifact, Manifest


def subject_of(manifest: Manifest, artifact: Artifact) -> Subject:
    """The subject of rows about one artifact of an export."""
    return Subject(
        name=artifact.file,
        file=artifact.file,
        sha256=artifact.sha256,
        checkpoint_sha256=manifest.checkpoint_sha256,
        bytes=artifact.bytes,
        format=artifact.format,
        precision=artifact.precision,
        contract=artifact.contract,
        synthetic_view=artifact.synthetic_view,
        photo_width_px=artifact.photo_width_px,
        photo_height_px=artifact.photo_height_px,
        trained=manifest.provenance.trained,
        note="" if manifest.provenance.trained else "not trained: the score says nothing about the photo",
    )
