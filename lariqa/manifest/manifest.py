"""What an exported file promises: one model file and its row in ``lariqa.json``, the one contract with the phones.

``lariqa.json`` lies beside the files of one export. Each file also carries it inside itself, with its own row alone and
without what only the finished file can know (size, sha256, parity, status), so that a file found by itself still says
what it is. Schema, words and units: docs/schemas/manifest.md.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any, Literal, get_args

from lariqa import __version__
from lariqa.atomic import writing
from lariqa.digest import files_in
from lariqa.errors import Refusal
from lariqa.manifest.model_config import LarIqaConfig, Provenance, read_description
from lariqa.manifest.preprocess_spec import VIEWS, InputKind

SCHEMA = "lariqa-manifest/2"
OLDER_SCHEMA = "lariqa-manifest/1"  # no `tolerances`; other names for three keys, see _upgraded
FILE_NAME = "lariqa.json"
Status = Literal["converted", "checked", "executed here", "executed on device"]


@dataclass(frozen=True)
class InputSpec:
    """One input tensor of an artifact."""

    name: str
    dtype: Literal["uint8", "float32"]
    layout: Literal["NHWC", "NCHW"]
    shape: tuple[int, int, int, int]

    @property
    def bytes(self) -> int:
        """Of the tensor."""
        return prod(self.shape) * {"uint8": 1, "float32": 4}[self.dtype]


@dataclass(frozen=True)
class Artifact:
    """One exported file: what it takes, what it gives, how it was proved."""

    file: str  # name, beside lariqa.json
    format: str  # onnx | coreml | tflite | coreai
    precision: str  # fp32 | fp16 | w8 | int8
    input: InputKind
    synthetic_view: str  # crop | full
    photo_width_px: int | None  # the one photo size that it takes; None: any (views or tensors, with the crop view)
    photo_height_px: int | None
    inputs: tuple[InputSpec, ...]
    output: str  # name of the (1, 1) float32 score
    macs: int  # multiply-accumulates of one photo
    batch: int | None = 1  # photos in one run; None: as many as one gives it
    memory: str = "naive"  # how it executes: low | balanced | fast | naive, as all did before there was a choice
    session: dict[str, Any] = field(default_factory=dict)  # the runtime's options that go with it
    sha256: str = ""
    bytes: int = 0
    converter: dict[str, str] | None = None  # package -> version
    status: Status = "converted"
    parity: dict[str, Any] | None = None  # export.proof.parity.Parity as JSON
    plan: dict[str, Any] | None = None  # lariqa_train.quantization.precision.Plan as JSON; None in fp32
    audition: tuple[dict[str, Any], ...] = ()  # lariqa.photos.audition.AuditionScore as JSON

    @property
    def open_sides(self) -> bool:
        """Whether the height and width of an input are the photo's."""
        return self.input == "views" and self.synthetic_view == "full"

    def __post_init__(self) -> None:
        # A manifest may come from anywhere, and it says which files beside it are opened, replaced and removed.
        is_name = isinstance(self.file, str) and Path(self.file).name == self.file and Path(self.file).suffix
        size = (self.photo_height_px, self.photo_width_px)
        has_size = all(isinstance(side, int) and side > 0 for side in size)
        shapes = {spec.name: spec.shape for spec in self.inputs}
        promised = {"image": (1, *size, 3)}
        fits = shapes == promised if self.input == "pixels" else shapes.keys() <= set(VIEWS) and bool(shapes)
        known = self.input in get_args(InputKind)
        if not is_name or not known or not fits or not (has_size or size == (None, None)):
            raise Refusal(
                f"the row of {self.file!r} contradicts itself: input {self.input!r}, photo size {size}, inputs {shapes}"
            )


