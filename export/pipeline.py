"""Write artifacts, each one proved before it gets its name: convert -> open again -> compare scores -> publish.

A file that misses the parity limit goes to ``rejected/`` with its manifest; whatever good file had its name stays.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from export.formats import FORMATS
from export.formats.format import Format
from export.new_artifact import new_artifact, new_manifest
from export.proof.audition import Audition
from export.proof.limits import GATE_PHOTOS, LIMITS
from export.proof.parity import Parity, compare, reference_scores
from export.proof.proof_photos import photos_to_prove
from export.quantize.malloc import keep_freed_memory
from export.quantize.picture_sets import refuse_unusable
from export.quantize.quantized_export import QuantizedExport
from export.rewrite.export_ready import ExportRequest, make_export_ready
from export.rewrite.ready_model import ExportReady
from export.rewrite.torch_layers import count_macs
from lariqa.atomic import remove, staging
from lariqa.atomic import replace as publish
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.manifest.manifest import FILE_NAME, Artifact, Manifest, read_manifest, size_bytes, write_manifest
from lariqa.photos.audition import PICTURE_FILES
from lariqa.runtimes.artifacts import scorer_for
from lariqa_train.model.checkpoint import save_checkpoint
from lariqa_train.model.model import LarIqa
from lariqa_train.model.reference import reference_scorer
from lariqa_train.quantization.precision import refuse_precision

SCRATCH = ".quantized"  # in the staging folder, gone with it
REJECTED = "rejected"
REFERENCE = "reference.safetensors"  # the checkpoint itself, so that anybody can verify the folder again


@dataclass(frozen=True)
class Proved:
    """One exported file and its proof."""

    path: Path
    artifact: Artifact
    parity: Parity


def export_proved(
    model: LarIqa,
    request: ExportRequest,
    formats: Sequence[str],
    folder: Path,
    *,
    precisions: Sequence[str] = ("fp32",),
    calibration: Sequence[str] = (),
    keep_float: Sequence[str] = (),
    validation_pictures: int = GATE_PHOTOS,
    limit: float | None = None,
    overwrite: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> Iterator[Proved]:
    """Export one model to several formats, one proved file after another.

    Args:
        model: from ``load_checkpoint``.
        request: input, photo size, view.
        formats: names in ``export.formats.FORMATS``.
        folder: where the files, ``lariqa.json``, the golden pictures and the reference checkpoint go; made if need be.
        precisions: names in ``lariqa_train.quantization.precision.PRECISIONS``.
        calibration: the user's photos that lower precisions are calibrated on; empty: generated ones.
        keep_float: groups of layers that stay float32 in every precision.
        validation_pictures: pictures that judge a lower precision.
        limit: another parity limit, in score units.
        overwrite: whether ``folder`` may hold an export of another checkpoint, which is then removed.
        progress: called with each step in words.

    Yields:
        Each file as it is finished; ``parity.passed`` False means that it lies in ``rejected/``.

    Raises:
        Refusal: the request cannot be served; files finished before stay.
    """
    rows = [(_row(name, precision), precision) for name in formats for precision in precisions]
    lower, finished, hear = any(precision != "fp32" for precision in precisions), 0, progress

    def progress(step: str) -> None:
        hear(f"file {min(finished + 1, len(rows))} of {len(rows)}: {step}" if len(rows) > 1 else step)

    if lower:
        refuse_unusable(calibration, progress)
    old = read_manifest(folder) if folder.is_dir() else None
    with staging(folder) as stage:
        manifest, forgotten = _manifest_to_add_to(
            old, model, save_checkpoint(model, stage / REFERENCE), overwrite, folder
        )
        for picture in PICTURE_FILES:
            shutil.copyfile(picture, stage / picture.name)
        rejects = replace(manifest, artifacts=())
        progress("fusing the KAN, baking in the preprocessing")
        ready = make_export_ready(model, request)
        for row, _ in rows:
            row.refuse_free_sides(ready)
        macs = count_macs(ready, ready.example())
        photos = photos_to_prove(ready.photo_size_px, ready.preprocess, (request.height, request.width))
        reference = reference_scorer(model, request.synthetic_view)
        audition = Audition(ready, reference, progress)
        expected = (
            reference_scores(reference, photos, limit or LIMITS["fp32"], progress) if "fp32" in precisions else {}
        )
        (stage / SCRATCH).mkdir()
        if lower:
            keep_freed_memory()
        quantized = QuantizedExport(
            ready,
            reference,
            (request.height, request.width),
            stage / SCRATCH,
            calibration=calibration,
            keep_float=keep_float,
            limit=limit,
            validation_pictures=validation_pictures,
            proof=photos,
            progress=progress,
        )
        for row, precision in rows:
            artifact = new_artifact(ready, row, precision, macs)
            staged = stage / artifact.file
            if precision == "fp32":
                progress(f"converting to {row.name}")
                artifact = _write(row, ready, staged, manifest, artifact)
                if lower:
                    _copy(staged, quantized.folder / f"float32{row.suffix}")
                    quantized.converters[row.name] = artifact.converter
                scorer = scorer_for(staged, manifest, artifact)
                parity = compare(scorer, expected, photos, precision, reference.runner.runtime, progress, limit)
                status = "executed here" if scorer.runner.executes_artifact else "checked"
            else:
                artifact, parity = quantized.write(row, precision, staged, manifest, artifact)
                _check(row, staged, manifest, replace(artifact, converter=None))
                scorer = scorer_for(staged, manifest, artifact) if parity.passed else None
                status = "executed here" if row.runs_here(platform.system()) else "checked"
            artifact = replace(artifact, status=status, parity=parity.to_json())
            if parity.passed:
                artifact = audition.judged_by(scorer, artifact)
            del scorer  # the runtime holds the file open
            finished += 1
            if parity.passed:
                manifest = manifest.with_artifact(artifact)
                _publish(stage, (REFERENCE, *(file.name for file in PICTURE_FILES), artifact.file), manifest, folder)
                for gone in forgotten:
                    if gone.file != artifact.file:
                        remove(folder / gone.file)
                forgotten = ()
                yield Proved(folder / artifact.file, artifact, parity)
            else:
                rejects = rejects.with_artifact(artifact)
                _publish(stage, (artifact.file,), rejects, folder / REJECTED)
                yield Proved(folder / REJECTED / artifact.file, artifact, parity)


def _row(name: str, precision: str) -> Format:
    if name not in FORMATS:
        raise Refusal(f"there is no format {name!r}; there are {', '.join(FORMATS)}")
    refuse_precision(precision, name, FORMATS[name].precisions, FORMATS[name].cannot)
    return FORMATS[name]


def _manifest_to_add_to(
    old: Manifest | None, model: LarIqa, sha256: str, overwrite: bool, folder: Path
) -> tuple[Manifest, tuple[Artifact, ...]]:
    """(the manifest to add to, rows of another checkpoint's export that go as soon as the first new file is proved)."""
    if old is not None and old.checkpoint_sha256 == sha256:
        return replace(new_manifest(model, sha256), artifacts=old.artifacts), ()
    if old is not None and not overwrite:
        raise Refusal(f"{folder} holds an export of another checkpoint; choose another folder, or pass --overwrite")
    return new_manifest(model, sha256), () if old is None else old.artifacts


def _publish(stage: Path, names: Sequence[str], manifest: Manifest, folder: Path) -> None:
    """Give finished files their names, and ``folder`` the manifest that goes with them: all written, then renamed."""
    write_manifest(stage, manifest)
    folder.mkdir(exist_ok=True)
    for name in (*names, FILE_NAME):
        if (stage / name).exists():  # the reference and the golden pictures go with the first file
            publish(stage / name, folder / name)


def _write(row: Format, ready: ExportReady, staged: Path, manifest: Manifest, artifact: Artifact) -> Artifact:
    converter = row.convert(ready, staged, manifest.embedded(artifact))
    _check(row, staged, manifest, artifact)
    return replace(artifact, converter=converter, sha256=sha256_of(staged), bytes=size_bytes(staged))


def _check(row: Format, staged: Path, manifest: Manifest, artifact: Artifact) -> None:
    row.refuse_forbidden(staged)
    if row.runtime.metadata(staged) != manifest.embedded(artifact):
        raise Refusal(f"the manifest inside the {row.name} file does not read back as it was written")


def _copy(file: Path, to: Path) -> None:
    """A file, or the folder that an .mlpackage is."""
    shutil.copytree(file, to) if file.is_dir() else shutil.copyfile(file, to)
