"""Measurements -> rows: scores compared with the reference, figures with units, flags."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.measure.candidate import NotBuilt
from benchmarks.measure.conditions import this_machine
from benchmarks.measure.interleaved import Measured
from benchmarks.measure.measurement import Latency, MachineLimit, Measurement, Memory, Score, Setting
from benchmarks.measure.memory import MIB
from benchmarks.measure.validity import fallback_of, flags_for
from export.proof.limits import LEAST_SPREAD, LIMITS

CPU_NAMES = frozenset(
    {"CPUExecutionProvider", "XNNPACK", "builtin", "PyTorch"}
)  # what counts as the CPU, if the CPU was asked for
STAND_IN_NAMES = frozenset({"MIL reference evaluator"})  # such rows get a flag
BY = f"lariqa {importlib.metadata.version('lariqa')}"


def reference_scores(measured: Iterable[Measured]) -> dict[tuple[str, str, Path], float]:
    """(checkpoint, view, photo) -> the reference's score."""
    return {
        (one.candidate.subject.checkpoint_sha256, one.candidate.view, photo): score
        for one in measured
        if one.candidate.subject.role == "reference"
        for photo, score in one.scores.items()
    }


def too_alike(references: dict[tuple[str, str, Path], float]) -> set[tuple[str, str]]:
    """(checkpoint, view) whose scores hardly differ from photo to photo: a comparison on them could not fail."""
    scores: dict[tuple[str, str], list[float]] = {}
    for (checkpoint, view, _), score in references.items():
        scores.setdefault((checkpoint, view), []).append(score)
    return {key for key, all_ in scores.items() if not max(all_) - min(all_) >= LEAST_SPREAD * LIMITS["fp32"]}


def flagged_if_alike(row: Measurement, alike: set[tuple[str, str]]) -> Measurement:
    """The row, with a flag where its reference is one of those."""
    if (row.subject.checkpoint_sha256, row.subject.synthetic_view) not in alike:
        return row
    sentence = "the reference scores of these photos are too alike: their parity proves nothing; give other photos"
    return row.model_copy(update={"flags": [*row.flags, sentence]})


def row_of(
    one: Measured,
    report: str,
    threads: int,
    limit: MachineLimit,
    names: dict[Path, str],
    references: dict[tuple[str, str, Path], float],
) -> Measurement:
    """The row of one candidate.

    Args:
        one: what it gave.
        report: shared by all candidates measured in the same turns.
        threads: of its runtime.
        limit: what the machine gave in the same run.
        names: photo file -> the name that its score goes by.
        references: from :func:`reference_scores`.
    """
    candidate, subject = one.candidate, one.candidate.subject
    placement = one.finished.placement if one.finished else None
    setting = Setting(
        runtime=one.loaded.runtime if one.loaded else "",
        threads=threads,
        weight_cache=candidate.weight_cache,
        executes_artifact=subject.role != "artifact" or one.loaded is None or one.loaded.executes_artifact,
        placement=placement,
        fallback=fallback_of("cpu", placement, CPU_NAMES | STAND_IN_NAMES),
    )
    latency, memory = _latency(one), _memory(one)
    scores = [
        Score(
            photo=names[photo],
            score=score,
            reference=references.get((subject.checkpoint_sha256, candidate.view, photo))
            if candidate.same_as_reference
            else None,
        )
        for photo, score in one.scores.items()
        if math.isfinite(score)  # JSON has no NaN; it is flagged
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
        work=candidate.work,
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
    work = one.candidate.work
    return Memory(
        baseline_mib=round(one.loaded.baseline_mib, 2),
        loaded_mib=round(one.loaded.loaded_mib, 2),
        peak_mib=round(one.finished.peak_mib if one.finished else sampled, 2),
        running_peak_mib=_rounded(one.finished.running_peak_mib) if one.finished else None,
        weights_mib=round(work.weight_bytes / MIB, 2) if work and work.weight_bytes else None,
        input_mib=round(one.candidate.input_bytes / MIB, 2) or None,
        predicted_mib=one.candidate.predicted_mib,
        curve_s_mib=_thinned(one.curve),
    )


def _rounded(mib: float | None) -> float | None:
    return None if mib is None else round(mib, 2)


def _thinned(curve: Sequence[tuple[float, float]], most: int = 400) -> list[tuple[float, float]]:
    """At most so many points, each the highest of its section, so that a plotted curve keeps its peaks."""
    step = -(-len(curve) // most)
    return [max(curve[start : start + step], key=lambda point: point[1]) for start in range(0, len(curve), step or 1)]


def row_of_not_built(built: NotBuilt, report: str) -> Measurement:
    """A baseline that could not be made: a row with the reason."""
    return Measurement(report=report, measured_by=BY, subject=built.subject, machine=this_machine(), error=built.error)
