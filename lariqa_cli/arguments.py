"""Arguments that several commands share, and their checks, which run before anything heavy is imported."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from lariqa.errors import Refusal
from lariqa.loading import is_checkpoint, refuse_folder_of_models
from lariqa_cli.screen import typed

AUTHORS_SUFFIXES = (".pt", ".pth")


ModelArgument = Annotated[
    Path, typer.Argument(help="A checkpoint (.safetensors or save_pretrained folder) or an artifact.")
]
PhotosArgument = Annotated[list[str], typer.Argument(help="Photo files, folders, or quoted patterns.")]
ViewOption = Annotated[
    Literal["crop", "full"] | None,
    typer.Option(
        "--synthetic-view", help="Synthetic branch: centre crop, or every pixel. Default: as the weights were trained."
    ),
]
WeightCacheOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Keep LiteRT's packed weights in files there: less memory and a quicker start, for 81 MB of disk a model.",
    ),
]
LimitOption = Annotated[float | None, typer.Option(help="Parity limit in score units, instead of the precision's own.")]


def check_model(path: Path) -> None:
    """Refuse a path that is neither a checkpoint nor an artifact."""
    if not path.exists():
        raise Refusal(f"no model at {path}; `lariqa import`, `lariqa export` or `lariqa demo` makes one")
    if path.suffix in AUTHORS_SUFFIXES:
        raise Refusal(
            f"{path} is a weight file of the authors; convert it first: "
            + typed("import", path, "-o", path.with_suffix(".safetensors"))
        )
    refuse_folder_of_models(path)


def check_checkpoint(path: Path) -> None:
    """Refuse a path that is not a checkpoint."""
    if path.exists() and path.suffix not in AUTHORS_SUFFIXES and not is_checkpoint(path):
        raise Refusal(
            f"{path} is no checkpoint: expected a .safetensors file or a folder written by save_pretrained; "
            "an export folder keeps its own as reference.safetensors"
        )
    check_model(path)


def check_folder(path: Path) -> None:
    """Refuse a path where no folder can be made."""
    there = next(part for part in (path, *path.absolute().parents) if part.exists())
    if not there.is_dir():
        raise Refusal(f"nothing can be written in {path}, because {there} is a file; choose another folder")


def check_output_file(path: Path) -> None:
    """Refuse, before anything heavy is imported, a name that no checkpoint can have."""
    if path.suffix != ".safetensors" or path.is_dir():
        raise Refusal(f"-o is {path}; expected the name of a file, not a folder, that ends in .safetensors")
    check_folder(path.parent)


def check_limit(limit: float | None) -> None:
    """Refuse a limit that every comparison would miss, or none."""
    if limit is not None and not 0 <= limit < math.inf:
        raise Refusal(f"--limit is {limit}; expected a number of at least 0, in score units, for example 1e-5")


def parse_size(text: str) -> tuple[int, int]:
    """ "3840x2160" -> (3840, 2160)."""
    from lariqa.photos.photo import MAX_PIXELS

    match = re.fullmatch(r"([0-9]{1,9})[xX]([0-9]{1,9})", text)
    if not match:
        raise Refusal(f"--size is {text!r}; expected WIDTHxHEIGHT in pixels, for example 3840x2160")
    width, height = int(match[1]), int(match[2])
    if width * height > MAX_PIXELS:
        raise Refusal(f"--size is {text}; expected at most {MAX_PIXELS / 1e6:g} megapixels, as for photos")
    return width, height
