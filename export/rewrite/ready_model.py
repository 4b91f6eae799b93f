"""The export-ready model's forward, for each kind of input; a branch always reads its view by rows.

    views     authentic (1, side, side, 3), synthetic (1, h, w, 3) uint8 RGB   -> score (1, 1)
    pixels    image (1, H, W, 3) uint8 RGB                                     -> score (1, 1)
    tensors   authentic (1, 3, side, side), synthetic (1, 3, h, w), normalised -> score (1, 1)

A branch that runs in strips (tiled_net) takes a few rows at a time, and no more than these ever exist as floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn

from export.rewrite.fold_std import DivideByStd, first_convolutions, fold_std
from export.rewrite.fused_kan import FusionReport
from export.rewrite.graph_options import GraphOptions
from export.rewrite.mbconv import read_mbconv_net
from export.rewrite.pillow_resize import PillowResize, cut
from export.rewrite.tiled_net import ReadRows, TiledNet
from export.rewrite.tiling_plan import BUDGETS, FLOAT, Memory, make_plan
from lariqa.manifest.manifest import InputKind, InputSpec
from lariqa.manifest.model_config import LarIqaConfig
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.photos.views import plan_center_crop
from lariqa_train.model.model import LarIqa


class ExportReady(nn.Module):
    """A frozen model whose ``forward`` takes exactly ``inputs``, in their order, and returns the score (1, 1)."""

    takes: InputKind
    shares_rows = False  # whether the rows that the synthetic view reads are resized for the authentic one on the way
    inputs: tuple[InputSpec, ...]
    preprocess: PreprocessSpec
    config: LarIqaConfig
    memory: Memory
    fusion: FusionReport
    batches = False  # whether it takes several photos at once, as many as one gives it

    def __init__(self, model: LarIqa, height: int, width: int, memory: Memory = "naive") -> None:
        super().__init__()
        self.model, self.memory, self.views = model, memory, model.config.branches
        whole = "synthetic" in self.views and model.config.preprocess.synthetic_view == "full"
        # A view of any height and width: the size that it is made with is that of the example alone.
        self.flexible = {"synthetic"} if whole and self.takes == "views" else set()
        # (height, width) of the one photo size that it takes; None: any.
        self.photo_size_px = (height, width) if self.takes == "pixels" or (whole and not self.flexible) else None
        self.options = GraphOptions()
        self.view_rows = {view: model.config.preprocess.view_size_px(view, height, width)[0] for view in self.views}
        self.lean = nn.ModuleDict()
        if memory != "naive":
            for view in self.views:
                net = read_mbconv_net(getattr(model, view).backbone)
                size = model.config.preprocess.view_size_px(view, height, width)
                plan = make_plan(net, *size, memory)
                self.lean[view] = TiledNet(net, plan, any_size=view in self.flexible)
                getattr(model, view).backbone = None  # its weights live on in the lean net, folded

    def score(self, read: Mapping[str, ReadRows]) -> torch.Tensor:
        """Readers of the normalised views -> (1, 1)."""
        if not self.lean:
            return self.model(**{view: read[view](0, self.view_rows[view]) for view in self.views})
        order = reversed(self.views) if self.shares_rows else self.views
        reduced = {view: getattr(self.model, view).reducer(self.lean[view](read[view])) for view in order}
        return self.model.regressor(torch.cat([reduced[view] for view in self.views], dim=1))

    def configure(self, options: GraphOptions) -> None:
        """From now on, be the form of the graph that a runtime likes best."""
        if self.batches:  # a gate in the weights would be one photo's
            options = replace(options, gate_in_weights=False)
        self.options = options
        for net in self.lean.values():
            net.options = options

    def example(self, photos: int = 1) -> tuple[torch.Tensor, ...]:
        """Inputs of the right shape and dtype, for the converters' tracing; noise, so that nothing folds away."""
        generator = torch.Generator().manual_seed(0)
        noise = (torch.rand((photos, *spec.shape[1:]), generator=generator) for spec in self.inputs)
        return tuple(
            (x * 255).to(torch.uint8) if spec.dtype == "uint8" else x
            for x, spec in zip(noise, self.inputs, strict=True)
        )


