"""Copy an export into the iOS app, after checking everything that the app will check: `make ios MODEL_DIR=FOLDER`.

    python ios_demo/copy_export.py FOLDER [-o ios_demo/App/Model]

Copied: `lariqa.json` as it is, the golden photo, and the Core ML files that take a decoded photo. What was there before
stays until the new copy is complete. Exit status: 0 copied; 2 refused, with one sentence.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

HOUSE = Path(__file__).parents[1]
sys.path.insert(0, str(HOUSE))

from lariqa.atomic import replace, staging  # noqa: E402
from lariqa.errors import Refusal  # noqa: E402
from lariqa.manifest.manifest import FILE_NAME, Artifact, read_manifest  # noqa: E402
from lariqa.photos.golden import FILE_NAME as GOLDEN  # noqa: E402
from lariqa.photos.golden import TILE  # noqa: E402
from lariqa_train.model.checkpoint import sha256_of  # noqa: E402

MODEL = HOUSE / "ios_demo" / "App" / "Model"


def copy_export(folder: Path, model: Path = MODEL) -> list[Artifact]:
    """Copy the app's part of an export.

    Args:
        folder: what `lariqa export` or `lariqa demo` wrote.
        model: the folder that Xcode copies into the app.

    Returns:
        The rows of the files that were copied.

    Raises:
        Refusal: no export, no Core ML file that takes a photo, or a file that is not the one that was proved.
    """
    if not folder.is_dir():
        raise Refusal(f"no folder at {folder}; say make ios MODEL_DIR=FOLDER with one that `lariqa export` wrote")
    manifest = read_manifest(folder)
    if manifest is None or not manifest.artifacts:
        raise Refusal(f"{folder} holds no {FILE_NAME} with artifacts; `lariqa export` makes one")
    rows = [row for row in manifest.artifacts if row.format == "coreml" and row.input == "pixels"]
    if not rows:
        listed = ", ".join(row.file for row in manifest.artifacts)
        raise Refusal(
            f"{folder / FILE_NAME} lists no Core ML file that takes a photo; it lists {listed}; "
            "export with --format coreml --input pixels"
        )
    for row in rows:
        if not (folder / row.file).exists():
            raise Refusal(f"no model at {folder / row.file}; `lariqa export` makes one")
        if sha256_of(folder / row.file) != row.sha256:
            raise Refusal(
                f"{folder / row.file} is not the file that lariqa.json beside it describes (its sha256 differs); "
                "export again"
            )
        if not any(photo["photo"] == GOLDEN for photo in (row.parity or {}).get("photos", ())):
            raise Refusal(f"{row.file} has no reference score of {GOLDEN}, so no phone could test itself; export again")
    if not (folder / GOLDEN).is_file() or sha256_of(folder / GOLDEN) != sha256_of(TILE):
        raise Refusal(f"{folder / GOLDEN} is missing or not this toolkit's golden photo; export again")
    with staging(model.parent) as stage:
        (stage / model.name).mkdir()
        for name in (FILE_NAME, GOLDEN, *(row.file for row in rows)):
            copy = shutil.copytree if (folder / name).is_dir() else shutil.copyfile
            copy(folder / name, stage / model.name / name)
        replace(stage / model.name, model)
    return rows


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=MODEL)
    asked = parser.parse_args(arguments)
    try:
        rows = copy_export(asked.folder, asked.output)
        trained = read_manifest(asked.output).provenance.trained
    except Refusal as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    for row in rows:
        print(f"{row.bytes / 1e6:6.1f} MB  {row.file}  (sha256 checked, {row.status})")
    if not trained:
        print("NOT TRAINED: the app's scores show that the pipeline works, not quality.")
    print(f"Copied to {asked.output}. Next, on a Mac: xcodegen --spec ios_demo/App/project.yml")
    return 0


if __name__ == "__main__":
    sys.exit(main())
