"""Two reports -> what changed from the first to the second, and whether anything got worse.

Which row is which of the other report: :mod:`benchmarks.report.row_matching`.

What counts as a change, with a threshold (5 % by default):

    latency p50           the 95 % intervals of the two medians are apart, and they differ by more than the threshold
    peak memory           differs by more than the threshold
    file, MACs, weights   the same
    worst score diff.     the limit is crossed; or it moved by the threshold and by a tenth of the limit: below that,
                          it is the rounding of sums in another order
    error                 a row has one that it had not, or the other way round
    load, first run       shown beyond the threshold, never judged: they are one sample each
    operators, flags      shown: more or fewer of them is neither better nor worse

Latency and memory of different machines, systems, thread numbers or accelerators say more about these than about the
files: they are not judged, unless the caller asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from benchmarks.measure.measurement import Measurement
from benchmarks.measure.statistics import FEWEST_RUNS, describe, parity_of, run_ms
from benchmarks.report.number_format import MISSING, count, difference, digits, interval, listed, mib, ms, whole
from benchmarks.report.row_matching import latest, match
from benchmarks.report.summary import is_timed
from lariqa.errors import Refusal

SCHEMA = "lariqa-comparison/1"
LEAST_OF_LIMIT = 0.1

Outcome = Literal["worse", "better", "changed", "not judged", "same"]


@dataclass(frozen=True)
class Change:
    """One figure of one subject, before and after, in words and as a ratio."""

    what: str
    before: str
    after: str
    outcome: Outcome
    ratio: float | None = None  # after / before
    why: str = ""


@dataclass(frozen=True)
class Matched:
    """One subject in both reports."""

    name: str
    name_before: str
    warnings: list[str]
    changes: list[Change]  # figures that both rows have, also those that stayed the same


@dataclass(frozen=True)
class Comparison:
    """What changed from one report to another."""

    threshold: float
    matched: list[Matched] = field(default_factory=list)
    only_before: list[str] = field(default_factory=list)
    only_after: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def outcomes(self, outcome: Outcome) -> list[tuple[Matched, Change]]:
        """Every figure with this outcome."""
        return [(pair, change) for pair in self.matched for change in pair.changes if change.outcome == outcome]

    @property
    def worse(self) -> bool:
        """Whether anything got worse beyond the threshold."""
        return bool(self.outcomes("worse"))

    def to_json(self) -> dict[str, Any]:
        """Schema ``lariqa-comparison/1``."""
        return {"schema": SCHEMA, "worse": self.worse, **asdict(self)}


def compare_reports(
    before: Sequence[Measurement], after: Sequence[Measurement], threshold: float = 0.05, across_machines: bool = False
) -> Comparison:
    """Compare row by row; the words are in the module.

    Args:
        before, after: rows of two reports; quoted ones are skipped.
        threshold: what a figure may change by, as a share: 0.05 is 5 %.
        across_machines: judge latency and memory even if they come from different machines or settings.

    Raises:
        Refusal: the two have no subject in common.
    """
    warnings: list[str] = []
    (old, old_again), (new, new_again) = latest(before), latest(after)
    for which, repeated in (("first", old_again), ("second", new_again)):
        if repeated:
            warnings.append(f"the {which} has several rows of {listed(repeated)}: the latest of each is taken")
    pairs, alone_old, alone_new = match(old, new)
    if not pairs:
        raise Refusal(
            f"the two reports have no subject in common: {listed([row.subject.name for row in old]) or 'none'} against "
            f"{listed([row.subject.name for row in new]) or 'none'}"
        )
    matched = [_compare(one, other, threshold, across_machines) for one, other in pairs]
    return Comparison(
        threshold, matched, [_title(row) for row in alone_old], [_title(row) for row in alone_new], warnings
    )


def _title(row: Measurement) -> str:
    return f"{row.subject.name} ({row.machine.kind}{', sustained' * (row.mode == 'sustained')})"


def _compare(old: Measurement, new: Measurement, threshold: float, across_machines: bool) -> Matched:
    unlike = _unlike(old, new)
    judged = not unlike or across_machines
    warnings = [f"{listed(unlike)}: latency and memory are {'judged all the same' if judged else 'not judged'}"] * bool(
        unlike
    )
    for flag in dict.fromkeys([*old.flags, *new.flags]):
        when = "in both" if flag in old.flags and flag in new.flags else "before" if flag in old.flags else "after"
        warnings.append(f"flagged {when}: {flag}")
    timed = is_timed(old) and is_timed(new)
    changes = [
        *_errors(old, new),
        *(_latency(old, new, threshold, judged) if timed else ()),
        *(_memory(old, new, threshold, judged) if timed else ()),
        *_file(old, new, threshold),
        *_scores(old, new, threshold, warnings),
        *_operators(old, new),
    ]
    return Matched(new.subject.name, old.subject.name, warnings, changes)


def _unlike(old: Measurement, new: Measurement) -> list[str]:
    """What of the machine and the setting differs, in words."""
    facts = {
        "machine": (old.machine.model, new.machine.model),
        "system": (old.machine.system, new.machine.system),
        "kind of machine": (old.machine.kind, new.machine.kind),
        "cores": (old.machine.cores, new.machine.cores),
        "threads": (old.setting.threads, new.setting.threads),
        "accelerator": (old.setting.accelerator, new.setting.accelerator),
        "schema": (old.schema_version, new.schema_version),
    }
    return [f"{what} {a or 'not told'} before, {b or 'not told'} after" for what, (a, b) in facts.items() if a != b]


def _errors(old: Measurement, new: Measurement) -> Iterator[Change]:
    if (old.error is None) != (new.error is None):
        outcome = "worse" if new.error else "better"
        yield Change("error", old.error or "none", new.error or "none", outcome)


def _latency(old: Measurement, new: Measurement, threshold: float, judged: bool) -> Iterator[Change]:
    a, b = describe(run_ms(old)), describe(run_ms(new))
    if a and b and a.p50 > 0:
        ratio, outcome, why = b.p50 / a.p50, "same", ""
        if abs(ratio - 1) > threshold:
            if a.interval is None or b.interval is None:
                outcome, why = "not judged", f"fewer than {FEWEST_RUNS} runs"
            elif not a.interval.apart_from(b.interval):
                why = "within the noise: the intervals overlap"
            elif judged:
                outcome = "worse" if ratio > 1 else "better"
            else:
                outcome = "not judged"
        texts = (f"{ms(samples.p50)} ms {interval(samples.interval)}" for samples in (a, b))
        yield Change("latency p50", *texts, outcome, ratio, why)
    for what, name in (("load", "load_ms"), ("first run", "first_ms")):
        one, other = (getattr(row.latency, name) if row.latency else None for row in (old, new))
        if one and other is not None:
            outcome = "not judged" if abs(other / one - 1) > threshold else "same"
            yield Change(what, f"{ms(one)} ms", f"{ms(other)} ms", outcome, other / one, "one sample")


def _memory(old: Measurement, new: Measurement, threshold: float, judged: bool) -> Iterator[Change]:
    if old.memory and new.memory:
        change = _figure(
            "peak memory", old.memory.peak_mib, new.memory.peak_mib, threshold, lambda value: f"{mib(value)} MiB"
        )
        if change.outcome in ("worse", "better") and not judged:
            change = Change(change.what, change.before, change.after, "not judged", change.ratio)
        yield change


def _file(old: Measurement, new: Measurement, threshold: float) -> Iterator[Change]:
    yield from _known(
        "file", old.subject.bytes, new.subject.bytes, threshold, lambda value: f"{digits(value / 1e6)} MB"
    )
    if old.work and new.work:
        work = (old.work, new.work)
        yield from _known("MACs", *(part.macs for part in work), threshold, lambda value: f"{digits(value / 1e9)} G")
        yield from _known("parameters", *(part.parameters for part in work), threshold, whole)
        weights = (part.weight_bytes for part in work)
        yield from _known("weights", *weights, threshold, lambda value: f"{digits(value / 1e6)} MB")


def _known(what: str, old: int | None, new: int | None, threshold: float, shown: Callable) -> Iterator[Change]:
    if old and new is not None:
        yield _figure(what, old, new, threshold, shown)


def _figure(what: str, old: float, new: float, threshold: float, shown: Callable) -> Change:
    """A figure of which less is better."""
    ratio = new / old if old else None
    beyond = ratio is not None and abs(ratio - 1) > threshold
    outcome: Outcome = ("worse" if ratio > 1 else "better") if beyond else "same"
    return Change(what, shown(old), shown(new), outcome, ratio)


def _scores(old: Measurement, new: Measurement, threshold: float, warnings: list[str]) -> Iterator[Change]:
    if "reference" in (old.subject.role, new.subject.role):
        return
    a, b = parity_of(old.scores, old.subject.precision), parity_of(new.scores, new.subject.precision)
    if not a or not b:
        if a or b:
            yield Change("worst score diff.", _worst(a), _worst(b), "not judged", why="known in one report only")
        return
    ratio, outcome, why = (b.worst / a.worst if a.worst else None), "same", ""
    blind = a.proves_nothing or b.proves_nothing
    if blind:
        outcome, why = "not judged", blind
    elif {photo.photo for photo in a.photos} != {photo.photo for photo in b.photos}:
        outcome, why = "not judged", "other photos"
    elif a.passed != b.passed and None not in (a.passed, b.passed):
        outcome, why = ("better" if b.passed else "worse"), f"the limit is {difference(b.limit)}"
    elif abs(b.worst - a.worst) > max(threshold * a.worst, LEAST_OF_LIMIT * (b.limit or 0.0)):
        outcome = "worse" if b.worst > a.worst else "better"
    if old.subject.checkpoint_sha256 != new.subject.checkpoint_sha256:
        warnings.append("other weights (checkpoint_sha256): score differences are of different models")
    yield Change("worst score diff.", _worst(a), _worst(b), outcome, ratio, why)


def _worst(parity) -> str:
    return difference(parity.worst) if parity else MISSING


def _operators(old: Measurement, new: Measurement) -> Iterator[Change]:
    if not old.work or not new.work or not old.work.operators or not new.work.operators:
        return
    a, b = old.work.operators, new.work.operators
    for name in sorted({*a, *b}):
        if a.get(name, 0) != b.get(name, 0):
            yield Change(f"operator {name}", str(a.get(name, 0)), str(b.get(name, 0)), "changed")
    placed = (old.setting.placement, new.setting.placement)
    if placed[0] != placed[1]:
        yield Change("really ran on", *(json.dumps(place) if place else "not told" for place in placed), "changed")
    if old.setting.fallback != new.setting.fallback:
        yield Change("fallback", old.setting.fallback or "none", new.setting.fallback or "none", "changed")


def summary_line(comparison: Comparison) -> str:
    """The result in one line."""
    worse, better = len(comparison.outcomes("worse")), len(comparison.outcomes("better"))
    same = len(comparison.outcomes("same"))
    rows = count(len(comparison.matched), "row")
    return (
        f"{rows} compared at a threshold of {100 * comparison.threshold:g} %: {count(worse, 'figure')} worse, "
        f"{better} better, {same} the same"
    )
