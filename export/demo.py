"""The demo: a model trained on generated data -> checkpoint -> every format, proved -> scores of damaged photos.

What is demanded of it, so that a broken training does not pass for a demo: SRCC on scenes that training never saw, and
that every exported file scores the sharp photo above its damaged versions. Stand-in weights owe neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from export.formats import USUAL
from export.pipeline import Proved, export_proved
from export.rewrite.export_ready import ExportRequest
from lariqa.errors import Refusal
from lariqa.loading import load
from lariqa.manifest.manifest import read_manifest
from lariqa.manifest.model_config import Provenance
from lariqa_train.demo.demo_checkpoint import make_demo_checkpoint
from lariqa_train.demo.demo_recipe import DemoRecipe
from lariqa_train.demo.demo_training import Learnt, train_demo
from lariqa_train.model.checkpoint import save_checkpoint
from lariqa_train.pictures.damage import bundled_photo, jpeg_of_quality

CHECKPOINT = "demo.safetensors"
HEAVY_QUALITY = 10  # JPEG: the blocks are plain to see
HEAVY = "heavily compressed"
LEAST_UNSEEN_SRCC = 0.6  # below this the training is broken, whatever the machine
SHARP, WORSE = "original", ("blurred", "noisy", "recompressed")  # photos of the proof


@dataclass(frozen=True)
class Judged:
    """An exported file's scores of the bundled photo, as it is and damaged."""

    format: str
    scores: dict[str, float]  # name of a version -> score; SHARP, WORSE and HEAVY are in it

    @property
    def misjudged(self) -> list[str]:
        """Damaged versions that do not score below the sharp photo."""
        return [name for name in (*WORSE, HEAVY) if not self.scores[SHARP] > self.scores[name]]


@dataclass(frozen=True)
class Demo:
    """What the trip gave."""

    provenance: Provenance
    proofs: list[Proved]
    learnt: Learnt | None = None  # None: stand-in weights
    judged: list[Judged] = field(default_factory=list)  # empty for stand-in weights

    @property
    def not_learnt(self) -> list[str]:
        """What a trained model should do and does not, a clause each."""
        missed = []
        if self.learnt and not self.learnt.unseen_srcc >= LEAST_UNSEEN_SRCC:
            missed.append(f"SRCC {self.learnt.unseen_srcc:.3f} is below {LEAST_UNSEEN_SRCC}")
        for one in self.judged:
            missed += [f"{one.format} scores the {name} photo above the sharp one" for name in one.misjudged]
        return missed

    @property
    def passed(self) -> bool:
        """Whether every file is within its parity limit, and the model has learnt what it should."""
        return not self.not_learnt and all(proved.parity.passed for proved in self.proofs)


def make_demo(
    folder: Path,
    recipe: DemoRecipe | None,
    *,
    seed: int = 1,
    synthetic_view: str | None = None,
    made_by: str = "lariqa demo",
    progress: Callable[[str], None] = lambda step: None,
) -> Demo:
    """Make a model, export it to every usual format at 3840x2160, and score damaged photos with each file.

    Args:
        folder: for the checkpoint and the artifacts; made if need be. An older demo in it is replaced.
        recipe: what to train; None: seeded, calibrated stand-in weights, in seconds.
        seed: of the stand-in weights; a recipe has its own.
        synthetic_view: "crop" or "full"; None: as the weights were trained.
        made_by: the command, for the provenance.
        progress: called with each step in words.

    Raises:
        Refusal: the folder holds an export of trained weights, or the recipe cannot be served.
    """
    if (old := read_manifest(folder)) and old.provenance.trained:
        raise Refusal(f"{folder} holds an export of trained weights, which a demo must not replace; choose another -o")
    learnt = None
    if recipe is None:
        progress("making a seeded, calibrated checkpoint (not trained)")
        model = make_demo_checkpoint(seed=seed)
    else:
        learnt = train_demo(recipe, made_by, progress)
        model = learnt.model
    save_checkpoint(model, folder / CHECKPOINT)
    request = ExportRequest(synthetic_view=synthetic_view)
    proofs = list(export_proved(model, request, list(USUAL), folder, overwrite=True, progress=progress))
    judged = judge(proofs, progress) if learnt else []
    return Demo(model.provenance, proofs, learnt, judged)


def judge(proofs: Iterable[Proved], progress: Callable[[str], None] = lambda step: None) -> list[Judged]:
    """Each file's scores of the bundled photo and its damaged versions; the proof has all but one."""
    heavy, judged = jpeg_of_quality(bundled_photo(), HEAVY_QUALITY), []
    for proved in proofs:
        progress(f"scoring a heavily compressed photo with {proved.path.name}")
        scores = {photo.photo: photo.score for photo in proved.parity.photos}
        judged.append(Judged(proved.artifact.format, scores | {HEAVY: load(proved.path).score(heavy)}))
    return judged
