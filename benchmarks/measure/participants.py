"""Files and export folders -> artifacts and their reference, as candidates."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from benchmarks.measure.candidate import Candidate
from benchmarks.measure.measurement import Subject, Work
from export.formats import FORMATS, format_of
from export.pipeline import REFERENCE
from export.proof.memory_model import halo_macs, predict
from lariqa.digest import files_in, sha256_of
from lariqa.errors import Refusal
from lariqa.manifest.manifest import Artifact, Manifest, read_manifest, size_bytes
from lariqa.runtimes.artifacts import describe, open_artifact
from lariqa.runtimes.scorer import Scorer
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.reference import reference_scorer


@dataclass(frozen=True)
class Exported:
    """An artifact to measure, and what its folder says about it."""

    path: Path
    manifest: Manifest
    artifact: Artifact
    reference: Path | None = field(default=None)  # the checkpoint that it was proved against


def exported_in(targets: list[Path]) -> list[Exported]:
    """The artifacts that files and export folders stand for, each once.

    Raises:
        Refusal: nothing there, not an export, or no artifact in it.
    """
    found: dict[Path, Exported] = {}
    for target in targets:
        for path in _files_of(target):
            manifest, artifact = describe(path)
            beside = path.parent / REFERENCE
            fits = beside.is_file() and sha256_of(beside) == manifest.checkpoint_sha256
            found.setdefault(Path(os.path.realpath(path)), Exported(path, manifest, artifact, beside if fits else None))
    return list(found.values())


def subject_of(exported: Exported) -> Subject:
    """An artifact as the subject of rows, wherever it runs."""
    artifact, manifest = exported.artifact, exported.manifest
    return Subject(
        name=artifact.file,
        file=artifact.file,
        sha256=artifact.sha256 or sha256_of(exported.path),
        checkpoint_sha256=manifest.checkpoint_sha256,
        bytes=artifact.bytes or size_bytes(exported.path),
        format=artifact.format,
        precision=artifact.precision,
        input=artifact.input,
        synthetic_view=artifact.synthetic_view,
        memory=artifact.memory,
        photo_width_px=artifact.photo_width_px,
        photo_height_px=artifact.photo_height_px,
        trained=manifest.provenance.trained,
    )


FOLDED = 0.95  # of the model's MACs: a file with fewer lacks part of the network


def artifact_candidate(exported: Exported, work: Work | None) -> Candidate:
    """An artifact in the runtime that it is made for."""
    artifact = exported.artifact
    row = FORMATS[artifact.format]
    files = [exported.path] if exported.path.is_file() else files_in(exported.path)
    subject = subject_of(exported)
    if work is not None and work.macs < FOLDED * artifact.macs:
        folded = (
            f"this file computes {work.macs / 1e9:.2f} of the model's {artifact.macs / 1e9:.2f} GMACs: the converter "
            "left out what these weights make zero; with other weights it takes longer"
        )
        subject = subject.model_copy(update={"note": folded})
    told = predict(exported.manifest, artifact)
    if work is not None and artifact.memory != "naive":
        work = work.model_copy(update={"halo_macs": halo_macs(exported.manifest, artifact)})
    return Candidate(
        subject,
        partial(open_artifact, exported.path),
        row.runtime.modules,
        tuple(files),
        work,
        artifact.synthetic_view,
        input_bytes=sum(spec.bytes for spec in artifact.inputs),
        predicted_mib=round(told.peak_mib, 2) if told else None,
    )


def with_weights_kept(candidate: Candidate, exported: Exported, folder: Path) -> Candidate:
    """The same file, measured again with packed weights mapped from a file in ``folder``."""
    return replace(
        candidate,
        subject=candidate.subject.model_copy(update={"name": f"{candidate.subject.name}, packed weights kept"}),
        open=partial(open_artifact, exported.path, weight_cache=folder),
        weight_cache=True,
        predicted_mib=round(predict(exported.manifest, exported.artifact, weights_kept=True).peak_mib, 2),
    )


def reference_candidate(checkpoint: Path, view: str, sha256: str, work: Work | None, trained: bool) -> Candidate:
    """The checkpoint in PyTorch, unfused: every score is compared with its score."""
    return Candidate(
        Subject(
            name=f"PyTorch reference, {view} view",
            role="reference",
            file=checkpoint.name,
            sha256=sha256,
            checkpoint_sha256=sha256,
            bytes=checkpoint.stat().st_size,
            format="torch",
            input="tensors",
            synthetic_view=view,
            trained=trained,
        ),
        partial(open_reference, checkpoint, view),
        files=(checkpoint,),
        work=work,
        view=view,
    )


def open_reference(checkpoint: Path, view: str, threads: int) -> Scorer:
    """The reference as a Scorer; its threads are torch's, which the worker sets."""
    return reference_scorer(load_checkpoint(checkpoint), view)


def _files_of(target: Path) -> list[Path]:
    if target.suffix in {row.suffix for row in FORMATS.values()} or not target.is_dir():
        format_of(target)  # refuses what is not a model
        return [target]
    manifest = read_manifest(target)
    if manifest is None or not manifest.artifacts:
        raise Refusal(f"{target} holds no lariqa.json with artifacts; `lariqa export` makes one")
    return [target / artifact.file for artifact in manifest.artifacts]
