"""The whole benchmark: contenders -> turns -> rows. Who takes part, on which photos, and what each row says.

targets ─► artifacts ─┐
checkpoint ─► reference ├─► measure_in_turns ─► rows with scores held against the reference ─► report
--peers ─► peers ──────┘
"""

from __future__ import annotations

import importlib.metadata
import os
import tempfile
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.conditions import this_machine
from benchmarks.contender import Contender
from benchmarks.culprit import Stage, find_culprit
from benchmarks.machine_limit import better_of, measure_limit
from benchmarks.macs import layers_as_file, part_of, part_of_operators, promised_layers, torch_layers, work_of
from benchmarks.measurement import Latency, MachineLimit, Measurement, Memory, Score, Setting
from benchmarks.memory import MIB
from benchmarks.parity import LEAST_SPREAD, LIMITS
from benchmarks.participants import Exported, artifact_contender, exported_in, reference_contender
from benchmarks.peers import NotBuilt, peers_of
from benchmarks.turns import Measured, measure_in_turns, run_back_to_back
from benchmarks.validity import fallback_of, flags_for
from benchmarks.workload import fitted_files, photo_files, seeded_photos
from export.export_ready import ExportRequest, FromTensors
from export.formats import FORMATS, open_artifact
from lariqa_train.checkpoint import load_checkpoint, sha256_of
from lariqa_train.photo import open_photo
from lariqa_train.refusal import Refusal

CPU_NAMES = frozenset(
    {"CPUExecutionProvider", "XNNPACK", "builtin", "PyTorch"}
)  # what counts as the CPU, where it was asked for
STAND_IN_NAMES = frozenset({"MIL reference evaluator"})  # flagged as what it is
BY = f"lariqa {importlib.metadata.version('lariqa')}"
DEFAULT_HEIGHT, DEFAULT_WIDTH = ExportRequest.height, ExportRequest.width


@dataclass(frozen=True)
class BenchRequest:
    """What is to be measured, and how thoroughly."""

    targets: tuple[Path, ...]
    checkpoint: Path | None = None  # the reference, where it does not lie beside the artifacts
    photos: tuple[str, ...] = ()  # files, folders, patterns; empty: seeded pictures
    runs: int = 30
    pictures: int = 30  # seeded ones, of each size
    threads: int | None = None  # None: one for each core
    peers: bool = False
    sustained_s: float = 0
    find_culprit: bool = False
    seed: int = 0


def run_suite(
    request: BenchRequest, progress: Callable[[str], None], finished: Callable[[Measurement], None] = lambda row: None
) -> list[Measurement]:
    """Measure everything that was asked for on this machine.

    Args:
        request: what and how.
        progress: called with each step in words.
        finished: called with each row as soon as it is complete, so that an interruption loses none of them.

    Returns:
        The rows, in the order: reference, artifacts, peers, those that could not be made, sustained ones.

    Raises:
        Refusal: nothing to measure, or photos whose scores would prove nothing.
    """
    exported = exported_in(list(request.targets))
    threads = request.threads or os.cpu_count() or 1
    report = uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="lariqa-bench-") as folder:
        progress("counting multiply-accumulates in the files")
        contenders, missing = _contenders(request, exported, Path(folder), progress)
        photos = _Photos(Path(folder), request, contenders, progress)
        progress("what this machine can do at best")
        limit = measure_limit(threads)
        measured = measure_in_turns(contenders, photos.of, request.runs, threads, progress)
        limit = better_of(limit, measure_limit(threads))
        rows = []

        def add(row: Measurement) -> None:
            rows.append(row)
            finished(row)

        references = _reference_scores(measured)
        alike = _too_alike(references)
        for one in measured:
            row = _flagged(_row(one, report, threads, limit, photos, references), alike)
            if request.find_culprit and _parity_broke(row):
                row = _with_culprit(row, one, exported, photos, progress)
            add(row)
        for built in missing:
            add(_empty_row(built, report))
        if request.sustained_s:
            for contender in contenders:
                if contender.subject.role == "artifact":
                    one = run_back_to_back(contender, photos.of(contender), request.sustained_s, threads, progress)
                    row = _row(one, report, threads, limit, photos, references)
                    add(row.model_copy(update={"mode": "sustained"}))
    return rows


# Who takes part


