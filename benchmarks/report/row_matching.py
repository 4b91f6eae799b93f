"""Which row of one report is which of another.

By name, mode and machine; the rest by what they measured: role, format, precision, execution, input, view, size,
runtime. A key that several rows share matches none of them: which is which would be a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.measure.measurement import Measurement, read_rows
from lariqa.errors import Refusal

REPORT_NAME = "report.json"


def read_report(path: Path) -> list[Measurement]:
    """Rows of a ``report.json``, a ``.jsonl``, or a folder that has the one or several of the other.

    Raises:
        Refusal: nothing there, not a report, or no row in it.
    """
    if not path.exists():
        raise Refusal(f"no report at {path}; expected report.json, a folder with one, or a .jsonl file of rows")
    files = [path]
    if path.is_dir():
        files = [path / REPORT_NAME] if (path / REPORT_NAME).is_file() else sorted(path.glob("*.jsonl"))
        if not files:
            raise Refusal(
                f"{path} holds neither {REPORT_NAME} nor .jsonl files; `lariqa bench run EXPORTED -o {path}` writes one"
            )
    rows = []
    for file in files:
        try:
            rows += read_rows(file.read_text(encoding="utf-8"), str(file))
        except UnicodeDecodeError as error:
            raise Refusal(f"{file} is no text; expected {REPORT_NAME} or a .jsonl file of rows") from error
    return rows


def latest(rows: Sequence[Measurement]) -> tuple[list[Measurement], list[str]]:
    """Of measured rows, one of each kind: files of rows only grow, and the latest row counts.

    Returns:
        The rows, and the names of those that were there several times.
    """
    found: dict[tuple, Measurement] = {}
    repeated: set[str] = set()
    for row in (row for row in rows if row.subject.role != "quoted"):
        key = _exactly(row)
        if key in found:
            repeated.add(row.subject.name)
        if key not in found or row.measured_at >= found[key].measured_at:
            found[key] = row
    return list(found.values()), sorted(repeated)


def match(
    old: Sequence[Measurement], new: Sequence[Measurement]
) -> tuple[list[tuple[Measurement, Measurement]], list[Measurement], list[Measurement]]:
    """(pairs, rows of the first alone, rows of the second alone); the surest keys first."""
    pairs, old, new = [], list(old), list(new)
    for key in KEYS:
        for one in list(old):
            others = [other for other in new if key(other) == key(one)]
            if len(others) == 1 and sum(key(another) == key(one) for another in old) == 1:
                pairs.append((one, others[0]))
                old.remove(one)
                new.remove(others[0])
    return pairs, old, new


def _exactly(row: Measurement) -> tuple:
    return (*_by_name(row), row.machine.model, row.setting.threads, row.setting.accelerator)


def _by_name(row: Measurement) -> tuple:
    return (row.subject.name, row.mode, row.machine.kind)


def _by_kind(row: Measurement) -> tuple:
    """What a row measured, whatever it is called: a renamed file is still the same file's successor."""
    subject = row.subject
    size = (subject.photo_width_px, subject.photo_height_px)
    words = (subject.role, subject.format, subject.precision, subject.memory, subject.input, subject.synthetic_view)
    how = (runtime_family(row.setting.runtime), row.setting.accelerator, row.setting.weight_cache)
    return (*words, *size, *how, row.mode, row.machine.kind)


def runtime_family(runtime: str) -> str:
    """ "ONNX Runtime 1.32.0" -> "onnx runtime": the words before the version."""
    words = runtime.casefold().split()
    version = next((index for index, word in enumerate(words) if word[0].isdigit()), len(words))
    return " ".join(words[:version])


KEYS: tuple[Callable[[Measurement], tuple], ...] = (
    _exactly,
    lambda row: (*_by_name(row), row.setting.accelerator),
    _by_name,
    _by_kind,
)
