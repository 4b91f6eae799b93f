"""What an exported file promises: one model file and its row in ``lariqa.json``, the one contract with the phones.

``lariqa.json`` lies beside the files of one export. Each file also carries it inside itself, with its own row alone and
without what only the finished file can know (size, sha256, parity, status), so that a file found by itself still says
what it is. Schema, words and units: docs/manifest.md.
"""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from export.execution_plan import DEFAULT_MEMORY
from export.export_ready import Contract, ExportReady, ExportRequest, InputSpec
from lariqa_train import golden
from lariqa_train.atomic import writing
from lariqa_train.checkpoint import sha256_of
from lariqa_train.model import LarIqa, LarIqaConfig, Provenance, read_description
from lariqa_train.preprocess import VIEWS
from lariqa_train.refusal import Refusal

SCHEMA = "lariqa-manifest/1"
FILE_NAME = "lariqa.json"
Status = Literal["converted", "checked", "executed here", "executed on device"]


@dataclass(frozen=True)
class Artifact:
    """One exported file: what it takes, what it gives, how it was proved."""

    file: str  # name, beside lariqa.json
    format: str  # onnx | coreml | tflite
    precision: str  # fp32 | fp16 | w8 | int8
    contract: str  # pixels | tensors
    synthetic_view: str  # crop | full
    photo_width_px: int | None  # the one photo size that it takes; None: any (tensors contract with the crop view)
    photo_height_px: int | None
    inputs: tuple[InputSpec, ...]
    output: str  # name of the (1, 1) float32 score
    macs: int  # multiply-accumulates of one run
    memory: str = "naive"  # how it executes: low | balanced | fast | naive, as all did before there was a choice
    session: dict[str, Any] = field(default_factory=dict)  # the runtime's options that go with it
    sha256: str = ""
    bytes: int = 0
    converter: dict[str, str] | None = None  # package -> version
    status: Status = "converted"
    parity: dict[str, Any] | None = None  # benchmarks.parity.Parity as JSON
    plan: dict[str, Any] | None = None  # export.precision.Plan as JSON; None in fp32

    def __post_init__(self) -> None:
        # A manifest may come from anywhere, and it says which files beside it are opened, replaced and removed.
        is_name = isinstance(self.file, str) and Path(self.file).name == self.file and Path(self.file).suffix
        size = (self.photo_height_px, self.photo_width_px)
        has_size = all(isinstance(side, int) and side > 0 for side in size)
        shapes = {spec.name: spec.shape for spec in self.inputs}
        promised = {"image": (1, *size, 3)}
        fits = shapes == promised if self.contract == "pixels" else shapes.keys() <= set(VIEWS) and bool(shapes)
        known = self.contract in get_args(Contract)
        if not is_name or not known or not fits or not (has_size or size == (None, None)):
            raise Refusal(
                f"the row of {self.file!r} contradicts itself: contract {self.contract!r}, photo size {size}, "
                f"inputs {shapes}"
            )


