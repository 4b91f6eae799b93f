"""One row of any data set, an image and its mean opinion score (MOS); and a reader that reports all faults at once.

A data set's file says where its images and scores are (``read`` yields a :class:`RawRow` for each line, with the score
as it is written there). :func:`read_rows` turns them into :class:`Row`, with the MOS on 0..1, higher is better, and
refuses the whole set with the list of all its faults rather than the first one.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lariqa.errors import Refusal
from lariqa_train.datasets.spelling import Listing, composed, first_there, visible

SHOWN_FAULTS = 20  # more are counted
LOWEST_SHARE = 0.2
SETS = ("training", "validation", "test")


@dataclass(frozen=True)
class RawRow:
    """One line of a data set as it is written there."""

    image: Path
    mos: object  # a number, or whatever the file has instead
    group: str  # what must not be on both sides of a split: the reference image, or the image itself
    where: str  # file and row, for people
    official: str | None = None  # the publishers' own split, one of SETS


@dataclass(frozen=True)
class Row:
    """One image and its mean opinion score."""

    image: Path
    mos: float  # 0..1, higher is better
    group: str
    official: str | None = None


@dataclass(frozen=True)
class DataSet:
    """A row of the catalogue: what a data set is and how to read it."""

    name: str
    title: str
    kind: str  # authentic, synthetic or generated: the branch that the paper trains on it
    images: int  # as published
    mos_range: tuple[float, float]  # of the published scores
    higher_is_better: bool  # False for true DMOS, which is inverted
    licence: str
    source: str  # where the publishers offer it
    layout: tuple[str, ...]  # what must be under the root; " or " joins alternatives
    read: Callable[[Path], Iterator[RawRow]]
    official_split: bool = False
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # part of the layout -> further names it has

    def missing(self, root: Path) -> list[str]:
        """Parts of the published layout that are not under ``root``, in whatever case and by none of their names."""
        names = {part: (*part.split(" or "), *self.also.get(part, ())) for part in self.layout}
        return [part for part, choices in names.items() if first_there(root, *choices) is None]


def read_rows(data_set: DataSet, root: str | Path) -> list[Row]:
    """Every row of a data set.

    Args:
        data_set: of the catalogue.
        root: the folder that holds its published layout.

    Raises:
        Refusal: a part of the layout is missing, or rows are faulty (no image, no number, out of range, twice): all of
            them named.
    """
    root = Path(root)
    if not root.is_dir():
        raise Refusal(f"no folder at {root}; give the one that holds {data_set.title}, from {data_set.source}")
    if missing := data_set.missing(root):
        raise Refusal(
            f"{data_set.title} is incomplete under {root}: {', '.join(missing)} missing; get it from {data_set.source}"
        )
    low, high = data_set.mos_range
    rows, faults, seen, listing, numbers = [], [], {}, Listing(), []
    for raw in data_set.read(root):
        try:
            mos = float(raw.mos)
        except (TypeError, ValueError):
            mos = math.nan
        if not math.isfinite(mos):
            faults.append(f"{raw.where}: the score {raw.mos!r} is not a number")
        elif not low <= mos <= high:
            faults.append(f"{raw.where}: the score {mos:g} is outside {low:g}..{high:g}")
        else:
            numbers.append(mos)
        image, fault = _found(raw.image, root, listing)
        if fault or image in seen:
            faults.append(f"{raw.where}: {fault or f'{image.name} is already in {seen[image]}'}")
        if raw.official is not None and raw.official not in SETS:
            faults.append(f"{raw.where}: the set {raw.official!r} is none of {', '.join(SETS)}")
        seen.setdefault(image, raw.where)
        share = (mos - low) / (high - low)
        mos = share if data_set.higher_is_better else 1 - share
        rows.append(Row(image, mos, composed(raw.group), raw.official))
    if not rows:
        faults.append(f"no row in {root}")
    refuse_faults(f"{data_set.title} under {root}", faults)
    _refuse_smaller_scale(data_set, root, numbers)
    return rows


def _found(image: Path, root: Path, listing: Listing) -> tuple[Path, str]:
    """(the image as the disk spells it, what is wrong with it)."""
    if ".." in image.parts[len(root.parts) :]:
        return image, f"{image} leads out of {root}"
    there = [image] if image == root else listing.spellings(image)
    if not there:
        return image, f"no image at {image}"
    if len(there) > 1:
        alike = ", ".join(visible(path.name) for path in there)
        return (
            image,
            f"no image at {visible(image)}, but {len(there)} whose names differ from it in case or form: {alike}",
        )
    return there[0], f"{there[0]} is a folder, not an image" if there[0].is_dir() else ""


def _refuse_smaller_scale(data_set: DataSet, root: Path, numbers: list[float]) -> None:
    """A smaller scale lies within a larger one: 1..5 within 1..100. No published set uses its lowest fifth alone.

    Raises:
        Refusal: the whole column lies in the lowest fifth of the published range.
    """
    low, high = data_set.mos_range
    if len(numbers) > 1 and max(numbers) < low + (high - low) * LOWEST_SHARE:
        raise Refusal(
            f"{data_set.title} under {root}: the scores run from {min(numbers):g} to {max(numbers):g}, published are "
            f"{low:g}..{high:g}; another scale, it seems: get the table from {data_set.source}"
        )


def refuse_faults(what: str, faults: list[str]) -> None:
    """Raise one refusal that lists them; do nothing if there are none."""
    if faults:
        more = f"\n  and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
        listed = "\n  ".join(faults[:SHOWN_FAULTS])
        raise Refusal(f"{what} has {len(faults)} faults; fix or remove these rows:\n  {listed}{more}")


def read_csv(
    path: Path, needed: Iterable[str], delimiter: str = ",", renamed: Mapping[str, str] | None = None
) -> Iterator[tuple[str, dict[str, str]]]:
    """(where, row) for each line of a table with a header.

    Args:
        path: the table.
        needed: columns that must be there.
        delimiter: between cells.
        renamed: older name of a column -> its name now.

    Raises:
        Refusal: unreadable, no text, or a needed column is missing.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file, delimiter=delimiter)
            table.fieldnames = [(renamed or {}).get(name, name) for name in table.fieldnames or []]
            _check_columns(path, needed, table.fieldnames)
            for row in table:
                yield (
                    f"{path.name}, row {table.line_num}",
                    {key: (value or "").strip() for key, value in row.items() if key},
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refusal(f"{path} cannot be read as a table: {error}") from error


def read_sheet(path: Path) -> Iterator[tuple[str, tuple]]:
    """(where, cells) for each line of an Excel file's first sheet, its header included.

    Raises:
        Refusal: no Excel file.
    """
    from openpyxl import load_workbook  # of the extra `train`

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl passes on what zip and XML readers raise
        raise Refusal(f"{path} cannot be read as an Excel file: {error}") from error
    for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), 1):
        yield f"{path.name}, row {number}", cells
    book.close()


def first_of(root: Path, *choices: str) -> Path:
    """The first of these paths that exists, in whatever case, else the first."""
    return first_there(root, *choices) or root / choices[0]


def _check_columns(path: Path, needed: Iterable[str], there: Iterable[str]) -> None:
    if missing := [column for column in needed if column not in there]:
        raise Refusal(f"{path} has no column {', '.join(missing)}; it has {', '.join(there)}")