class FromBytes(ExportReady):
    """Pixels of some kind in: the mean is subtracted in the graph, the standard deviation is in the weights."""

    def __init__(self, model: LarIqa, height: int, width: int, memory: Memory = "naive") -> None:
        spec, folded = model.config.preprocess, set()
        for view in model.config.branches:
            branch = getattr(model, view)
            if first_convolutions(branch.backbone):
                branch.backbone = fold_std(branch.backbone, spec)
                folded.add(view)
        super().__init__(model, height, width, memory)
        self.register_buffer("mean", 255 * torch.tensor(spec.mean, dtype=torch.float64).view(1, 3, 1, 1).float())
        scales = {view: nn.Identity() if view in folded else DivideByStd(spec) for view in self.views}
        self.scales = nn.ModuleDict(scales)

    def normalised(self, view: str, read: ReadRows) -> ReadRows:
        """The same rows without the mean; the standard deviation is in the weights, where they could take it."""
        return lambda first, last: self.scales[view](read(first, last) - self.mean)

    def planes(self, part: torch.Tensor) -> torch.Tensor:
        """(1, rows, columns, 3) uint8 -> (1, 3, rows, columns) float32, 0..255."""
        # As bytes it would move a fourth; but not every converter sees a layout through the change of type.
        floats_first = self.options.floats_before_planes
        return (part.to(torch.float32) if floats_first else part).permute(0, 3, 1, 2).to(torch.float32)


class FromViews(FromBytes):
    """The two views as pixels in, score out: nothing in it knows the photo's size."""

    takes = "views"

    def __init__(self, model: LarIqa, height: int, width: int, memory: Memory = "naive") -> None:
        super().__init__(model, height, width, memory)
        spec = model.config.preprocess
        self.inputs = tuple(
            InputSpec(view, "uint8", "NHWC", (1, *spec.view_size_px(view, height, width), 3)) for view in self.views
        )

    def forward(self, *views: torch.Tensor) -> torch.Tensor:  # (1, h, w, 3) uint8 each
        given = dict(zip(self.views, views, strict=True))
        return self.score_planes({name: self.reader(name, x) for name, x in given.items()})

    def reader(self, view: str, pixels: torch.Tensor) -> ReadRows:
        """Of a view's rows, as planes."""
        if view in self.flexible:  # whose rows nobody has counted
            return lambda first, last: self.planes(pixels)
        return lambda first, last: self.planes(cut(pixels, 1, first, last))

    def score_planes(self, read: Mapping[str, ReadRows]) -> torch.Tensor:
        """Readers of the views as pixels, (1, 3, rows, columns) float32, 0..255 -> (1, 1)."""
        return self.score({view: self.normalised(view, read[view]) for view in self.views})


ReadPixels = Callable[[int, int, int, int], torch.Tensor]  # top, bottom, left, right -> (1, 3, rows, columns), 0..255


