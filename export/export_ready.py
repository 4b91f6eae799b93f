"""The export-ready model: a copy of the checkpoint's model with the KAN fused, the preprocessing baked in, all frozen.

    pixels contract    image (1, H, W, 3) uint8 RGB                                     -> score (1, 1)
    tensors contract   authentic (1, 3, side, side), synthetic (1, 3, h, w), normalised -> score (1, 1)

In the pixels contract everything after the decoded photo is in the graph:

    image -> float -> authentic: Pillow's resize in whole numbers (pillow_resize)   -.
                   -> synthetic: as it is, or centre crop and black border          -'-> - 255 mean -> branch

The division by 255 std goes into the first convolution's weights. The mean must not: the convolution pads with zeros,
and zero means "mean colour" only as long as the mean is subtracted before. Both views stay exact up to float rounding.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from math import prod
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from timm.utils import reparameterize_model
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from export.fused_kan import FusionReport, fuse_kans
from export.pillow_resize import PillowResize, cut
from export.two_stage_mean import average_in_two_stages
from lariqa_train.model import LarIqa, LarIqaConfig
from lariqa_train.preprocess import MIN_SIDE_PX, PreprocessSpec, plan_center_crop
from lariqa_train.refusal import Refusal

Contract = Literal["pixels", "tensors"]


@dataclass(frozen=True)
class InputSpec:
    """One input tensor of an artifact."""

    name: str
    dtype: Literal["uint8", "float32"]
    layout: Literal["NHWC", "NCHW"]
    shape: tuple[int, int, int, int]

    @property
    def bytes(self) -> int:
        """Of the tensor."""
        return prod(self.shape) * {"uint8": 1, "float32": 4}[self.dtype]


@dataclass(frozen=True)
class ExportRequest:
    """What the artifact must take: contract, photo size, synthetic view (None: as the weights were trained)."""

    contract: Contract = "pixels"
    height: int = 2160
    width: int = 3840
    synthetic_view: Literal["crop", "full"] | None = None

    def __post_init__(self) -> None:
        if self.contract not in get_args(Contract):
            raise Refusal(f"the input contract is {self.contract!r}; it must be one of {get_args(Contract)}")
        if min(self.height, self.width) < MIN_SIDE_PX:
            raise Refusal(f"a photo of {self.width}x{self.height} px is too small; each side needs {MIN_SIDE_PX} px")


class ExportReady(nn.Module):
    """A frozen model whose ``forward`` takes exactly ``inputs``, in their order, and returns the score (1, 1)."""

    inputs: tuple[InputSpec, ...]
    preprocess: PreprocessSpec
    config: LarIqaConfig
    fusion: FusionReport

    def example(self) -> tuple[torch.Tensor, ...]:
        """Inputs of the right shape and dtype, for the converters' tracing; noise, so that nothing folds away."""
        generator = torch.Generator().manual_seed(0)
        noise = (torch.rand(spec.shape, generator=generator) for spec in self.inputs)
        return tuple(
            (x * 255).to(torch.uint8) if spec.dtype == "uint8" else x
            for x, spec in zip(noise, self.inputs, strict=True)
        )


class FromPixels(ExportReady):
    """uint8 photo in, score out."""

    def __init__(self, model: LarIqa, height: int, width: int) -> None:
        super().__init__()
        self.model, spec = model, model.config.preprocess
        self.inputs = (InputSpec("image", "uint8", "NHWC", (1, height, width, 3)),)
        self.views = model.config.branches
        self.resize = PillowResize(height, width, spec.authentic_side_px) if "authentic" in self.views else None
        crops = "synthetic" in self.views and spec.synthetic_view == "crop"
        self.crop = plan_center_crop(height, width, spec.synthetic_crop_px) if crops else None
        self.register_buffer("mean", 255 * torch.tensor(spec.mean, dtype=torch.float64).view(1, 3, 1, 1).float())
        self.scales = nn.ModuleDict()
        for view in self.views:
            folded = fold_std(getattr(model, view).backbone, spec)
            self.scales[view] = nn.Identity() if folded else DivideByStd(spec)

    def forward(self, image: torch.Tensor) -> torch.Tensor:  # (1, H, W, 3) uint8
        return self.score(image.permute(0, 3, 1, 2))

    def score(self, planes: torch.Tensor) -> torch.Tensor:
        """(1, 3, H, W) uint8, or float32 whole numbers 0..255 -> (1, 1)."""
        # Bytes are turned and cut while they are bytes: as floats that would move four times as much.
        whole = planes.to(torch.float32)
        pixels = {
            "authentic": lambda: self.resize(whole),
            "synthetic": lambda: whole if self.crop is None else self.cropped(planes),
        }
        return self.model(**{view: self.scales[view](pixels[view]() - self.mean) for view in self.views})

    def cropped(self, planes: torch.Tensor) -> torch.Tensor:
        """(1, 3, H, W) -> the centre crop (1, 3, crop, crop) in float32, with black where the photo is smaller."""
        plan = self.crop
        inner = cut(planes, 2, plan.top, plan.top + plan.height)
        inner = cut(inner, 3, plan.left, plan.left + plan.width).to(torch.float32)
        return F.pad(inner, (plan.pad_left, plan.pad_right, plan.pad_top, plan.pad_bottom)) if plan.pads else inner


