"""``lariqa.load``: from a model's path to what scores photos, whatever kind of model it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lariqa.errors import Refusal

if TYPE_CHECKING:  # NumPy and Pillow come with the first model
    from lariqa.manifest.model_config import Provenance
    from lariqa.runtimes.scorer import Scorer

CHECKPOINT_SUFFIX = ".safetensors"
MOST_NAMED = 6  # of the models in a folder


def load(
    path: str | os.PathLike,
    *,
    threads: int | None = None,
    synthetic_view: str | None = None,
    weight_cache: str | os.PathLike | None = None,
    device: str = "cpu",
) -> Scorer:
    """Open a model for scoring.

    Args:
        path: an exported file, or, where the whole toolkit is installed, a checkpoint: a .safetensors file or a folder
            written by ``save_pretrained``.
        threads: inside one run, and to make the views; None: the runtime's own choice, and one for each processor.
        synthetic_view: "crop" or "full", for a checkpoint; None: as the weights were trained. An exported file has one
            view, and another is refused.
        weight_cache: a folder where LiteRT keeps packed weights between runs; .tflite only.
        device: "cpu"; for an .onnx file also "cuda" and others, where the installed ONNX Runtime has them. Nothing
            falls back to the CPU, and the golden photo and the audition's pictures are scored first: a device that
            gives other scores is refused.

    Returns:
        A :class:`~lariqa.runtimes.scorer.Scorer`.

    Raises:
        Refusal: no such file, not one of this toolkit's, not the file that was proved, or its runtime is missing.

    Example:
        >>> scorer = lariqa.load(model)
        >>> 0 < scorer.score(photo) < 1
        True
    """
    from lariqa.backends import toolkit
    from lariqa.runtimes.artifacts import describe, scorer_for

    path = Path(path)
    if is_checkpoint(path):
        if weight_cache is not None:
            raise Refusal(f"--weight-cache is for a .tflite artifact; {path} is a checkpoint")
        if device != "cpu":
            raise Refusal(f"--device {device} is for an exported file; {path} is a checkpoint")
        module = toolkit("lariqa_train.model.reference", "opening a checkpoint")
        return module.open_checkpoint(path, synthetic_view, threads)
    refuse_folder_of_models(path)
    manifest, artifact = describe(path)
    if synthetic_view not in (None, artifact.synthetic_view):
        raise Refusal(
            f"{path} was exported with the {artifact.synthetic_view} view; "
            f"export another with --synthetic-view {synthetic_view}"
        )
    cache = None if weight_cache is None else Path(weight_cache)
    scorer = scorer_for(path, manifest, artifact, threads, cache, device)
    if device != "cpu":
        from lariqa.runtimes.golden_check import refuse_other_scores

        refuse_other_scores(scorer, path, manifest, artifact)
    return scorer


def provenance_of(path: Path) -> Provenance | None:
    """Where a model's weights come from; an exported file is not opened for it, a checkpoint is.

    Raises:
        Refusal: as :func:`load`.
    """
    from lariqa.runtimes.artifacts import describe

    if is_checkpoint(path):
        return load(path).provenance
    refuse_folder_of_models(path)
    return describe(path)[0].provenance


def refuse_folder_of_models(path: Path) -> None:
    """Refuse a folder that holds models and is none itself; names them."""
    from lariqa.runtimes.runtime import runtimes

    suffixes = {CHECKPOINT_SUFFIX, *(runtime.suffix for runtime in runtimes().values())}
    if path.suffix in suffixes or not path.is_dir() or is_checkpoint(path):
        return
    if inside := sorted(file for file in path.iterdir() if file.suffix in suffixes):
        more = f" and {len(inside) - MOST_NAMED} more" if len(inside) > MOST_NAMED else ""
        named = ", ".join(map(str, inside[:MOST_NAMED]))
        raise Refusal(f"{path} is a folder with several files; name one of {named}{more}")


def is_checkpoint(path: Path) -> bool:
    """Whether ``path`` has the name of a checkpoint, or is a folder with the configuration of one."""
    return path.suffix == CHECKPOINT_SUFFIX or (path / "config.json").exists()