class FromPixels(FromBytes):
    """uint8 photo in, score out."""

    takes = "pixels"

    def __init__(self, model: LarIqa, height: int, width: int, memory: Memory = "naive") -> None:
        super().__init__(model, height, width, memory)
        spec = model.config.preprocess
        self.inputs = (InputSpec("image", "uint8", "NHWC", (1, height, width, 3)),)
        self.height, self.width = height, width
        self.resize = PillowResize(height, width, spec.authentic_side_px) if "authentic" in self.views else None
        crops = "synthetic" in self.views and spec.synthetic_view == "crop"
        self.crop = plan_center_crop(height, width, spec.synthetic_crop_px) if crops else None
        in_strips = "synthetic" in self.lean and len(self.lean["synthetic"].plan.strips) > 1
        self.shares_rows = in_strips and self.crop is None and self.resize is not None

    def forward(self, image: torch.Tensor) -> torch.Tensor:  # (1, H, W, 3) uint8
        def pixels(top: int, bottom: int, left: int, right: int) -> torch.Tensor:
            return self.planes(cut(cut(image, 1, top, bottom), 2, left, right))

        return self.score_pixels(pixels)

    def score_pixels(self, pixels: ReadPixels) -> torch.Tensor:
        """A reader of the photo -> (1, 1)."""
        bands = Bands(self.resize, lambda first, last: pixels(first, last, 0, self.width), self.height, self.band_rows)
        read = {}
        if "authentic" in self.views:
            read["authentic"] = lambda first, last: cut(bands.resized(), 2, first, last)
        if "synthetic" in self.views:
            read["synthetic"] = bands.read if self.shares_rows else self.read_synthetic(pixels)
        return self.score({view: self.normalised(view, read[view]) for view in self.views})

    @property
    def band_rows(self) -> int:
        """Rows of the photo that are resized at a time where no strip brings them."""
        limit = None if self.memory == "naive" else BUDGETS[self.memory].strip_bytes
        return self.height if limit is None else max(1, limit // (3 * FLOAT * self.width))

    def read_synthetic(self, pixels: ReadPixels) -> ReadRows:
        """The photo as it is, or the centre crop with black where the photo is smaller."""
        if self.crop is None:
            return lambda first, last: pixels(first, last, 0, self.width)
        plan, side = self.crop, self.view_rows["synthetic"]

        def read(first: int, last: int) -> torch.Tensor:
            top, bottom = max(first - plan.pad_top, 0), min(last - plan.pad_top, plan.height)
            if top >= bottom:
                return self.mean.new_zeros(1, 3, last - first, side)
            inner = pixels(plan.top + top, plan.top + bottom, plan.left, plan.left + plan.width)
            above, below = max(plan.pad_top - first, 0), max(last - plan.pad_top - plan.height, 0)
            pads = (plan.pad_left, plan.pad_right, above, below)
            return F.pad(inner, pads) if any(pads) else inner

        return read


class Bands:
    """Resizes a photo band by band along its width, as its rows come by; ``resized`` is the whole result.

    A strip that the synthetic branch reads is turned into floats once and serves both views.
    """

    def __init__(self, resize: PillowResize | None, read: ReadRows, height: int, rows: int) -> None:
        self.resize, self.rows_of, self.height, self.rows = resize, read, height, rows
        self.done, self.bands, self.result = 0, [], None

    def read(self, first: int, last: int) -> torch.Tensor:
        """Rows of the photo; those that come by for the first time are resized."""
        rows = self.rows_of(first, last)
        if first <= self.done < last:
            self.bands.append(self.resize.band(cut(rows, 2, self.done - first, last - first)))
            self.done = last
        return rows

    def resized(self) -> torch.Tensor:
        """(1, 3, side, side); what no strip has brought is read now."""
        if self.result is None:
            while self.done < self.height:
                self.read(self.done, min(self.done + self.rows, self.height))
            self.result = self.resize.join(self.bands)
        return self.result


class FromTensors(ExportReady):
    """Normalised views in, score out."""

    takes = "tensors"

    def __init__(self, model: LarIqa, height: int, width: int, memory: Memory = "naive") -> None:
        super().__init__(model, height, width, memory)
        spec = model.config.preprocess
        self.inputs = tuple(
            InputSpec(view, "float32", "NCHW", (1, 3, *spec.view_size_px(view, height, width))) for view in self.views
        )

    def forward(self, *views: torch.Tensor) -> torch.Tensor:
        given = dict(zip(self.views, views, strict=True))
        return self.score({name: lambda first, last, x=x: cut(x, 2, first, last) for name, x in given.items()})
