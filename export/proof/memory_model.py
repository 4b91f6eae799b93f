"""What a run will need in memory, on paper:

    peak above the bare process = weights x copies + input x copies + alive x copies + slack

``weights``: of the file; the runtime holds them as stored and as packed. ``input``: the photo, and the runtime's own
copy of it. ``alive``: of the execution plan (``liveness``), the larger branch; ONNX Runtime's arena holds somewhat
more, because its pieces do not fit each other and a buffer waits for the next picture of its own size, and half as much
again where it cannot know the sizes before. ``slack``: what does not depend on the photo.

Copies and slack were fitted to runs alone (without decoding) at 3840x2160 in the full view, two threads; how near they
are elsewhere stands in docs/experiments/memory.md. The plain graph has no plan and no prediction;
neither has Core ML, which was never run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from export.formats import FORMATS
from export.rewrite.export_ready import ExportRequest
from export.rewrite.liveness import Step, peak_alive_bytes, steps_of
from export.rewrite.mbconv import MBConvNet, read_mbconv_net
from export.rewrite.tiling_plan import MIB, TilingPlan, make_plan
from lariqa.manifest.manifest import Artifact, Manifest
from lariqa.manifest.model_config import LarIqaConfig
from lariqa_train.model.model import LarIqa

FOUR_K = ExportRequest.height, ExportRequest.width
PHOTOS = {  # what people ask about: width and height in pixels
    "8K": (7680, 4320),
    "12 MP": (4032, 3024),
    "48 MP": (8064, 6048),
    "108 MP": (12000, 9000),
}


@dataclass(frozen=True)
class Prediction:
    """Parts of the peak above the bare process, MiB."""

    weights_mib: float
    input_mib: float
    held_mib: float  # activations, with what the runtime keeps between them
    slack_mib: float

    @property
    def peak_mib(self) -> float:
        """Their sum."""
        return self.weights_mib + self.input_mib + self.held_mib + self.slack_mib


@dataclass(frozen=True)
class PlannedBranch:
    """One branch of an artifact: its plan, and what is alive at each step."""

    view: str
    plan: TilingPlan
    steps: tuple[Step, ...]
    halo_macs: int  # on rows that two strips both compute

    @property
    def alive_mib(self) -> float:
        """Peak."""
        return peak_alive_bytes(self.steps) / MIB

    @property
    def macs(self) -> int:
        """Of the planned layers; halos included."""
        return sum(step.macs for step in self.steps)


def planned_branches(config: LarIqaConfig, view: str, memory: str, height: int, width: int) -> list[PlannedBranch]:
    """The plans of a model's branches; empty for the plain graph. Nothing is computed, no weights are needed."""
    if memory == "naive":
        return []
    spec, branches = config.preprocess.with_view(view), []
    with torch.device("meta"):
        encoder = LarIqa(replace(config, head=None))
        nets = {name: read_mbconv_net(getattr(encoder, name).backbone) for name in config.branches}
    for name, net in nets.items():
        branches.append(_planned(name, net, memory, *spec.view_size_px(name, height, width)))
    return branches


def halo_macs(manifest: Manifest, artifact: Artifact) -> int:
    """Of an artifact's MACs, those on rows that two strips both compute."""
    branches = planned_branches(manifest.config, artifact.synthetic_view, artifact.memory, *photo_size_px(artifact))
    return sum(branch.halo_macs for branch in branches)


def photo_size_px(artifact: Artifact) -> tuple[int, int]:
    """(height, width) of the photo that a file takes; where it takes any, of the largest that proved it, or 4K."""
    if artifact.open_sides:
        return next((spec.shape[1:3] for spec in artifact.inputs if spec.name == "synthetic"), FOUR_K)
    return artifact.photo_height_px or FOUR_K[0], artifact.photo_width_px or FOUR_K[1]


def _planned(view: str, net: MBConvNet, memory: str, height: int, width: int) -> PlannedBranch:
    plan, whole = make_plan(net, height, width, memory), make_plan(net, height, width, "fast")  # in one strip
    steps = steps_of(net, plan)
    halo_macs = sum(step.macs for step in steps) - sum(step.macs for step in steps_of(net, whole))
    return PlannedBranch(view, plan, steps, halo_macs)


def predict(
    manifest: Manifest, artifact: Artifact, size_px: tuple[int, int] | None = None, *, weights_kept: bool = False
) -> Prediction | None:
    """The peak of one run; None where there is nothing to go by.

    Args:
        manifest: of the export.
        artifact: its row.
        size_px: (height, width) of the photo, in the place of the one that the file takes.
        weights_kept: whether packed weights are mapped from a file (``weight_cache``).
    """
    runtime = FORMATS[artifact.format].memory_of(artifact)
    height, width = size_px or photo_size_px(artifact)
    branches = planned_branches(manifest.config, artifact.synthetic_view, artifact.memory, height, width)
    if runtime is None or not branches:
        return None
    alive_copies = runtime.open_alive_copies if artifact.open_sides else runtime.alive_copies
    if not alive_copies:
        return None
    if artifact.input == "pixels" or artifact.open_sides:
        taken = height * width * 3 + sum(spec.bytes for spec in artifact.inputs if spec.name == "authentic")
    else:
        taken = sum(spec.bytes for spec in artifact.inputs)
    return Prediction(
        artifact.bytes * (runtime.kept_weight_copies if weights_kept else runtime.weight_copies) / MIB,
        taken * runtime.input_copies / MIB,
        max(branch.alive_mib for branch in branches) * alive_copies,
        runtime.slack_mib,
    )
