"""Copy an export into the Android app, checked: what `make android MODEL_DIR=...` runs.

    python android_demo/bundle_model.py MODEL_DIR [--format onnx,tflite] [-o FOLDER]

Takes the files that phones run (input pixels, ONNX and TFLite), `lariqa.json` and the golden photo. Each file's
sha256 must be the manifest's. The app's assets then hold this export and nothing else; until all is checked, the older
one stays.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from lariqa.atomic import staging
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.manifest.manifest import FILE_NAME, read_manifest, size_bytes
from lariqa.photos import golden
from lariqa.runtimes.artifacts import describe

ASSETS = Path(__file__).parent / "app" / "src" / "main" / "assets" / "lariqa"
FORMATS = ("onnx", "tflite")  # what the app has runtimes for


def bundle(model_dir: Path, assets: Path = ASSETS, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Replace the app's export by this one.

    Args:
        model_dir: what `lariqa export` wrote.
        assets: the app's folder for it.
        formats: which files to take; each adds its size to the app.

    Returns:
        The copied files, the manifest last.

    Raises:
        Refusal: no export, nothing in it that a phone runs, or a file that is not the one that was proved.
    """
    manifest = read_manifest(model_dir)
    if manifest is None:
        raise Refusal(f"{model_dir} holds no {FILE_NAME}; `lariqa export` makes an export folder")
    if odd := set(formats) - set(FORMATS):
        raise Refusal(f"the app runs {' and '.join(FORMATS)}, not {', '.join(sorted(odd))}")
    rows = [row for row in manifest.artifacts if row.format in formats and row.input == "pixels"]
    if not rows:
        raise Refusal(f"{model_dir} holds no {' or '.join(formats)} file with the pixels input; export one")
    for row in rows:
        describe(model_dir / row.file)  # refuses another sha256
        if row.parity is None or golden.FILE_NAME not in {photo["photo"] for photo in row.parity["photos"]}:
            raise Refusal(
                f"{model_dir / row.file} was not proved on {golden.FILE_NAME}; export again with this toolkit"
            )
    tile = model_dir / golden.FILE_NAME
    if not tile.is_file() or sha256_of(tile) != manifest.to_json()["golden"]["sha256"]:
        raise Refusal(f"{tile} is missing or not the golden photo of this toolkit; export again")
    names = [*(row.file for row in rows), golden.FILE_NAME, FILE_NAME]
    assets.parent.mkdir(parents=True, exist_ok=True)
    with staging(assets.parent) as stage:
        for name in names:
            shutil.copyfile(model_dir / name, stage / name)
        old = stage / "old"
        if assets.exists():
            assets.rename(old)
        fresh = stage / "fresh"
        fresh.mkdir()
        for name in names:
            (stage / name).rename(fresh / name)
        fresh.rename(assets)
    return [assets / name for name in names]


def main() -> int:
    """Parse, bundle, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model_dir", type=Path)
    parser.add_argument("--format", default=",".join(FORMATS), help="which files to take, comma-separated")
    parser.add_argument("-o", "--output", type=Path, default=ASSETS)
    asked = parser.parse_args()
    try:
        copied = bundle(asked.model_dir, asked.output, asked.format.split(","))
    except Refusal as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    for path in copied:
        print(f"{size_bytes(path) / 1e6:8.1f} MB  {path}")
    print("Open android_demo in Android Studio and press Run.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
