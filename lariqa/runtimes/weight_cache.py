"""Packed weights kept in a file: LiteRT maps them, where it would hold them beside the model's own.

XNNPACK stores every weight once more, in the order in which its kernels read. Given a file for that, it writes them
there at the first start, and maps the file at later ones: 294 MB above the bare process for one 3840x2160 photo in the
place of 371, and a model that opens in a tenth of the time (docs/experiments/memory.md). The runtime
makes a file anew that is not whole or not its own; a name for each model, runtime and processor keeps them apart.

Phones: `CompiledModel.CpuOptions` takes the same path; the app's cache folder is the place for it.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from lariqa.atomic import writing
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.manifest.manifest import Artifact

SETTING = "weight_cache"  # of a session: the folder


def keeps_weights(artifact: Artifact) -> bool:
    """Whether the runtime of an artifact can keep its packed weights in a file."""
    return artifact.session.get("interface") == "CompiledModel"


def with_weight_cache(artifact: Artifact, folder: Path | None) -> Mapping[str, Any]:
    """The session of an artifact, with a folder for packed weights.

    Raises:
        Refusal: its runtime has nothing of the kind.
    """
    if folder is None:
        return artifact.session
    if not keeps_weights(artifact):
        raise Refusal(
            f"{artifact.file} cannot keep its packed weights: only LiteRT can, with a .tflite exported with "
            "--memory low or balanced"
        )
    return {**artifact.session, SETTING: str(folder)}


def packed_weights(folder: Path, model: Path, runtime: str, pack: Callable[[Path], None]) -> Path:
    """The file of a model's packed weights; made if it is not there, under another name until it is whole.

    Args:
        folder: made if need be.
        model: the file whose weights they are.
        runtime: name and version.
        pack: makes the runtime write them to a path, and lets go of it.

    Raises:
        Refusal: the folder cannot be written.
    """
    key = f"{sha256_of(model)} {runtime} {platform.machine()} {_processor()}"
    kept = folder / f"{model.stem}-{sha256(key.encode()).hexdigest()[:16]}.xnnpack"
    if kept.exists():
        return kept
    with writing(kept) as staged:
        pack(staged)
    return kept


def _processor() -> str:
    """The kind of this processor: another one may want another order."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return " ".join(sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))}))
