"""What is said of one photo: a row, with the same columns in every table."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Any

SCHEMA = "lariqa-scores/1"  # of every table; another one means other columns

OWN_FAULT = "this is a fault of lariqa itself"  # in an error that nobody foresaw


@dataclass(frozen=True)
class Row:
    """One photo's score, or why it has none; then what scored it.

    Args:
        photo: its name as it was given; bytes that are no UTF-8 are written as ``\\xXX``.
        score: about 0 to 1; None where there is an error.
        error: one sentence, or None.
        width_px: of the photo as it is shown; None where it could not be decoded.
        height_px: the same.
        photo_sha256: of the file's bytes, in hex; None where they could not be read.
        seconds: reading, decoding, making the views and scoring, by the clock.
        model: the path of the model.
        model_sha256: of that file.
        precision: of the file: "fp32", "fp16", "w8", "int8".
        input: what the file takes, and its synthetic view: "views crop", "pixels full" ...; "views crop in lab" where
            the photo was shown in another colour space; "pixels crop, resampled" where it was made to fit.
        runtime: name and version.
        device: where it ran: "cpu", "cuda" ...
    """

    photo: str
    score: float | None = None
    error: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    photo_sha256: str | None = None
    seconds: float | None = None
    model: str = ""
    model_sha256: str = ""
    precision: str = ""
    input: str = ""
    runtime: str = ""
    device: str = "cpu"

    def to_json(self) -> dict[str, Any]:
        """Column -> value."""
        return {name: getattr(self, name) for name in COLUMNS}


COLUMNS = tuple(field.name for field in fields(Row))
NUMBERS = {"score": float, "seconds": float, "width_px": int, "height_px": int}  # the columns that are no text


def photo_id(photo: str) -> int:
    """64 bits for a name, signed: a million of them take 60 MB; two of a million are alike once in 37 million times."""
    return int.from_bytes(hashlib.blake2b(photo.encode(), digest_size=8).digest(), signed=True)
