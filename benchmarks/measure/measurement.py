"""One measurement is one row: one model, in one process, on one machine. Phones write the same rows.

A row holds raw facts, with the unit in the name of each field: samples, not means; the report derives the rest
(:mod:`benchmarks.measure.statistics`). Rows are JSON lines in ``*.jsonl`` files that only grow, and are gathered in the
``rows`` of a ``report.json``. A reader takes rows of schema 1 too: fields that it does not know are skipped, fields
that an older writer did not know have their defaults. What each field means: docs/schemas/measurement.md.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lariqa.errors import Refusal

SCHEMA = "lariqa-measurement/2"
OLDER_SCHEMA = "lariqa-measurement/1"  # `input` was `contract`, the role `baseline` was `peer`


class Part(BaseModel):
    """Common to all parts of a row: immutable; fields that a later version adds are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Subject(Part):
    """What was measured."""

    name: str  # unique in a report, as people read it
    role: Literal["artifact", "reference", "baseline", "quoted"] = "artifact"
    file: str = ""  # its name, without a folder
    sha256: str = ""
    checkpoint_sha256: str = ""  # of the reference that its score is compared with
    bytes: int = 0
    format: str = ""  # onnx | coreml | tflite | coreai | torch
    precision: str = "fp32"
    input: str = ""  # views | pixels | tensors
    synthetic_view: str = ""  # crop | full
    memory: str = ""  # how the file executes: low | balanced | fast | naive
    photo_width_px: int | None = None  # None: any size
    photo_height_px: int | None = None
    trained: bool | None = None  # whether its scores are meant as quality
    note: str = ""  # what a reader must know before comparing, for example "random weights"


class Machine(Part):
    """Where it was measured."""

    kind: Literal["host", "phone", "emulated"] = "host"
    model: str = ""  # of a phone "Pixel 8"; of a host the processor's name
    system: str = ""  # operating system and version
    cores: int = 0
    memory_mib: float = 0.0
    governor: str | None = None  # of cpufreq, if the system reports it


class Setting(Part):
    """How it was run."""

    runtime: str = ""  # name and version
    threads: int | None = None
    accelerator: str = "cpu"  # asked for: cpu | gpu | npu | all
    session_options: dict[str, str] = {}  # config entries of an ONNX Runtime session, beyond the file's own options
    weight_cache: bool = False  # whether packed weights were mapped from a file (LiteRT)
    placement: dict[str, int] | None = None  # what really ran it: name -> operators or partitions; None: not reported
    executes_artifact: bool = True  # False: a stand-in evaluates the file; ignore its time and memory
    fallback: str = ""  # empty, or what of it did not run where it was asked for, in words


class Latency(Part):
    """Milliseconds. The lists run in parallel: one entry per counted run, in the order of the runs."""

    load_ms: float | None = (
        None  # from opening the file until ready to run, without pages in the page cache if possible
    )
    load_was_cold: bool = False  # whether the page cache was really empty
    first_ms: float | None = None  # inference of the first run, not among the counted ones
    decode_ms: list[float] = []  # photo file -> pixels
    preprocess_ms: list[float] = []  # pixels -> the model's inputs; next to nothing for the pixels input
    inference_ms: list[float] = []  # inputs -> outputs
    post_ms: list[float] = []  # outputs -> score, and whatever the other parts leave out
    cpu_ms: list[float] = []  # processor time of the whole run, all threads
    started_s: list[float] = []  # when each run began, since the start of the measurement

    @model_validator(mode="after")
    def _lists_run_in_parallel(self) -> Latency:
        for name in ("decode_ms", "preprocess_ms", "post_ms", "cpu_ms", "started_s"):
            if len(getattr(self, name)) not in (0, len(self.inference_ms)):
                raise ValueError(f"{name} has {len(getattr(self, name))} entries for {len(self.inference_ms)} runs")
        return self

    @property
    def total_ms(self) -> list[float]:
        """Photo file to score; empty where a part was not measured."""
        parts = (self.decode_ms, self.preprocess_ms, self.inference_ms, self.post_ms)
        return [sum(run) for run in zip(*parts, strict=True)] if all(parts) else []


class Memory(Part):
    """MiB of resident memory of the process (Android: PSS; iOS: physical footprint)."""

    baseline_mib: float  # the runtime imported, no model loaded
    loaded_mib: float | None = None  # the model loaded, before the first run
    peak_mib: float  # the highest from the load on, over all runs
    running_peak_mib: float | None = None  # of one more run alone: without what decoding a photo takes
    weights_mib: float | None = None  # stored in the file
    input_mib: float | None = None  # the input tensors
    predicted_mib: float | None = None  # of the running peak above the baseline, on paper (export.proof.memory_model)
    curve_s_mib: list[tuple[float, float]] = []  # (seconds since the load began, MiB)


