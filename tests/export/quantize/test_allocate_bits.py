"""Which layers may be low, chosen on planted errors."""

import numpy as np

from export.proof.limits import GATES
from export.proof.parity import Parity, PhotoParity
from export.quantize.allocate_bits import FEW, MARGINS, allocate_bits, moved_most
from lariqa_train.quantization.precision import PRECISIONS

REFERENCES = np.linspace(0, 1, 24)


def planted(errors, references=REFERENCES):
    """A measurement in which each group below float32 adds its own error."""
    random = np.random.default_rng(0)
    noise = {group: random.standard_normal(len(references)) for group in errors}
    factor = {"int8": 1.0, "w8": 0.01, "fp16": 1e-4, "fp32": 0.0}

    def measure(weight_formats, names):
        off = sum(
            errors[group] * factor[weight_format] * noise[group] for group, weight_format in weight_formats.items()
        )
        return Parity(
            tuple(
                PhotoParity(str(i), r, r + e)
                for i, (r, e) in enumerate(zip(references, off, strict=True))
                if names is None or str(i) in names
            ),
            None,
        )

    return measure


def choose(precision, sizes, measure, keep_float=()):
    limit = MARGINS[0] * GATES[precision].sd(REFERENCES)
    return allocate_bits(precision, sizes, keep_float, measure, lambda step: None, limit)


def test_only_the_layers_that_move_the_score_are_raised():
    errors = {"synthetic / blocks.4": 0.5, "synthetic / KAN": 1e-4, "head": 1e-4, "resize": 0.0}
    choice = choose("int8", dict.fromkeys(errors, 1000), planted(errors))
    assert choice.holds and choice.weight_formats == {
        "synthetic / blocks.4": "w8", "synthetic / KAN": "int8", "head": "int8", "resize": "fp32",
    }  # fmt: skip
    low = planted(errors)(dict.fromkeys(errors, "int8") | {"resize": "fp32"}, None)
    hardest = moved_most(low)
    assert len(hardest) == FEW and max(low.photos, key=lambda photo: abs(photo.difference)).photo in hardest
    alone = planted(errors)(dict.fromkeys(errors, "fp32") | {"synthetic / blocks.4": "int8"}, hardest)
    assert choice.sensitivity[0] == {"group": "synthetic / blocks.4", "weight_format": "int8", "sd": alone.sd}


def test_small_layers_are_raised_before_any_sensitivity_is_measured():
    errors = {"synthetic / blocks.1": 3.0, "synthetic / blocks.2": 1e-4, "synthetic / KAN": 1e-4, "head": 1e-4}
    sizes, tried = (
        {"synthetic / blocks.1": 100, "synthetic / blocks.2": 900, "synthetic / KAN": 50_000, "head": 500},
        [],
    )

    def measure(weight_formats, names):
        tried.append((weight_formats, names and len(names)))
        return planted(errors)(weight_formats, names)

    choice = choose("w8", sizes, measure)
    low = dict.fromkeys(errors, "w8")
    small = {"synthetic / blocks.1": "fp16", "head": "fp16"}  # 0.6 % of the file pays for these two and no more
    assert tried == [(low, None), (low | small, FEW), (low | small, None)]
    assert choice.holds and choice.weight_formats == low | small and not choice.sensitivity


def test_the_search_goes_on_from_where_small_layers_are_raised():
    errors = {"synthetic / blocks.1.0": 3.0, "synthetic / KAN": 2.0, "authentic / KAN": 1e-4}
    sizes = {"synthetic / blocks.1.0": 100, "synthetic / KAN": 50_000, "authentic / KAN": 50_000}
    choice = choose("w8", sizes, planted(errors))
    assert choice.holds and choice.weight_formats == {
        "synthetic / blocks.1.0": "fp16", "synthetic / KAN": "fp16", "authentic / KAN": "w8",
    }  # fmt: skip
    assert [row["group"] for row in choice.sensitivity] == ["synthetic / KAN", "authentic / KAN"]


def test_all_low_is_kept_where_the_score_holds_and_a_pinned_layer_stays_float():
    errors = {"synthetic / KAN": 1e-5, "head": 1e-5}
    choice = choose("w8", dict.fromkeys(errors, 1000), planted(errors), ("head",))
    assert (
        choice.holds and choice.weight_formats == {"synthetic / KAN": "w8", "head": "fp32"} and not choice.sensitivity
    )


def test_when_nothing_helps_it_says_so():
    references = np.linspace(0, 1, 24)
    rows = tuple(PhotoParity(str(i), r, r + (-1) ** i) for i, r in enumerate(references))
    sizes = {"a / b": 1000, "head": 1000}
    tried = []

    def measure(weight_formats, names):
        tried.append(set(weight_formats.values()))
        return Parity(rows[: names and FEW], None)

    choice = choose("fp16", sizes, measure)
    assert not choice.holds and set(choice.weight_formats.values()) == {"fp16"} and len(choice.sensitivity) == 2
    assert {"fp32"} not in tried  # float32 by another name is no fp16


def test_a_file_that_only_float32_would_hold_is_not_called_low():
    errors = {"a / b": 1e9, "head": 1e9}  # as soon as either is low, at whatever weight format
    for precision in ("fp16", "w8", "int8"):
        choice = choose(precision, dict.fromkeys(errors, 1000), planted(errors))
        assert not choice.holds and set(choice.weight_formats.values()) == {PRECISIONS[precision].fallbacks[0]}
