"""Which layers may be low: chosen by what each does to the score of the exported file.

    everything low                                           -> does the score hold on the selection set? -> done
    what is small raised: early layers decide and cost little -> done
    each group of layers that is still low, alone             -> its error, the table of sensitivities
        -> those that cost the most error for their bytes one weight format up -> does it hold? -> ...
        -> the largest of them low again where it still holds

The selection set is neither the calibration nor the validation set. It is smaller, so the error must hold with a margin
here. Sensitivities are rough by nature and are measured on fewer pictures still: on those that everything low moves
most, for few pictures make most of an sd.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from export.proof.parity import Parity
from lariqa_train.quantization.precision import BYTES_PER_WEIGHT, PRECISIONS, WeightFormat, is_exact

MARGINS = (0.85, 0.5, 0.25)  # of the gate's sd; a smaller one for each time that the validation set disagreed
FEW = 8  # pictures, for a sensitivity, and to see that a plan is hopeless
HOPELESS = 2.5  # limits: an sd of FEW pictures is off by as much once in a thousand times
OF_FLOAT16 = 1 / 16  # error of a weight in float16, 11 bits of each, by that in int8, 7 bits of the channel's largest
MOST_HOPED = 0.8  # of the limit's square: what a plan is expected to have left before it is measured
GIVEN_BACK = 6  # of the largest raised groups, which are tried low again
# What the small groups may add to the file together, as a share of its float32 bytes, in the plans tried first.
CHEAP = {"fp16": (0.006, 0.008, 0.012), "w8": (0.006, 0.035), "int8": (0.006, 0.035)}

Measure = Callable[
    [Mapping[str, WeightFormat], tuple[str, ...] | None], Parity
]  # formats, names of pictures (None: all)


@dataclass(frozen=True)
class Choice:
    """The weight formats that hold, and what was measured; where none do, those that the search began with."""

    weight_formats: dict[str, WeightFormat]
    sensitivity: tuple[dict, ...]
    holds: bool


def allocate_bits(
    precision: str,
    sizes: Mapping[str, int],
    keep_float: tuple[str, ...],
    measure: Measure,
    progress: Callable[[str], None],
    limit: float,
    search: bool = True,
) -> Choice:
    """Raise as little as the score allows.

    Args:
        precision: a name in PRECISIONS.
        sizes: group of the file's layers -> how many weights it has.
        keep_float: groups that stay float32.
        measure: weight formats -> how faithful the file with these weight formats is, on the selection set.
        progress: called with each step in words.
        limit: what the sd may be, in score units: a share of the gate's.
        search: whether to go on where the first plans do not hold.
    """
    fallbacks = PRECISIONS[precision].fallbacks
    free = [group for group in sizes if not (is_exact(group) or group in keep_float)]
    weight_formats: dict[str, WeightFormat] = {group: fallbacks[0] if group in free else "fp32" for group in sizes}

    def sd_of(tried: Mapping[str, WeightFormat], name: str) -> float:
        progress(f"trying a plan: {name}")
        sd = measure(tried, first).sd
        if sd <= HOPELESS * limit:
            sd = measure(tried, None).sd
        progress(f"{name}: sd {sd:.1e}, may be {limit:.1e}")
        return sd

    progress(f"everything in {fallbacks[0]}")
    low = measure(weight_formats, None)
    progress(f"everything in {fallbacks[0]}: sd {low.sd:.1e}, may be {limit:.1e}")
    if (sd := low.sd) <= limit:
        return Choice(weight_formats, (), True)
    first = tuple(photo.photo for photo in low.photos[:FEW])
    for name, tried in _small_raised(precision, sizes, weight_formats, free):
        if (sd := sd_of(tried, name)) <= limit:
            return Choice(tried, (), True)
        weight_formats = tried  # the search goes on from there: what is small costs next to nothing
    if not search:
        return Choice(weight_formats, (), False)
    began, low = dict(weight_formats), measure(weight_formats, None)
    hardest, sd = moved_most(low), low.sd
    low_still = [group for group in free if weight_formats[group] == fallbacks[0]]
    low_still = low_still or [group for group in free if weight_formats[group] != "fp32"]  # all are small
    table = sensitivities(weight_formats, low_still, measure, progress, hardest)
    errors, total, in_w8 = {row["group"]: row["sd"] for row in table}, sum(sizes.values()), 0.0

    def worth(group: str) -> float:
        """Error that a byte buys; very small groups count by their error alone."""
        added = (
            BYTES_PER_WEIGHT[fallbacks[fallbacks.index(weight_formats[group]) + 1]]
            - BYTES_PER_WEIGHT[weight_formats[group]]
        )
        return errors[group] ** 2 / (added * sizes[group] + 1e-3 * total)

    def nothing_low(weight_formats: Mapping[str, WeightFormat]) -> bool:
        return all(weight_formats[group] == "fp32" for group in free)

    while errors:
        # Errors of groups are nearly independent: their squares add up, on the scale of what was measured together.
        together = sum(error**2 for error in errors.values())
        while errors and sum(error**2 for error in errors.values()) * sd**2 >= MOST_HOPED * limit**2 * together:
            worst = max(errors, key=worth)
            before, weight_formats[worst] = weight_formats[worst], fallbacks[fallbacks.index(weight_formats[worst]) + 1]
            if weight_formats[worst] == "fp32":
                del errors[worst]
            elif before == "int8":
                errors[worst] = in_w8 = in_w8 or _share_in_w8(weight_formats, low_still, measure, progress, hardest)
            else:
                errors[worst] *= OF_FLOAT16
        raised = sum(weight_formats[group] != fallbacks[0] for group in free)
        if nothing_low(weight_formats):
            break  # float32 holds anyway; what may be low again is measured below
        sd = sd_of(weight_formats, f"{raised} of {len(free)} groups of layers raised")
        if sd <= limit:
            break
    if not (sd <= limit or nothing_low(weight_formats)):
        return Choice(began, table, False)
    # Many were raised at once: the largest of them perhaps in vain.
    raised = [group for group in free if weight_formats[group] != fallbacks[0]]
    for group in sorted(raised, key=lambda group: -sizes[group])[:GIVEN_BACK]:
        tried = {**weight_formats, group: fallbacks[0]}
        if sd_of(tried, f"{group} in {fallbacks[0]} again") <= limit:
            weight_formats = tried
    if nothing_low(weight_formats):
        return Choice(began, table, False)  # it would be low by its name alone
    return Choice(weight_formats, table, True)


def moved_most(low: Parity) -> tuple[str, ...]:
    """Names of the FEW pictures whose error is furthest from the average error."""
    off = abs(low.differences - low.differences.mean())
    return tuple(low.photos[number].photo for number in off.argsort()[::-1][:FEW])


def sensitivities(
    weight_formats: Mapping[str, WeightFormat],
    groups: Iterable[str],
    measure: Measure,
    progress: Callable[[str], None],
    pictures: tuple[str, ...],
) -> tuple[dict, ...]:
    """What each of the groups alone does to the score of these pictures, all others in float32; the worst first."""
    table = [
        {
            "group": group,
            "weight_format": weight_formats[group],
            "sd": _alone(group, weight_formats, measure, progress, pictures),
        }
        for group in groups
    ]
    return tuple(sorted(table, key=lambda row: -row["sd"]))


def _alone(
    group: str, weight_formats: Mapping[str, WeightFormat], measure: Measure, progress, pictures: tuple[str, ...]
) -> float:
    progress(f"{group} alone in {weight_formats[group]}")
    return measure(dict.fromkeys(weight_formats, "fp32") | {group: weight_formats[group]}, pictures).sd


def _share_in_w8(
    weight_formats: Mapping[str, WeightFormat], groups: list[str], measure: Measure, progress, pictures
) -> float:
    """A group's share of the error where these are in w8: little beside int8's, so it is not measured for each."""
    progress("everything in w8")
    return measure({**weight_formats, **dict.fromkeys(groups, "w8")}, pictures).sd / len(groups) ** 0.5


def _small_raised(
    precision: str, sizes: Mapping[str, int], weight_formats: dict[str, WeightFormat], free: Iterable[str]
) -> Iterator[tuple[str, dict[str, WeightFormat]]]:
    """(name, weight formats): the smallest groups in the first format that is a float, all others low."""
    fallbacks = PRECISIONS[precision].fallbacks
    raised: WeightFormat = "fp32" if fallbacks[0] == "fp16" else "fp16"
    added = BYTES_PER_WEIGHT[raised] - BYTES_PER_WEIGHT[fallbacks[0]]
    most = 4 * sum(sizes.values())
    for share in CHEAP[precision]:
        tried, left = dict(weight_formats), share * most
        for group in sorted(free, key=lambda group: sizes[group]):
            left -= added * sizes[group]
            if left >= 0:
                tried[group] = raised
        if tried != weight_formats:
            yield f"small groups in {raised}, {100 * share:.1f} % of the file", tried
