"""A Checkpoint: weights, configuration, preprocessing and provenance in one .safetensors file.

The description is JSON under the key ``lariqa`` in the file's own metadata, so one file is enough. A folder
written by ``save_pretrained`` (``config.json`` + ``model.safetensors``) loads as well.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from lariqa.atomic import unwritable, writing
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.mistaken_files import refuse_mistaken
from lariqa_train.model.model import LarIqa

SCHEMA_VERSION = 1


def save_checkpoint(model: LarIqa, path: str | Path) -> str:
    """Write the checkpoint; an older one at ``path`` stays whole until the new one is complete.

    Returns:
        The sha256 of the file: the same model gives the same file.

    Raises:
        Refusal: ``path`` does not end in .safetensors, or cannot be written.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise Refusal(f"a checkpoint's name ends in .safetensors, {path.name!r} does not; say {path.stem}.safetensors")
    described = json.dumps({"schema_version": SCHEMA_VERSION, **model.describe()}, sort_keys=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with writing(path) as beside:
        try:
            save_file(tensors, beside, metadata={"lariqa": described})
        except SafetensorError as error:  # safetensors' error for a full disk
            raise unwritable(path.parent, OSError(str(error))) from error
        umask = os.umask(0)  # the only way to read it is to set it
        os.umask(umask)
        beside.chmod(0o666 & ~umask)  # like any other file; safetensors makes it readable by its owner only
    return sha256_of(path)


def load_checkpoint(path: str | Path) -> LarIqa:
    """Read a checkpoint file, or a folder written by ``save_pretrained``; the model is in eval mode.

    Raises:
        Refusal: missing, damaged, not a checkpoint of this toolkit, or weights that do not fit their configuration.
    """
    path = Path(path)
    weights, description = (path, None) if not path.is_dir() else (path / "model.safetensors", path / "config.json")
    tensors, header = _read_safetensors(weights)
    if header is None and description is not None:
        header = _read_json(description)
    if header is None:
        raise Refusal(f"{path} holds weights but no lariqa description; for the authors' files use `lariqa import`")
    version = header.pop("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise Refusal(
            f"{path} has checkpoint schema {version}, this version reads {SCHEMA_VERSION}; upgrade the toolkit"
        )
    try:
        model = LarIqa(header)
        wrong = model.load_state_dict(tensors, strict=False)
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:  # torch reports wrong shapes as RuntimeError
        told = " ".join(str(error).split())[:300]
        raise Refusal(f"{path}: the weights do not fit the configuration beside them: {told}") from error
    if wrong.missing_keys or wrong.unexpected_keys:
        raise Refusal(f"{path}: missing weights {wrong.missing_keys[:5]}, unknown weights {wrong.unexpected_keys[:5]}")
    return model.eval()


def _read_safetensors(path: Path) -> tuple[dict, dict | None]:
    """(tensors, our description or None)."""
    refuse_mistaken(path)
    if not path.is_file():
        raise Refusal(f"no checkpoint at {path}; `lariqa import` or `lariqa demo` makes one")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            return {name: file.get_tensor(name) for name in file.keys()}, _parse(metadata.get("lariqa"), path)  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise Refusal(f"{path} is not a readable .safetensors file ({error}); is the download complete?") from error


def _read_json(path: Path) -> dict:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path} cannot be read: {error}") from error
    return _parse(text, path)


def _parse(text: str | None, path: Path) -> dict | None:
    try:
        parsed = json.loads(text) if text else None
    except (ValueError, RecursionError) as error:
        raise Refusal(f"the description in {path} is not JSON: {error}") from error
    if parsed is not None and not isinstance(parsed, dict):
        raise Refusal(f"the description in {path} is a {type(parsed).__name__}, not an object")
    return parsed
