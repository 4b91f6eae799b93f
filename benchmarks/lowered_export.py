"""One artifact in a precision below fp32: weights rounded, layers chosen, file written, judged by its scores.

Three sets of pictures from different seeds: those that the layers are seen on (rounding, ranges), those on which
levels are chosen, and those that judge. All are windows of the one bundled photograph: they share its scene, and the
gate says less about other photographs than its figures suggest. What an export in several precisions and formats
shares is made once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.macs import part_of
from benchmarks.mixed_precision import MARGIN, choose_levels
from benchmarks.parity import GATE_PHOTOS, LIMITS, Fidelity, Parity, PhotoParity, compare, reference_scores
from benchmarks.workload import photo_files, photos_from, seeded_photos
from export.artifact import Artifact, Manifest, size_bytes
from export.export_ready import ExportReady
from export.fold_batch_norm import fold_batch_norm
from export.formats import Format, scorer_for
from export.known_weights import in_order, known_weights
from export.lean_net import CopyRows
from export.precision import LEAST_WEIGHTS, Level, Plan, is_exact, refuse_left_float
from export.rounding import round_weights
from export.scorer import Scorer
from lariqa_train.atomic import remove
from lariqa_train.checkpoint import sha256_of
from lariqa_train.photo import open_photo
from lariqa_train.preprocess import prepare
from lariqa_train.refusal import Refusal

CALIBRATING, CHOOSING = 24, 24
CALIBRATE_SEED, CHOOSE_SEED, JUDGE_SEED = 20003, 20002, 20001
BUNDLED = "windows of the bundled photograph in other light and colour, four in five damaged (generated)"


class Lowering:
    """Everything that lower precisions of one export share.

    Args:
        ready: the export-ready model.
        reference: the PyTorch reference.
        size: (height, width) of the pictures.
        folder: for what is needed only while exporting.
        calibration: the user's photos; empty: generated ones.
        pinned: groups of layers that stay float32.
        limit: another limit for the worst difference, in score units.
        judges: how many pictures judge; fewer than GATE_PHOTOS prove less.
        proof: the photos of every proof, judged along.
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
        pinned: Sequence[str] = (),
        limit: float | None = None,
        judges: int = GATE_PHOTOS,
        proof: Mapping[str, np.ndarray] | None = None,
        progress: Callable[[str], None] = lambda step: None,
    ) -> None:
        self.ready, self.reference, self.size, self.folder = ready, reference, size, folder
        self.calibration, self.pinned, self.judges = tuple(calibration), tuple(pinned), judges
        self.proof, self.progress, self.limit = proof or {}, progress, limit
        self.converters: dict[str, dict[str, str]] = {}  # format -> package -> version, of the float32 file
        self._rounded: dict[str, dict[str, np.ndarray]] = {}
        self._ranges: dict[str, object] = {}
        self._held: dict[tuple[str, str], tuple[str, dict[str, Level], tuple]] = {}

    def write(
        self, row: Format, precision: str, staged: Path, manifest: Manifest, artifact: Artifact
    ) -> tuple[Artifact, Parity]:
        """Write ``staged`` in that precision; its row of the manifest and its proof."""
        source = self.source(row)
        known = self.known(row, source)
        groups = set(known.values())
        if unknown := set(self.pinned) - groups:
            raise Refusal(
                f"--keep-float names {', '.join(sorted(unknown))}; the layers are {', '.join(sorted(groups))}"
            )
        trial = self.folder / f"trial{row.suffix}"
        rounded = self.rounded_for(row, source, precision)
        on_grid = ("fp16",) if precision == "fp16" else ("w8", "int8")

        def write_levels(path: Path, levels: Mapping[str, Level], embedded: str, compute: str) -> dict[str, str]:
            remove(path)
            weights = {name: levels[group] for name, group in known.items()}
            return row.lower(
                source,
                path,
                weights,
                embedded,
                self.ranges(row) if "int8" in weights.values() else None,
                compute,
                # A layer raised from int8 to float16 must not stay on the grid of int8.
                {name: numbers for name, numbers in rounded.items() if weights.get(name) in on_grid},
            )

        def measure(levels: Mapping[str, Level], compute: str) -> Fidelity:
            key = (tuple(sorted(levels.items())), compute)
            if key not in measured:
                write_levels(trial, levels, manifest.embedded(artifact), compute)
                scorer = scorer_for(trial, manifest, artifact)
                rows = [PhotoParity(name, self.choosing_scores[name], scorer.score(x)) for name, x in self.choosing()]
                measured[key] = Fidelity(tuple(rows), None)
            return measured[key]

        measured: dict[tuple, Fidelity] = {}
        attempts = [(compute, MARGIN / 2**tightened) for compute in computes(row, precision) for tightened in range(3)]
        for compute, margin in attempts:
            self.progress(f"{row.name} in {precision}, computed in {compute}: choosing levels")
            chosen_on, start, sensitivity = self._held.get((precision, compute), (row.name, {}, ()))
            start = {group: level for group, level in start.items() if group in groups}
            measuring = partial(measure, compute=compute)
            choice = choose_levels(precision, groups, self.pinned, measuring, self.progress, margin, start)
            if not choice.holds and (compute, margin) != attempts[-1]:
                continue  # a hundred pictures would say the same
            if not start or any(choice.levels[group] != level for group, level in start.items()):
                chosen_on, sensitivity = row.name, choice.sensitivity
            plan = Plan(
                precision=precision,
                levels=choice.levels,
                compute=compute,
                pinned=self.pinned,
                calibration=", ".join(self.calibration) or BUNDLED,
                sensitivity=sensitivity,
                chosen_on=chosen_on,
                notes=self.notes(precision, choice.levels),
            )
            written = replace(artifact, plan=plan.to_json())
            tools = write_levels(staged, plan.levels, manifest.embedded(written), compute)
            parity = self.judged(row, staged, manifest, written, precision)
            if parity.passed:
                self._held[precision, compute] = (chosen_on, choice.levels, sensitivity)
                break
        remove(trial)
        converter = {**self.converters[row.name], **tools}
        return replace(written, converter=converter, sha256=sha256_of(staged), bytes=size_bytes(staged)), parity

    def notes(self, precision: str, levels: Mapping[str, Level]) -> tuple[str, ...]:
        """What must be said of a file beside its figures."""
        said = []
        if self.judges < GATE_PHOTOS:
            said.append(f"judged on {self.judges} pictures: proves less")
        if precision == "int8" and "int8" not in levels.values():
            said.append("no layer may compute in int8 without moving the score: this file only stores int8")
        return tuple(said)

    def judged(self, row: Format, staged: Path, manifest: Manifest, artifact: Artifact, precision: str) -> Parity:
        """The file against the reference, on the judging pictures and the proof's photos."""
        photos = Pictures(self.judging_files, self.proof)
        scorer = scorer_for(staged, manifest, artifact)
        expected, runtime = self.judging_scores, self.reference.runner.runtime
        return compare(scorer, expected, photos, precision, runtime, self.progress, self.limit)

    def source(self, row: Format) -> Path:
        """The float32 file that lower ones are made from."""
        path = self.folder / f"float32{row.suffix}"
        if not path.exists():
            self.progress(f"converting to {row.name}")
            self.converters[row.name] = row.write(self.ready, path, "{}")
        return path

    @cached_property
    def folded(self) -> ExportReady:
        """The model whose weights are those that are stored."""
        return fold_batch_norm(self.ready)

    @cached_property
    def layers(self) -> dict[str, np.ndarray]:
        """Module -> its stored weight, as in PyTorch."""
        found = {}
        for name, module in self.folded.named_modules():
            weight = None if isinstance(module, CopyRows) else getattr(module, "weight", None)  # a copy stays exact
            if isinstance(weight, torch.Tensor) and weight.dim() in (2, 4) and weight.numel() >= LEAST_WEIGHTS:
                found[name] = weight.detach().numpy()
        return found

    def known(self, row: Format, source: Path) -> dict[str, str]:
        """Stored weight of a layer -> its group.

        Raises:
            Refusal: a layer of a low-memory graph is not found, and would stay float32.
        """
        used = {layer.weight for layer in row.layers(source).layers if layer.weight}
        found = known_weights(row.weights(source), self.layers)
        known = {name: layer for name, (layer, _) in found.items() if name in used}
        if self.ready.memory != "naive":  # in which every layer runs, cut as the plan says
            wanted = {layer for layer in self.layers if not is_exact(self.group_of(layer))}
            left = {layer for layer in wanted - set(known.values()) if self.group_of(layer) not in self.pinned}
            refuse_left_float(left, f"the {row.name} file has no weight with its numbers")
        return {name: self.group_of(layer) for name, layer in known.items()}

    def group_of(self, layer: str) -> str:
        """The group of a module; a branch's first layer is known by its three inputs, whatever it is called."""
        words = layer.removeprefix("model.").removeprefix("lean.").split(".")
        weight = self.layers[layer]
        if weight.ndim == 4 and weight.shape[1] == 3:
            return f"{words[0]} / conv_stem"
        if layer.startswith("lean."):  # the low-memory graph: prefix, blocks, finish
            return f"{words[0]} / {'.'.join(words[1:3])}"
        return part_of(layer)

    def rounded_for(self, row: Format, source: Path, precision: str) -> dict[str, np.ndarray]:
        """Stored weight -> its numbers on the precision's grid."""
        grid = "float16" if precision == "fp16" else "int8"
        if grid not in self._rounded:
            grids = {name: grid for name in self.layers if not is_exact(self.group_of(name))}
            ready = round_weights(self.folded, grids, self.calibrating(), self.progress)
            self._rounded[grid] = {name: ready.get_submodule(name).weight.detach().numpy() for name in grids}
        found = known_weights(row.weights(source), self.layers)
        return {
            name: in_order(self._rounded[grid][layer], order)
            for name, (layer, order) in found.items()
            if layer in self._rounded[grid]
        }

    def ranges(self, row: Format) -> object:
        """Of the activations, as the format's own tool keeps them."""
        if row.name not in self._ranges:
            self.progress(f"ranges of activations in {row.name}")
            inputs = [{name: x.numpy() for name, x in given.items()} for given in self.calibrating()]
            self._ranges[row.name] = row.ranges(self.source(row), inputs)
        return self._ranges[row.name]

    def calibrating(self) -> Iterator[dict[str, torch.Tensor]]:
        """Inputs of ``ready`` for the calibration pictures."""
        photos = photos_from(self.calibration, self.size).values() if self.calibration else self.generated_calibration()
        for photo in photos:
            if self.ready.inputs[0].dtype == "uint8":
                yield {"image": torch.from_numpy(np.array(photo)[None])}
            else:
                yield prepare(photo, self.ready.preprocess, self.ready.config.branches)

    def generated_calibration(self) -> Iterator[np.ndarray]:
        """Pictures in the place of the user's."""
        for _, photo in seeded_photos(CALIBRATING, *self.size, seed=CALIBRATE_SEED):
            yield photo

    def choosing(self) -> Iterator[tuple[str, np.ndarray]]:
        """(name, pixels) of the pictures on which levels are chosen."""
        yield from Pictures(self.choosing_files, {}).items()

    @cached_property
    def choosing_files(self) -> dict[Path, str]:
        """Kept as files: 24 pictures of 3840x2160 would take 600 MB."""
        return self._files("choosing", CHOOSING, CHOOSE_SEED)

    @cached_property
    def judging_files(self) -> dict[Path, str]:
        """Those that judge."""
        return self._files("judging", self.judges, JUDGE_SEED)

    @cached_property
    def choosing_scores(self) -> dict[str, float]:
        """Name -> reference score."""
        return reference_scores(self.reference, Pictures(self.choosing_files, {}), LIMITS["fp32"], self.progress)

    @cached_property
    def judging_scores(self) -> dict[str, float]:
        """Name -> reference score."""
        photos = Pictures(self.judging_files, self.proof)
        return reference_scores(self.reference, photos, LIMITS["fp32"], self.progress)

    def _files(self, name: str, count: int, seed: int) -> dict[Path, str]:
        self.progress(f"making {count} pictures for {name}")
        folder = self.folder / name
        folder.mkdir()
        return photo_files(folder, seeded_photos(count, *self.size, seed=seed))


class Pictures(Mapping):
    """Name -> pixels: the proof's photos, then pictures opened one at a time."""

    def __init__(self, files: Mapping[Path, str], held: Mapping[str, np.ndarray]) -> None:
        self.files, self.held = {name: path for path, name in files.items()}, held

    def __getitem__(self, name: str) -> np.ndarray:
        return self.held[name] if name in self.held else open_photo(self.files[name])

    def __iter__(self) -> Iterator[str]:
        return iter([*self.held, *self.files])

    def __len__(self) -> int:
        return len(self.held) + len(self.files)


def computes(row: Format, precision: str) -> tuple[str, ...]:
    """What to try to compute in, the most wanted first: Core ML's accelerators take float16 alone."""
    return ("float16", "float32") if (row.name, precision) == ("coreml", "fp16") else ("float32",)
