"""Copy an export into one of the sample apps, after checking everything that the app will check.

An app carries ``lariqa.json``, the golden photo, and the files that its platform runs and that take a photo's bytes. Of
a format and a precision it takes the file for photos of any size (``views``), where there is one.
Until all is checked and copied, what the app had before stays.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace as with_changes
from pathlib import Path

from export.formats import FORMATS
from export.proof.limits import TOLERANCES
from lariqa.atomic import replace, staging
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.manifest.manifest import FILE_NAME, Artifact, Manifest, read_manifest, write_manifest
from lariqa.photos import golden
from lariqa.photos.audition import LOSSY, PICTURE_FILES
from lariqa.runtimes.artifacts import describe

HOUSE = Path(__file__).parents[1]
APPS = {  # platform -> the app's folder for an export
    "android": HOUSE / "android_demo" / "app" / "src" / "main" / "assets" / "lariqa",
    "ios": HOUSE / "ios_demo" / "App" / "Model",
    "web": HOUSE / "web_demo" / "site" / "model",
}
TAKEN = ("views", "pixels")  # inputs that an app can make of a photo
VIEWS_ALONE = ("web",)  # platforms whose app takes photos of any size only


def bundle(
    folder: Path,
    platform: str,
    destination: Path | None = None,
    formats: Sequence[str] = (),
    inputs: Sequence[str] = TAKEN,
) -> list[Artifact]:
    """Replace an app's export by another.

    Args:
        destination: the app's folder for it; None: the sample app's in this checkout.
        folder, platform, formats, inputs: as for :func:`checked`.

    Returns:
        The rows of the copied files.

    Raises:
        Refusal: as :func:`checked`.
    """
    manifest = checked(folder, platform, formats, inputs)
    destination = destination or APPS[platform]
    with staging(destination.parent) as stage:
        copy = stage / destination.name
        copy.mkdir()
        write_manifest(copy, manifest)  # its rows are of files that are there
        for name in (*pictures_of(manifest), *(row.file for row in manifest.artifacts)):
            copy_one = shutil.copytree if (folder / name).is_dir() else shutil.copyfile
            copy_one(folder / name, copy / name)
        replace(copy, destination)
    return list(manifest.artifacts)


def checked(folder: Path, platform: str, formats: Sequence[str] = (), inputs: Sequence[str] = TAKEN) -> Manifest:
    """Everything that an app will check, of the files that its platform runs.

    Args:
        folder: what `lariqa export` or `lariqa demo` wrote.
        platform: a name in APPS.
        formats: which files to take, each adds its size to the app; empty: all that the platform runs.
        inputs: likewise: views, pixels or both.

    Returns:
        The manifest with the rows of those files alone, and with the tolerances that apps read.

    Raises:
        Refusal: no export, nothing in it that the platform runs, or a file that is not the one that was proved.
    """
    if platform not in APPS:
        raise Refusal(f"there is no sample app for {platform!r}; there are {', '.join(APPS)}")
    runs = [row.name for row in FORMATS.values() if platform in row.platforms]
    if unknown := sorted(set(formats) - set(runs)):
        raise Refusal(f"the {platform} app runs {' and '.join(runs)}, not {', '.join(unknown)}")
    if unknown := sorted(set(inputs) - set(TAKEN)):
        raise Refusal(f"an app takes {' and '.join(TAKEN)}, not {', '.join(unknown)}")
    if platform in VIEWS_ALONE:
        inputs = [name for name in inputs if name == "views"]
    if not folder.is_dir():
        raise Refusal(f"no folder at {folder}; give one that `lariqa export` wrote")
    manifest = read_manifest(folder)
    if manifest is None or not manifest.artifacts:
        raise Refusal(f"{folder} holds no {FILE_NAME} with artifacts; `lariqa export` makes one")
    able = [row for row in manifest.artifacts if row.format in (formats or runs) and row.input in inputs]
    able = [row for row in able if row.batch == 1 and (row.input == "pixels" or row.synthetic_view == "crop")]
    views = {(row.format, row.precision) for row in able if row.input == "views"}
    rows = [row for row in able if row.input == "views" or (row.format, row.precision) not in views]
    if not rows:
        listed = ", ".join(row.file for row in manifest.artifacts)
        raise Refusal(
            f"{folder / FILE_NAME} lists no file that the {platform} app runs; it lists {listed}; "
            f"export with --format {','.join(formats or runs)} and --input {' or '.join(inputs)}"
        )
    for row in rows:
        describe(folder / row.file)  # refuses one that is not there, or whose sha256 differs
        if not any(photo["photo"] == golden.FILE_NAME for photo in (row.parity or {}).get("photos", ())):
            raise Refusal(
                f"{row.file} has no reference score of {golden.FILE_NAME}, so no phone could test itself; export again"
            )
    for name in pictures_of(manifest):
        (ours,) = [file for file in PICTURE_FILES if file.name == name]
        if not (folder / name).is_file() or sha256_of(folder / name) != sha256_of(ours):
            raise Refusal(f"{folder / name} is missing or not this toolkit's golden picture; export again")
    # An export of an older schema gets what the app reads.
    return with_changes(manifest, tolerances=manifest.tolerances or TOLERANCES, artifacts=tuple(rows))


def pictures_of(manifest: Manifest) -> tuple[str, ...]:
    """Names of the picture files that belong to an export; an older one has fewer, or the golden photo alone."""
    lossy = [files for kind, files in LOSSY.items() if (manifest.golden or {}).get(kind)]
    return (golden.FILE_NAME, *(file.name for files in lossy for file in files))
