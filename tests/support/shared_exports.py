"""Exports of the tiny model that several test files read: made once for all processes of a test run."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Sequence
from pathlib import Path

import filelock

from export.pipeline import Proved, export_proved
from export.rewrite.export_ready import ExportRequest
from lariqa_train.model.model import LarIqa


class SharedExports:
    """Exports by what was asked for.

    Args:
        model: the tiny one, the same in every process.
        folder: that all processes of this run, and no other run, have in common.
    """

    def __init__(self, model: LarIqa, folder: Path) -> None:
        self.model, self.folder = model, folder

    def __call__(self, request: ExportRequest, formats: Sequence[str] = ("onnx",)) -> tuple[Path, list[Proved]]:
        """(export folder, its files with their proofs). Do not change them: copy the folder."""
        asked = f"{request} {formats}"
        name = f"{request.input or 'views'}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"
        folder, proofs = self.folder / name / "export", self.folder / name / "proofs.pickle"
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder.parent / "lock"):
            if not proofs.exists():
                made = list(export_proved(self.model, request, list(formats), folder))
                assert all(proved.parity.passed and proved.parity.spread > 0.01 for proved in made)
                proofs.write_bytes(pickle.dumps(made))
        return folder, pickle.loads(proofs.read_bytes())


def common_folder(base: Path) -> Path:
    """Of pytest's temporary folder: the one that its parallel processes share."""
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared_exports"
