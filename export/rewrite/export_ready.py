"""The export-ready model: a copy of the checkpoint's model with the KAN fused, the preprocessing baked in, all frozen.

    ready_model.FromViews     the two views as pixels: any photo; what is resized and cut stays outside the graph
    ready_model.FromPixels    the decoded photo, of one size: everything after it is in the graph
    ready_model.FromTensors   the two views, normalised: the network alone

    image -> float -> authentic: Pillow's resize in whole numbers (pillow_resize)   -.
                   -> synthetic: as it is, or centre crop and black border          -'-> - 255 mean -> branch

The division by 255 std goes into the first convolution's weights. The mean must not: the convolution pads with zeros,
and zero means "mean colour" only as long as the mean is subtracted before. Both views stay exact up to float rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from timm.utils import reparameterize_model

from export.rewrite.fused_kan import fuse_kans
from export.rewrite.mbconv import read_mbconv_net
from export.rewrite.ready_model import ExportReady, FromPixels, FromTensors, FromViews
from export.rewrite.separable_mean import use_separable_means
from export.rewrite.tiling_plan import DEFAULT_MEMORY, MEMORIES, Memory
from lariqa.errors import Refusal
from lariqa.manifest.manifest import InputKind
from lariqa.manifest.preprocess_spec import MIN_SIDE_PX
from lariqa_train.model.model import LarIqa

IN_ONE_STRIP: tuple[Memory, ...] = ("fast", "naive")


@dataclass(frozen=True)
class ExportRequest:
    """What the artifact must take: input, photo size, synthetic view (None: as the weights were trained), memory.

    input None: views with the crop view, which take any photo; pixels with the full view. The size counts where the
    input does; with views and the full view it is the largest that is proved.
    """

    input: InputKind | None = None
    height: int = 2160
    width: int = 3840
    synthetic_view: Literal["crop", "full"] | None = None
    memory: Memory | None = None  # None: the default where the backbone can be executed so, else naive
    batch: Literal["one", "dynamic"] = "one"  # photos in one run: one; or as many as one gives it

    def __post_init__(self) -> None:
        if self.input not in (None, *get_args(InputKind)):
            raise Refusal(f"the input is {self.input!r}; it must be one of {get_args(InputKind)}")
        if self.batch not in ("one", "dynamic"):
            raise Refusal(f"the batch is {self.batch!r}; it must be one or dynamic")
        if self.memory not in (None, *MEMORIES):
            raise Refusal(f"memory is {self.memory!r}; it must be one of {', '.join(MEMORIES)}")
        if min(self.height, self.width) < MIN_SIDE_PX:
            raise Refusal(f"a photo of {self.width}x{self.height} px is too small; each side needs {MIN_SIDE_PX} px")


def make_export_ready(model: LarIqa, request: ExportRequest) -> ExportReady:
    """Copy, fuse, bake in, freeze.

    Requires: a model with a head (a bare encoder has no score).
    Ensures: ``model`` is untouched; every KAN layer is fused; no parameter asks for a gradient; the result's score on
    ``prepare``d inputs equals ``model``'s up to float32 rounding (``export.proof.parity`` proves it for each file).

    Raises:
        Refusal: no head, or a size that the model cannot take.
    """
    if model.config.head is None:
        raise Refusal("this checkpoint is a bare encoder: it has features but no score to export; train a head first")
    spec = model.config.preprocess.with_view(request.synthetic_view)
    whole = spec.synthetic_view == "full" and "synthetic" in model.config.branches
    takes = request.input or ("pixels" if whole else "views")
    if request.batch == "dynamic" and takes == "pixels":
        raise Refusal("batches are of views, all of one size; leave out --input pixels, or --batch dynamic")
    flexible = takes == "views" and whole
    if flexible and request.batch == "dynamic":
        raise Refusal("whole photos of several sizes make no batch; use --synthetic-view crop, or --batch one")
    if flexible and request.memory not in (None, *IN_ONE_STRIP):
        raise Refusal(
            f"--memory {request.memory} reads a view in strips whose rows belong to one size; a full view of any size "
            f"runs with --memory {' or '.join(IN_ONE_STRIP)}, or export --input pixels for one size"
        )
    fused, report = fuse_kans(model)
    fused = reparameterize_model(fused.eval())  # multi-branch backbones (MobileCLIP's) become plain ones
    fused = use_separable_means(fused)
    fused.config = replace(model.config, preprocess=spec)
    kind = {"views": FromViews, "pixels": FromPixels, "tensors": FromTensors}[takes]
    best = usual_memory(request.batch == "dynamic", flexible)
    memory = request.memory or (best if why_only_naive(fused) is None else "naive")
    if memory != "naive" and (why := why_only_naive(fused)):
        raise Refusal(f"{model.config.backbone} cannot be executed with --memory {memory}: {why}; use --memory naive")
    ready = kind(fused, request.height, request.width, memory)
    ready.preprocess, ready.config, ready.fusion = spec, fused.config, report
    ready.batches = request.batch == "dynamic"
    return ready.eval().requires_grad_(False)


def usual_memory(batches: bool, flexible: bool) -> Memory:
    """How a file executes where nobody asked for another way and the backbone can."""
    if batches:  # of 16 on two cores: 0.98 of one by one per photo, in strips 1.20 (docs/experiments)
        return "naive"
    return IN_ONE_STRIP[0] if flexible else DEFAULT_MEMORY


def why_only_naive(model: LarIqa) -> str | None:
    """Why a model's backbones can only run as they are written; None: they can run in strips and groups of channels."""
    try:
        for view in model.config.branches:
            read_mbconv_net(getattr(model, view).backbone)
    except Refusal as reason:
        return str(reason)
    return None
