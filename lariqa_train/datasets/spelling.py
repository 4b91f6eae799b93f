"""Where a named file lies, however the disk spells its name.

A table and a disk may spell one name in two ways. macOS unpacks names decomposed (NFD, u and U+0308 for ü) where
tables have them composed (NFC); and what was written on a disk that takes .JPG for .jpg is read on one that does not.
A name is looked for as it is, then in any Unicode form, then in any case; several that fit are for people to choose.
"""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path


def composed(name: str) -> str:
    """The same for every Unicode form of a name; under any locale, whatever Python makes of the disk's bytes there."""
    with contextlib.suppress(UnicodeEncodeError):  # a name out of a table, with letters that the locale does not have
        name = os.fsencode(name).decode("utf-8", "surrogateescape")
    return unicodedata.normalize("NFC", name)


def caseless(name: str) -> str:
    """The same for every Unicode form and case of a name."""
    return composed(composed(name).lower())


class Listing:
    """Which files exist: lists each folder once instead of looking up each file."""

    def __init__(self) -> None:
        self._names: dict[Path, list[str]] = {}
        self._alike: dict[tuple[Path, Callable[[str], str]], dict[str, list[str]]] = {}

    def spellings(self, path: Path) -> list[Path]:
        """What is on the disk for a path: itself, else what differs from it in the form or the case of its letters."""
        if path.name in self._index(path.parent, str):
            return [path]
        if path.parent == path:
            return []
        folders = [path.parent] if path.parent.is_dir() else self.spellings(path.parent)
        for alike in (str, composed, caseless):
            fit = [folder / name for folder in folders for name in self._index(folder, alike).get(alike(path.name), [])]
            if fit:
                return sorted(fit)
        return []

    def _index(self, folder: Path, alike: Callable[[str], str]) -> dict[str, list[str]]:
        if folder not in self._names:
            try:
                self._names[folder] = os.listdir(folder)
            except (OSError, ValueError):  # no folder, not ours to list, or letters that the locale does not have
                self._names[folder] = []
        if (folder, alike) not in self._alike:
            index = self._alike[folder, alike] = defaultdict(list)
            for name in self._names[folder]:
                index[alike(name)].append(name)
        return self._alike[folder, alike]


def first_there(root: Path, *choices: str) -> Path | None:
    """The first of these paths under ``root`` that exists, in whatever case; None where none does."""
    listing = Listing()
    return next((found[0] for choice in choices if len(found := listing.spellings(root / choice)) == 1), None)


def visible(path: Path) -> str:
    """A path in which letters that look alike look different: 'Blu\\u0308te.jpg'."""
    return ascii(str(path))
