"""Where parity breaks: the first stage of the trip whose result an exported file does not have.

    decode -> views (resize, crop) -> stem, blocks, features of each branch -> KAN of each branch -> score

The reference says what each stage must give. In the file, a stage has no name any more; but the numbers must be there.
So of all tensors inside the file that have a stage's shape (in either layout) the closest one stands for it, and its
distance is the stage's error:

    error   largest |difference| over the largest |value| of the reference

A stage whose error is beyond ``DEPARTS`` has departed; the first such stage is where the file diverges, for everything
after it is computed from it. Float rounding gives 1e-6 to 1e-4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from lariqa.errors import Refusal
from lariqa.runtimes.runtime import ShowsTensors
from lariqa.runtimes.scorer import Scorer
from lariqa_train.model.hooks import watching
from lariqa_train.model.model import LarIqa
from lariqa_train.model.normalise import prepare

DEPARTS = 1e-3


@dataclass
class Stage:
    """One stage: what the reference gives, and how close the file came."""

    name: str
    forms: list[np.ndarray] = field(repr=False)  # the same result, in the scales in which a file may hold it
    error: float = float("inf")
    tensor: str = ""  # the file's closest one

    @property
    def departs(self) -> bool:
        """Whether the file does not have it."""
        return not self.error <= DEPARTS

    def hold_against(self, name: str, values: np.ndarray) -> None:
        """Keep this tensor of the file if it is the closest so far."""
        for expected in self.forms:
            for laid_out in layouts(values, expected.shape):
                error = float(np.abs(laid_out - expected).max() / max(np.abs(expected).max(), 1e-12))
                if error < self.error:
                    self.error, self.tensor = error, name


def find_first_divergence(
    scorer: Scorer, model: LarIqa, image: np.ndarray, progress: Callable[[str], None]
) -> tuple[list[Stage], Stage | None]:
    """(every stage with its error, the first that departs).

    Args:
        scorer: the artifact's.
        model: the reference.
        image: (H, W, 3) uint8, of the artifact's size; decoded once for both, so that "decode" cannot differ here.
        progress: called with each step in words.

    Raises:
        Refusal: the runtime does not show what is inside.
    """
    if not isinstance(scorer.runner, ShowsTensors):
        raise Refusal(f"{scorer.runner.runtime} does not show the tensors inside a file; no stage can be named")
    progress("what each stage must give")
    inputs = scorer.inputs(image)
    stages = reference_stages(model, scorer.preprocess.synthetic_view, image)
    progress(f"what is inside the file, in {scorer.runner.runtime}")
    score = np.array([[scorer.runner.run(inputs)]], np.float32)
    for name, values in (*inputs.items(), *scorer.runner.tensors(inputs), ("score", score)):
        for stage in stages:
            if values.size == stage.forms[0].size:
                stage.hold_against(name, values)
    return stages, next((stage for stage in stages if stage.departs), None)


def reference_stages(model: LarIqa, view: str, image: np.ndarray) -> list[Stage]:
    """What the reference gives at each stage, in the order of the trip."""
    spec = model.config.preprocess.with_view(view)
    views = prepare(image, spec, model.config.branches)
    std = torch.tensor(spec.std).view(1, 3, 1, 1)
    inside: dict[str, np.ndarray] = {}

    def keep(name: str, module: torch.nn.Module, made: torch.Tensor) -> None:
        inside[name] = made.numpy()

    watched = {name: module for name, module in model.named_modules() if _is_stage(name)}
    with watching(watched, after=keep), torch.inference_mode():
        score = model(**views).numpy()
    stages = []
    for branch, tensor in views.items():
        # Normalised for the tensors input; for pixels in levels, for the division by 255 std is in the weights.
        stages.append(Stage(f"{branch} / view", [tensor.numpy(), (255 * std * tensor).numpy()]))
        stages += [Stage(_said(name), [values]) for name, values in inside.items() if name.startswith(f"{branch}.")]
    return [*stages, Stage("score", [score])]


def layouts(values: np.ndarray, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The same numbers in the reference's layout, in every way in which they can be meant."""
    if values.shape == shape:
        yield values
    if len(shape) == 4 and values.shape == (shape[0], *shape[2:], shape[1]):  # both, where all sides are alike
        yield values.transpose(0, 3, 1, 2)
    elif values.shape != shape and [n for n in values.shape if n != 1] == [n for n in shape if n != 1]:
        yield values.reshape(shape)


def _is_stage(module: str) -> bool:
    """Blocks, features and KANs: what is still a tensor in the file, whatever a converter fuses inside them."""
    words = module.split(".")
    return words[-1] in ("backbone", "reducer") or (len(words) == 5 and words[2] in ("blocks", "stages"))


def _said(module: str) -> str:
    branch, part, *inside = module.split(".")
    if inside:
        return f"{branch} / {'.'.join(inside)}"
    return f"{branch} / {'KAN' if part == 'reducer' else 'features'}"
