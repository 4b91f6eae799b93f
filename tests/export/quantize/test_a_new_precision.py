"""A precision is known wherever one is needed; what is missing is named by its place, not by a KeyError."""

from typing import get_args

from export.formats import FORMATS
from export.proof.limits import GATES
from export.quantize.allocate_bits import CHEAP
from export.quantize.quantized_export import GRIDS
from lariqa_train.quantization.gptq import Grid
from lariqa_train.quantization.precision import BYTES_PER_WEIGHT, PRECISIONS, WeightFormat

LOWER = set(PRECISIONS) - {"fp32"}
STORED = set(get_args(WeightFormat))


def missing_places(lower: set[str] = LOWER, stored: set[str] = STORED) -> list[str]:
    """A sentence for each place that lacks something."""
    tables = {
        "export/proof/limits.py: GATES": (lower, GATES),
        "export/quantize/allocate_bits.py: CHEAP": (lower, CHEAP),
        "export/quantize/quantized_export.py: GRIDS": (stored - {"fp32"}, GRIDS),
        "lariqa_train/quantization/precision.py: BYTES_PER_WEIGHT": (stored, BYTES_PER_WEIGHT),
        "lariqa_train/quantization/gptq.py: Grid": (GRIDS.values(), get_args(Grid)),
        "lariqa_train/quantization/precision.py: WeightFormat": (
            {weight_format for row in PRECISIONS.values() for weight_format in row.fallbacks},
            stored,
        ),
    }
    said = [f"{place} has no {name}" for place, (needed, there) in tables.items() for name in set(needed) - set(there)]
    for row in FORMATS.values():
        for name in lower - set(row.precisions) - set(row.cannot):
            said.append(f"{row.folder}: neither written in {name} nor a reason in `cannot`")
        for name in set(row.precisions) - set(PRECISIONS):
            said.append(f"the runtime of {row.name} has a precision {name} that PRECISIONS does not know")
    return sorted(said)


def test_every_precision_is_known_wherever_one_is_needed():
    missing = missing_places()
    assert not missing, "\n".join(missing)


def test_a_precision_that_is_only_named_is_told_every_place():
    said = "\n".join(missing_places(LOWER | {"another"}, STORED | {"another"}))
    for place in ("GATES", "CHEAP", "GRIDS", "BYTES_PER_WEIGHT", *(row.folder for row in FORMATS.values())):
        assert place in said
