"""Rows that another machine wrote: accepted only if they say what was measured, and where.

Figures of a phone and of this computer are never mixed up: a row without ``machine.kind`` from ``lariqa
bench phone`` is a phone's, one that names another kind is refused, and ``lariqa bench import`` takes none without it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from pathlib import Path

from benchmarks.measure.measurement import Machine, Measurement, Memory, Part, Subject, read_rows
from lariqa.errors import Refusal

CEILING = 1.5  # times the peak above the baseline that is predicted on paper
EMULATOR = "measured on an Android emulator: its times and its memory are not those of a phone"


def accept(
    rows: Sequence[Measurement],
    where: str,
    subject: Subject,
    machine: Machine,
    is_phone: bool,
    references: Mapping[str, float],
    report: str,
    predicted_mib: float | None = None,
) -> list[Measurement]:
    """Rows that a device wrote about the file that it was sent, labelled with what the device reports about itself.

    Args:
        rows: from ``read_rows``.
        where: names their file in errors.
        subject: the file that was pushed; fills in what a row leaves open.
        machine: the device; likewise.
        is_phone: False for an emulator, whose rows are labelled and flagged as such.
        references: photo name -> PyTorch's score of the same pixels, for rows that do not know it.
        report: for rows without one.
        predicted_mib: the peak above the baseline on paper; a row of a runtime that takes far more has a flag.

    Raises:
        Refusal: a row is about another file, or says that it was measured somewhere else.
    """
    accepted = []
    for number, row in enumerate(rows, 1):
        row_of = f"row {number} of {where}"
        if row.subject.sha256 != subject.sha256:
            raise Refusal(
                f"{row_of} is about another file than the one that was pushed: expected subject.sha256 "
                f"{subject.sha256[:12]}..., came {row.subject.sha256[:12] or 'none'}; "
                "the app must measure the file it was given, and give its sum"
            )
        if "kind" in row.machine.model_fields_set and row.machine.kind != "phone":
            raise Refusal(
                f"{row_of} says that it was measured on a machine of kind {row.machine.kind!r}, but it came from the "
                f"phone {machine.model}: expected 'phone'"
            )
        # An app cannot know that the phone it runs on is an emulator.
        place = _filled(row.machine, machine).model_copy(update={"kind": "phone" if is_phone else "emulated"})
        scores = [
            score.model_copy(update={"reference": references.get(score.photo)}) if score.reference is None else score
            for score in row.scores
        ]
        memory = row.memory.model_copy(update={"predicted_mib": predicted_mib}) if row.memory else None
        flags = [*row.flags, *over_the_ceiling(row.setting.runtime, memory), *([] if is_phone else [EMULATOR])]
        accepted.append(
            row.model_copy(
                update={
                    "subject": _filled(row.subject, subject),
                    "machine": place,
                    "scores": scores,
                    "report": row.report or report,
                    "memory": memory,
                    "flags": flags,
                }
            )
        )
    return accepted


def over_the_ceiling(runtime: str, memory: Memory | None) -> list[str]:
    """A sentence where a version of a runtime takes far more memory than the file needs: empty, or that one."""
    if memory is None or not memory.predicted_mib:
        return []
    taken = (memory.running_peak_mib or memory.peak_mib) - memory.baseline_mib
    if taken <= CEILING * memory.predicted_mib:
        return []
    times = taken / memory.predicted_mib
    return [
        f"{runtime or 'the runtime'} took {taken:.0f} MiB above the baseline, {times:.1f} times the "
        f"{memory.predicted_mib:.0f} MiB that this file needs on paper (decoded photos counted in)"
    ]


def import_rows(path: Path, known: Container[str] = ()) -> list[Measurement]:
    """Rows that were exported by hand, as the iOS app does: ``lariqa bench import FILE``.

    Args:
        path: a ``.jsonl`` file, a JSON list, or a ``report.json``.
        known: ids of rows that the report has already; those are left out.

    Raises:
        Refusal: no such file, no rows, or one that does not say where it was measured.
    """
    if path.is_dir():
        raise Refusal(f"{path} is a folder; expected a file of rows, for example {path / 'rows.jsonl'}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Refusal(f"{path} cannot be read: {reason}; expected rows that an app exported") from error
    rows = read_rows(text, str(path))
    for number, row in enumerate(rows, 1):
        if "kind" not in row.machine.model_fields_set:
            raise Refusal(f"row {number} of {path} does not say where it was measured: machine.kind is missing")
    return [row for row in rows if row.id not in known]


def _filled(part: Part, known: Part) -> Part:
    """``part``, with its empty fields taken from ``known``."""
    empty = {name: value for name, value in known if getattr(part, name) in ("", 0, 0.0, None)}
    return part.model_copy(update=empty)
