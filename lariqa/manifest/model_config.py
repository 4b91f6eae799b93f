"""What a model is, as data: its configuration and where its weights come from. Training builds the model from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import VIEWS, PreprocessSpec


@dataclass(frozen=True)
class HeadConfig:
    """Which head, and how wide."""

    kind: Literal["kan", "mlp"] = "kan"
    width: int = 512  # features per branch after the reducer; Section 4.5: 128, then 512
    hidden: int = 0  # MLP only: neurons of one more layer before `width`; 0 = none
    relu_features: bool = False  # MLP only: the authors' two-branch MLP applies ReLU to the 1000 features first
    grid_size: int = 5  # KAN only: spline intervals inside grid_range
    spline_order: int = 3  # KAN only: cubic
    grid_range: tuple[float, float] = (-1.0, 1.0)  # KAN only

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid_range", tuple(float(value) for value in self.grid_range))
        if self.kind not in ("kan", "mlp"):
            raise Refusal(f"head kind is {self.kind!r}; it must be 'kan' or 'mlp'")
        if self.kind == "kan" and (self.hidden or self.relu_features):
            raise Refusal("a KAN head has no hidden layer and no ReLU; hidden and relu_features belong to kind='mlp'")


@dataclass(frozen=True)
class LarIqaConfig:
    """Everything needed to build the model; saved with the weights."""

    backbone: str = "mobilenetv3_large_100"  # a timm name; the paper's choice
    branches: tuple[str, ...] = VIEWS  # both, or one of them for a single-branch model
    features: int = 1000  # the backbone's ImageNet logits are the branch features (Section 3.3)
    head: HeadConfig | None = field(default_factory=lambda: HeadConfig())  # None: a bare encoder, no score
    preprocess: PreprocessSpec = field(default_factory=PreprocessSpec)

    def __post_init__(self) -> None:
        object.__setattr__(self, "branches", tuple(self.branches))
        if self.branches not in (VIEWS, VIEWS[:1], VIEWS[1:]):
            raise Refusal(f"branches are {self.branches}; expected {VIEWS}, {VIEWS[:1]} or {VIEWS[1:]}")

    def to_json(self) -> dict[str, Any]:
        """The configuration as plain JSON values."""
        return {
            **asdict(self),
            "branches": list(self.branches),
            "preprocess": self.preprocess.to_json(),
            "head": asdict(self.head) | {"grid_range": list(self.head.grid_range)} if self.head else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LarIqaConfig:
        """The inverse of :meth:`to_json`.

        Raises:
            Refusal: a key is unknown or missing, or a value is not possible.
        """
        try:
            head = HeadConfig(**data["head"]) if data["head"] else None
            return cls(**{**data, "head": head, "preprocess": PreprocessSpec.from_json(data["preprocess"])})
        except (TypeError, KeyError) as error:
            raise Refusal(f"the model configuration is not one of this toolkit's: {error}") from error


@dataclass(frozen=True)
class Provenance:
    """Where the weights come from. A score is meaningless without it, so it travels with them."""

    trained: bool  # whether human ratings of real photos ever shaped these weights
    made_by: str  # the command or the recipe
    source_sha256: str = ""  # of the file they were imported from, where there is one
    note: str = ""  # what must be said beside a score, where "not trained" would not say it all


def read_description(data: dict[str, Any]) -> tuple[LarIqaConfig, Provenance]:
    """The inverse of :meth:`LarIqa.describe`.

    Raises:
        Refusal: a key is unknown or missing, or a value is not possible.
    """
    try:
        provenance = Provenance(**data["provenance"])
    except (TypeError, KeyError) as error:
        raise Refusal(f"the model description has no usable provenance: {error}") from error
    return LarIqaConfig.from_json({key: data[key] for key in data if key != "provenance"}), provenance
