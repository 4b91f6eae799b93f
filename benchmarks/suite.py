"""The whole benchmark on this machine: which candidates, on which photos, and what each row says.

targets ─► artifacts ──────┐
checkpoint ─► reference ───┼─► measure_in_turns ─► rows, their scores compared with the reference ─► report
--baselines ─► baselines ──┘
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.baselines.baselines import baselines_of
from benchmarks.browser.browser_worker import in_chromium, runs_in_a_page
from benchmarks.measure.candidate import Candidate, NotBuilt
from benchmarks.measure.first_divergence import Stage, find_first_divergence
from benchmarks.measure.interleaved import Measured, measure_in_turns, run_back_to_back
from benchmarks.measure.machine_limit import better_of, measure_limit
from benchmarks.measure.macs import layers_as_file, part_of, part_of_operators, promised_layers, torch_layers, work_of
from benchmarks.measure.measurement import Measurement
from benchmarks.measure.participants import (
    Exported,
    artifact_candidate,
    exported_in,
    reference_candidate,
    with_weights_kept,
)
from benchmarks.measure.rows import flagged_if_alike, reference_scores, row_of, row_of_not_built, too_alike
from benchmarks.measure.statistics import parity_of
from export.formats import FORMATS
from export.proof.memory_model import photo_size_px
from export.proof.proof_photos import fitted_files, photo_files, seeded_photos
from export.rewrite.export_ready import ExportRequest
from export.rewrite.ready_model import FromTensors
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.photos.photo import open_photo
from lariqa.runtimes.artifacts import open_artifact
from lariqa.runtimes.weight_cache import keeps_weights
from lariqa_train.model.checkpoint import load_checkpoint


@dataclass(frozen=True)
class BenchRequest:
    """What is to be measured, and how thoroughly."""

    targets: tuple[Path, ...]
    checkpoint: Path | None = None  # the reference, if it is not in the artifacts' folder
    photos: tuple[str, ...] = ()  # files, folders, patterns; empty: seeded pictures
    runs: int = 30
    pictures: int = 30  # seeded ones, of each size
    threads: int | None = None  # None: one for each core
    baselines: bool = False
    sustained_s: float = 0
    find_divergence: bool = False
    seed: int = 0
    browser: str | None = None  # "chromium": files that a page can run are measured there too
    weight_cache: Path | None = None  # a folder: LiteRT files are measured again, with packed weights kept there


def run_suite(
    request: BenchRequest, progress: Callable[[str], None], finished: Callable[[Measurement], None] = lambda row: None
) -> list[Measurement]:
    """Measure everything that was asked for on this machine.

    Args:
        request: what and how.
        progress: called with each step in words.
        finished: called with each row as soon as it is complete, so that an interruption loses none of them.

    Returns:
        The rows, in the order: reference, artifacts, baselines, those that could not be made, sustained ones.

    Raises:
        Refusal: nothing to measure, or photos whose scores would prove nothing.
    """
    exported = exported_in(list(request.targets))
    threads = request.threads or os.cpu_count() or 1
    report = uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="lariqa-bench-") as folder:
        progress("counting multiply-accumulates in the files")
        candidates, missing = _contenders(request, exported, Path(folder), progress)
        photos = _Photos(Path(folder), request, candidates, progress)
        progress("what this machine can do at best")
        limit = measure_limit(threads)
        measured = measure_in_turns(candidates, photos.of, request.runs, threads, progress)
        limit = better_of(limit, measure_limit(threads))
        rows = []

        def add(row: Measurement) -> None:
            rows.append(row)
            finished(row)

        references = reference_scores(measured)
        alike = too_alike(references)
        for one in measured:
            row = flagged_if_alike(row_of(one, report, threads, limit, photos.names, references), alike)
            if request.find_divergence and _parity_broke(row):
                row = _with_first_divergence(row, one, exported, request.checkpoint, photos, progress)
            add(row)
        for built in missing:
            add(row_of_not_built(built, report))
        if request.sustained_s:
            for candidate in candidates:
                if candidate.subject.role == "artifact":
                    one = run_back_to_back(candidate, photos.of(candidate), request.sustained_s, threads, progress)
                    row = row_of(one, report, threads, limit, photos.names, references)
                    add(row.model_copy(update={"mode": "sustained"}))
    return rows


# The candidates


def _contenders(
    request: BenchRequest, exported: Sequence[Exported], folder: Path, progress: Callable[[str], None]
) -> tuple[list[Candidate], list[NotBuilt]]:
    artifacts, references, missing = [], {}, []
    layers: dict[tuple, tuple] = {}
    for one in exported:
        artifact, row = one.artifact, FORMATS[one.artifact.format]
        made = (artifact.format, artifact.memory, artifact.input, artifact.synthetic_view)
        key = (one.manifest.checkpoint_sha256, *made, *photo_size_px(artifact))
        if key not in layers:
            layers[key] = promised_layers(one.manifest, artifact)
        progress(f"counting in {artifact.file}")
        file = row.layers(one.path)
        work = work_of(file, layers[key], dict(row.operators(one.path)))
        candidate = artifact_candidate(one, work)
        artifacts.append(candidate.with_parts(part_of_operators(file, layers[key])))
        if request.weight_cache is not None and keeps_weights(artifact):
            artifacts.append(with_weights_kept(artifacts[-1], one, request.weight_cache))
        if request.browser is not None and runs_in_a_page(one):
            artifacts.append(in_chromium(candidate, one))
        checkpoint = request.checkpoint or one.reference
        if checkpoint is None:
            raise Refusal(
                f"{one.path} has no reference.safetensors in its folder that it was exported from; give --checkpoint"
            )
        if sha256_of(checkpoint) != one.manifest.checkpoint_sha256:
            raise Refusal(f"{checkpoint} is not the checkpoint that {one.path} was exported from (its sha256 differs)")
        references.setdefault((checkpoint, artifact.synthetic_view, photo_size_px(artifact)), one)
    candidates = [
        *(_reference(checkpoint, view, size, one) for (checkpoint, view, size), one in references.items()),
        *artifacts,
    ]
    if request.baselines:
        for checkpoint, view, (height, width) in references:
            for baseline in baselines_of(checkpoint, view, height, width, folder, progress):
                (missing if isinstance(baseline, NotBuilt) else candidates).append(baseline)
    return candidates, missing


def _reference(checkpoint: Path, view: str, size: tuple[int, int], one: Exported) -> Candidate:
    model = load_checkpoint(checkpoint)
    model.config = replace(model.config, preprocess=model.config.preprocess.with_view(view))
    plain = FromTensors(model.eval(), *size)
    layers = torch_layers(plain, plain.example())
    work = work_of(layers_as_file(layers, model), layers, {})
    candidate = reference_candidate(checkpoint, view, one.manifest.checkpoint_sha256, work, model.provenance.trained)
    parts = {name: part_of(name) for name, _ in model.named_modules() if name}
    return candidate.with_parts(parts).for_photos(size)


# Their photos


class _Photos:
    """The photo files for each size that a candidate takes, written once."""

    def __init__(
        self, folder: Path, request: BenchRequest, candidates: Iterable[Candidate], progress: Callable[[str], None]
    ) -> None:
        self.names: dict[Path, str] = {}
        self._files: dict[tuple[int, int], list[Path]] = {}
        for size in dict.fromkeys(map(_photo_size, candidates)):
            height, width = size
            progress(f"photos of {width}x{height}")
            place = folder / f"{width}x{height}"
            place.mkdir()
            files = (
                fitted_files(place, request.photos, height, width)
                if request.photos
                else photo_files(place, seeded_photos(request.pictures, height, width, request.seed))
            )
            self.names |= files
            self._files[size] = list(files)

    def of(self, candidate: Candidate) -> list[Path]:
        """The files for one candidate."""
        return self._files[_photo_size(candidate)]


def _photo_size(candidate: Candidate) -> tuple[int, int]:
    return candidate.size_px or (ExportRequest.height, ExportRequest.width)


# Where parity breaks


def _parity_broke(row: Measurement) -> bool:
    parity = parity_of(row.scores, row.subject.precision)
    return row.subject.role == "artifact" and parity is not None and bool(parity.missed)


def _with_first_divergence(
    row: Measurement,
    one: Measured,
    exported: Sequence[Exported],
    checkpoint: Path | None,
    photos: _Photos,
    progress: Callable[[str], None],
) -> Measurement:
    """The row with the first stage that differs, on the photo whose scores differ most."""
    (artifact,) = [e for e in exported if e.path.name == row.subject.file and _sha(e) == row.subject.sha256]
    references = {score.photo: score.reference for score in row.scores}
    photo = max(one.scores, key=lambda path: abs(one.scores[path] - references[photos.names[path]]))
    model = load_checkpoint(checkpoint or artifact.reference).eval()
    stages, first = find_first_divergence(open_artifact(artifact.path), model, open_photo(photo), progress)
    return row.model_copy(
        update={
            "error_budget": {stage.name: stage.error for stage in stages if stage.error < float("inf")},
            "flags": [*row.flags, said_of(first, stages)],
        }
    )


def said_of(first: Stage | None, stages: Sequence[Stage]) -> str:
    """One sentence on where parity breaks."""
    if first is None:
        worst = max(stages, key=lambda stage: stage.error)
        return f"parity breaks, but no single stage differs; the largest error is {worst.error:.1e} at {worst.name}"
    return f"parity breaks at {first.name}: its error is {first.error:.1e} of its range, the stages before agree"


def _sha(one: Exported) -> str:
    return one.artifact.sha256 or sha256_of(one.path)
