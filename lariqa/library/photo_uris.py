"""Photos behind URIs: files here or in an object store, and rows of Parquet, as small tasks that read where they run.

What a photo is called in tables is its URI or path as it was given; its ``id`` is 64 bits of that name.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lariqa.backends import backend
from lariqa.errors import Refusal
from lariqa.names import as_text
from lariqa.photos.photo import unreadable

READ_AT_ONCE = 8  # photos of an object store in memory of one worker; an open costs some 50 ms there
BATCHES = 64  # rows of a Parquet of bytes in memory of one worker


@dataclass(frozen=True)
class Place:
    """A folder of a file system.

    Args:
        filesystem: one of pyarrow's; None: paths say themselves where they are.
        root: its URI, without what follows a question mark.
        base: its path in the file system.
    """

    filesystem: Any
    root: str
    base: str

    def name(self, path: str) -> str:
        """What a file there is called in tables."""
        return as_text(self.root + path[len(self.base) :])


HERE = Place(None, "", "")


@dataclass(frozen=True)
class Files:
    """Photos that are files, for one task.

    Args:
        place: where.
        paths: as the place has them, in bytes.
        ids: int64, one for each.
    """

    place: Place
    paths: list[bytes]
    ids: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, first: int, last: int) -> Files:
        """Some of them."""
        return Files(self.place, self.paths[first:last], self.ids[first:last])

    def tables(self) -> Iterator[Any]:
        """Arrow tables with ``id``, ``photo``, and where it is (``path``) or what it is (``bytes``, ``unreadable``)."""
        if self.place.filesystem is None and not any(b"://" in path for path in self.paths):
            names = [self._name(path) for path in self.paths]
            yield _table(id=self.ids, photo=names, path=self.paths)
            return
        with ThreadPoolExecutor(READ_AT_ONCE) as threads:
            for first in range(0, len(self), READ_AT_ONCE):
                part = self.part(first, first + READ_AT_ONCE)
                names = [self._name(path) for path in part.paths]
                read = list(threads.map(self._read, part.paths, names))
                photos, errors = [photo for photo, _ in read], [error for _, error in read]
                yield _table(id=part.ids, photo=names, bytes=photos, unreadable=errors)

    def _name(self, path: bytes) -> str:
        return self.place.name(os.fsdecode(path))

    def _read(self, path: bytes, name: str) -> tuple[bytes | None, str | None]:
        try:
            filesystem, inside = self.place.filesystem, os.fsdecode(path)
            if filesystem is None:
                filesystem, inside = _object_at(inside)
            with filesystem.open_input_file(inside) as file:
                return file.read(), None
        except OSError as error:
            return None, str(unreadable(name, error))
        except Refusal as refusal:
            return None, str(refusal)


@dataclass(frozen=True)
class Rows:
    """Photos whose bytes are rows of one row group of a Parquet file, for one task.

    Args:
        place: where the file is.
        file: its path there.
        group: number of the row group.
        columns: of the bytes, and of the names if there are any.
        rows: their numbers in the group.
        first: number of the group's first row in the file.
        ids: int64, one for each.
    """

    place: Place
    file: str
    group: int
    columns: tuple[str, str | None]
    rows: np.ndarray
    first: int
    ids: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def tables(self) -> Iterator[Any]:
        """As :meth:`Files.tables`."""
        column, names = self.columns
        with opened_parquet(self.place, self.file) as parquet:
            wanted, begins = [column] + [names] * bool(names), 0
            for batch in parquet.iter_batches(BATCHES, [self.group], wanted):
                inside = (self.rows >= begins) & (self.rows < begins + batch.num_rows)
                numbers = self.rows[inside] - begins
                if len(numbers):
                    part = batch.take(backend("pyarrow", "ray").array(numbers))
                    given = values(part, names) if names else self.rows[inside] + self.first
                    told = [row_name(self.place.name(self.file), name) for name in given]
                    photos = values(part, column)
                    errors = [
                        None if photo is not None else f"{name}: the row has no bytes"
                        for photo, name in zip(photos, told, strict=True)
                    ]
                    yield _table(id=self.ids[inside], photo=told, bytes=photos, unreadable=errors)
                begins += batch.num_rows


def file_system(uri: str) -> tuple[Any, str]:
    """(pyarrow's file system, the path in it) for a URI or a local path.

    Raises:
        Refusal: nothing that pyarrow knows.
    """
    try:
        given = uri if "://" in uri else Path(uri).absolute().as_uri()
        return backend("pyarrow.fs", "ray").FileSystem.from_uri(given)
    except (ValueError, OSError) as error:  # pyarrow's own are of these kinds
        raise Refusal(f"{uri} is no place that can be opened: {str(error).splitlines()[0]}") from error


def _object_at(name: str) -> tuple[Any, str]:
    """The same for a path in a table: of an object store it is taken as it is there, with blanks and percent signs."""
    scheme, mark, rest = name.partition("://")
    if scheme == "file" or not mark:
        return file_system(name)
    host, _, key = rest.partition("/")
    filesystem, base = _host(f"{scheme}://{host}/")
    return filesystem, f"{base.rstrip('/')}/{key}".lstrip("/")


_host = functools.lru_cache(maxsize=16)(file_system)  # a client of an object store takes a while to begin


@contextlib.contextmanager
def opened_parquet(place: Place, file: str) -> Iterator[Any]:
    """A ``pyarrow.parquet.ParquetFile``; its errors, in one sentence."""
    name = place.name(file)
    try:
        with backend("pyarrow.parquet", "ray").ParquetFile(file, filesystem=place.filesystem) as parquet:
            yield parquet
    except (OSError, ValueError) as error:
        if isinstance(error, Refusal):
            raise
        raise Refusal(f"{name} cannot be read as Parquet: {str(error).splitlines()[0]}") from error


def values(table: Any, column: str) -> list:
    """Of a column, or of a field of a struct."""
    name, _, field = column.partition(".")
    if column in table.schema.names:
        return table.column(column).to_pylist()
    return [value and value[field] for value in table.column(name).to_pylist()]


def row_name(file: str, name: object) -> str:
    """A name as it is given; for a number, the row of the file."""
    return f"{file}#{name}" if isinstance(name, int | np.integer) or name is None else str(name)


def _table(**columns: Any) -> Any:
    arrow = backend("pyarrow", "ray")
    kinds = {"id": arrow.int64(), "photo": arrow.string(), "path": arrow.binary(), "bytes": arrow.large_binary()}
    count = len(columns["id"])
    made = {
        name: arrow.array(columns.get(name, [None] * count), kinds.get(name, arrow.string()))
        for name in (*kinds, "unreadable")
    }
    return arrow.table(made)