class FromTensors(ExportReady):
    """Normalised views in, score out."""

    def __init__(self, model: LarIqa, height: int, width: int) -> None:
        super().__init__()
        self.model, spec = model, model.config.preprocess
        self.inputs = tuple(
            InputSpec(view, "float32", "NCHW", (1, 3, *spec.view_size_px(view, height, width)))
            for view in model.config.branches
        )

    def forward(self, *views: torch.Tensor) -> torch.Tensor:
        return self.model(**{spec.name: view for spec, view in zip(self.inputs, views, strict=True)})


class DivideByStd(nn.Module):
    """What is left of the normalisation where it cannot be folded into a first convolution."""

    def __init__(self, spec: PreprocessSpec) -> None:
        super().__init__()
        self.register_buffer("scale", 1 / (255 * torch.tensor(spec.std, dtype=torch.float64).view(1, 3, 1, 1)).float())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale


def make_export_ready(model: LarIqa, request: ExportRequest) -> ExportReady:
    """Copy, fuse, bake in, freeze.

    Requires: a model with a head (a bare encoder has no score).
    Ensures: ``model`` is untouched; every KAN layer is fused; no parameter asks for a gradient; the result's score on
    ``prepare``d inputs equals ``model``'s up to float32 rounding (``benchmarks.parity`` proves it for each file).

    Raises:
        Refusal: no head, or a size that the model cannot take.
    """
    if model.config.head is None:
        raise Refusal("this checkpoint is a bare encoder: it has features but no score to export; train a head first")
    spec = model.config.preprocess.with_view(request.synthetic_view)
    fused, report = fuse_kans(copy.deepcopy(model))
    fused = reparameterize_model(fused.eval())  # multi-branch backbones (MobileCLIP's) become plain ones
    average_in_two_stages(fused)
    fused.config = replace(model.config, preprocess=spec)
    ready = {"pixels": FromPixels, "tensors": FromTensors}[request.contract](fused, request.height, request.width)
    ready.preprocess, ready.config, ready.fusion = spec, fused.config, report
    return ready.eval().requires_grad_(False)


def fold_std(backbone: nn.Module, spec: PreprocessSpec) -> bool:
    """Divide the first convolution's weights by 255 std, in place; False where timm names no plain one."""
    names = backbone.pretrained_cfg.get("first_conv") or ()
    names = (names,) if isinstance(names, str) else names
    modules = dict(backbone.named_modules())
    convolutions = [modules.get(name) for name in names]
    if not convolutions or not all(isinstance(conv, nn.Conv2d) and conv.in_channels == 3 for conv in convolutions):
        return False
    scale = 1 / (255 * torch.tensor(spec.std, dtype=torch.float64).view(1, 3, 1, 1))
    for conv in convolutions:
        conv.weight.data = (conv.weight.double() * scale).float()
    return True


def count_macs(ready: ExportReady) -> int:
    """Multiply-accumulates of one run: torch's FlopCounterMode over convolutions and matrix products, halved.

    Counted on the meta device, so nothing is computed. Elementwise work is not counted, as everywhere in the field.
    """
    on_meta = copy.deepcopy(ready).to("meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        on_meta(*(example.to("meta") for example in ready.example()))
    return counter.get_total_flops() // 2
