"""One unit of work: a photo in, a row out. It knows no engine: a loop, our own processes and Ray call the same."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lariqa.backends import toolkit
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.library.row import OWN_FAULT, Row
from lariqa.loading import load
from lariqa.manifest.model_config import Provenance
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.names import as_text
from lariqa.photos.photo import EMPTY, decode, opened, unreadable
from lariqa.runtimes.scorer import Scorer, finite

Photo = str | os.PathLike | bytes


@dataclass(frozen=True)
class Work:
    """Which model, and how: all that a worker has to be told, and picklable.

    Args:
        model: an exported file, or a checkpoint.
        synthetic_view: as for ``lariqa.load``.
        fit: resample a photo that does not have the file's size.
        weight_cache: as for ``lariqa.load``.
        threads: inside one run; None: the runtime's own choice.
        device: as for ``lariqa.load``.
        sha256: of the model, where it is known.
        color_space: show the photos in this one; another than rgb needs the whole toolkit.

    Example:
        >>> score_photo = Work(model).open()
        >>> row = score_photo(photo)
        >>> row.score == lariqa.load(model).score(photo), row.error
        (True, None)
        >>> score_photo(b"no photo", name="a.jpg").error[:34]
        'a.jpg: expected a photo (JPEG, PNG'
    """

    model: str | os.PathLike
    synthetic_view: str | None = None
    fit: bool = False
    weight_cache: str | os.PathLike | None = None
    threads: int | None = None
    device: str = "cpu"
    sha256: str | None = None
    color_space: str = "rgb"

    def open(self, raises: bool = False) -> PhotoScorer:
        """Open the model: once for each worker, it takes half a second.

        Args:
            raises: let an error that nobody foresaw out, instead of into the row.

        Raises:
            Refusal: as ``lariqa.load``.
        """
        scorer = load(
            self.model,
            threads=self.threads,
            synthetic_view=self.synthetic_view,
            weight_cache=self.weight_cache,
            device=self.device,
        )
        shown = None
        if self.color_space != "rgb":
            color = toolkit("lariqa_train.training.color", "another colour space")
            shown = partial(color.image_in_space, space=self.color_space)
        told = {
            "model": as_text(self.model),
            "model_sha256": self.sha256 or model_sha256(Path(self.model)),
            "precision": scorer.precision,
            "input": f"{scorer.input} {scorer.preprocess.synthetic_view}"
            + (f" in {self.color_space}" if shown else ""),
            "runtime": scorer.runner.runtime,
            "device": scorer.device,
        }
        return PhotoScorer(scorer, told, self.fit, raises, shown)


@dataclass(frozen=True)
class About:
    """What an opened model is, beyond the columns of a row."""

    views: tuple[str, ...]
    preprocess: PreprocessSpec
    provenance: Provenance | None
    input: str  # as the rows have it
    runtime: str  # the same


class PhotoScorer:
    """An opened model that makes rows of photos.

    Args:
        scorer: the opened model.
        told: the row's columns that say what scored it.
        fit: resample a photo that does not have the file's size.
        raises: let an error that nobody foresaw out, instead of into the row.
        shown: decoded pixels -> what the model is shown instead, of the same size; None: the pixels.
    """

    def __init__(
        self,
        scorer: Scorer,
        told: dict[str, Any],
        fit: bool = False,
        raises: bool = False,
        shown: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self.scorer, self.told, self.fit, self.raises, self.shown = scorer, told, fit, raises, shown

    def about(self) -> About:
        """What a person is told of the model, once."""
        scorer, told = self.scorer, self.told
        return About(scorer.views, scorer.preprocess, scorer.provenance, told["input"], told["runtime"])

    def __call__(self, photo: Photo, name: str | os.PathLike | None = None) -> Row:
        """Score one photo.

        Args:
            photo: a path, or the bytes of a file.
            name: for the row; None: the path.

        Returns:
            A row, whatever the photo is.
        """
        return self.rows([(photo, name)])[0]

    def rows(self, photos: Sequence[tuple[Photo, str | os.PathLike | None]]) -> list[Row]:
        """(photo, name) -> rows, in their order; scored in one run where the file takes batches."""
        rows, ready = [], {}  # place in rows -> the model's inputs
        for place, photo in enumerate(photos):
            row, inputs = self._begun(*photo)
            rows.append(row)
            if inputs is not None:
                ready[place] = inputs
        if self.scorer.batch is None and len(ready) > 1:
            together = {
                name: np.concatenate([one[name] for one in ready.values()]) for name in next(iter(ready.values()))
            }
            began = time.monotonic()
            scores, error = self._guarded("the batch", lambda: self.scorer.runner.run_batch(together).tolist())
            if error is None:
                each = (time.monotonic() - began) / len(ready)
                for place, score in zip(ready, scores, strict=True):
                    rows[place] = self._ended(rows[place], lambda score=score: score, each)
                return rows  # else one of them is at fault, and the others are scored alone
        for place, inputs in ready.items():
            rows[place] = self._ended(rows[place], lambda inputs=inputs: self.scorer.runner.run(inputs))
        return rows

    def _begun(self, photo: Photo, name: str | os.PathLike | None) -> tuple[Row, dict[str, np.ndarray] | None]:
        """Read, decode, make the model's inputs: the row so far, and what is to be scored."""
        if name is None:
            name = "the photo" if isinstance(photo, bytes) else photo
        began, row = time.monotonic(), Row(as_text(name), **self.told)
        known: dict[str, Any] = {}  # before the error, if one comes

        def make() -> dict[str, np.ndarray]:
            with _stream(photo, name) as stream:
                known["photo_sha256"] = _digest(stream, name)
                decoded = decode(stream, name)
            known["width_px"], known["height_px"] = decoded.width, decoded.height
            if self.fit and self.scorer.photo_size_px not in (None, (decoded.height, decoded.width)):
                known["input"] = f"{row.input}, resampled"
            return self.scorer.inputs(self.shown(decoded.pixels()) if self.shown else decoded, self.fit)

        inputs, error = self._guarded(row.photo, make)
        return replace(row, error=error, seconds=round(time.monotonic() - began, 6), **known), inputs

    def _ended(self, row: Row, scored: Callable[[], float], seconds: float = 0.0) -> Row:
        """The row with its score, or with the reason why there is none."""
        began = time.monotonic()
        score, error = self._guarded(row.photo, lambda: finite(scored()))
        return replace(
            row, score=score, error=error, seconds=round(row.seconds + seconds + time.monotonic() - began, 6)
        )

    def _guarded(self, name: str, call: Callable[[], Any]) -> tuple[Any, str | None]:
        """(what the call gave, None), or (None, one sentence that begins with the photo's name)."""
        try:
            return call(), None
        except Refusal as refusal:
            sentence, shown = as_text(str(refusal)), str(Path(name))  # of a URI's two slashes, a path has one
            if name not in sentence and sentence.startswith(f"{shown}: "):
                sentence = sentence[len(shown) + 2 :]
            return None, sentence if name in sentence else f"{name}: {sentence}"
        except MemoryError:
            return None, f"{name}: out of memory; close other programs, or take fewer workers"
        except Exception as fault:
            if self.raises:
                raise
            said = " ".join(f"{type(fault).__name__}: {fault}".split())
            return None, f"{name}: {said}; {OWN_FAULT}"


def _stream(photo: Photo, name: str | os.PathLike) -> BinaryIO:
    if photo == b"":
        raise Refusal(f"{os.fspath(name)}: {EMPTY}")  # as of a file
    return io.BytesIO(photo) if isinstance(photo, bytes) else opened(photo)


def _digest(stream: BinaryIO, name: str | os.PathLike) -> str:
    """The sha256 of what is read, which is then read again from the system's memory."""
    try:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
    except OSError as error:
        raise unreadable(name, error) from error
    return digest


def model_sha256(path: Path) -> str:
    """What identifies the model of a table, without opening it.

    Raises:
        Refusal: it cannot be read.
    """
    try:
        return sha256_of(path)
    except OSError as error:
        raise unreadable(path, error) from error
