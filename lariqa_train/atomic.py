"""Nothing half-written: a file or folder appears under its name only when it is complete.

Whatever happens while writing (an error, a full disk, Ctrl-C), an older good one under that name stays as it was.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lariqa_train.refusal import Refusal


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yields a path to write to, on the same disk; on success it takes the name ``path``, else it is removed.

    Raises:
        Refusal: the folder cannot be made or written, or the disk is full.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".writing-", dir=path.parent))
    except OSError as odd:
        raise unwritable(path, odd) from odd
    try:
        yield stage / path.name
        replace(stage / path.name, path)
    except OSError as odd:
        raise unwritable(path, odd) from odd
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def replace(new: Path, path: Path) -> None:
    """Rename ``new`` (a file or a folder, same disk) to ``path``; an older folder there is set aside, then removed."""
    if not path.is_dir():
        os.replace(new, path)
        return
    aside = Path(tempfile.mkdtemp(prefix=".old-", dir=path.parent))
    try:
        os.replace(path, aside / path.name)
        try:
            os.replace(new, path)
        except BaseException:
            os.replace(aside / path.name, path)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def unwritable(path: Path, odd: OSError) -> Refusal:
    """The one sentence for "this could not be written here"."""
    return Refusal(f"cannot write {path}: {odd.strerror or odd}; nothing was changed there, choose another place or make room")
