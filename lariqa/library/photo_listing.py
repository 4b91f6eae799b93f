"""Which photos somebody means by URIs: each once, and without those that are done. It holds names, not photos."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lariqa.backends import backend
from lariqa.errors import Refusal
from lariqa.library.photo_uris import HERE, Files, Place, Rows, file_system, opened_parquet, row_name, values
from lariqa.library.row import photo_id
from lariqa.photos.photo import KINDS, unreadable
from lariqa.photos.photo_files import has_photo_suffix, photos_in

COLUMNS_TRIED = ("bytes", "image.bytes", "path", "photo")  # where none is named; the second is Hugging Face's

Chunk = Files | Rows


class Listing:
    """Which photos there are, each once, without those that are done.

    Args:
        uris: local files, folders, patterns; URIs of files and folders; Parquet among them.
        done: ids of photos that have a row, sorted.
        photo_column: of Parquet, with paths (text) or bytes; a field of a struct by a dot. None: the
            first of ``COLUMNS_TRIED``.
        name_column: of Parquet with bytes: names, no two alike; None: ``file.parquet#row``.

    Raises:
        Refusal: nothing is there, no photo is, or a Parquet without such a column.
    """

    def __init__(
        self, uris: Iterable[str], done: np.ndarray, photo_column: str | None = None, name_column: str | None = None
    ) -> None:
        self.done, self.photo_column, self.name_column = done, photo_column, name_column
        self._ids: set[int] = set()
        self.count = 0  # of photos, done ones too
        self.chunks: list[Chunk] = []
        for uri in uris:
            self._add(os.fspath(uri))

    @property
    def left(self) -> int:
        """Photos that have no row yet."""
        return sum(map(len, self.chunks))

    def tasks(self, workers: int, most: int) -> list[Chunk]:
        """The chunks cut small, smaller towards the end, so that all workers end at about the same time."""
        tasks, left = [], self.left
        for chunk in self.chunks:
            if isinstance(chunk, Rows):  # a row group is read as a whole
                tasks.append(chunk)
                left -= len(chunk)
                continue
            begins = 0
            while begins < len(chunk):
                size = max(1, min(most, left // (4 * workers)))
                tasks.append(chunk.part(begins, begins + size))
                left -= len(tasks[-1])
                begins += size
        return tasks

    def _add(self, given: str) -> None:
        if "://" not in given:
            is_table = given.lower().endswith(".parquet") and os.path.isfile(given)
            tables = [given] if is_table else _tables_in(Path(given)) if os.path.isdir(given) else []
            for table in tables:
                self._add_parquet(HERE, str(table))
            return None if tables else self._add_files(HERE, [os.fsencode(path) for path in photos_in([given])])
        filesystem, path = file_system(given)
        try:
            info = filesystem.get_file_info(path)
        except OSError as error:
            raise unreadable(given, error) from error
        if not (info.is_file or info.type.name == "Directory"):
            raise Refusal(f"{given}: expected a photo, a folder or Parquet, but nothing is there; check the spelling")
        place = Place(filesystem, given.partition("?")[0].rstrip("/"), path.rstrip("/"))
        if info.is_file:
            if path.lower().endswith(".parquet"):
                return self._add_parquet(place, path)
            return self._add_files(place, [os.fsencode(path)])
        files = _files_below(filesystem, place.base)
        if photos := [file for file in files if has_photo_suffix(Path(file))]:
            return self._add_files(place, [os.fsencode(file) for file in photos])
        tables = [file for file in files if file.lower().endswith(".parquet")]
        if not tables:
            raise Refusal(f"{given}: expected photos ({KINDS}) or Parquet, came a folder without; name another")
        for table in tables:
            self._add_parquet(place, table)
        return None

    def _add_files(self, place: Place, paths: list[bytes]) -> None:
        new, ids = self._new([photo_id(place.name(os.fsdecode(path))) for path in paths])
        if len(new):
            self.chunks.append(Files(place, [paths[place_in_list] for place_in_list in new], ids))

    def _add_parquet(self, place: Place, file: str) -> None:
        with opened_parquet(place, file) as parquet:
            column, holds_bytes = self._column_of(parquet, place.name(file))
            if not holds_bytes:
                for batch in parquet.iter_batches(columns=[column]):
                    paths = values(batch, column)
                    if None in paths:
                        raise Refusal(f"{place.name(file)}: expected paths in column {column}, came an empty one")
                    self._add_files(HERE, [os.fsencode(path) for path in paths])
                return
            first = 0
            for group in range(parquet.num_row_groups):
                count = parquet.metadata.row_group(group).num_rows
                if self.name_column:
                    names = values(parquet.read_row_group(group, [self.name_column]), self.name_column)
                    if None in names:
                        raise Refusal(
                            f"{place.name(file)}: expected names in column {self.name_column}, came an empty one"
                        )
                else:
                    names = range(first, first + count)
                before = self.count
                rows, ids = self._new([photo_id(row_name(place.name(file), name)) for name in names])
                if self.name_column and self.count < before + count:
                    raise Refusal(f"{place.name(file)}: column {self.name_column} has a name twice; choose another")
                if len(rows):
                    columns = (column, self.name_column)
                    self.chunks.append(Rows(place, file, group, columns, rows, first, ids))
                first += count

    def _column_of(self, parquet: Any, name: str) -> tuple[str, bool]:
        """(the column with photos, whether it holds bytes)."""
        holds = dict(_columns(parquet.schema_arrow))
        wanted = (self.photo_column,) if self.photo_column else COLUMNS_TRIED
        found = next((column for column in wanted if column in holds), None)
        if found is None or (self.name_column and self.name_column not in holds):
            missing = "a column " + " or ".join(wanted) if found is None else f"a column {self.name_column} of names"
            came = ", ".join(holds) or "neither text nor bytes"
            raise Refusal(f"{name}: expected {missing} with bytes or paths, came {came}; name it by --photo-column")
        return found, holds[found] == "bytes"

    def _new(self, ids: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """(places in the list of those that are neither done nor listed before, their ids)."""
        new = []
        for place, one in enumerate(ids):
            if one not in self._ids:
                self._ids.add(one)
                new.append(place)
        self.count += len(new)
        found = np.array([ids[place] for place in new], np.int64)
        left = ~np.isin(found, self.done)
        return np.array(new, np.int64)[left], found[left]


def _files_below(filesystem: Any, folder: str) -> list[str]:
    """Sorted; without what begins with a dot below the folder."""
    selector = backend("pyarrow.fs", "ray").FileSelector(folder, recursive=True)
    files = (info.path for info in filesystem.get_file_info(selector) if info.is_file)
    return sorted(file for file in files if "/." not in f"/{file[len(folder) :].lstrip('/')}")


def _tables_in(folder: Path) -> list[Path]:
    """Parquet files of a local folder that has no photos."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return [] if any(map(has_photo_suffix, files)) else [file for file in files if file.suffix.lower() == ".parquet"]


def _columns(schema: Any) -> Iterator[tuple[str, str]]:
    """(name, "bytes" or "path") of the columns that may hold photos; of structs, their fields."""
    types = backend("pyarrow", "ray").types
    for field in schema:
        fields = [(field.name, field.type)]
        if types.is_struct(field.type):
            fields = [(f"{field.name}.{part.name}", part.type) for part in field.type]
        for name, kind in fields:
            if types.is_binary(kind) or types.is_large_binary(kind):
                yield name, "bytes"
            elif types.is_string(kind) or types.is_large_string(kind):
                yield name, "path"
