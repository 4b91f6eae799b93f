"""Who takes part in a measurement: facts for its row, and how a fresh process opens it.

Everything here crosses a process border, so it is plain data and functions that a module has by name.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from benchmarks.measurement import Subject, Work
from benchmarks.proved_export import REFERENCE
from export.artifact import Artifact, Manifest, read_manifest
from export.formats import FORMATS, describe, format_of, open_artifact
from export.run_torch import reference_scorer
from export.scorer import Scorer
from lariqa_train.checkpoint import load_checkpoint, sha256_of
from lariqa_train.refusal import Refusal


@dataclass(frozen=True)
class Contender:
    """One model in one runtime."""

    subject: Subject
    open: Callable[[int], Scorer]  # threads -> ready to score; called in the fresh process
    runtime_modules: tuple[str, ...] = ()  # imported before the baseline of memory is taken
    files: tuple[Path, ...] = ()  # read while loading; dropped from the page cache before
    work: Work | None = None
    view: str | None = None  # of the reference that its scores are held against; None: none
    same_as_reference: bool = True  # whether its score is meant to be the reference's
    input_bytes: int = 0
    most_runs: int | None = None  # for one whose single run takes long
    part_of_operator: dict[str, str] = field(default_factory=dict)  # operator's or result's name in the file -> part

    def with_parts(self, parts: dict[str, str]) -> Contender:
        """The same, knowing which part of the model each operator belongs to."""
        return replace(self, part_of_operator=parts)

    def for_photos(self, size_px: tuple[int, int]) -> Contender:
        """The same, for photos of one size (height, width)."""
        height, width = size_px
        size = {"photo_height_px": height, "photo_width_px": width}
        return replace(self, subject=self.subject.model_copy(update=size))

    @property
    def size_px(self) -> tuple[int, int] | None:
        """(height, width) of the photos that it takes; None: any."""
        height, width = self.subject.photo_height_px, self.subject.photo_width_px
        return None if height is None or width is None else (height, width)


@dataclass(frozen=True)
class Exported:
    """An artifact that is to be measured, and what its folder says of it."""

    path: Path
    manifest: Manifest
    artifact: Artifact
    reference: Path | None = field(default=None)  # the checkpoint that it was proved against


def exported_in(targets: list[Path]) -> list[Exported]:
    """The artifacts that somebody means by files and export folders, each once.

    Raises:
        Refusal: nothing there, not an export, or no artifact in it.
    """
    found: dict[Path, Exported] = {}
    for target in targets:
        for path in _files_of(target):
            manifest, artifact = describe(path)
            beside = path.parent / REFERENCE
            fits = beside.is_file() and sha256_of(beside) == manifest.checkpoint_sha256
            found.setdefault(path.resolve(), Exported(path, manifest, artifact, beside if fits else None))
    return list(found.values())


def artifact_contender(exported: Exported, work: Work | None) -> Contender:
    """An artifact in the runtime that it is made for."""
    artifact, manifest = exported.artifact, exported.manifest
    row = FORMATS[artifact.format]
    files = [exported.path] if exported.path.is_file() else [f for f in exported.path.rglob("*") if f.is_file()]
    return Contender(
        Subject(
            name=artifact.file,
            file=artifact.file,
            sha256=artifact.sha256 or sha256_of(exported.path),
            checkpoint_sha256=manifest.checkpoint_sha256,
            bytes=artifact.bytes or sum(file.stat().st_size for file in files),
            format=artifact.format,
            precision=artifact.precision,
            contract=artifact.contract,
            synthetic_view=artifact.synthetic_view,
            photo_width_px=artifact.photo_width_px,
            photo_height_px=artifact.photo_height_px,
            trained=manifest.provenance.trained,
        ),
        partial(open_artifact, exported.path),
        row.runtime_modules,
        tuple(files),
        work,
        artifact.synthetic_view,
        input_bytes=sum(spec.bytes for spec in artifact.inputs),
    )


def reference_contender(checkpoint: Path, view: str, sha256: str, work: Work | None, trained: bool) -> Contender:
    """The checkpoint in PyTorch, unfused: what every score is held against."""
    return Contender(
        Subject(
            name=f"PyTorch reference, {view} view",
            role="reference",
            file=checkpoint.name,
            sha256=sha256,
            checkpoint_sha256=sha256,
            bytes=checkpoint.stat().st_size,
            format="torch",
            contract="tensors",
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


def import_modules(names: tuple[str, ...]) -> None:
    """Import runtimes; one that is missing is refused, with its name, when the model is opened."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            continue


def _files_of(target: Path) -> list[Path]:
    if target.suffix in {row.suffix for row in FORMATS.values()} or not target.is_dir():
        format_of(target)  # refuses what is no model
        return [target]
    manifest = read_manifest(target)
    if manifest is None or not manifest.artifacts:
        raise Refusal(f"{target} holds no lariqa.json with artifacts; `lariqa export` makes one")
    return [target / artifact.file for artifact in manifest.artifacts]
