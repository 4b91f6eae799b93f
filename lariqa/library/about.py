"""Whose scores a growing table or folder holds: what is written beside them, read back, and refused of another's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lariqa.errors import Refusal
from lariqa.library.row import SCHEMA

FILE_NAME = "about.json"


def about_text(model_sha256: str, **more: Any) -> str:
    """What is written beside scores."""
    return json.dumps({"schema": SCHEMA, "model_sha256": model_sha256, **more}) + "\n"


def read_about(text: str | bytes, model_sha256: str, scores: str | Path, parts: str | Path, key: str) -> Any:
    """What is written there under one key of one's own.

    Args:
        text: what :func:`about_text` made.
        model_sha256: of the model that is to go on.
        scores: what the user calls them.
        parts: the folder that it was read from.
        key: one of ``more``.

    Raises:
        Refusal: it is damaged, or of another version or another model.
    """
    try:
        told = json.loads(text)
        schema, model, value = told["schema"], told["model_sha256"], told[key]
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(f"{parts}/{FILE_NAME} is damaged; write the scores anew with --overwrite") from error
    if schema != SCHEMA:
        raise Refusal(
            f"{scores} is of another version ({schema}; this one writes {SCHEMA}): go on with that version, or write "
            "it anew with --overwrite"
        )
    if model != model_sha256:
        raise other_model(scores, model)
    return value


def other_model(scores: str | Path, sha256: str) -> Refusal:
    """The one sentence for scores that another model gave."""
    whose = f"another model (its sha256 begins with {sha256[:12]})" if sha256 else "a model without a name"
    return Refusal(f"{scores} belongs to {whose}; choose another name, or write it anew with --overwrite")
