"""Precisions as data: what each one asks of a layer, and what a layer that moves the score is raised to instead.

    weight_format   how one layer's weight is stored                        how the layer computes
    fp32    float32                                                 float32
    fp16    float16                                                 float32, or float16 where the plan's `compute` says
    w8      int8, one scale for each output channel                 float32
    int8    the same                                                int8, activations in ranges seen on calibration;
                                                                    float32 where a gate is in the weight (tiled_net)

A precision starts with everything low and climbs its fallbacks group by group until the score holds (the gate is in
``export.proof.parity``, the climbing in ``export.quantize.allocate_bits``). The ``Plan`` is the outcome, kept in the
manifest, so that the same file can be made again.

Never lowered, in any precision: the resize, whose filters are exact only in float32 (``pillow_resize``), the mean, and
the first layer of each branch, which sees pixels. Layers are selected by stored weight, not by place: those that share
a weight share its weight format, and a weight that is computed while the model runs stays float.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from lariqa.errors import Refusal

WeightFormat = Literal["fp32", "fp16", "w8", "int8"]
BYTES_PER_WEIGHT: dict[WeightFormat, int] = {"fp32": 4, "fp16": 2, "w8": 1, "int8": 1}  # a weight
LEAST_WEIGHTS = 64  # below, scales and names cost more bytes than the weight


@dataclass(frozen=True)
class Precision:
    """One precision: the weight formats that a layer may have, lowest first."""

    name: str
    fallbacks: tuple[WeightFormat, ...]
    says: str  # for the middle of a sentence


PRECISIONS = {
    row.name: row
    for row in (
        Precision("fp32", ("fp32",), "float32 throughout"),
        Precision("fp16", ("fp16", "fp32"), "weights in float16"),
        Precision("w8", ("w8", "fp16", "fp32"), "weights in int8, computed in float"),
        Precision("int8", ("int8", "w8", "fp16", "fp32"), "int8 where the score allows it, int8 weights elsewhere"),
    )
}


@dataclass(frozen=True)
class Plan:
    """What became of each group of layers, and why."""

    precision: str
    weight_formats: dict[
        str, WeightFormat
    ]  # group of layers, for example "synthetic / blocks.4.1" -> its weight format
    compute: Literal["float32", "float16"] = "float32"  # what layers below int8 compute in
    keep_float: tuple[str, ...] = ()  # groups that the user keeps float
    calibration: str = ""  # the pictures that gave the ranges of activations; empty where none were needed
    sensitivity: tuple[dict[str, Any], ...] = ()  # what each group's quantized alone does to the score
    chosen_on: str = ""  # the format whose file was measured; empty: everything low held at once
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if unknown := set(self.weight_formats.values()) - set(get_args(WeightFormat)):
            raise Refusal(
                f"a precision plan has the weight formats {sorted(unknown)}; there are {get_args(WeightFormat)}"
            )

    def to_json(self) -> dict[str, Any]:
        """As in the manifest."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """The inverse of :meth:`to_json`."""
        tuples = {name: tuple(data[name]) for name in ("keep_float", "sensitivity", "notes")}
        return cls(**{**data, **tuples})

    @property
    def raised(self) -> dict[str, WeightFormat]:
        """Groups in a higher format than the precision's lowest, without those that always are."""
        lowest = PRECISIONS[self.precision].fallbacks[0]
        return {
            group: weight_format
            for group, weight_format in self.weight_formats.items()
            if weight_format != lowest and not is_exact(group)
        }


def is_exact(group: str) -> bool:
    """Whether a group stays float32 in every precision."""
    return group in ("resize", "unnamed") or group.endswith(("/ conv_stem", "/ stem"))


def is_named(name: str, group: str) -> bool:
    """Whether a group bears a name, or a longer one: "synthetic / blocks.5" means all blocks of that stage."""
    return group == name or group.startswith(f"{name}.")


def refuse_precision(name: str, format_name: str, offered: tuple[str, ...], cannot: Mapping[str, str]) -> None:
    """Check a precision against what a format can do.

    Raises:
        Refusal: names the nearest that it can.
    """
    if name in offered:
        return
    if name not in PRECISIONS:
        raise Refusal(f"there is no precision {name!r}; there are {', '.join(PRECISIONS)}")
    order = list(PRECISIONS)
    nearest = max((other for other in offered if order.index(other) <= order.index(name)), key=order.index)
    why = cannot.get(name, "this version has no writer for it")
    raise Refusal(
        f"{format_name} is not written in {name}: {why}; the nearest that it has is {nearest} "
        f"({PRECISIONS[nearest].says})"
    )


def refuse_left_float(layers: Iterable[str], why: str) -> None:
    """Check that no layer that ought to be low is left in float32.

    Args:
        layers: those that would be left, as the model or the file names them.
        why: ends the sentence.

    Raises:
        Refusal: there are some.
    """
    if left := sorted(layers):
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        raise Refusal(
            f"{', '.join(left[:3])}{more} would silently stay float32: {why}; keep the layer's group float with "
            "--keep-float, or try another --memory"
        )
