"""The layers of a model whose weights a file stores: their numbers, their groups, and where each file has them.

Lower precisions are chosen for groups, rounded for layers and written for stored weights; this says which is which.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from export.formats.format import Format
from export.quantize.weight_matching import match_weights
from export.rewrite.fold_batch_norm import fold_batch_norm
from export.rewrite.ready_model import ExportReady
from export.rewrite.tiled_net import CopyRows
from export.rewrite.torch_layers import part_of
from lariqa.errors import Refusal
from lariqa_train.quantization.precision import LEAST_WEIGHTS, is_exact, is_named, refuse_left_float


class StoredLayers:
    """Of one export, in every format.

    Args:
        ready: the export-ready model.
        keep_float: groups of layers that the user keeps float32.
    """

    def __init__(self, ready: ExportReady, keep_float: Sequence[str] = ()) -> None:
        self.ready, self.keep_float = ready, tuple(keep_float)
        self._found: dict[str, dict[str, tuple[str, str]]] = {}

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
            Refusal: a layer of the model is not found, and would stay float32.
        """
        used = {layer.weight for layer in row.layers(source).layers if layer.weight}
        found = self.found(row, source)
        known = {name: layer for name, (layer, _) in found.items() if name in used}
        missing = [layer for layer in self.layers if layer not in known.values() and not is_exact(self.group_of(layer))]
        stored = [self.layers[layer] for layer in set(known.values())]
        left = {
            layer
            for layer in missing
            if not self.is_kept_float(self.group_of(layer)) and not _needs_no_weight(self.layers[layer], stored)
        }
        refuse_left_float(left, f"the {row.name} file has no weight with its numbers")
        return {name: self.group_of(layer) for name, layer in known.items()}

    def found(self, row: Format, source: Path) -> dict[str, tuple[str, str]]:
        """Stored weight of the float32 file -> (module, order in which the file has it)."""
        if row.name not in self._found:
            self._found[row.name] = match_weights(row.weights(source), self.layers)
        return self._found[row.name]

    def group_of(self, layer: str) -> str:
        """The group of a module; a branch's first layer is known by its three inputs, whatever it is called."""
        words = layer.removeprefix("model.").removeprefix("lean.").split(".")
        weight = self.layers[layer]
        if weight.ndim == 4 and weight.shape[1] == 3:
            return f"{words[0]} / conv_stem"
        if "blocks" in words:  # one by one: the blocks of a late stage are a tenth of the file together
            return f"{words[0]} / {'.'.join(words[words.index('blocks') :][:3])}"
        return part_of(layer)

    @property
    def lowered(self) -> list[str]:
        """Modules that lower precisions are about: all but those that stay exact."""
        return [name for name in self.layers if not is_exact(self.group_of(name))]

    def kept_float_groups(self, groups: Collection[str]) -> tuple[str, ...]:
        """The groups that stay float32; a name may mean a stage: "synthetic / blocks.5" all of its blocks.

        Raises:
            Refusal: a name means none.
        """
        for name in self.keep_float:
            if not any(is_named(name, group) for group in groups):
                raise Refusal(f"--keep-float names {name}; the layers are {', '.join(sorted(groups))}")
        return tuple(sorted(filter(self.is_kept_float, groups)))

    def is_kept_float(self, group: str) -> bool:
        """Whether the user keeps a group float."""
        return any(is_named(name, group) for name in self.keep_float)


def _needs_no_weight(weight: np.ndarray, stored: Sequence[np.ndarray]) -> bool:
    """Whether a file can do without a weight: it is all zeros, or another layer has the same numbers."""
    return not weight.any() or any(other.shape == weight.shape and np.array_equal(other, weight) for other in stored)