class Conditions(Part):
    """What else ran on the machine, if the system reports it."""

    load_average: float | None = None  # of one minute, when the measurement began
    other_load_cores: float | None = None  # processor time that other processes took during it, per second
    temperature_c: list[float] = []  # hottest sensor: before, after
    frequency_mhz: list[float] = []  # mean of the cores: before, after
    thermal_status: str = ""  # phones: Android's or iOS's word, the worst during the measurement
    battery_percent: list[float] = []  # before, after
    on_charger: bool | None = None


class Score(Part):
    """One photo's score, and the reference's for the same decoded pixels."""

    photo: str
    score: float
    reference: float | None = None


class Decoder(Part):
    """What a device's decoder makes of ``golden.jpg`` or ``golden.heic``, beside the pixels that Pillow makes of it."""

    library: str
    file: str = "golden.jpg"
    worst_levels: float  # 0..255
    mean_levels: float
    differing_share: float  # of all values, 0..1
    score: float | None = None  # of its own pixels
    score_of_expected: float | None = None  # of Pillow's, by the same unit
    reference: float | None = None  # PyTorch's, of Pillow's


class Work(Part):
    """The work of one run, counted in the file."""

    macs: int | None = None  # multiply-accumulates of convolutions and matrix products
    halo_macs: int | None = None  # of them, on rows that two strips both compute
    parameters: int | None = None
    weight_bytes: int | None = None  # as stored
    parts: dict[str, dict[str, int]] = {}  # part, for example "synthetic / blocks.1" -> macs, weights, weight_bytes
    operators: dict[str, int] = {}


class MachineLimit(Part):
    """What the machine gave in the same run, on the same threads: the best of several tries."""

    matmul_gmacs_per_s: float
    convolution_gmacs_per_s: float
    copy_gb_per_s: float  # read + written


class Profile(Part):
    """Where the time of one run went: the runtime's own profiler; ``tool`` says which, or why there is none."""

    tool: str
    parts_ms: dict[str, float] = {}  # part as in Work.parts -> ms, mean of a few runs
    operators_ms: dict[str, float] = {}  # operator -> ms


class Measurement(Part):
    """One row."""

    schema_version: str = Field(SCHEMA, alias="schema")
    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    report: str = ""  # rows that were measured in turns, in one run, share it: only those are compared as ratios
    measured_at: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    measured_by: str = ""  # program and version
    mode: Literal["burst", "sustained"] = "burst"
    subject: Subject
    machine: Machine = Machine()
    setting: Setting = Setting()
    latency: Latency | None = None
    memory: Memory | None = None
    conditions: Conditions = Conditions()
    scores: list[Score] = []
    decoder: Decoder | None = None
    decoder_heic: Decoder | None = None  # None: not known, or the device does not read HEIC
    work: Work | None = None
    limit: MachineLimit | None = None
    profile: Profile | None = None
    error_budget: dict[str, float] = {}  # stage of the trip -> error, if parity broke and the stages were compared
    flags: list[str] = []  # reasons to doubt the figures, one sentence each
    error: str | None = None  # why there are no figures, or only some

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, populate_by_name=True)

    def to_line(self) -> str:
        """One line of JSON."""
        return self.model_dump_json(by_alias=True)


def read_rows(text: str, where: str) -> list[Measurement]:
    """Rows from the text of a ``.jsonl`` file, of a JSON list of rows, or of a ``report.json``.

    Args:
        text: the file's.
        where: names the file in errors.

    Raises:
        Refusal: no rows, or one that this schema cannot take; says which, and what is wrong with it.
    """
    rows = []
    for number, data in enumerate(_entries(text, where), 1):
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema not in (SCHEMA, OLDER_SCHEMA):
            raise Refusal(f"row {number} of {where} has schema {schema!r}; this version reads {SCHEMA!r}")
        if schema == OLDER_SCHEMA:
            data = _upgraded(data)
        try:
            rows.append(Measurement.model_validate(data))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise Refusal(f"row {number} of {where} is no measurement: {place}: {first['msg']}") from error
    if not rows:
        raise Refusal(f"{where} holds no rows; expected JSON lines of schema {SCHEMA!r}")
    return rows


def append_rows(path: Path, rows: Iterable[Measurement]) -> None:
    """Add rows at the end of a ``.jsonl`` file; what it holds stays."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{row.to_line()}\n" for row in rows)


def _upgraded(row: dict) -> dict:
    """A row of the older schema with the names of this one; validation finds what is wrong with it."""
    if not isinstance(row.get("subject"), dict):
        return row
    subject = {"input" if key == "contract" else key: value for key, value in row["subject"].items()}
    if subject.get("role") == "peer":
        subject["role"] = "baseline"
    return {**row, "schema": SCHEMA, "subject": subject}


def _entries(text: str, where: str) -> list:
    """The rows as plain JSON values, whichever of the three forms they come in."""
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    if isinstance(whole, list):
        return whole
    if isinstance(whole, dict):
        return whole["rows"] if isinstance(whole.get("rows"), list) else [whole]
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                entries.append(json.loads(line))
            except ValueError as error:
                raise Refusal(f"line {number} of {where} is not JSON ({error}); is the file whole?") from error
    return entries