def _contenders(
    request: BenchRequest, exported: Sequence[Exported], folder: Path, progress: Callable[[str], None]
) -> tuple[list[Contender], list[NotBuilt]]:
    artifacts, references, missing = [], {}, []
    layers: dict[tuple, tuple] = {}
    for one in exported:
        row = FORMATS[one.artifact.format]
        key = (one.manifest.checkpoint_sha256, one.artifact.contract, one.artifact.synthetic_view, *_size(one))
        if key not in layers:
            layers[key] = promised_layers(one.manifest, one.artifact)
        progress(f"counting in {one.artifact.file}")
        file = row.layers(one.path)
        work = work_of(file, layers[key], dict(row.operators(one.path)))
        contender = artifact_contender(one, work)
        artifacts.append(contender.with_parts(part_of_operators(file, layers[key])))
        checkpoint = request.checkpoint or one.reference
        if checkpoint is None:
            raise Refusal(
                f"{one.path} has no reference.safetensors beside it that it was exported from; give --checkpoint"
            )
        if sha256_of(checkpoint) != one.manifest.checkpoint_sha256:
            raise Refusal(f"{checkpoint} is not the checkpoint that {one.path} was exported from (its sha256 differs)")
        references.setdefault((checkpoint, one.artifact.synthetic_view, _size(one)), one)
    contenders = [
        *(_reference(checkpoint, view, size, one) for (checkpoint, view, size), one in references.items()),
        *artifacts,
    ]
    if request.peers:
        for checkpoint, view, (height, width) in references:
            for peer in peers_of(checkpoint, view, height, width, folder, progress):
                (missing if isinstance(peer, NotBuilt) else contenders).append(peer)
    return contenders, missing


def _size(one: Exported) -> tuple[int, int]:
    artifact = one.artifact
    return artifact.photo_height_px or DEFAULT_HEIGHT, artifact.photo_width_px or DEFAULT_WIDTH


def _reference(checkpoint: Path, view: str, size: tuple[int, int], one: Exported) -> Contender:
    model = load_checkpoint(checkpoint)
    model.config = replace(model.config, preprocess=model.config.preprocess.with_view(view))
    plain = FromTensors(model.eval(), *size)
    layers = torch_layers(plain, plain.example())
    work = work_of(layers_as_file(layers, model), layers, {})
    contender = reference_contender(checkpoint, view, one.manifest.checkpoint_sha256, work, model.provenance.trained)
    parts = {name: part_of(name) for name, _ in model.named_modules() if name}
    return contender.with_parts(parts).for_photos(size)


# On which photos


class _Photos:
    """The photo files for each size that a contender takes, written once."""

    def __init__(
        self, folder: Path, request: BenchRequest, contenders: Iterable[Contender], progress: Callable[[str], None]
    ) -> None:
        self.names: dict[Path, str] = {}
        self._files: dict[tuple[int, int], list[Path]] = {}
        for size in dict.fromkeys(map(_photo_size, contenders)):
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

    def of(self, contender: Contender) -> list[Path]:
        """The files for one contender."""
        return self._files[_photo_size(contender)]


def _photo_size(contender: Contender) -> tuple[int, int]:
    return contender.size_px or (DEFAULT_HEIGHT, DEFAULT_WIDTH)


# What each row says


def _reference_scores(measured: Iterable[Measured]) -> dict[tuple[str, str, Path], float]:
    """(checkpoint, view, photo) -> the reference's score."""
    return {
        (one.contender.subject.checkpoint_sha256, one.contender.view, photo): score
        for one in measured
        if one.contender.subject.role == "reference"
        for photo, score in one.scores.items()
    }


def _too_alike(references: dict[tuple[str, str, Path], float]) -> set[tuple[str, str]]:
    """(checkpoint, view) whose scores hardly differ from photo to photo: a comparison on them could not fail."""
    scores: dict[tuple[str, str], list[float]] = {}
    for (checkpoint, view, _), score in references.items():
        scores.setdefault((checkpoint, view), []).append(score)
    return {key for key, all_ in scores.items() if not max(all_) - min(all_) >= LEAST_SPREAD * LIMITS["fp32"]}


def _flagged(row: Measurement, alike: set[tuple[str, str]]) -> Measurement:
    if (row.subject.checkpoint_sha256, row.subject.synthetic_view) not in alike:
        return row
    sentence = "the reference scores of these photos are too alike: their parity proves nothing; give other photos"
    return row.model_copy(update={"flags": [*row.flags, sentence]})


