"""Prove an export again, on the user's photos: every file of a folder against the checkpoint kept beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from export.formats import FORMATS
from export.pipeline import REFERENCE
from export.proof.limits import LIMITS
from export.proof.memory_model import photo_size_px
from export.proof.parity import Parity, compare, reference_scores, refuse_alike
from export.proof.proof_photos import PhotosThatOpen, photos_to_prove
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.manifest.manifest import FILE_NAME, Artifact, Manifest, read_manifest
from lariqa.runtimes.artifacts import describe, scorer_for
from lariqa.runtimes.scorer import Scorer
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.reference import reference_scorer


def _by_its_own_runtime(file: Path, manifest: Manifest, artifact: Artifact) -> Iterable[Scorer]:
    return [scorer_for(file, manifest, artifact)]


def verify(
    target: Path,
    photos: Sequence[str],
    checkpoint: Path | None = None,
    limit: float | None = None,
    progress: Callable[[str], None] = lambda step: None,
    left_out: dict[str, str] | None = None,
    scorers: Callable[[Path, Manifest, Artifact], Iterable[Scorer]] = _by_its_own_runtime,
) -> Iterator[tuple[Artifact, Parity]]:
    """Compare artifacts with their reference, one photo in memory at a time.

    Args:
        target: an export folder, or one artifact in it.
        photos: files, folders, patterns; resampled to the size that an artifact takes. Empty: the bundled ones.
        checkpoint: the reference, where it is not the one kept in the folder.
        limit: another parity limit, in score units.
        progress: called with each step in words.
        left_out: gets the photos that do not open, and why; the proof is over the others.
        scorers: what opens a file; each of several is compared in turn (``verify_elsewhere``).

    Yields:
        Each artifact with its parity.

    Raises:
        Refusal: nothing to verify, the checkpoint is another one, or the photos' scores are too alike.
    """
    folder = target.parent if target.suffix in {row.suffix for row in FORMATS.values()} else target
    manifest = read_manifest(folder)
    if manifest is None or not manifest.artifacts:
        raise Refusal(f"{folder} holds no {FILE_NAME} with artifacts; `lariqa export` makes one")
    checkpoint = checkpoint or folder / REFERENCE
    model = load_checkpoint(checkpoint)
    if checkpoint.is_file() and sha256_of(checkpoint) != manifest.checkpoint_sha256:
        raise Refusal(f"{checkpoint} is not the checkpoint that {folder} was exported from (its sha256 differs)")
    rows = [row for row in manifest.artifacts if folder == target or row.file == target.name]
    if not rows:
        raise Refusal(
            f"{folder / FILE_NAME} does not list {target.name}; "
            f"it lists {', '.join(row.file for row in manifest.artifacts)}"
        )
    left_out = {} if left_out is None else left_out
    known: dict[tuple, tuple] = {}  # several files of one size and view share photos and reference scores
    for row in rows:
        describe(folder / row.file)
        bound = limit or LIMITS.get(row.precision, LIMITS["fp32"])  # with a limit of 0 the spread still has to be some
        size = None if row.photo_width_px is None else (row.photo_height_px, row.photo_width_px)
        if (size, row.synthetic_view) not in known:
            spec = manifest.config.preprocess.with_view(row.synthetic_view)
            shown = None if photos else photos_to_prove(size, spec, photo_size_px(row))
            images = shown or PhotosThatOpen(photos, size, left_out)
            reference = reference_scorer(model, row.synthetic_view)
            known[size, row.synthetic_view] = (
                images,
                reference_scores(reference, images, bound, progress),
                reference.runner.runtime,
            )
        images, expected, runtime = known[size, row.synthetic_view]
        there = len(images)
        for scorer in scorers(folder / row.file, manifest, row):
            parity = compare(scorer, expected, images, row.precision, runtime, progress, limit)
            if len(images) < there:  # a photo went away since its reference score
                refuse_alike({photo.photo: photo.reference for photo in parity.photos}, bound)
            yield row, parity
