"""Tables of rows as CSV, JSON lines or Parquet: read and written one row after the other, always UTF-8."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from lariqa.backends import backend
from lariqa.errors import Refusal
from lariqa.library.row import COLUMNS, NUMBERS, SCHEMA, Row

ROWS_IN_A_GROUP = 10_000  # of Parquet: some megabytes of memory


def check_suffix(path: Path) -> None:
    """Refuse a name by which no table can be written, or a format whose package is not there."""
    if path.suffix.lower() not in WRITERS:
        raise Refusal(f"{path} names no kind of table: expected a name that ends in {' or '.join(WRITERS)}")
    if path.is_dir():
        raise Refusal(f"{path} is a folder; expected the name of a table, for example {path / 'scores.csv'}")
    if path.suffix.lower() == ".parquet":
        backend("pyarrow", "parquet")


def write_table(path: Path, rows: Iterable[Row]) -> None:
    """Write all rows to a new file, in the kind that its name says."""
    WRITERS[path.suffix.lower()](path, rows)


def read_table(path: Path) -> Iterator[Row]:
    """The rows of a table that :func:`write_table` wrote.

    Raises:
        Refusal: it cannot be read, or has other columns.
    """
    try:
        yield from map(row_from, READERS[path.suffix.lower()](path))
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        if isinstance(error, Refusal):
            raise Refusal(f"{path}: {error}") from error
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise Refusal(
            f"{path} cannot be read as a table of scores ({said}); choose another name, or write it anew with "
            "--overwrite"
        ) from error


def row_from(found: dict[str, Any]) -> Row:
    """A row of what a file holds: numbers from text, nothing from empty cells.

    Raises:
        Refusal: other columns than ours.
    """
    if tuple(found) != COLUMNS:
        missing = [name for name in COLUMNS if name not in found]
        more = [str(name) for name in found if name not in COLUMNS]
        came = f"without {', '.join(missing)}" if missing else f"with {', '.join(more)}" if more else "in another order"
        raise Refusal(
            f"expected the columns of {SCHEMA}, came a table {came}: it is of another version or another program; "
            "choose another name, or write it anew with --overwrite"
        )
    return Row(
        **{name: None if value in (None, "") else NUMBERS.get(name, str)(value) for name, value in found.items()}
    )


def as_line(row: Row) -> str:
    """A row as one line of JSON, without its end."""
    return json.dumps(row.to_json(), ensure_ascii=False)


def _write_csv(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(row.to_json().values() for row in rows)


def _read_csv(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:  # a spreadsheet may have saved it with a mark
        reader = csv.reader(file)
        columns = next(reader, [])
        if not columns:
            return
        row_from(dict.fromkeys(columns))
        yield from (dict(zip(columns, cells, strict=True)) for cells in reader)


def _write_json_lines(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(as_line(row) + "\n" for row in rows)


def _read_json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def arrow_schema(arrow: ModuleType) -> Any:
    """The columns as Arrow has them; ``arrow`` is pyarrow."""
    kinds = {float: arrow.float64(), int: arrow.int32(), str: arrow.string()}
    columns = [(name, kinds[NUMBERS.get(name, str)]) for name in COLUMNS]
    return arrow.schema(columns, metadata={"schema": SCHEMA})


def _write_parquet(path: Path, rows: Iterable[Row]) -> None:
    arrow, parquet = backend("pyarrow", "parquet"), backend("pyarrow.parquet", "parquet")
    schema, rows = arrow_schema(arrow), iter(rows)
    with parquet.ParquetWriter(path, schema) as writer:
        while group := list(itertools.islice(rows, ROWS_IN_A_GROUP)):
            writer.write_table(arrow.Table.from_pylist([row.to_json() for row in group], schema))


def _read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    parquet = backend("pyarrow.parquet", "parquet")
    with parquet.ParquetFile(path) as file:
        row_from(dict.fromkeys(file.schema_arrow.names))
        for group in file.iter_batches(ROWS_IN_A_GROUP):
            yield from group.to_pylist()


WRITERS = {".csv": _write_csv, ".jsonl": _write_json_lines, ".parquet": _write_parquet}
READERS = {".csv": _read_csv, ".jsonl": _read_json_lines, ".parquet": _read_parquet}
