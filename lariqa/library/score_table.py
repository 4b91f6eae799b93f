"""A table of scores that grows row by row, loses nothing to a kill, a full disk or Ctrl-C, and can be gone on with.

While it grows, its rows are lines in ``<table>.parts/rows-0001.jsonl`` and so on, a new file for each run and for every
``ROWS_IN_A_PART`` rows. A row is in its file before anybody is told of it. The table itself appears when all photos are
done, whole, under its own name; then the parts are removed.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from lariqa.atomic import unwritable, writing
from lariqa.errors import Refusal
from lariqa.library.about import FILE_NAME, about_text, other_model, read_about
from lariqa.library.row import Row, photo_id
from lariqa.library.table_files import as_line, check_suffix, read_table, row_from, write_table
from lariqa.names import as_text

ROWS_IN_A_PART = 10_000


class ScoreTable:
    """One table, open for growing; as a context manager, for it is locked against a second run.

    Args:
        path: .csv, .jsonl or .parquet.
        model_sha256: whose scores it holds.
        resume: go on with what is there, if anything is.
        overwrite: remove what is there.
        retry_errors: with ``resume``: forget the rows that have an error.

    Raises:
        Refusal: something is there and neither was asked for; it belongs to another model or another version; another
            run is writing it; the place cannot be written.
    """

    def __init__(
        self, path: Path, model_sha256: str, resume: bool = False, overwrite: bool = False, retry_errors: bool = False
    ) -> None:
        check_suffix(path)
        self.path, self.model_sha256, self.retry_errors = path, model_sha256, retry_errors
        self.parts = path.with_name(f"{path.name}.parts")
        self._is_new_folder = not path.parent.exists()
        if not (resume or overwrite) and (path.exists() or self.parts.exists()):
            came = "a table" if path.exists() else "the beginning of a table"
            raise Refusal(f"{came} is already at {path}; go on with it by --resume, or write it anew by --overwrite")
        self._resume, self._continues = resume and not overwrite, False  # asked for; and there is a whole table
        self._part, self._rows_in_part, self._lock = None, 0, None
        self._done: set[int] = set()
        self._twice: set[int] = set()  # photos that may have two rows
        self._contract = ""

    def __enter__(self) -> ScoreTable:
        try:
            self.parts.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            if not self._resume:
                for part in (*self._parts_of_rows(), self.parts / FILE_NAME):
                    part.unlink(missing_ok=True)
            self._begin_or_check()
            for row in self._kept_rows():
                self._count(row)
        except OSError as error:
            self._release()
            raise unwritable(self.path.parent, error) from error
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, *error) -> None:
        self._close_part()
        self._release()

    def __contains__(self, photo: str | os.PathLike) -> bool:
        return photo_id(as_text(photo)) in self._done

    @property
    def count(self) -> int:
        """Photos that have a row."""
        return len(self._done)

    def add(self, row: Row) -> None:
        """Keep a row: when this returns, no kill of this process can lose it.

        Raises:
            Refusal: it cannot be written, or was scored in another way than the rows that are there.
        """
        self._count(row)
        try:
            if self._part is None or self._rows_in_part == ROWS_IN_A_PART:
                self._begin_part()
            line = (as_line(row) + "\n").encode()
            while line:
                line = line[os.write(self._part, line) :]
        except OSError as error:
            raise Refusal(
                f"cannot write {self.parts}: {error.strerror}; every row before is kept there, and --resume goes on"
            ) from error
        self._rows_in_part += 1

    def rows(self) -> Iterator[Row]:
        """All rows, each photo's once: its score, where it has one, before an earlier error."""
        told, errors = set(), {}
        for row in self._kept_rows(with_forgotten=True):
            key = photo_id(row.photo)
            if key not in self._twice:
                yield row
            elif row.error:
                errors[key] = row
            elif key not in told:
                told.add(key)
                yield row
        yield from (row for key, row in errors.items() if key not in told)

    def finish(self) -> None:
        """Write the table whole, under its name, and remove the parts.

        Raises:
            Refusal: it cannot be written; the parts stay.
        """
        self._close_part()
        with writing(self.path) as new:
            write_table(new, self.rows())
            with new.open("rb") as file:
                os.fsync(file.fileno())
        for part in self._parts_of_rows():
            part.unlink()

    def discard(self) -> None:
        """Remove the rows, and the table that they went on with: what was wanted of them is written elsewhere."""
        self._close_part()
        for part in (*self._parts_of_rows(), self.path):
            part.unlink(missing_ok=True)

    def expect(self, contract: str) -> None:
        """Check that the rows that are there were scored as the next ones will be.

        Args:
            contract: the column ``input``.

        Raises:
            Refusal: they were not.
        """
        contract = contract.partition(",")[0]
        self._contract = self._contract or contract
        if contract not in ("", self._contract):
            raise Refusal(
                f"{self.path} has scores of {self._contract!r}, these are of {contract!r}; choose another name, or "
                "--overwrite"
            )

    def _parts_of_rows(self) -> list[Path]:
        return sorted(self.parts.glob("rows-*.jsonl"))

    def _kept_rows(self, with_forgotten: bool = False) -> Iterator[Row]:
        """Of the table that is gone on with, and of the parts."""
        before = read_table(self.path) if self._continues else iter(())
        for row in itertools.chain(before, *map(_rows_of_part, self._parts_of_rows())):
            if row.model_sha256 != self.model_sha256:
                raise other_model(self.path, row.model_sha256)
            if with_forgotten or not (self.retry_errors and row.error):
                yield row
            else:
                self._twice.add(photo_id(row.photo))

    def _count(self, row: Row) -> None:
        key = photo_id(row.photo)
        if key in self._done:
            self._twice.add(key)
        self._done.add(key)
        self.expect(row.input)

    def _begin_or_check(self) -> None:
        """Say in the parts whose they are; or read it there."""
        about = self.parts / FILE_NAME
        if not about.exists():
            self._continues = self._resume and self.path.exists()
            with writing(about) as new:
                new.write_text(about_text(self.model_sha256, continues=self._continues), encoding="utf-8")
            return
        self._continues = read_about(
            about.read_text(encoding="utf-8", errors="replace"), self.model_sha256, self.path, self.parts, "continues"
        )

    def _begin_part(self) -> None:
        self._close_part()
        numbers = [int(part.stem.removeprefix("rows-")) for part in self._parts_of_rows()]
        name = self.parts / f"rows-{max(numbers, default=0) + 1:04d}.jsonl"
        self._part = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        self._rows_in_part = 0

    def _close_part(self) -> None:
        if self._part is not None:
            os.fsync(self._part)
            os.close(self._part)
            self._part = None

    def _take_lock(self) -> None:
        import filelock

        self._lock = filelock.FileLock(self.parts / "lock", timeout=0)
        try:
            self._lock.acquire()
        except filelock.Timeout as error:
            self._lock = None
            raise Refusal(f"another run is writing {self.path}; wait for its end, or stop it") from error

    def _release(self) -> None:
        """Let another run in; parts without a row are no beginning of a table."""
        if self._lock is None:
            return
        self._lock.release()
        if not self._parts_of_rows():
            shutil.rmtree(self.parts, ignore_errors=True)
            if self._is_new_folder:
                with contextlib.suppress(OSError):  # it is not empty: something was finished
                    self.path.parent.rmdir()


def _rows_of_part(part: Path) -> Iterator[Row]:
    """Its whole lines: a run that was killed in writing leaves a last one without an end, which nobody was told of."""
    try:
        with part.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                if line.endswith("\n"):
                    yield row_from(json.loads(line))
    except (OSError, ValueError) as error:
        raise Refusal(f"{part} cannot be read ({error}); write the table anew with --overwrite") from error
