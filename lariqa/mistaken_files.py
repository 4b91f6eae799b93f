"""What comes down in the place of a large file: a Git LFS pointer, a web page. Told by its first bytes."""

from __future__ import annotations

from pathlib import Path

from lariqa.errors import Refusal

MISTAKEN = {  # first bytes, lower case -> what it is and what to do
    b"version https://git-lfs.github.com/spec": "a Git LFS pointer, not the file itself; run `git lfs pull`",
    b"<!doctype html": "a web page, not the file itself; download it by its raw address, or signed in",
    b"<html": "a web page, not the file itself; download it by its raw address, or signed in",
    b"<?xml": "an XML answer, not the file itself; the address has expired, or denies it: download it again",
}


def refuse_mistaken(path: Path) -> None:
    """Refuse a file that was never what its name says.

    Raises:
        Refusal: it is one of MISTAKEN. A file that cannot be read is left to whoever opens it.
    """
    try:
        with path.open("rb") as file:
            head = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    except OSError:
        return
    for beginning, what in MISTAKEN.items():
        if head.startswith(beginning):
            raise Refusal(f"{path} is {what}")
