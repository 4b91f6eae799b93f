"""``lariqa bundle``: an export -> one of the sample apps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lariqa_cli.arguments import check_folder
from lariqa_cli.screen import note, note_training, say

NEXT = {
    "android": "open android_demo in Android Studio and press Run.",
    "ios": "on a Mac, xcodegen --spec ios_demo/App/project.yml",
    "web": "`lariqa web` serves web_demo/site on this machine; any static server does it for others.",
}


def bundle_export(
    platform: Annotated[str, typer.Argument(help="android, ios or web.")],
    folder: Annotated[Path, typer.Argument(help="What `lariqa export` wrote.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The app's folder for it. Default: the sample app's.")
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", help="Files to take, comma-separated. Default: all that the platform runs.")
    ] = "",
    inputs: Annotated[
        str,
        typer.Option(
            "--input", help="views, pixels or both, comma-separated. Default: pixels only where there is no views file."
        ),
    ] = "views,pixels",
) -> None:
    """Copy an export into a sample app, after checking everything that the app will check."""
    if output is not None:
        check_folder(output)
    from export.app_bundle import APPS, bundle
    from lariqa.manifest.manifest import read_manifest

    names, kinds = ([name.strip() for name in given.split(",") if name.strip()] for given in (formats, inputs))
    rows = bundle(folder, platform, output, names, kinds)
    for row in rows:
        say(f"{row.bytes / 1e6:6.1f} MB  {row.file}  (sha256 checked, {row.status})")
    note_training(read_manifest(folder).provenance)
    note(f"copied to {output or APPS[platform]}. Next: {NEXT[platform]}")
