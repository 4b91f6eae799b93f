"""What each stage trains (Sections 4.4 and 4.5): the model that a config asks for, and the checkpoint made from it.

branch     one backbone, one head per data set: each set is a task
merge      two trained backbones, frozen; new heads: 128 wide first, then 512
finetune   the same, nothing frozen
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import timm
import torch
from torch import nn

from lariqa.errors import Refusal
from lariqa.manifest.model_config import HeadConfig, LarIqaConfig, Provenance
from lariqa_train.datasets.views import spec_for
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.heads import make_reducer, make_regressor
from lariqa_train.model.model import LarIqa, preprocess_for
from lariqa_train.training.train_config import TrainConfig

BRANCH_SIDE_PX = 224  # Section 4.1, both views of branch pre-training


class MultiTaskBranch(nn.Module):
    """One backbone and one head per data set: (B, 3, h, w) and the task of each image -> (B,) scores."""

    def __init__(self, model: LarIqa, tasks: tuple[str, ...]) -> None:
        super().__init__()
        (self.view,) = model.config.branches
        self.config, self.tasks = model.config, tasks
        self.backbone = getattr(model, self.view).backbone
        head, features = model.config.head, model.config.features
        self.heads = nn.ModuleDict(
            {task: nn.Sequential(make_reducer(head, features), make_regressor(head, 1)) for task in tasks}
        )

    def forward(self, views: dict[str, torch.Tensor], task: torch.Tensor) -> torch.Tensor:
        features = self.backbone(views[self.view])
        scores = torch.stack([self.heads[name](features).flatten() for name in self.tasks])  # (tasks, B)
        return scores.gather(0, task[None])[0]

    def as_model(self, task: str, provenance: Provenance) -> LarIqa:
        """The single-branch model that scores on the scale of one data set."""
        model = LarIqa(self.config, provenance)
        branch = getattr(model, self.view)
        branch.backbone.load_state_dict(self.backbone.state_dict())
        branch.reducer.load_state_dict(self.heads[task][0].state_dict())
        model.regressor.load_state_dict(self.heads[task][1].state_dict())
        return model.eval()


class BothBranches(nn.Module):
    """The whole model in the same call: (views, task) -> (B,) scores; frozen backbones stay in evaluation mode."""

    def __init__(self, model: LarIqa, frozen: bool) -> None:
        super().__init__()
        self.model, self.frozen = model, frozen
        if frozen:
            for view in model.config.branches:
                getattr(model, view).backbone.requires_grad_(False)
        self.train()  # Lightning keeps the modes that it finds

    @property
    def keeps_statistics(self) -> bool:
        """Whether the backbones' batch norms use the statistics that they came with."""
        return self.frozen

    def train(self, mode: bool = True) -> BothBranches:
        super().train(mode)
        if self.keeps_statistics:
            for view in self.model.config.branches:
                getattr(self.model, view).backbone.eval()
        return self

    def forward(self, views: dict[str, torch.Tensor], task: torch.Tensor) -> torch.Tensor:
        return self.model(**views).flatten()

    def as_model(self, task: str, provenance: Provenance) -> LarIqa:
        """The model itself, as it was trained."""
        self.model.provenance = provenance
        return self.model.eval()


def build_stage(config: TrainConfig, progress: Callable[[str], None] = lambda step: None) -> nn.Module:
    """The network of a run, with the weights that it starts from.

    Raises:
        Refusal: ImageNet weights cannot be reached, a checkpoint is missing or holds another backbone.
    """
    torch.manual_seed(config.seed)
    if config.stage == "branch":
        return _branch(config, progress)
    if config.model_from:
        model = load_checkpoint(config.model_from)
        if model.config.branches != config.views or model.config.head is None:
            needed = " + ".join(config.views)
            raise Refusal(f"{config.model_from} does not have a head and the branches {needed}; model_from needs both")
        head = config.head_config(model.config.head)
        if head != model.config.head:  # a larger head, or other splines: new heads on its backbones
            model = _with_new_heads(dict.fromkeys(config.views, model), config, head)
    else:
        loaded = {view: load_checkpoint(getattr(config, f"{view}_from")) for view in config.views}
        model = _with_new_heads(loaded, config, config.head_config())
    model.config = replace(model.config, preprocess=_sizes(config, model.config.preprocess))
    return BothBranches(model, frozen=config.stage == "merge")


def _branch(config: TrainConfig, progress: Callable[[str], None]) -> MultiTaskBranch:
    spec = spec_for(
        preprocess_for(config.timm_backbone),
        config.authentic_side_px or BRANCH_SIDE_PX,
        config.synthetic_crop_px or BRANCH_SIDE_PX,
    )
    described = LarIqaConfig(
        backbone=config.timm_backbone, branches=(config.branch,), head=config.head_config(), preprocess=spec
    )
    model = LarIqa(described)
    if config.pretrained:
        progress(f"fetching timm's ImageNet weights for {config.timm_backbone}")
        load_imagenet(getattr(model, config.branch).backbone, config.timm_backbone)
    return MultiTaskBranch(model, config.datasets)


def load_imagenet(backbone: nn.Module, name: str) -> None:
    """Put timm's ImageNet weights into a backbone.

    Raises:
        Refusal: they are not in the local cache and cannot be fetched.
    """
    try:
        weights = timm.create_model(name, pretrained=True).state_dict()
    except Exception as error:  # the hub's client raises what its transport raises
        reason = " ".join(str(error).split())[:160]
        raise Refusal(
            f"timm's ImageNet weights for {name} are not available ({type(error).__name__}: {reason}); connect once, "
            "or pass --no-pretrained (pretrained=false) to start from random weights, or start from a checkpoint that "
            "`lariqa import` made"
        ) from error
    backbone.load_state_dict(weights)


def _with_new_heads(trained: dict[str, LarIqa], config: TrainConfig, head: HeadConfig) -> LarIqa:
    """A model with these branches' backbones (view -> a model that has it) and fresh heads."""
    for view, model in trained.items():
        if view not in model.config.branches:
            raise Refusal(f"{getattr(config, f'{view}_from')} has no {view} branch; {view}_from needs one that has")
    backbones = {model.config.backbone for model in trained.values()}
    if len(backbones) > 1:
        raise Refusal(f"the branches have different backbones, {' and '.join(sorted(backbones))}; train both with one")
    like = next(iter(trained.values())).config
    sizes = LarIqaConfig().preprocess  # of Section 4.1, for UHD-IQA
    described = LarIqaConfig(
        backbone=like.backbone,
        branches=tuple(trained),
        features=like.features,
        head=head,
        preprocess=spec_for(like.preprocess, sizes.authentic_side_px, sizes.synthetic_crop_px),
    )
    model = LarIqa(described)
    for view, source in trained.items():
        getattr(model, view).backbone.load_state_dict(getattr(source, view).backbone.state_dict())
    return model


def _sizes(config: TrainConfig, spec):
    return spec_for(
        spec,
        config.authentic_side_px or spec.authentic_side_px,
        config.synthetic_crop_px or spec.synthetic_crop_px,
    )
