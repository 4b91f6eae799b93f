"""``python -m benchmarks.arm.arm_arithmetic EXPORT``: do ARM's kernels give the score that PyTorch gives?

Phones compute with other kernels than a desktop: other sums, in another order. The ONNX and TFLite files of an export
are run by the runtimes' own aarch64 builds on an emulated ARM processor (``make arm`` prepares it), on photos whose
reference scores differ:

    reference   PyTorch on this machine          x86   the same file and runtime on this machine
    ARM         the file on the emulated processor

Emulation is exact arithmetic and a few hundred times slower than a processor: it gives scores, and never a time.
Not seen here: kernels that a phone's own processor would choose beyond the emulated one's instructions, GPUs and NPUs.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.arm import arm_runner
from benchmarks.arm.arm_root import ArmRoot, find_arm_root
from benchmarks.measure.measurement import Machine, Measurement, Score, Setting, append_rows
from benchmarks.measure.participants import exported_in, subject_of
from export.formats import FORMATS, format_of
from export.pipeline import REFERENCE
from export.proof.limits import LIMITS, limit_of
from export.proof.parity import reference_scores
from export.proof.proof_photos import proof_photos
from lariqa.errors import Refusal
from lariqa.runtimes.artifacts import scorer_for
from lariqa.runtimes.scorer import Scorer
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.reference import reference_scorer

RUNNABLE = tuple(
    row.name for row in FORMATS.values() if "linux-aarch64" in row.platforms
)  # what there is an aarch64 build of for Linux
ARM = "aarch64"  # the name that such a machine reports
PHOTO_SIZE_PX = (2160, 3840)  # where an artifact takes any
EMULATED = "emulated: the scores are what ARM kernels give, and there is no time"


@dataclass(frozen=True)
class Arithmetic:
    """One file's scores, photo by photo, in three arithmetics."""

    arm: Measurement  # with the references; of kind "emulated", and without a time
    x86: Mapping[str, float]  # photo -> score

    @property
    def limit(self) -> float:
        """What parity allows for the file's precision, over photos with these scores; NaN for fewer than two."""
        limit = limit_of(self.arm.subject.precision, [row.reference for row in self.arm.scores])
        return math.nan if limit is None else limit

    @property
    def differences(self) -> dict[str, tuple[float, float]]:
        """Photo -> (ARM - reference, ARM - x86); without those that ARM gave no finite score for."""
        return {row.photo: (row.score - row.reference, row.score - self.x86[row.photo]) for row in self.arm.scores}

    @property
    def worst(self) -> tuple[float, float]:
        """Largest |ARM - reference| and largest |ARM - x86|; NaN where there is no score."""
        columns = np.array(list(self.differences.values()) or [(np.nan, np.nan)])
        return tuple(float(value) for value in np.max(np.abs(columns), axis=0))

    @property
    def passed(self) -> bool:
        """Whether every photo has a score, and the worst difference to the reference is within the limit."""
        return self.arm.error is None and self.worst[0] <= self.limit


def arm_arithmetic(
    folder: Path, root: ArmRoot, photos: int, threads: int, progress: Callable[[str], None]
) -> Iterator[Arithmetic]:
    """Score an export's ONNX and TFLite files on ARM kernels.

    Args:
        folder: of an export.
        root: from ``find_arm_root``.
        photos: how many of the bundled ones, 2 to 6.
        threads: of the emulated runtime.
        progress: called with each step in words.

    Yields:
        Each file's row, of kind "emulated" and without a time, with the scores of this machine beside it.

    Raises:
        Refusal: nothing to score, scores too alike, or the emulated runtime failed.
    """
    exported = [one for one in exported_in([folder]) if one.artifact.format in RUNNABLE]
    if not exported:
        raise Refusal(f"{folder} holds no ONNX or TFLite file; `lariqa export` makes one")
    report = uuid.uuid4().hex
    known: dict[tuple, tuple] = {}  # files of one size and view share photos and reference scores
    for one in exported:
        artifact = one.artifact
        if one.reference is None:
            raise Refusal(f"the folder of {one.path} has no {REFERENCE} that it was exported from; export again")
        size = (
            PHOTO_SIZE_PX if artifact.photo_height_px is None else (artifact.photo_height_px, artifact.photo_width_px)
        )
        key = (one.reference, size, artifact.synthetic_view)
        if key not in known:
            images = dict(islice(proof_photos(*size).items(), photos))
            reference = reference_scorer(load_checkpoint(one.reference), artifact.synthetic_view)
            known[key] = images, reference_scores(reference, images, LIMITS["fp32"], progress)
        images, expected = known[key]
        scorer = scorer_for(one.path, one.manifest, artifact)
        progress(f"{one.path.name}: {scorer.runner.runtime} on this machine")
        here = {name: scorer.score(image) for name, image in images.items()}
        there, runtime = _scores_on_arm(root, one.path, scorer, images, threads, progress)
        failed = [name for name in images if not math.isfinite(there[name])]
        row = Measurement(
            report=report,
            measured_by=f"lariqa {importlib.metadata.version('lariqa')}",
            subject=subject_of(one),
            machine=Machine(kind="emulated", model=root.processor, system="Linux aarch64, Debian's libraries"),
            setting=Setting(runtime=f"{runtime}, aarch64", threads=threads),
            scores=[
                Score(photo=name, score=there[name], reference=expected[name]) for name in images if name not in failed
            ],
            flags=[EMULATED],
            error=f"no finite score for {', '.join(failed)}" if failed else None,
        )
        yield Arithmetic(row, here)


