"""``lariqa web``: an export -> a page on this machine that scores photos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lariqa_cli.screen import note, note_training, say


def serve_web(
    folder: Annotated[Path, typer.Argument(help="What `lariqa export` wrote.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8790,
) -> None:
    """Serve the browser app with an export, to this machine alone, until Ctrl-C. Photos never leave the browser."""
    from export.web_server import WebServer

    with WebServer(folder, port) as server:
        for row in server.manifest.artifacts:
            say(f"{row.bytes / 1e6:6.1f} MB  {row.file}  (sha256 checked, {row.status})")
        note_training(server.manifest.provenance)
        note(f"open {server.address} in a browser; Ctrl-C ends it")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            note("ended")
