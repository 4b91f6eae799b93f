"""What identifies a file: its sha256, and that of a folder which users treat as a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

LITTER = {".ds_store", "thumbs.db", "desktop.ini"}  # what file managers leave in folders that people look at


def files_in(folder: Path) -> list[Path]:
    """All files of a folder that users treat as a file, sorted by their relative paths; without what systems leave."""
    files = (file for file in folder.rglob("*") if file.is_file() and not _is_litter(file.name))
    return sorted(files, key=lambda file: file.relative_to(folder).as_posix())


def _is_litter(name: str) -> bool:
    return name.lower() in LITTER or name.startswith("._")  # macOS writes the latter on foreign disks


def sha256_of(path: str | Path) -> str:
    """The sha256 of a file, in hex. Of a folder: of the lines ``<sha256 of file>  <relative path>``, sorted by path."""
    path = Path(path)
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    lines = (f"{sha256_of(file)}  {file.relative_to(path).as_posix()}\n" for file in files_in(path))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
