"""Multiply-accumulates and weights, counted on what ships, by part: branch, stage, head.

The convention is that of ``export.formats.graph_stats``: one MAC per multiplication and addition in a convolution or a
matrix product, nothing for elementwise work. (torch's FlopCounterMode counts two FLOPs for each: halved here.)

A file's layers lose their names on the way through a converter, but keep their weights and their order. So the parts
come from the export-ready PyTorch model, whose modules have names: its layers in the order of execution and the file's
distinct weights in the order of first use are aligned by the number of weights. What does not align is "unnamed".
"""

from __future__ import annotations

import copy
import difflib
from collections import defaultdict
from collections.abc import Sequence
from math import prod

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measure.measurement import Work
from export.formats import FORMATS
from export.formats.graph_stats import GraphStats, LayerStats
from export.rewrite.export_ready import ExportRequest, make_export_ready
from lariqa.manifest.manifest import Artifact, Manifest
from lariqa_train.model.model import LarIqa

UNNAMED = "unnamed"


def torch_layers(model: nn.Module, example: tuple[torch.Tensor, ...]) -> tuple[LayerStats, ...]:
    """The model's own layers, in the order of execution; counted on the meta device, so nothing is computed.

    Args:
        model: any module; it is copied.
        example: its inputs.
    """
    on_meta = copy.deepcopy(model).to("meta").eval()
    modules, own, calls = dict(on_meta.named_modules()), {}, []
    counter = FlopCounterMode(display=False)

    def enter(module: nn.Module, inputs: object) -> None:
        calls.append([counter.get_total_flops(), 0])

    def leave(name: str) -> None:
        before, inside = calls.pop()
        took = counter.get_total_flops() - before
        own[name] = own.get(name, 0) + (took - inside) // 2
        if calls:  # whoever called it, wherever that stands in the tree of modules
            calls[-1][1] += took

    for name, module in modules.items():
        module.register_forward_pre_hook(enter)
        module.register_forward_hook(lambda *_, name=name: leave(name))
    with counter, torch.no_grad():
        on_meta(*(x.to("meta") for x in example))
    layers = []
    for path, macs in own.items():
        if macs:
            tensors = [*modules[path].parameters(recurse=False), *modules[path].buffers(recurse=False)]
            weights = max((prod(x.shape) for x in tensors if x.dim() > 1), default=0)
            layers.append(LayerStats(path, type(modules[path]).__name__, macs, path, weights, 4 * weights))
    return tuple(layers)


def promised_layers(manifest: Manifest, artifact: Artifact) -> tuple[LayerStats, ...]:
    """The layers of the export-ready model that an artifact was made from; its weights do not matter here."""
    height, width = artifact.photo_height_px, artifact.photo_width_px
    size = {} if width is None else {"height": height, "width": width}
    request = ExportRequest(artifact.input, synthetic_view=artifact.synthetic_view, memory=artifact.memory, **size)
    ready = make_export_ready(LarIqa(manifest.config), request)
    ready.configure(FORMATS[artifact.format].graph)
    return torch_layers(ready, ready.example())


def part_of(module: str) -> str:
    """Module path -> the part of the model that people speak of.

    "model.synthetic.backbone.blocks.1.0.conv_pw" -> "synthetic / blocks.1"; "model.regressor.layers.0" -> "head".
    """
    words = module.removeprefix("model.").removeprefix("lean.").split(".")
    if words[0] == "resize":
        return "resize"
    if words[0] == "regressor":
        return "head"
    if len(words) > 1 and words[1] == "reducer":
        return f"{words[0]} / KAN"
    inside = words[2:] if len(words) > 2 and words[1] in ("backbone", "finish") else words[1:]
    numbered = len(inside) > 1 and inside[1].isdigit()
    return f"{words[0]} / {'.'.join(inside[:2]) if numbered else (inside or ['whole'])[0]}"


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
    """An operator's or a result's name in the file -> its part: that of the layer before it, or its own."""
    names = name_weights(file.layers, reference)
    parts = {layer.name: part_of(names[layer.weight]) for layer in file.layers if layer.weight in names}
    return {name: parts[layer] for name, layer in file.belongs.items() if layer in parts}


def layers_as_file(layers: Sequence[LayerStats], model: nn.Module) -> GraphStats:
    """A PyTorch model's layers with its parameters' size: what a checkpoint has in the place of a file."""
    parameters = list(model.parameters())
    return GraphStats(
        tuple(layers), sum(p.numel() for p in parameters), sum(p.numel() * p.element_size() for p in parameters)
    )
