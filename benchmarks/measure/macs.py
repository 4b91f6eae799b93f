"""Multiply-accumulates and weights, counted on what ships, by part: branch, stage, head.

The convention is that of ``export.rewrite.graph_stats``: one MAC per multiplication and addition in a convolution or a
matrix product, nothing for elementwise work. (torch's FlopCounterMode counts two FLOPs for each: halved here.)

A file's layers lose their names on the way through a converter, but keep their weights and their order. So the parts
come from the export-ready PyTorch model, whose modules have names: its layers in the order of execution and the file's
distinct weights in the order of first use are aligned by the number of weights. What does not align is "unnamed".
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Sequence

from torch import nn

from benchmarks.measure.measurement import Work
from export.formats import FORMATS
from export.proof.memory_model import photo_size_px
from export.rewrite.export_ready import ExportRequest, make_export_ready
from export.rewrite.graph_stats import GraphStats, LayerStats
from export.rewrite.torch_layers import part_of, torch_layers
from lariqa.manifest.manifest import Artifact, Manifest
from lariqa_train.model.model import LarIqa

UNNAMED = "unnamed"


def promised_layers(manifest: Manifest, artifact: Artifact) -> tuple[LayerStats, ...]:
    """The layers of the export-ready model that an artifact was made from; its weights do not matter here."""
    batch = "one" if artifact.batch else "dynamic"
    request = ExportRequest(
        artifact.input, *photo_size_px(artifact), artifact.synthetic_view, memory=artifact.memory, batch=batch
    )
    ready = make_export_ready(LarIqa(manifest.config), request)
    ready.configure(FORMATS[artifact.format].graph)
    return torch_layers(ready, ready.example())


def name_weights(file: Sequence[LayerStats], reference: Sequence[LayerStats]) -> dict[str, str]:
    """A file's weight -> the reference's module path, where the two sequences align."""
    ours = list({layer.weight: layer for layer in file if layer.weight}.values())
    theirs = [layer for layer in reference if layer.weights]
    matcher = difflib.SequenceMatcher(
        None, [layer.weights for layer in ours], [layer.weights for layer in theirs], autojunk=False
    )
    return {
        ours[block.a + step].weight: theirs[block.b + step].name
        for block in matcher.get_matching_blocks()
        for step in range(block.size)
    }


def work_of(file: GraphStats, reference: Sequence[LayerStats], operators: dict[str, int]) -> Work:
    """What a row says about a file: MACs, weights, and both by part."""
    names = name_weights(file.layers, reference)
    parts: dict[str, dict[str, int]] = defaultdict(lambda: {"macs": 0, "weights": 0, "weight_bytes": 0})
    seen = set()
    for layer in file.layers:
        part = parts[part_of(names[layer.weight]) if layer.weight in names else UNNAMED]
        part["macs"] += layer.macs
        if layer.weight and layer.weight not in seen:
            part["weights"] += layer.weights
            part["weight_bytes"] += layer.weight_bytes
            seen.add(layer.weight)
    return Work(
        macs=file.macs,
        parameters=file.weights,
        weight_bytes=file.weight_bytes,
        parts=dict(parts),
        operators=operators,
    )


def part_of_operators(file: GraphStats, reference: Sequence[LayerStats]) -> dict[str, str]:
    """An operator's or a result's name in the file -> its own part, or that of the layer before it."""
    names = name_weights(file.layers, reference)
    parts = {layer.name: part_of(names[layer.weight]) for layer in file.layers if layer.weight in names}
    return {name: parts[layer] for name, layer in file.belongs.items() if layer in parts}


def layers_as_file(layers: Sequence[LayerStats], model: nn.Module) -> GraphStats:
    """A PyTorch model's layers with the size of its parameters, as if they came from a file."""
    parameters = list(model.parameters())
    return GraphStats(
        tuple(layers), sum(p.numel() for p in parameters), sum(p.numel() * p.element_size() for p in parameters)
    )
