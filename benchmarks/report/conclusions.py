"""The verdict: plain sentences for a reader who wants to choose a file, before any table.

Per machine and view: which file is fastest, smallest in memory and closest to PyTorch, by what ratio, with what
interval. Then what weakens these statements: flags, errors, untrained weights, figures of a computer where a phone was
meant. If a difference between rows is not clear, the sentence says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.measure.statistics import Ratio, paired_ratio
from benchmarks.report.number_format import count, difference, digits, interval, listed, mib, percent, times
from benchmarks.report.row_matching import runtime_family
from benchmarks.report.summary import Figures, Place, Summary
from export.proof.limits import MOS_POINTS
from lariqa.errors import Refusal

Tone = Literal["plain", "good", "warn", "bad"]


@dataclass(frozen=True)
class Sentence:
    """One statement under a label, and its details."""

    label: str
    text: str
    detail: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Verdict:
    """Statements about one machine and view, or (without a title) about the whole report."""

    title: str
    sentences: list[Sentence]


def judge(summary: Summary) -> list[Verdict]:
    """Every verdict, in reading order."""
    verdicts = [
        Verdict(f"{place.title}, {view_words(view)}", sentences)
        for place in summary.places
        for view in place.views
        if (sentences := list(_of_view(place, view)))
    ]
    return [*verdicts, Verdict("Before you rely on it", list(_caution(summary)))]


def view_words(view: str) -> str:
    """What the synthetic branch looks at."""
    return {"crop": "crop view", "full": "full view", "": "other models"}.get(view, f"{view} view")


def ratio_between(one: Figures, other: Figures) -> Ratio | None:
    """The first's time as a multiple of the second's; None if they were not measured in turns."""
    try:
        return paired_ratio(one.row, other.row)
    except Refusal:
        return None


def _of_view(place: Place, view: str) -> Iterator[Sentence]:
    rows = [figures for figures in place.of_view(view) if figures.row.mode == "burst"]
    files = [figures for figures in rows if figures.row.subject.role == "artifact"]
    able = [figures for figures in files if not figures.past_limit and not figures.row.error]
    timed = sorted((figures for figures in able if figures.run), key=lambda figures: figures.run.p50)
    if timed:
        yield _fastest(timed, [figures for figures in rows if figures.row.subject.role == "baseline" and figures.run])
    weighed = [figures for figures in able if figures.row.memory and figures.is_timed]
    weighed.sort(key=lambda figures: figures.above_baseline_mib)
    if weighed:
        yield _leanest(weighed, rows)
    yield from _faithful(files)
    yield from _which_input(timed)
    yield from _cost_of_view(timed, place)


def _fastest(timed: Sequence[Figures], baselines: Sequence[Figures]) -> Sentence:
    best, others = timed[0], timed[1:]
    details = [f"Median of {_runs(best)}, from decoded pixels to score."]
    ratios = {other.label: ratio_between(best, other) for other in others}
    alike = [label for label, ratio in ratios.items() if ratio and not ratio.is_clear]
    if alike:
        nearest = ratios[alike[0]]
        details.append(f"Not told apart from {listed(alike)}: {times(nearest)} {interval(nearest.interval)} the time.")
    elif others and (nearest := ratios[others[0].label]):
        details.append(f"{_takes(nearest)} of the next, {others[0].label}.")
    elif others:
        details.append(f"The next, {others[0].label}, was not measured in turns with it: there is no ratio.")
    if best.ratio and best.ratio_to.subject.name not in {figures.name for figures in timed[:2]}:
        details.append(f"{_takes(best.ratio)} of {best.ratio_to.subject.name}.")
    if baselines:
        rival = min(baselines, key=lambda figures: figures.run.p50)
        if (ratio := ratio_between(best, rival)) and rival.row is not best.ratio_to:
            clear = "" if ratio.is_clear else ", no clear difference"
            details.append(f"{_takes(ratio)} of the fastest baseline, {rival.label}{clear}.")
    if best.parity and best.parity.limit is None:
        worst = difference(best.parity.worst)
        details.append(f"No parity limit is set for {best.row.subject.precision}: its scores differ by up to {worst}.")
    if best.limit_share is not None:
        details.append(f"It reaches {percent(best.limit_share)} of the rate that the machine gave in the same run.")
    return _sentence("Fastest", f"{best.label}: {digits(best.run.p50)} ms", details, timed)


def _leanest(weighed: Sequence[Figures], rows: Sequence[Figures]) -> Sentence:
    best, others = weighed[0], weighed[1:]
    details = [f"Peak above the bare runtime; {mib(best.row.memory.peak_mib)} MiB with it."]
    reference = next((row for row in rows if row.row.subject.role == "reference" and row.row.memory), None)
    named = [("the next", others[0])] if others else []
    named += [("the reference", reference)] if reference else []
    details += [
        f"{digits(best.above_baseline_mib / other.above_baseline_mib)}× that of {words}, {other.label}."
        for words, other in named
        if other.above_baseline_mib > 0
    ]
    details.append("One process each, so without an interval.")
    return _sentence("Leanest", f"{best.label}: {mib(best.above_baseline_mib)} MiB", details, weighed)


def _sentence(label: str, text: str, details: list[str], ranked: Sequence[Figures]) -> Sentence:
    """A flag that all rows have (too few runs, for example) is no reason to choose another file."""
    best = ranked[0]
    own = {figures.label: _own_flags(figures, ranked) for figures in ranked}
    if not own[best.label]:
        return Sentence(label, f"{text}.", " ".join(details), "good")
    sound = next((name for name, flags in own.items() if not flags), None)
    details.append(f"But it is flagged: {own[best.label][0].rstrip('.')}.")
    details.append(f"The first without such a flag is {sound}." if sound else "Every file has such a flag.")
    return Sentence(label, f"{text}.", " ".join(details), "warn")


def _own_flags(figures: Figures, ranked: Sequence[Figures]) -> list[str]:
    """The flags that not every row has; all of them if there is only one row."""
    shared = set.intersection(*(set(other.flags) for other in ranked)) if len(ranked) > 1 else set()
    return [flag for flag in figures.flags if flag not in shared]


def _faithful(files: Sequence[Figures]) -> Iterator[Sentence]:
    known = [figures for figures in files if figures.parity]
    empty = [figures for figures in known if figures.parity.proves_nothing]
    if empty:
        names, why = listed([figures.label for figures in empty]), empty[0].parity.proves_nothing
        yield Sentence("Proves nothing", f"The score comparison of {names}.", f"{why[0].upper()}{why[1:]}.", "warn")
    telling = sorted((figures for figures in known if figures not in empty), key=lambda row: row.parity.worst)
    if telling and not telling[0].past_limit:
        best, found = telling[0], telling[0].parity
        held = sum(figures.parity.passed is True for figures in telling)
        limited = sum(figures.parity.limit is not None for figures in telling)
        within = f"{held} of {count(limited, 'file')} within the parity limit." if limited else "No limit is set."
        yield Sentence(
            "Most faithful",
            f"{best.label}: {difference(found.worst)}.",
            f"Worst score difference to PyTorch over {count(len(found.photos), 'photo')}. {within}",
            "good" if held == limited else "plain",
        )
    for figures in (figures for figures in telling if figures.past_limit):
        found = figures.parity
        yield Sentence(
            "Past the limit",
            f"{figures.label}: {difference(found.worst)}, and {difference(found.limit)} is allowed.",
            f"{digits(MOS_POINTS * found.worst, 2)} MOS points at worst, {found.flips} of {count(found.pairs, 'pair')} "
            "of photos ranked differently from PyTorch. It is left out of the choice above.",
            "bad",
        )


def _which_input(timed: Sequence[Figures]) -> Iterator[Sentence]:
    """What another input costs, between files that differ in nothing else."""
    for views in (figures for figures in timed if figures.row.subject.input == "views"):
        same = [other for other in timed if _but_for_input(other) == _but_for_input(views)]
        same = [other for other in same if other.row.subject.input != "views"]
        ratios = [(other, ratio) for other in same if (ratio := ratio_between(views, other))]
        told = [f"{_takes(ratio)} of {other.label}, {TAKES[other.row.subject.input]}." for other, ratio in ratios]
        if told:
            yield Sentence(
                "Which input",
                f"{views.label}: photos of any size, the app makes the two views.",
                " ".join([*told, "Making the views counts in the time of each."]),
            )
            return


TAKES = {"pixels": "which takes photos of one size and needs no code", "tensors": "which wants the views normalised"}


def _but_for_input(figures: Figures) -> tuple[str, str, str, str]:
    subject = figures.row.subject
    return subject.format, subject.precision, subject.memory, runtime_family(figures.row.setting.runtime)


def _cost_of_view(timed: Sequence[Figures], place: Place) -> Iterator[Sentence]:
    """What the full view costs: the fastest file of each view."""
    if not timed or timed[0].view != "full":
        return
    crops = [row for row in place.of_view("crop") if row.row.subject.role == "artifact" and row.row.mode == "burst"]
    crops = [row for row in crops if row.run and not row.past_limit and not row.row.error]
    if crops and (ratio := ratio_between(timed[0], min(crops, key=lambda row: row.run.p50))):
        yield Sentence(
            "Full or crop",
            f"The full view takes {times(ratio)} {interval(ratio.interval)} the time of the crop.",
            "The fastest file of each. The two give different scores: weights trained with one do not serve the other.",
        )


def _caution(summary: Summary) -> Iterator[Sentence]:
    rows = summary.figures
    if not any(place.machine.kind == "phone" for place in summary.places):
        yield Sentence("Host figures", "No phone figure without a phone.", "What was timed here is a computer.", "warn")
    failed = [figures for figures in rows if figures.row.error]
    if failed:
        names = listed([figures.label for figures in failed])
        yield Sentence("Failed", f"{names}.", f"{count(len(failed), 'row')} with an error; see Errors.", "bad")
    flagged = [figures for figures in rows if figures.flags]
    if flagged:
        names = listed([f"#{figures.number}" for figures in flagged])
        yield Sentence("Flagged", f"{names}.", f"{len(flagged)} of {count(len(rows), 'row')}; see Flags.", "warn")
    else:
        yield Sentence("Flags", "None.", tone="good")
    if any(figures.row.subject.trained is False for figures in rows):
        yield Sentence(
            "Not trained",
            "The scores are not the quality of any photo: no human ratings shaped these weights.",
            "Times, memory and parity are valid nevertheless.",
            "warn",
        )


def _runs(figures: Figures) -> str:
    runs = count(figures.run.n, "run")
    return f"{runs}, {interval(figures.run.interval)}" if figures.run.interval else f"only {runs}"


def _takes(ratio: Ratio) -> str:
    return f"{times(ratio)} {interval(ratio.interval)} the time"
