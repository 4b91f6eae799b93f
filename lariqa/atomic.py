"""Nothing half-written: a file or folder appears under its name only when it is complete.

Whatever happens while writing (an error, a full disk, Ctrl-C), an existing good file of that name stays as it was.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lariqa.errors import Refusal

STAGE = ".writing-"  # begins the name of the hidden folder that is written in


@contextlib.contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Yields an empty folder inside ``folder`` (so, on its disk) to write in; it is removed afterwards in any case.
    So is ``folder``, if it was made for this and nothing was finished in it.

    Raises:
        Refusal: ``folder`` cannot be made or written, or the disk is full.
    """
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=STAGE, dir=folder))
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        yield stage
    except OSError as error:
        raise unwritable(folder, error) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if is_new:
            with contextlib.suppress(OSError):  # it is not empty: something was finished
                folder.rmdir()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yields a path to write to; on success what is there takes the name ``path``. Raises as :func:`staging`."""
    with staging(path.parent) as stage:
        yield stage / path.name
        replace(stage / path.name, path)


def replace(new: Path, path: Path) -> None:
    """Rename ``new`` (a file or a folder, same disk) to ``path``; an older folder there is set aside, then removed.

    Raises:
        Refusal: ``new`` is a file and ``path`` a folder, so not an older version of it.
    """
    if path.is_dir() and not new.is_dir():
        raise Refusal(f"{path} is a folder, and a file of that name is to be written; choose another name")
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


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def unwritable(folder: Path, error: OSError) -> Refusal:
    """The one sentence for "this could not be written here"."""
    folder = folder.parent if folder.name.startswith(STAGE) else folder  # the user's folder, not ours in it
    reason = error.strerror or error
    return Refusal(f"cannot write in {folder}: {reason}; nothing was changed there, choose another place or make room")
