"""Files and folders that are no checkpoint of ours, each with what its refusal must say."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from lariqa_train.model.checkpoint import load_checkpoint


def wrong_models(folder: Path, tiny_checkpoint: Path) -> dict[str, tuple[Path, list[str]]]:
    """Kind -> (a file or folder that is no checkpoint of ours, facts in the refusal), all written below ``folder``."""
    state, data = load_file(tiny_checkpoint), tiny_checkpoint.read_bytes()
    description = {"schema_version": 1, **load_checkpoint(tiny_checkpoint).describe()}

    def written(name: str, content: bytes) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    def saved(name: str, tensors: dict, **change) -> Path:
        save_file(tensors, folder / name, metadata={"lariqa": json.dumps(description | change)})
        return folder / name

    def stored(name: str, tensors: dict, **metadata) -> Path:
        save_file(tensors, folder / name, metadata=metadata)
        return folder / name

    config = folder / "other project"
    config.mkdir()
    (config / "config.json").write_text('{"model_type": "bert"}')
    stored("other project/model.safetensors", {"weight": torch.zeros(2)})
    encoder = {name: tensor for name, tensor in state.items() if ".backbone." in name}
    return {
        "authors' file": (written("authors.pth", b"whatever"), ["authors.pth", " import "]),
        "bare encoder": (saved("encoder.safetensors", encoder, head=None), ["bare encoder", "train a head"]),
        "another project's": (stored("other.safetensors", {"weight": torch.zeros(2)}), ["no lariqa description"]),
        "another project's folder": (config, ["other project", "provenance"]),
        "truncated": (written("cut.safetensors", data[:100_000]), ["cut.safetensors", "download complete?"]),
        "empty": (written("empty.safetensors", b""), ["empty.safetensors", "download complete?"]),
        "text": (written("text.safetensors", b"weights, honestly"), ["text.safetensors", "not a readable"]),
        "newer schema": (saved("newer.safetensors", state, schema_version=2), ["schema 2", "upgrade"]),
        "no JSON": (stored("json.safetensors", state, lariqa="{"), ["json.safetensors", "not JSON"]),
        "deep JSON": (stored("deep.safetensors", state, lariqa="[" * 100_000), ["deep.safetensors", "not JSON"]),
        "wrong width": (saved("wide.safetensors", state, features=17), ["wide.safetensors", "size mismatch"]),
        "wrong words": (
            saved("words.safetensors", state, preprocess=description["preprocess"] | {"mean": ["a", "b", "c"]}),
            ["words.safetensors", "'a'"],
        ),
        "number for a name": (saved("number.safetensors", state, backbone=5), ["number.safetensors"]),
        "missing weights": (
            saved("less.safetensors", {key: state[key] for key in state if "regressor" not in key}),
            ["less.safetensors", "regressor.layers.0.base_weight"],
        ),
    }
