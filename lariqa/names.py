"""A file's name as text: on most disks a name is bytes, and they need not be UTF-8.

Python keeps such bytes as surrogates, which no encoding takes: a table, a checksum or a plot with such a name in it
would end with UnicodeEncodeError.
"""

from __future__ import annotations

import os


def as_text(name: str | os.PathLike) -> str:
    r"""The name with ``\xea`` for a byte that is no UTF-8, so that every file and every program takes it.

    Whatever the locale: under ``LC_ALL=C`` Python takes all bytes above 127 for such.

    Example:
        >>> as_text("f\udceate.jpg"), as_text("Blüte.jpg")
        ('f\\xeate.jpg', 'Blüte.jpg')
    """
    return _bytes_of(name).decode("utf-8", "backslashreplace")


def on_disk(text: str) -> str:
    """How Python calls the file of that name: its bytes are UTF-8 on the disk, whatever the locale."""
    return os.fsdecode(text.encode("utf-8"))


def _bytes_of(name: str | os.PathLike) -> bytes:
    try:
        return os.fsencode(name)
    except UnicodeEncodeError:  # not a name of this disk: letters that the locale does not have
        return os.fspath(name).encode("utf-8", "surrogatepass")
