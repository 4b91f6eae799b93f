"""TrainConfig: everything that decides a training run, read from TOML; the one place for each default.

    lariqa train recipes/uhd_finetune.toml --root DATA -o RUN epochs=20 lr=1e-4

The defaults are the paper's (Section 4.1: AdamW, 5e-5, weight decay 1e-4, 100 epochs, linear warm-up then cosine).
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lariqa.errors import Refusal, nearest
from lariqa.manifest.model_config import HeadConfig
from lariqa.manifest.preprocess_spec import VIEWS
from lariqa_train.datasets.catalogue import data_set_named
from lariqa_train.model.heads import PAPER_HEADS
from lariqa_train.model.model import BACKBONES
from lariqa_train.training.color import COLOR_SPACES

STAGES = ("branch", "merge", "finetune")
RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class TrainConfig:
    """One run. Each field with its reason; see ``lariqa_train/recipes`` for the paper's."""

    stage: str  # branch: one branch, one head per data set (4.5); merge: new heads on frozen branches; finetune: all
    datasets: tuple[str, ...]  # names in the catalogue; several only in stage branch
    branch: str = ""  # authentic or synthetic, for a single-branch model (stage branch, rows of Table 6)
    backbone: str = "MobileNetV3-Large"  # a name of Section 3.4, or any timm name
    head: str = "kan"  # a row of heads.PAPER_HEADS; stage branch of the paper: kan-small (1000 -> 128 -> 1)
    grid_size: int = 0  # KAN heads: spline intervals; 0: as model_from's head has, else as the head's row says (5)
    spline_order: int = 0  # KAN heads: degree of the splines, 1 to 5; 0 likewise (3, cubic)
    authentic_side_px: int = 0  # 0: as the model's own preprocessing says (Section 4.1: 224, and larger for UHD-IQA)
    synthetic_crop_px: int = 0  # likewise
    authentic_from: str = ""  # stages merge and finetune: a checkpoint that holds this branch's backbone
    synthetic_from: str = ""  # likewise
    model_from: str = ""  # stages merge and finetune: a two-branch checkpoint to continue from, instead of those two
    pretrained: bool = True  # stage branch: start from timm's ImageNet weights

    epochs: int = 100
    lr: float = 5e-5
    weight_decay: float = 1e-4
    warmup: float = 0.05  # share of the steps; the paper gives no length for its linear warm-up
    batch_size: int = 32  # of all processes together; the paper does not give it
    accumulate: int = 1  # batches per optimiser step

    alpha: float = 1.0  # L_acc = alpha MSE + beta (1 - PLCC), equation 1; the paper gives no values
    beta: float = 1.0
    rob_weight: float = 0.0  # of L_rob, equation 3; 0 leaves it out
    color_spaces: tuple[str, ...] = ("rgb", "yuv", "lab")  # of L_rob
    rank_weight: float = 0.0  # of the pairwise fidelity loss; 0 leaves it out

    weight_bits: int = 0  # 8: weights rounded while training, to keep model_from's scores (quantization.qat)
    ema: float = 0.0  # decay of averaged weights, e.g. 0.999; 0: none
    patience: int = 0  # epochs without a better validation SRCC before stopping; 0: never
    folds: int = 10  # of sets without an official split: 10 hold out 10 % (4.5)
    fold: int = 0
    seed: int = 1

    accelerator: str = "auto"  # these five as Lightning's Trainer takes them
    devices: str = "1"  # a number, or "auto"
    nodes: int = 1
    strategy: str = "auto"
    precision: str = "32-true"  # bf16-mixed on a GPU that has it
    workers: int = -1  # decoding processes for each device; -1: one per core

    def __post_init__(self) -> None:
        for name in ("datasets", "color_spaces"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.stage not in STAGES:
            raise Refusal(f"stage is {self.stage!r}; expected one of {', '.join(STAGES)}")
        if not self.datasets:
            raise Refusal("datasets is empty; name at least one, see `lariqa datasets`")
        for name in self.datasets:
            data_set_named(name)
        if self.branch not in (*VIEWS, "") or (self.stage == "branch" and not self.branch):
            raise Refusal(
                f"branch is {self.branch!r}: stage branch needs 'authentic' or 'synthetic'; the others may leave it out"
            )
        if self.stage != "branch" and len(self.datasets) > 1:
            raise Refusal(f"stage {self.stage} trains one head on one data set; datasets names {len(self.datasets)}")
        if self.stage != "branch" and not (self.model_from or all(getattr(self, f"{v}_from") for v in self.views)):
            raise Refusal(
                f"stage {self.stage} starts from trained weights: set authentic_from and synthetic_from to branch "
                "checkpoints, or model_from to a checkpoint with both"
            )
        if self.weight_bits not in (0, 8):
            raise Refusal(f"weight_bits is {self.weight_bits}; expected 8, or 0 for float weights")
        if self.weight_bits and (self.stage != "finetune" or not self.model_from):
            raise Refusal('weight_bits needs stage = "finetune" and model_from: the trained model to learn from')
        if self.head not in PAPER_HEADS:
            raise Refusal(f"head is {self.head!r}{nearest(self.head, PAPER_HEADS)}; there are {', '.join(PAPER_HEADS)}")
        if (self.grid_size or self.spline_order) and PAPER_HEADS[self.head].kind != "kan":
            kans = ", ".join(name for name, row in PAPER_HEADS.items() if row.kind == "kan")
            raise Refusal(
                f"head {self.head} has no splines: grid_size and spline_order belong to {kans}; leave them out"
            )
        for name, most in _MOST.items():
            if not 0 <= getattr(self, name) <= most:
                raise Refusal(f"{name} is {getattr(self, name)}; expected 1 to {most}, or 0 for the head's own")
        if unknown := set(self.color_spaces) - set(COLOR_SPACES):
            raise Refusal(f"color_spaces has {sorted(unknown)}; there are {', '.join(COLOR_SPACES)}")
        for name, least in _LEAST.items():
            if not getattr(self, name) >= least:
                raise Refusal(f"{name} is {getattr(self, name)}; it must be at least {least}")
        if not 0 <= self.warmup < 1 or not 0 <= self.ema < 1:
            raise Refusal(f"warmup ({self.warmup}) and ema ({self.ema}) are shares: from 0 to below 1")

    @property
    def views(self) -> tuple[str, ...]:
        """The views that the model of this run sees."""
        return (self.branch,) if self.branch else VIEWS

    def head_config(self, trained: HeadConfig | None = None) -> HeadConfig:
        """The head of this run: its row, with the splines that this run asks for.

        Args:
            trained: the head of ``model_from``, whose splines are kept where this run does not name others.
        """
        row = PAPER_HEADS[self.head]
        if row.kind != "kan":
            return row
        like = trained if trained is not None and trained.kind == "kan" else row
        return dataclasses.replace(
            row,
            grid_size=self.grid_size or like.grid_size,
            spline_order=self.spline_order or like.spline_order,
            grid_range=like.grid_range,
        )

    @property
    def timm_backbone(self) -> str:
        """The backbone's name in timm."""
        return BACKBONES.get(self.backbone, self.backbone)

    def to_json(self) -> dict:
        """Plain JSON values."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


_LEAST = {"epochs": 1, "lr": 0, "weight_decay": 0, "batch_size": 1, "accumulate": 1, "alpha": 0, "beta": 0,
          "rob_weight": 0, "rank_weight": 0, "patience": 0, "folds": 2, "fold": 0, "nodes": 1,
          "workers": -1}  # fmt: skip
_MOST = {"grid_size": 64, "spline_order": 5}  # fused layers are compared with exact splines up to order 5


def read_config(recipe: str | Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """A recipe file, with ``key=value`` overrides from the command line.

    Args:
        recipe: a path, or the name of a file in ``lariqa_train/recipes``.
        overrides: e.g. ``["epochs=3", "datasets=kadid10k,tid2013"]``.

    Raises:
        Refusal: no such file, no TOML, an unknown key (the nearest is named), or a value that is not possible.
    """
    path = recipe_path(recipe)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refusal(f"{path} is not readable TOML: {error}") from error
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise Refusal(f"{override!r} is not key=value; write for example epochs=20")
        values[key.strip()] = value.strip()
    types_ = typing.get_type_hints(TrainConfig)
    for key in values:
        if key not in types_:
            raise Refusal(f"{path.name} has no setting {key!r}{nearest(key, types_)}; there are {', '.join(types_)}")
        values[key] = _typed(key, values[key], types_[key])
    try:
        return TrainConfig(**values)
    except TypeError as error:  # a required key is missing
        raise Refusal(f"{path}: {str(error).removeprefix('TrainConfig.__init__() ')}") from error


def recipe_path(recipe: str | Path) -> Path:
    """Where a recipe is: the path itself, or a bundled one of that name."""
    path = Path(recipe)
    if path.exists():
        return path
    bundled = RECIPES / (path.name if path.suffix == ".toml" else f"{path.name}.toml")
    if not bundled.exists():
        names = sorted(file.stem for file in RECIPES.glob("*.toml"))
        raise Refusal(f"no recipe {recipe}{nearest(path.stem, names)}; there are {', '.join(names)}, or give a file")
    return bundled


def _typed(key: str, value: object, wanted: object) -> object:
    """A value from TOML or from the command line, as the field's type."""
    try:
        if isinstance(wanted, types.GenericAlias):  # tuple[str, ...]
            return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(value)
        if wanted is bool:
            if isinstance(value, bool) or str(value).lower() in ("true", "false"):
                return value if isinstance(value, bool) else value.lower() == "true"
            raise ValueError
        if wanted is str:
            return str(value)
        if wanted is int and (isinstance(value, bool) or float(value) != int(float(value))):
            raise ValueError
        return wanted(float(value)) if wanted is int else wanted(value)
    except (TypeError, ValueError) as error:
        kind = getattr(wanted, "__name__", str(wanted))
        raise Refusal(f"{key} is {value!r}; it must be {'true or false' if wanted is bool else kind}") from error
