"""What identifies a file: its sha256, and that of a folder which users treat as a file."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of(path: str | Path) -> str:
    """The sha256 of a file, in hex. Of a folder: of the lines ``<sha256 of file>  <relative path>``, sorted by path."""
    path = Path(path)
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    inside = sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file())
    return hashlib.sha256("".join(f"{sha256_of(file)}  {name}\n" for name, file in inside).encode()).hexdigest()