@dataclass(frozen=True)
class Manifest:
    """All artifacts of one export, and the model that they are."""

    checkpoint_sha256: str
    config: LarIqaConfig
    provenance: Provenance
    artifacts: tuple[Artifact, ...] = ()
    # Arithmetic of a device -> how far its score of the golden photo may be from the reference, in score units.
    tolerances: dict[str, float] = field(default_factory=dict)
    golden: dict[str, Any] | None = None  # the pictures that phones test themselves with: see export.new_artifact
    toolkit_version: str = __version__

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
            "tolerances": self.tolerances,
            "golden": self.golden,
            "artifacts": [asdict(artifact) for artifact in self.artifacts],
        }

    @classmethod
    def from_json(cls, data: Any, where: str) -> Manifest:
        """The inverse of :meth:`to_json`; ``where`` names the source in errors.

        Raises:
            Refusal: another schema, or not a manifest.
        """
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema not in (SCHEMA, OLDER_SCHEMA):
            raise Refusal(
                f"{where} has schema {schema!r}, this version reads {SCHEMA!r}; export again with this toolkit"
            )
        try:
            if schema == OLDER_SCHEMA:
                data = _upgraded(data)
            config, provenance = read_description(data["model"])
            artifacts = tuple(
                Artifact(
                    **{
                        **row,
                        "inputs": tuple(InputSpec(**{**spec, "shape": tuple(spec["shape"])}) for spec in row["inputs"]),
                        "audition": tuple(row.get("audition", ())),
                    }
                )
                for row in data["artifacts"]
            )
            tolerances = {name: float(value) for name, value in data["tolerances"].items()}
            return cls(
                data["checkpoint_sha256"],
                config,
                provenance,
                artifacts,
                tolerances,
                data.get("golden"),
                data["toolkit_version"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Refusal(f"{where} is not a complete manifest: {error}") from error

    def with_artifact(self, artifact: Artifact) -> Manifest:
        """The same manifest with this row added, or in the place of the row for the same file."""
        others = [row for row in self.artifacts if row.file != artifact.file]
        return replace(self, artifacts=tuple(sorted([*others, artifact], key=lambda row: row.file)))

    def embedded(self, artifact: Artifact) -> str:
        """What goes into the file itself."""
        data = replace(self, artifacts=(artifact,)).to_json()
        for key in ("sha256", "bytes", "status", "parity", "audition"):
            del data["artifacts"][0][key]
        return json.dumps(data, separators=(",", ":"))


def _upgraded(data: dict[str, Any]) -> dict[str, Any]:
    """A manifest of the older schema in the words of this one."""

    def row(old: dict[str, Any]) -> dict[str, Any]:
        new = {"input" if key == "contract" else key: value for key, value in old.items()}
        if new.get("plan"):
            names = {"levels": "weight_formats", "pinned": "keep_float"}
            plan = {names.get(key, key): value for key, value in new["plan"].items()}
            plan["sensitivity"] = [
                {"weight_format" if key == "level" else key: value for key, value in entry.items()}
                for entry in plan["sensitivity"]
            ]
            new["plan"] = plan
        return new

    return {**data, "tolerances": {}, "artifacts": [row(old) for old in data["artifacts"]]}


def _meaning(provenance: Provenance) -> str:
    if provenance.trained:
        return "predicted mean opinion score, scaled to 0..1"
    if provenance.note:
        return f"DEMONSTRATION: {provenance.note}; the number says nothing about what people think of the photo"
    return "NOT TRAINED: the number shows that the pipeline works, it says nothing about the photo"


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
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path} cannot be read: {error}") from error
    return parse_manifest(text, str(path))


def parse_manifest(text: str, where: str) -> Manifest:
    """JSON text -> Manifest; see :meth:`Manifest.from_json`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"{where} is not JSON: {error}; export again, into another folder") from error
    return Manifest.from_json(data, where)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``lariqa.json``; the older one stays until the new one is complete."""
    with writing(folder / FILE_NAME) as beside:
        beside.write_text(json.dumps(manifest.to_json(), indent=2) + "\n", encoding="utf-8")


def size_bytes(path: Path) -> int:
    """Bytes of a file, or of all files in a folder (an .mlpackage is one)."""
    return sum(file.stat().st_size for file in files_in(path)) if path.is_dir() else path.stat().st_size
