"""What is refused before anything is pushed to a phone, as it could only fail there; and what goes with an artifact."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.measure.participants import Exported, exported_in
from export.app_bundle import pictures_of
from export.formats import FORMATS
from lariqa.errors import Refusal
from lariqa.manifest.manifest import FILE_NAME
from lariqa.photos.photo import open_photo

RUNNABLE = tuple(row.name for row in FORMATS.values() if "android" in row.platforms)  # what Android runs
MODULE = "onnxruntime"  # of the runtime that has session options


def for_android(targets: Sequence[Path], progress: Callable[[str], None]) -> list[Exported]:
    """The targets that an Android phone can run; a file given by name that it cannot run is refused."""
    exported = exported_in(list(targets))
    others = [one.path for one in exported if one.artifact.format not in RUNNABLE]
    if named := [path for path in others if path in targets] or (others if len(others) == len(exported) else []):
        raise Refusal(
            f"{named[0]} is not for Android, which runs {' and '.join(RUNNABLE)} files; the iOS app measures Core ML, "
            "and `lariqa bench import` takes its rows"
        )
    for path in others:
        progress(f"{path.name} is not for Android: left out")
    return [one for one in exported if one.artifact.format in RUNNABLE]


def beside(one: Exported) -> tuple[str, ...]:
    """What the app needs beside the artifact; with the golden JPEG, where there is one, it checks the decoder."""
    return (FILE_NAME, *pictures_of(one.manifest))


def check(one: Exported, photos: Sequence[Path]) -> None:
    """Refuse, before anything is pushed, what would fail on the phone."""
    for name in beside(one):
        if not (one.path.parent / name).is_file():
            raise Refusal(f"{one.path.parent} holds no {name}, which the phone needs; give a file in its export folder")
    names = [one.path.name, *beside(one), *(photo.name for photo in photos)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Refusal(f"two files are named {', '.join(twice)}, and lie in one folder on the phone; rename one")
    size = (one.artifact.photo_height_px, one.artifact.photo_width_px)
    for photo in photos if None not in size else ():
        height, width = open_photo(photo).shape[:2]
        if (height, width) != size:
            raise Refusal(
                f"{photo} is {width}x{height} px, {one.path.name} takes {size[1]}x{size[0]}: "
                f"export one with --size {width}x{height}, or give other photos"
            )


def check_session_options(options: Mapping[str, str], command: str | None, exported: Sequence[Exported]) -> None:
    """Session options are ONNX Runtime's and the app's: neither another runtime nor a command can be given any."""
    if not options:
        return
    if command:
        raise Refusal("session options are for the app; give --adb-command its own, or leave --session-option out")
    if others := [one.path.name for one in exported if MODULE not in FORMATS[one.artifact.format].runtime.modules]:
        raise Refusal(f"{others[0]} does not run in ONNX Runtime, which alone has session options; give the .onnx file")
