"""A folder of score tables by many writers, and beside it what is known of it: whose it is, and which photos are done.

    scores/                 scores_<run>_000007.parquet ...   tables as ``table_files`` writes them
    scores.parts/about.json                                   schema, model
    scores.parts/done-0001/ scores_<run>_000007.parquet ...   ids of the photos of the table of that name

The latter are Ray Data's checkpoints: before a table is written, its ids are in ``<name>.pending.parquet``; when it is
whole, they are renamed. So a table with a pending file beside it is nobody's, and is removed by the next run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from lariqa.backends import backend
from lariqa.errors import Refusal
from lariqa.library.about import FILE_NAME, about_text, read_about
from lariqa.library.photo_uris import file_system
from lariqa.library.row import Row
from lariqa.library.table_files import WRITERS, read_table

PREFIX, PENDING = "scores", ".pending.parquet"


class ScoreFolder:
    """A folder of tables, open for one run; as a context manager, a local one is locked against a second run.

    Args:
        uri: of the folder; a name that ends in .csv or .jsonl has tables of that kind, any other has Parquet.
        model_sha256: whose scores it holds.
        view: the synthetic view that was asked for.
        resume: go on with what is there, if anything is.
        overwrite: remove what is there.

    Raises:
        Refusal: something is there and neither was asked for; it belongs to another model, view or version; another run
            is writing it; the place cannot be written.
    """

    def __init__(
        self, uri: str, model_sha256: str, view: str | None = None, resume: bool = False, overwrite: bool = False
    ) -> None:
        self.uri = uri.rstrip("/")
        scheme, mark, rest = uri.partition("?")[0].partition("://")
        if not PurePosixPath(rest.partition("/")[2] if mark else scheme).name:
            raise Refusal(f"{uri} is the top of a store; name a folder in it, for example {self.uri}/scores")
        self.filesystem, path = file_system(self.uri)
        self.path = path.rstrip("/")
        self.parts, self.resume, self.overwrite = f"{self.path}.parts", resume, overwrite
        suffix = PurePosixPath(self.path).suffix.lower()
        self.suffix = suffix if suffix in WRITERS else ".parquet"
        self.model_sha256, self.view = model_sha256, view
        self.run, self._lock = "", None

    def __enter__(self) -> ScoreFolder:
        try:
            self._check()
            self.filesystem.create_dir(self.parts, recursive=True)
            self._take_lock()
            if self.overwrite:
                for path in (*self._files(self.path), *self._files(self.parts)):
                    if PurePosixPath(path).name != "lock":
                        self.filesystem.delete_file(path)
            with self.filesystem.open_output_stream(f"{self.parts}/{FILE_NAME}.new") as file:
                file.write(about_text(self.model_sha256, view=self.view).encode())
            self.filesystem.move(f"{self.parts}/{FILE_NAME}.new", f"{self.parts}/{FILE_NAME}")
            self._remove_unfinished()
            runs = [int(name[5:9]) for name in self._runs()]
            self.run = f"done-{max(runs, default=0) + 1:04d}"
            self._before = set(self.tables())
        except OSError as error:
            self.__exit__()
            raise Refusal(f"cannot write in {self.uri}: {_said(error)}; choose another place or make room") from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error) -> None:
        if self._lock:
            self._lock.release()

    @property
    def checkpoint(self) -> str:
        """A path for this run's ids; nothing is there yet."""
        return f"{self.parts}/{self.run}"

    def done(self) -> np.ndarray:
        """Sorted int64 ids of the photos that have a row."""
        parquet = backend("pyarrow.parquet", "ray")
        files = [file for file in self._files(self.parts) if file.endswith(".parquet")]
        ids = [parquet.read_table(file, filesystem=self.filesystem)["id"].to_numpy() for file in files]
        return np.sort(np.concatenate(ids)) if ids else np.array([], np.int64)

    def done_now(self, seen: dict[str, int]) -> int:
        """How many photos of this run have a row.

        Args:
            seen: what earlier calls found; kept by the caller.
        """
        parquet = backend("pyarrow.parquet", "ray")
        for file in self._files(self.checkpoint):
            if not file.endswith(PENDING) and file not in seen:
                with suppress(OSError):  # it has just got its name
                    seen[file] = parquet.read_metadata(file, filesystem=self.filesystem).num_rows
        return sum(seen.values())

    def tables(self) -> list[str]:
        """Paths of all tables."""
        named = (file for file in self._files(self.path) if PurePosixPath(file).name.startswith(f"{PREFIX}_"))
        return [file for file in named if file.endswith(self.suffix)]

    def new_rows(self) -> Iterator[Row]:
        """Of the tables of this run."""
        return self._rows([file for file in self.tables() if file not in self._before])

    def rows(self) -> Iterator[Row]:
        """Of all tables."""
        return self._rows(self.tables())

    def _rows(self, tables: list[str]) -> Iterator[Row]:
        with tempfile.TemporaryDirectory() as here:
            for table in tables:
                copy = Path(here, "table").with_suffix(self.suffix)
                with self.filesystem.open_input_stream(table) as file:
                    copy.write_bytes(file.read())
                yield from read_table(copy)

    def _check(self) -> None:
        """Refuse what is there, unless it may be gone on with or removed."""
        there = self._files(self.path)
        if not self.filesystem.get_file_info(f"{self.parts}/{FILE_NAME}").is_file:
            if there or self.filesystem.get_file_info(self.path).is_file:
                raise Refusal(f"{self.uri} is there and is no folder of scores; choose another name")
            return
        if not (self.resume or self.overwrite):
            raise Refusal(f"scores are already at {self.uri}; go on by --resume, or write them anew by --overwrite")
        if self.overwrite:
            return
        with self.filesystem.open_input_stream(f"{self.parts}/{FILE_NAME}") as file:
            view = read_about(file.read(), self.model_sha256, self.uri, self.parts, "view")
        if view != self.view:
            raise Refusal(
                f"{self.uri} was begun with --synthetic-view {view or '(the default)'}; go on with the same, or write "
                "it anew with --overwrite"
            )

    def _remove_unfinished(self) -> None:
        """Tables that were begun and not finished, then what says so; in this order, a kill here leaves them named."""
        pending = [file for file in self._files(self.parts) if file.endswith(PENDING)]
        names = {PurePosixPath(file).name.removesuffix(PENDING) for file in pending}
        for table in self.tables():
            if PurePosixPath(table).stem in names:
                self.filesystem.delete_file(table)
        for file in pending:
            self.filesystem.delete_file(file)

    def _files(self, folder: str) -> list[str]:
        selector = backend("pyarrow.fs", "ray").FileSelector(folder, recursive=True, allow_not_found=True)
        return sorted(info.path for info in self.filesystem.get_file_info(selector) if info.is_file)

    def _runs(self) -> set[str]:
        names = {PurePosixPath(file).parent.name for file in self._files(self.parts)}
        return {name for name in names if name.startswith("done-")}

    def _take_lock(self) -> None:
        if not isinstance(self.filesystem, backend("pyarrow.fs", "ray").LocalFileSystem):
            return  # an object store has no locks
        import filelock

        lock = filelock.FileLock(f"{self.parts}/lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise Refusal(f"another run is writing {self.uri}; wait for its end, or stop it") from error
        self._lock = lock


def _said(error: Any) -> str:
    return str(error.strerror or error).splitlines()[0]
