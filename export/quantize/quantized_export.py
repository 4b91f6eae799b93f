"""One artifact in a precision below fp32: weights rounded, layers chosen, file written, judged by its scores.

    statistics of the layers on the calibration set -> weights rounded to their grid
    -> weight formats chosen on the selection set -> file -> gate on the validation set, a fresh one for each attempt

What an export in several precisions and formats shares is made once: what the layers see, the rounding of each grid,
pictures, reference scores. Weight formats that held in one file format are judged in the next without a new search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import count
from pathlib import Path

import numpy as np
import torch

from export.formats.format import Format, Quantization
from export.proof.limits import GATE_PHOTOS, GATES
from export.proof.parity import Parity, PhotoParity, compare
from export.quantize.allocate_bits import MARGINS, Choice, allocate_bits, moved_most, sensitivities
from export.quantize.picture_sets import CALIBRATION_PICTURES, GENERATED, PictureSets
from export.quantize.round_weights import collect_statistics, round_weights
from export.quantize.stored_layers import StoredLayers
from export.quantize.weight_matching import in_order
from export.rewrite.ready_model import ExportReady
from lariqa.atomic import remove
from lariqa.digest import sha256_of
from lariqa.manifest.manifest import Artifact, Manifest, size_bytes
from lariqa.names import as_text
from lariqa.photos.views import inputs_of
from lariqa.runtimes.artifacts import scorer_for
from lariqa.runtimes.scorer import Scorer
from lariqa.time_left import counted
from lariqa_train.quantization.calibration import LayerStatistics
from lariqa_train.quantization.gptq import Grid
from lariqa_train.quantization.precision import Plan, WeightFormat

GRIDS: dict[WeightFormat, Grid] = {"fp16": "float16", "w8": "int8", "int8": "int8"}


class QuantizedExport:
    """Everything that lower precisions of one export share.

    Args:
        ready: the export-ready model.
        reference: the PyTorch reference.
        size: (height, width) of generated pictures.
        folder: for what is needed only while exporting.
        calibration: the user's photos; empty: generated ones.
        keep_float: groups of layers that stay float32.
        limit: another limit for the worst difference, in score units.
        validation_pictures: how many validate; fewer than GATE_PHOTOS prove less.
        proof: the photos of every proof, which validate as well.
        progress: called with each step in words.
    """

    def __init__(
        self,
        ready: ExportReady,
        reference: Scorer,
        size: tuple[int, int],
        folder: Path,
        *,
        calibration: Sequence[str] = (),
        keep_float: Sequence[str] = (),
        limit: float | None = None,
        validation_pictures: int = GATE_PHOTOS,
        proof: Mapping[str, np.ndarray] | None = None,
        progress: Callable[[str], None] = lambda step: None,
    ) -> None:
        self.ready, self.reference, self.folder = ready, reference, folder
        self.stored, self.progress, self.limit = StoredLayers(ready, keep_float), progress, limit
        if keep_float:  # a name that means nothing is refused before minutes of conversion
            self.stored.kept_float_groups({self.stored.group_of(name) for name in self.stored.layers})
        self.pictures = PictureSets(
            reference, size, folder, tuple(calibration), validation_pictures, proof or {}, progress, ready.photo_size_px
        )
        self.converters: dict[str, dict[str, str]] = {}  # format -> package -> version, of the float32 file
        self._rounded: dict[Grid, dict[str, np.ndarray]] = {}
        self._ranges: dict[str, object] = {}
        self._held: dict[tuple[str, str], tuple[str, Choice]] = {}  # precision, compute -> format, what held there

    def write(
        self, row: Format, precision: str, staged: Path, manifest: Manifest, artifact: Artifact
    ) -> tuple[Artifact, Parity]:
        """Write ``staged`` in that precision; its row of the manifest and its proof."""
        source = self.source(row)
        known = self.stored.known(row, source)
        groups = set(known.values())
        keep_float = self.stored.kept_float_groups(groups)
        trial = self.folder / f"trial{row.suffix}"

        def write_formats(
            path: Path, weight_formats: Mapping[str, WeightFormat], embedded: str, compute: str
        ) -> dict[str, str]:
            remove(path)
            weights = {name: weight_formats[group] for name, group in known.items()}
            ranges = self.ranges(row) if "int8" in weights.values() else None
            asked = Quantization(weights, ranges, compute, self.rounded_for(row, source, weights))
            return row.quantize(source, path, embedded, asked)

        def measure(weight_formats: Mapping[str, WeightFormat], names: tuple[str, ...] | None, compute: str) -> Parity:
            """On selection pictures of these names; None: on all."""
            key = (tuple(sorted(weight_formats.items())), compute, names)
            if key not in measured:
                pictures, expected = self.pictures.selection()
                write_formats(trial, weight_formats, manifest.embedded(artifact), compute)
                scorer = scorer_for(trial, manifest, artifact)
                chosen = names or pictures
                rows = [PhotoParity(name, expected[name], scorer.score(pictures[name])) for name in chosen]
                measured[key] = Parity(tuple(rows), None)
            return measured[key]

        def validate(choice: Choice, compute: str, attempt: int, chosen_on: str) -> tuple[Artifact, Parity]:
            pictures, expected = self.pictures.validation(attempt)
            plan = Plan(
                precision=precision,
                weight_formats=choice.weight_formats,
                compute=compute,
                keep_float=keep_float,
                calibration=as_text(", ".join(self.pictures.calibration_photos)) or GENERATED,
                sensitivity=choice.sensitivity,
                chosen_on=chosen_on,
                notes=self.notes(precision, choice.weight_formats, attempt),
            )
            written = replace(artifact, plan=plan.to_json())
            tools = write_formats(staged, plan.weight_formats, manifest.embedded(written), compute)
            scorer, runtime = scorer_for(staged, manifest, written), self.reference.runner.runtime
            parity = compare(scorer, expected, pictures, precision, runtime, self.progress, self.limit)
            self.progress(f"validated on {len(pictures)} pictures: {'; '.join(parity.missed) or 'it holds'}")
            converter = {**self.converters[row.name], **tools}
            return replace(written, converter=converter, sha256=sha256_of(staged), bytes=size_bytes(staged)), parity

        sizes: dict[str, int] = dict.fromkeys(sorted(groups), 0)
        for layer, weight in self.stored.layers.items():
            if (group := self.stored.group_of(layer)) in sizes:
                sizes[group] += weight.size
        measured: dict[tuple, Parity] = {}
        attempts, held = count(), self._held
        for compute in row.compute_order(precision):
            measuring, last = partial(measure, compute=compute), compute == row.compute_order(precision)[-1]
            if (precision, compute) in held and set(held[precision, compute][1].weight_formats) == groups:
                chosen_on, choice = held[precision, compute]
                written, parity = validate(choice, compute, next(attempts), chosen_on)
                if parity.passed:
                    break
            for margin in MARGINS:
                self.progress(f"{row.name} in {precision}, computed in {compute}: choosing weight formats")
                limit = margin * GATES[precision].sd(list(self.pictures.selection()[1].values()))
                # In float16 an evaluator takes seconds for a photo, and float32 is still to come: no long search.
                choice = allocate_bits(precision, sizes, keep_float, measuring, self.progress, limit, search=last)
                if last and margin == MARGINS[-1]:
                    if not choice.sensitivity:  # a miss is explained
                        hardest = moved_most(measuring(choice.weight_formats, None))
                        low_groups = [
                            group for group, weight_format in choice.weight_formats.items() if weight_format != "fp32"
                        ]
                        blamed = sensitivities(choice.weight_formats, low_groups, measuring, self.progress, hardest)
                        choice = replace(choice, sensitivity=blamed)
                elif not choice.holds:
                    continue  # a hundred pictures would say the same
                written, parity = validate(choice, compute, next(attempts), row.name)
                if parity.passed:
                    held[precision, compute] = row.name, choice
                    break
            else:
                continue
            break
        remove(trial)
        return written, parity

    def notes(self, precision: str, weight_formats: Mapping[str, WeightFormat], attempt: int) -> tuple[str, ...]:
        """What must be said of a file beside its figures."""
        said = []
        if self.pictures.validation_pictures < GATE_PHOTOS:
            said.append(f"validated on {self.pictures.validation_pictures} pictures: proves less")
        if precision == "int8" and "int8" not in weight_formats.values():
            stored = "int8" if "w8" in weight_formats.values() else "float16"
            said.append(f"no layer may compute in int8 without moving the score: this file only stores {stored}")
        if precision == "w8" and "w8" not in weight_formats.values():
            said.append("no layer may be stored in int8 without moving the score: this file stores float16")
        if left_out := self.pictures.left_out[f"validation {attempt}"]:
            said.append(
                f"{left_out} of {left_out + self.pictures.validation_pictures} generated pictures were left out: they "
                "are out of distribution, their scores or features are far from those of the proof's photos"
            )
        return tuple(said)

    def source(self, row: Format) -> Path:
        """The float32 file that lower ones are made from."""
        path = self.folder / f"float32{row.suffix}"
        if not path.exists():
            self.progress(f"converting to {row.name}")
            self.converters[row.name] = row.convert(self.ready, path, "{}")
        return path

    def rounded_for(
        self, row: Format, source: Path, weight_formats: Mapping[str, WeightFormat]
    ) -> dict[str, np.ndarray]:
        """Stored weight -> its numbers on the grid of its weight format; those in float32 are left out."""
        return {
            name: in_order(self.rounded(GRIDS[weight_formats[name]])[layer], order)
            for name, (layer, order) in self.stored.found(row, source).items()
            if weight_formats.get(name) in GRIDS
        }

    def rounded(self, grid: Grid) -> dict[str, np.ndarray]:
        """Module -> its weight on that grid."""
        if grid not in self._rounded:
            names = self.stored.lowered
            ready = round_weights(self.stored.folded, dict.fromkeys(names, grid), self.seen, self.progress)
            self._rounded[grid] = {name: ready.get_submodule(name).weight.detach().numpy() for name in names}
        return self._rounded[grid]

    @cached_property
    def seen(self) -> dict[str, LayerStatistics]:
        """What the layers see, for every grid and format."""
        counter = counted(self.calibration_inputs(), self.calibrators, "what the layers see, picture", self.progress)
        return collect_statistics(self.stored.folded, self.stored.lowered, counter)

    @property
    def calibrators(self) -> int:
        """How many pictures calibrate."""
        return len(self.pictures.calibration_photos) or CALIBRATION_PICTURES

    def ranges(self, row: Format) -> object:
        """Of the activations, as the format's own tool keeps them."""
        if row.name not in self._ranges:
            inputs = ({name: x.numpy() for name, x in given.items()} for given in self.calibration_inputs())
            counter = counted(inputs, self.calibrators, f"ranges of activations in {row.name}, picture", self.progress)
            self._ranges[row.name] = row.collect_ranges(self.source(row), counter)
        return self._ranges[row.name]

    def calibration_inputs(self) -> Iterator[dict[str, torch.Tensor]]:
        """Inputs of ``ready`` for the calibration pictures."""
        for photo in self.pictures.calibration():
            ready = self.ready
            inputs = inputs_of(np.array(photo), ready.takes, ready.preprocess, ready.config.branches)
            yield {name: torch.from_numpy(np.array(x)) for name, x in inputs.items()}