@dataclass(frozen=True)
class Manifest:
    """All artifacts of one export, and the model that they are."""

    checkpoint_sha256: str
    config: LarIqaConfig
    provenance: Provenance
    artifacts: tuple[Artifact, ...] = ()
    toolkit_version: str = importlib.metadata.version("lariqa")

    def to_json(self) -> dict[str, Any]:
        """As written to ``lariqa.json``."""
        return {
            "schema": SCHEMA,
            "toolkit_version": self.toolkit_version,
            "checkpoint_sha256": self.checkpoint_sha256,
            "model": {**self.config.to_json(), "provenance": asdict(self.provenance)},
            "score": {
                "higher_is": "better",
                "nominal_range": [0.0, 1.0],
                "meaning": _meaning(self.provenance),
            },
            "golden": {"file": golden.FILE_NAME, "sha256": sha256_of(golden.TILE), "fill": golden.FILL},
            "artifacts": [asdict(artifact) for artifact in self.artifacts],
        }

    @classmethod
    def from_json(cls, data: Any, where: str) -> Manifest:
        """The inverse of :meth:`to_json`; ``where`` names the source in errors.

        Raises:
            Refusal: another schema, or not a manifest.
        """
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema != SCHEMA:
            raise Refusal(
                f"{where} has schema {schema!r}, this version reads {SCHEMA!r}; export again with this toolkit"
            )
        try:
            config, provenance = read_description(data["model"])
            artifacts = tuple(
                Artifact(
                    **{
                        **row,
                        "inputs": tuple(InputSpec(**{**spec, "shape": tuple(spec["shape"])}) for spec in row["inputs"]),
                    }
                )
                for row in data["artifacts"]
            )
            return cls(data["checkpoint_sha256"], config, provenance, artifacts, data["toolkit_version"])
        except (KeyError, TypeError, ValueError, AttributeError) as odd:
            raise Refusal(f"{where} is not a complete manifest: {odd}") from odd

    def with_artifact(self, artifact: Artifact) -> Manifest:
        """The same manifest with this row added, or in the place of the row for the same file."""
        others = [row for row in self.artifacts if row.file != artifact.file]
        return replace(self, artifacts=tuple(sorted([*others, artifact], key=lambda row: row.file)))

    def embedded(self, artifact: Artifact) -> str:
        """What goes into the file itself."""
        data = replace(self, artifacts=(artifact,)).to_json()
        for key in ("sha256", "bytes", "status", "parity"):
            del data["artifacts"][0][key]
        return json.dumps(data, separators=(",", ":"))


def promise(
    ready: ExportReady,
    request: ExportRequest,
    format_name: str,
    suffix: str,
    precision: str,
    macs: int,
    session: dict[str, Any],
) -> Artifact:
    """The row of an artifact that is about to be written."""
    view = ready.preprocess.synthetic_view
    any_size = request.contract == "tensors" and (view == "crop" or "synthetic" not in ready.config.branches)
    size = "" if any_size else f"_{request.width}x{request.height}"
    memory = "" if ready.memory == DEFAULT_MEMORY else f"_{ready.memory}"
    return Artifact(
        file=f"lariqa_{request.contract}_{view}{size}_{precision}{memory}{suffix}",
        format=format_name,
        precision=precision,
        contract=request.contract,
        synthetic_view=view,
        photo_width_px=None if any_size else request.width,
        photo_height_px=None if any_size else request.height,
        inputs=ready.inputs,
        output="score",
        macs=macs,
        memory=ready.memory,
        session=session,
    )


def _meaning(provenance: Provenance) -> str:
    if provenance.trained:
        return "predicted mean opinion score, scaled to 0..1"
    if provenance.note:
        return f"DEMONSTRATION: {provenance.note}; the number says nothing about what people think of the photo"
    return "NOT TRAINED: the number shows that the pipeline works, it says nothing about the photo"


def new_manifest(model: LarIqa, checkpoint_sha256: str) -> Manifest:
    """A manifest without artifacts yet."""
    return Manifest(checkpoint_sha256, model.config, model.provenance)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of an export folder; None where there is none.

    Raises:
        Refusal: there is one, but it cannot be read.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as odd:
        raise Refusal(f"{path} cannot be read: {odd}") from odd
    return parse_manifest(text, str(path))


def parse_manifest(text: str, where: str) -> Manifest:
    """JSON text -> Manifest; see :meth:`Manifest.from_json`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as odd:
        raise Refusal(f"{where} is not JSON: {odd}; export again, into another folder") from odd
    return Manifest.from_json(data, where)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``lariqa.json``; the older one stays until the new one is complete."""
    with writing(folder / FILE_NAME) as beside:
        beside.write_text(json.dumps(manifest.to_json(), indent=2) + "\n", encoding="utf-8")


def size_bytes(path: Path) -> int:
    """Bytes of a file, or of all files in a folder (an .mlpackage is one)."""
    return (
        sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size
    )
