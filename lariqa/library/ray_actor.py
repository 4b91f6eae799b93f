"""What an actor of Ray Data does: opens the model once, then turns tables of photos into tables of rows."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lariqa.backends import backend
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.library.row import COLUMNS, Row, photo_id
from lariqa.library.table_files import arrow_schema
from lariqa.library.work import PhotoScorer, Work
from lariqa.names import as_text

BATCH = 16  # photos in one run on a GPU
DEATHS = 2  # of processes that scored a photo, until it is a row with its error


class ScoringActor:
    """A session, for as long as the actor lives.

    Args:
        work: the model, and how.
        photo_column: bytes of files, or paths.
        name_column: None: the paths, or none.
        batch_size: photos in one run, where the file takes batches.
        run: a name of the run, whose tables are those of ``photo_uris``; the ids stay, and deaths are counted. None: of
            a dataset of somebody's own.
        model: bytes of the model in Ray's store, for a node that does not have the file.
    """

    def __init__(
        self,
        work: Work,
        photo_column: str = "bytes",
        name_column: str | None = None,
        batch_size: int = BATCH,
        run: str | None = None,
        model: Any = None,
    ) -> None:
        self.photo_column, self.name_column, self.batch_size = photo_column, name_column, batch_size
        self.begun = Begun(begun_folder(run)) if run else None
        self.scorer: PhotoScorer | None = None
        self.refusal: Refusal | None = None
        try:
            self.scorer = replace(work, model=model_here(work, model)).open()
            self.scorer.told["model"] = as_text(work.model)
        except Refusal as refusal:
            self.refusal = refusal  # told by the first call: what an actor's beginning raises loses its kind in Ray

    def __call__(self, table: Any) -> Any:
        """Rows in place of photos."""
        if self.refusal:
            raise self.refusal
        return self._listed(table) if self.begun else self._added(table)

    def _added(self, table: Any) -> Any:
        arrow, there = backend("pyarrow", "ray"), table.schema.names
        missing = [name for name in (self.photo_column, self.name_column) if name and name not in there]
        if missing:
            raise Refusal(f"the dataset has no column {missing[0]!r}; it has {', '.join(there)}")
        photos, kind = table.column(self.photo_column).to_pylist(), table.schema.field(self.photo_column).type
        is_path = arrow.types.is_string(kind) or arrow.types.is_large_string(kind)
        if self.name_column:
            names = [str(name) for name in table.column(self.name_column).to_pylist()]
        else:
            names = [photo if is_path else None for photo in photos]
        rows = self._rows(list(zip(photos, names, strict=True)))
        gone = {self.photo_column} if not is_path else set()
        if self.photo_column == "photo" or self.name_column == "photo":
            gone.add("photo")  # the row's own says the same
        kept = table.select([name for name in there if name not in gone])
        twice = [name for name in kept.schema.names if name in COLUMNS]
        if twice:
            raise Refusal(f"the dataset has a column {twice[0]!r}, and the scores bring one; rename it before")
        scored = _arrow(rows)
        for name in COLUMNS:
            kept = kept.append_column(scored.schema.field(name), scored.column(name))
        return kept

    def _listed(self, table: Any) -> Any:
        columns = table.to_pydict()
        given = zip(columns["bytes"], columns["path"], columns["photo"], columns["unreadable"], strict=True)
        photos = [(photo if path is None else os.fsdecode(path), name, error) for photo, path, name, error in given]
        rows: list[Row] = []
        if self.scorer.told["device"] != "cpu":
            errors = [self._refused(name, error) if error else None for _, name, error in photos]
            asked = [(photo, name) for photo, name, error in photos if not error]
            scored = iter(self._rows(asked))
            rows = [refused or next(scored) for refused in errors]
        else:
            for photo, name, error in photos:
                error = error or self.begun.begin(name)
                rows.append(self._refused(name, error) if error else self.scorer(photo, name))
                self.begun.end(name)
        return _arrow(rows).add_column(0, "id", table.column("id"))

    def _rows(self, photos: list[tuple[Any, str | None]]) -> list[Row]:
        rows: list[Row] = []
        size = self.batch_size if self.scorer.told["device"] != "cpu" else 1
        for first in range(0, len(photos), size):
            batch = photos[first : first + size]
            scored = iter(self.scorer.rows([photo for photo in batch if photo[0] is not None]))
            for photo, name in batch:
                nothing = photo is None and self._refused(name or "the photo", "the dataset has nothing there")
                rows.append(nothing or next(scored))
        return rows

    def _refused(self, name: str, error: str) -> Row:
        return Row(name, error=error if name in error else f"{name}: {error}", **self.scorer.told)


class Begun:
    """Which photos processes of this machine have begun and not ended: a photo that two died of is not tried again.

    Ray repeats the task of an actor that died for ever, and so would a photo that kills it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(exist_ok=True)

    def begin(self, name: str) -> str | None:
        """Say that a photo is begun; an error where it must not be."""
        file = self.folder / f"{photo_id(name):x}"
        with file.open("ab") as begun:
            deaths = begun.tell()
            begun.write(b"x")
        if deaths < DEATHS:
            return None
        return f"{name}: the process that scored it died, twice; is memory short, the photo damaged?"

    def end(self, name: str) -> None:
        """Forget it."""
        with suppress(OSError):
            (self.folder / f"{photo_id(name):x}").unlink()


def begun_folder(run: str) -> Path:
    """Where this machine notes what a run has begun."""
    return Path(tempfile.gettempdir(), f"lariqa-begun-{run}")


def model_here(work: Work, model: Any) -> str | os.PathLike:
    """The model's path on this node, where it is written if it is not there."""
    path = Path(work.model)
    if path.exists() or model is None:
        return work.model
    copy = Path(tempfile.gettempdir(), f"lariqa-model-{work.sha256[:16]}", path.name)
    if not copy.exists() or sha256_of(copy) != work.sha256:
        copy.parent.mkdir(exist_ok=True)
        new = copy.with_name(f"{os.getpid()}-{path.name}")
        new.write_bytes(backend("ray", "ray").get(model))
        os.replace(new, copy)
    return copy


def _arrow(rows: list[Row]) -> Any:
    arrow = backend("pyarrow", "ray")
    return arrow.Table.from_pylist([row.to_json() for row in rows], arrow_schema(arrow).remove_metadata())