def _scores_on_arm(
    root: ArmRoot,
    path: Path,
    scorer: Scorer,
    images: Mapping[str, np.ndarray],
    threads: int,
    progress: Callable[[str], None],
) -> tuple[dict[str, float], str]:
    """(photo -> score, name and version of the runtime)."""
    with tempfile.TemporaryDirectory(prefix="arm-arithmetic-") as scratch:
        for name, image in images.items():
            photo = Path(scratch, "inputs", name)
            photo.mkdir(parents=True)
            for view, tensor in scorer.inputs(image).items():
                np.save(photo / f"{view}.npy", tensor)
        module = format_of(path).runtime.modules[0]
        inputs = Path(scratch, "inputs")
        command = root.command(Path(arm_runner.__file__), path.resolve(), inputs, str(threads), module)
        progress(f"{path.name}: {len(images)} photos on {root.processor}")
        with Path(scratch, "answer").open("w+") as answer:
            process = subprocess.Popen(command, stdout=answer, stderr=subprocess.PIPE, text=True, errors="replace")
            try:
                said = []
                for line in process.stderr:
                    said.append(line.strip())
                    if said[-1] in images:
                        progress(f"{path.name}: {said[-1]} scored on ARM")
                status = process.wait()
            finally:
                process.kill()
                process.wait()
                process.stderr.close()
            answer.seek(0)
            text = answer.read()
    if status:
        last = next((line for line in reversed(said) if line), "nothing")
        raise Refusal(f"{path.name} could not be run on the emulated processor (status {status}): {last}")
    result = json.loads(text)
    if result["machine"] != ARM:
        raise Refusal(f"the emulated processor says that it is {result['machine']}, expected {ARM}; remove .arm")
    return result["scores"], result["runtime"]


def main(words: list[str] | None = None) -> int:
    """Print one table; status 1 if a limit was missed, 2 if the request was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.arm.arm_arithmetic", description=__doc__.split("\n")[0])
    parser.add_argument("export", type=Path, help="folder that `lariqa export` wrote")
    parser.add_argument("-o", "--output", type=Path, help="append the rows to this .jsonl file")
    parser.add_argument("--photos", type=int, default=3, choices=range(2, 7), help="how many of the six (default: 3)")
    parser.add_argument("--threads", type=int, default=2, help="of the emulated runtime (default: 2)")
    asked = parser.parse_args(words)
    missed = 0
    try:
        for result in arm_arithmetic(asked.export, find_arm_root(), asked.photos, asked.threads, _tell):
            if asked.output:
                append_rows(asked.output, [result.arm])
            print("\n".join(lines_of(result)), flush=True)
            missed += not result.passed
    except Refusal as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    return 1 if missed else 0


def lines_of(result: Arithmetic) -> Iterator[str]:
    """A table for people."""
    arm = result.arm
    yield f"{arm.subject.name}: {arm.setting.runtime}, on {arm.machine.model}"
    yield f"  {'photo':12}  {'reference':>10}  {'x86':>10}  {'ARM':>10}  {'ARM-reference':>13}  {'ARM-x86':>8}"
    for row in arm.scores:
        to_reference, to_x86 = result.differences[row.photo]
        scores = f"{row.reference:10.8f}  {result.x86[row.photo]:10.8f}  {row.score:10.8f}"
        yield f"  {row.photo:12}  {scores}  {to_reference:+13.1e}  {to_x86:+8.1e}"
    verdict = arm.error or f"{'within' if result.passed else 'PAST'} the limit of {result.limit:g}"
    yield f"  {'worst':48}  {result.worst[0]:13.1e}  {result.worst[1]:8.1e}  {verdict}"


def _tell(step: str) -> None:
    print(f"{step} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