def _row(
    one: Measured,
    report: str,
    threads: int,
    limit: MachineLimit,
    photos: _Photos,
    references: dict[tuple[str, str, Path], float],
) -> Measurement:
    contender, subject = one.contender, one.contender.subject
    placement = one.finished.placement if one.finished else None
    setting = Setting(
        runtime=one.loaded.runtime if one.loaded else "",
        threads=threads,
        executes_artifact=subject.role != "artifact" or one.loaded is None or one.loaded.executes_artifact,
        placement=placement,
        fallback=fallback_of("cpu", placement, CPU_NAMES | STAND_IN_NAMES),
    )
    latency, memory = _latency(one), _memory(one)
    scores = [
        Score(
            photo=photos.names[photo],
            score=score,
            reference=references.get((subject.checkpoint_sha256, contender.view, photo))
            if contender.same_as_reference
            else None,
        )
        for photo, score in one.scores.items()
        if score == score  # a NaN is no number for JSON; it is flagged
    ]
    flags = flags_for(latency, one.conditions, setting) if latency and latency.inference_ms else []
    if not setting.executes_artifact:
        flags.append(
            f"run by the {one.loaded.runtime}, not by the runtime that the file is made for: its scores count, its "
            "time and memory say nothing"
        )
    if len(scores) < len(one.scores):
        flags.append(f"{len(one.scores) - len(scores)} scores are not numbers")
    if one.loaded and not one.loaded.peak_is_fresh:
        flags.append("this system cannot reset the peak of memory: it covers the imports as well")
    return Measurement(
        report=report,
        measured_by=BY,
        subject=subject,
        machine=this_machine(),
        setting=setting,
        latency=latency,
        memory=memory,
        conditions=one.conditions,
        scores=scores,
        work=contender.work,
        limit=limit,
        profile=one.finished.profile if one.finished else None,
        flags=flags,
        error=one.error,
    )


def _latency(one: Measured) -> Latency | None:
    if one.loaded is None:
        return None
    return Latency(
        load_ms=one.loaded.load_ms,
        load_was_cold=one.loaded.cold,
        first_ms=one.first.inference_ms if one.first else None,
        started_s=[round(started, 4) for started in one.started_s],
        **{
            name: [round(getattr(run, name), 4) for run in one.runs]
            for name in ("decode_ms", "preprocess_ms", "inference_ms", "post_ms", "cpu_ms")
        },
    )


def _memory(one: Measured) -> Memory | None:
    if one.loaded is None:
        return None
    sampled = max((mib for _, mib in one.curve), default=one.loaded.loaded_mib)
    work = one.contender.work
    return Memory(
        baseline_mib=round(one.loaded.baseline_mib, 2),
        loaded_mib=round(one.loaded.loaded_mib, 2),
        peak_mib=round(one.finished.peak_mib if one.finished else sampled, 2),
        weights_mib=round(work.weight_bytes / MIB, 2) if work and work.weight_bytes else None,
        input_mib=round(one.contender.input_bytes / MIB, 2) or None,
        curve_s_mib=_thinned(one.curve),
    )


def _thinned(curve: Sequence[tuple[float, float]], most: int = 400) -> list[tuple[float, float]]:
    """At most so many points, each the highest of its stretch: a curve is for looking at, and its peaks must stay."""
    step = -(-len(curve) // most)
    return [max(curve[start : start + step], key=lambda point: point[1]) for start in range(0, len(curve), step or 1)]


def _empty_row(built: NotBuilt, report: str) -> Measurement:
    return Measurement(report=report, measured_by=BY, subject=built.subject, machine=this_machine(), error=built.error)


# Where parity breaks


def _parity_broke(row: Measurement) -> bool:
    known = [score for score in row.scores if score.reference is not None]
    limit = LIMITS[row.subject.precision]
    return row.subject.role == "artifact" and any(not abs(s.score - s.reference) <= limit for s in known)


def _with_culprit(
    row: Measurement,
    one: Measured,
    exported: Sequence[Exported],
    photos: _Photos,
    progress: Callable[[str], None],
) -> Measurement:
    """The row with the first stage that departs, on the photo where the scores differ most."""
    (artifact,) = [e for e in exported if e.path.name == row.subject.file and _sha(e) == row.subject.sha256]
    references = {score.photo: score.reference for score in row.scores}
    photo = max(one.scores, key=lambda path: abs(one.scores[path] - references[photos.names[path]]))
    model = load_checkpoint(artifact.reference).eval()
    stages, culprit = find_culprit(open_artifact(artifact.path), model, open_photo(photo), progress)
    return row.model_copy(
        update={
            "error_budget": {stage.name: stage.error for stage in stages if stage.error < float("inf")},
            "flags": [*row.flags, said_of(culprit, stages)],
        }
    )


def said_of(culprit: Stage | None, stages: Sequence[Stage]) -> str:
    """One sentence on where parity breaks."""
    if culprit is None:
        worst = max(stages, key=lambda stage: stage.error)
        return f"parity breaks, but no stage departs by itself; the largest error is {worst.error:.1e} at {worst.name}"
    return f"parity breaks at {culprit.name}: its error is {culprit.error:.1e} of its range, the stages before agree"


def _sha(one: Exported) -> str:
    return one.artifact.sha256 or sha256_of(one.path)
