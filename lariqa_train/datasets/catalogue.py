"""The catalogue: one row per data set. A new one is one file and one row here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lariqa.errors import Refusal, nearest
from lariqa_train.datasets.bid import BID
from lariqa_train.datasets.generated_files import GENERATED
from lariqa_train.datasets.kadid10k import KADID10K
from lariqa_train.datasets.koniq10k import KONIQ10K
from lariqa_train.datasets.pipal import PIPAL
from lariqa_train.datasets.rows import DataSet, read_rows
from lariqa_train.datasets.spaq import SPAQ
from lariqa_train.datasets.tid2013 import TID2013
from lariqa_train.datasets.two_column_csv import TWO_COLUMN_CSV
from lariqa_train.datasets.uhd_iqa import UHD_IQA

CATALOGUE: dict[str, DataSet] = {
    row.name: row for row in (KONIQ10K, SPAQ, BID, UHD_IQA, KADID10K, TID2013, PIPAL, TWO_COLUMN_CSV, GENERATED)
}
OTHER_NAMES = {  # of their folders, as plain() writes them
    "koniq10k": ("koniq",),
    "uhd_iqa": ("uhd",),
    "kadid10k": ("kadid",),
}
NESTED = 3  # folders of its name around a set: the archive's, and the one that Windows unpacks each archive into


@dataclass(frozen=True)
class Whereabouts:
    """Where a data set was found, and what is missing there."""

    data_set: DataSet
    folder: Path
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every part of the published layout is there; its rows are checked when they are read."""
        return not self.missing


def data_set_named(name: str) -> DataSet:
    """The catalogue's row of that name.

    Raises:
        Refusal: there is none; the nearest is named.
    """
    if name not in CATALOGUE:
        raise Refusal(f"no data set {name!r}{nearest(name, CATALOGUE)}; there are {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def locate(data_set: DataSet, root: str | Path) -> Whereabouts:
    """Look for a data set in a folder: in folders of its name, in those inside them, and in the folder itself.

    Where nothing of it is there, the folder of that name is reported, or the one that was given.
    """
    root = Path(root)
    places = [*_named_like(data_set, root), root]
    missing = {place: tuple(data_set.missing(place)) for place in places}
    best = min(places, key=lambda place: len(missing[place]))
    return Whereabouts(data_set, best, missing[best])


def plain(name: str) -> str:
    """A folder's name without what people write differently: KADID-10k, kadid_10k, UHD-IQA-database."""
    letters = "".join(letter for letter in name.lower() if letter.isalnum())
    return letters.removesuffix("database").removesuffix("dataset")


def _named_like(data_set: DataSet, root: Path) -> list[Path]:
    """Folders below ``root`` that bear the data set's name, or again that of the folder they are in; nearest first."""
    usual = {plain(data_set.name), *OTHER_NAMES.get(data_set.name, ())}
    found, inside = [], [root]
    for _ in range(NESTED):
        inside = [
            folder
            for parent in inside
            for folder in _folders_in(parent, first=data_set.name)
            if plain(folder.name) in usual | {plain(parent.name)}
        ]
        found += inside
    return found


def _folders_in(parent: Path, first: str) -> list[Path]:
    """The folders in one, by name, one of them first; none where they cannot be listed."""
    try:
        folders = [path for path in parent.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except OSError:
        return []
    return sorted(folders, key=lambda path: (path.name != first, path.name))


def listing(root: Path | None = None, check: bool = False) -> dict[str, dict[str, Any]]:
    """Name -> what a data set is; with a root, where it is and what is missing; with ``check``, its rows or faults."""
    return {name: _described(data_set, root, check) for name, data_set in CATALOGUE.items()}


def _described(data_set: DataSet, root: Path | None, check: bool) -> dict[str, Any]:
    row = {
        "title": data_set.title,
        "kind": data_set.kind,
        "images": data_set.images or None,
        "mos_range": list(data_set.mos_range),
        "higher_is_better": data_set.higher_is_better,
        "split": "official" if data_set.official_split else "by group, 10 % or 10-fold",
        "layout": list(data_set.layout),
        "licence": data_set.licence,
        "source": data_set.source,
    }
    if root is None:
        return row
    found = locate(data_set, root)
    row |= {"folder": str(found.folder), "complete": found.complete, "missing": list(found.missing)}
    if found.complete and check:
        try:
            row["rows"] = len(read_rows(data_set, found.folder))
        except Refusal as refusal:
            row["faults"] = str(refusal)
    return row
