"""Open an exported file: what it promises, whether it is the file that was proved, and a Scorer for it."""

from __future__ import annotations

from pathlib import Path

from lariqa.cpus import usable_cpus
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.manifest.manifest import Artifact, Manifest, parse_manifest, read_manifest
from lariqa.mistaken_files import refuse_mistaken
from lariqa.runtimes.runtime import DEVICE, runtime_of, runtimes
from lariqa.runtimes.scorer import Scorer
from lariqa.runtimes.weight_cache import with_weight_cache


def describe(path: Path) -> tuple[Manifest, Artifact]:
    """What a model file promises: from the ``lariqa.json`` beside it if that names it, else from the file itself.

    Raises:
        Refusal: no such file, not one of this toolkit's, or not the file that was proved (its sha256 differs).
    """
    if not path.exists():
        raise Refusal(f"no model at {path}; `lariqa export` makes one")
    refuse_mistaken(path)
    manifest = read_manifest(path.parent)
    for artifact in manifest.artifacts if manifest else ():
        if artifact.file == path.name:
            row = runtime_of(path)
            if artifact.format != row.format or artifact.precision not in row.precisions:
                raise Refusal(
                    f"lariqa.json says that {path} is {artifact.format} in {artifact.precision}; this version opens "
                    f"{row.suffix} files as {row.format} in {', '.join(row.precisions)}; export again"
                )
            if sha256_of(path) != artifact.sha256:
                raise Refusal(
                    f"{path} is not the file that lariqa.json beside it describes (its sha256 differs); export again"
                )
            return manifest, artifact
    text = runtime_of(path).metadata(path)
    if text is None:
        raise Refusal(f"{path} carries no lariqa manifest: it was not written by `lariqa export`")
    manifest = parse_manifest(text, f"the manifest inside {path}")
    if [artifact.format for artifact in manifest.artifacts] != [runtime_of(path).format]:
        raise Refusal(f"the manifest inside {path} describes another file; export again")
    return manifest, manifest.artifacts[0]


def open_artifact(path: Path, threads: int | None = None, weight_cache: Path | None = None) -> Scorer:
    """A Scorer for a model file.

    Args:
        path: the file.
        threads: None: the runtime's own choice, and one for each processor where the views are made.
        weight_cache: a folder for packed weights (``weight_cache.py``).

    Raises:
        Refusal: as :func:`describe`; the runtime is missing, cannot open it, or cannot keep packed weights.
    """
    manifest, artifact = describe(path)
    return scorer_for(path, manifest, artifact, threads, weight_cache)


def scorer_for(
    path: Path,
    manifest: Manifest,
    artifact: Artifact,
    threads: int | None = None,
    weight_cache: Path | None = None,
    device: str = "cpu",
) -> Scorer:
    """A Scorer for a model file whose promise is known.

    Raises:
        Refusal: the runtime is missing, cannot open the file, cannot keep packed weights, or has no such device.
    """
    size = None if artifact.photo_width_px is None else (artifact.photo_height_px, artifact.photo_width_px)
    spec = manifest.config.preprocess.with_view(artifact.synthetic_view)
    runtime, session = runtimes()[artifact.format], with_weight_cache(artifact, weight_cache)
    if device not in runtime.devices:
        raise Refusal(f"{path.name} runs on {' or '.join(runtime.devices)} here, not on {device!r}")
    runner = runtime.open(path, threads, session if device == "cpu" else {**session, DEVICE: device})
    return Scorer(
        runner=runner,
        preprocess=spec,
        views=manifest.config.branches,
        input=artifact.input,
        photo_size_px=size,
        batch=artifact.batch,
        provenance=manifest.provenance,
        precision=artifact.precision,
        device=device,
        threads=threads or usable_cpus(),
    )
