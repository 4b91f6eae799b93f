"""The authors' two-column CSV: what their training code reads, and the simplest way to bring your own data.

    labels.csv      image (relative to the folder, or a full path), score (0..1, higher is better)

With a header or without. Every image is a group of its own; an optional third column names the group: images of one
group are never on both sides of a split.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from lariqa.errors import Refusal
from lariqa_train.datasets.rows import DataSet, RawRow

TABLE = "labels.csv"


def read(root: Path) -> Iterator[RawRow]:
    """Every line of the table."""
    try:
        with (root / TABLE).open(newline="", encoding="utf-8-sig") as file:
            lines = [(number, cells) for number, cells in enumerate(csv.reader(file), 1) if any(cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refusal(f"{root / TABLE} cannot be read as a table: {error}") from error
    for number, cells in lines:
        if number == 1 and _is_header(root, cells):
            continue
        name, mos, group = (*(cell.strip() for cell in cells), "", "", "")[:3]
        yield RawRow(root / name, mos, group or name, f"{TABLE}, row {number}")


def _is_header(root: Path, cells: list[str]) -> bool:
    try:
        float(cells[1])
    except (ValueError, IndexError):
        return not (root / cells[0]).exists()
    return False


TWO_COLUMN_CSV = DataSet(
    name="csv",
    title="two-column CSV",
    kind="authentic",
    images=0,
    mos_range=(0, 1),
    higher_is_better=True,
    licence="yours",
    source="you: a folder with labels.csv (image, score 0..1)",
    layout=(TABLE,),
    read=read,
)
