"""Which photos somebody means: files, folders and quoted patterns -> the photo files, each once."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from PIL import Image

from lariqa.errors import Refusal
from lariqa.photos.photo import FORMATS, HEIC_SUFFIXES, KINDS, reason_of


def photos_in(paths: Iterable[str | os.PathLike]) -> list[Path]:
    """Expands files, folders and quoted glob patterns to photo files.

    A file named in full is kept whatever its suffix: ``open_photo`` judges it. A folder, searched recursively, gives
    its photos by suffix, sorted; so does a pattern (``*``, ``?``, ``[...]``, ``**``). In both, names that begin with
    a dot are skipped (``._IMG_1.jpg`` is no photo), and links to folders are not followed.

    Args:
        paths: what the user typed, in the order that is to be kept.

    Returns:
        Each file once, however its path is spelled.

    Raises:
        Refusal: a path or a pattern that matches no photo; a folder without photos, or one that cannot be listed.
    """
    found: dict[str, Path] = {}  # where the file really is -> the path as it was given
    for path in paths:
        for photo in _expanded(os.fspath(path)):
            # Not Path.resolve, which up to Python 3.12 ends at a link to itself; opening it says what it is.
            found.setdefault(os.path.realpath(photo), photo)
    return list(found.values())


def _expanded(given: str) -> list[Path]:
    if os.path.isdir(given):
        photos = sorted(filter(has_photo_suffix, _files_below(Path(given))))
        if not photos:
            raise Refusal(f"{given}: expected a folder with photos ({KINDS}), came one without; name another folder")
        return photos
    if os.path.exists(given):
        return [Path(given)]
    if not glob.has_magic(given):
        raise Refusal(f"{given}: expected a photo, a folder or a pattern, but nothing is there; check the spelling")
    matches = [Path(match) for match in glob.glob(given, recursive=True)]
    photos = sorted(match for match in matches if match.is_file() and has_photo_suffix(match))
    if not photos:
        raise Refusal(
            f"{given}: expected a pattern that matches photos ({KINDS}), "
            f"came one that matches {len(matches)} paths and no photo among them; check the pattern"
        )
    return photos


def _files_below(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise Refusal(
            f"{error.filename}: expected a folder that can be listed, came {reason_of(error)}; "
            "change its permissions or name the photos themselves"
        ) from error

    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in files if not name.startswith("."))


def has_photo_suffix(path: PurePath) -> bool:
    """Whether a file found in a folder is taken for a photo."""
    suffix = path.suffix.lower()
    return suffix in HEIC_SUFFIXES or Image.registered_extensions().get(suffix) in (*FORMATS, "MPO")
