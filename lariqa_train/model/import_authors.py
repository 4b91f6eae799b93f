"""The authors' published weights -> LarIqa. The one place that knows their names and slips.

Their files are plain ``torch.save``d state dicts of one of four kinds, told apart by their keys:

    two-branch KAN     authentic.*, syntetic.*, aut_dw, syn_dw, head         -> branches + KAN 512
    two-branch MLP     the same with aut_up, syn_up                          -> branches + MLP 3100 -> 512
    one-branch KAN     base.*, aut_dw, head                                  -> one branch + KAN 128
    bare backbone      timm's own keys                                       -> one branch, no head (for training)

Source: the authors' repository (model classes) and the published files' keys and shapes.
"""

from __future__ import annotations

import pickle
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch

from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.manifest.model_config import HeadConfig, LarIqaConfig, Provenance
from lariqa.manifest.preprocess_spec import VIEWS
from lariqa.mistaken_files import refuse_mistaken
from lariqa_train.model.heads import PAPER_HEADS
from lariqa_train.model.model import LarIqa

# Where training programs keep a model's weights in their checkpoints, and what they put in front of its names.
WRAPPERS = (
    "state_dict",
    "model_state_dict",
    "model",
    "params",
    "params_ema",
    "ema",
    "ema_state_dict",
    "net",
    "weights",
)
PREFIXES = ("module.", "_orig_mod.", "model.", "net.")  # DataParallel's, torch.compile's, Lightning's and others'


@dataclass(frozen=True)
class Kind:
    """One kind of published file: how to know it, what it becomes, how its keys are called here."""

    name: str
    marks: tuple[str, ...]  # a key that starts with each of these, and with none of `not_marks`
    not_marks: tuple[str, ...]
    head: HeadConfig | None
    both_branches: bool
    renames: tuple[tuple[str, str], ...]  # regular expression -> ours; {branch} is the single branch's view


KINDS = (
    Kind(
        "two-branch KAN",
        ("authentic.", "syntetic.", "aut_dw.layers.0."),
        ("aut_up.",),
        PAPER_HEADS["kan"],
        True,
        (
            (r"authentic\.", "authentic.backbone."),
            (r"syntetic\.", "synthetic.backbone."),
            (r"aut_dw\.", "authentic.reducer."),
            (r"syn_dw\.", "synthetic.reducer."),
            (r"head\.", "regressor."),
        ),
    ),
    Kind(
        "two-branch MLP",
        ("authentic.", "syntetic.", "aut_up."),
        (),
        PAPER_HEADS["mlp-authors"],
        True,
        (
            (r"authentic\.", "authentic.backbone."),
            (r"syntetic\.", "synthetic.backbone."),
            (r"aut_up\.", "authentic.reducer.1."),
            (r"aut_dw\.", "authentic.reducer.3."),
            (r"syn_up\.", "synthetic.reducer.1."),
            (r"syn_dw\.", "synthetic.reducer.3."),
            (r"head\.", "regressor."),
        ),
    ),
    Kind(
        "one-branch KAN",
        ("base.", "aut_dw.layers.0."),
        ("authentic.",),
        PAPER_HEADS["kan-small"],
        False,
        (
            (r"base\.", "{branch}.backbone."),
            (r"aut_dw\.", "{branch}.reducer."),
            (r"head\.", "regressor."),
        ),
    ),
    Kind(
        "bare backbone",
        ("conv_stem.", "blocks.", "classifier."),
        ("authentic.", "base."),
        None,
        False,
        ((r"", "{branch}.backbone."),),
    ),
)


def import_authors(path: str | Path, branch: str | None = None) -> tuple[LarIqa, str]:
    """Read one of the authors' files.

    Args:
        path: a ``.pt`` / ``.pth`` file. Only tensors are read (``weights_only=True``): no code in it can run.
        branch: for files with one branch, which view it is for, "authentic" or "synthetic".

    Returns:
        The model in eval mode, and the kind of file that it was.

    Raises:
        Refusal: not such a file, or with unknown, missing or wrongly shaped keys (all listed), or ``branch`` is needed.
    """
    path = Path(path)
    state = _load_tensors(path)
    kind = _kind_of(state, path)
    if branch not in (None, *VIEWS):
        raise Refusal(f"--branch is {branch!r}; it must be one of {', '.join(VIEWS)}")
    if not kind.both_branches and branch is None:
        raise Refusal(
            f"{path} holds one branch ({kind.name}) and does not say which view: "
            "pass --branch authentic or --branch synthetic"
        )
    if kind.both_branches and branch is not None:
        raise Refusal(f"{path} holds both branches ({kind.name}); leave --branch out")
    config = LarIqaConfig(branches=VIEWS if kind.both_branches else (branch,), head=kind.head)
    provenance = Provenance(
        trained=True, made_by=f"the LAR-IQA authors, {kind.name}, from {path.name}", source_sha256=sha256_of(path)
    )
    model = LarIqa(config, provenance)
    _fill(model, {_rename(name, kind, branch): (name, tensor) for name, tensor in state.items()}, kind, path)
    return model.eval(), kind.name


def _load_tensors(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise Refusal(f"no file at {path}; give the authors' .pt or .pth file")
    refuse_mistaken(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about unusual files; the refusals below describe them
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if re.search(r"unsupported (global|class)|blocklisted|not allowed", str(error), re.IGNORECASE):
            raise Refusal(
                f"{path} holds more than tensors, which could run code when loaded: refused; "
                "ask its author for a plain state dict"
            ) from error
        raise Refusal(f"{path} is not a PyTorch weight file: it is damaged or something else") from error
    except Exception as error:  # a damaged pickle raises anything: an assertion, a lookup, a call with wrong arguments
        raise Refusal(
            f"{path} is not a readable PyTorch weight file; is the download complete? ({_short(error)})"
        ) from error
    state = _unwrapped(state, path)
    if not _is_state_dict(state):
        raise Refusal(
            f"{path} is not a state dict (names -> plain tensors) but a {type(state).__name__}; save model.state_dict()"
        )
    return _without_prefixes(state)


def _unwrapped(state: object, path: Path) -> object:
    """The state dict inside a training checkpoint: under the one key that holds one.

    Raises:
        Refusal: several do, so that nobody can tell which weights are meant.
    """
    if not isinstance(state, dict) or _is_state_dict(state):
        return state
    inside = [name for name in WRAPPERS if _is_state_dict(state.get(name))]
    if len(inside) > 1:
        named = " and ".join(inside)
        raise Refusal(f"{path} holds several sets of weights, {named}; save the one that is meant as a file of its own")
    return state[inside[0]] if inside else state


def _without_prefixes(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Names as the model has them: what wrappers put in front of every one is taken off."""
    while prefix := next((p for p in PREFIXES if all(name.startswith(p) for name in state)), None):
        state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def _is_state_dict(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(_is_named_tensor(*item) for item in value.items())


def _is_named_tensor(name: object, value: object) -> bool:
    """Whether this entry of a loaded file is what a model's own state dict has: not sparse, complex or without data."""
    plain = isinstance(value, torch.Tensor) and value.layout == torch.strided and not value.is_meta
    return plain and isinstance(name, str) and not value.is_complex() and not value.is_quantized


def _kind_of(state: dict[str, torch.Tensor], path: Path) -> Kind:
    def has(mark: str) -> bool:
        return any(name.startswith(mark) for name in state)

    for kind in KINDS:
        if all(map(has, kind.marks)) and not any(map(has, kind.not_marks)):
            return kind
    first = ", ".join(list(state)[:5])
    known = "; ".join(f"{kind.name} ({', '.join(kind.marks)})" for kind in KINDS)
    raise Refusal(f"{path} is none of the authors' files: its keys begin with {first}; known are {known}")


def _rename(name: str, kind: Kind, branch: str | None) -> str:
    for pattern, ours in kind.renames:
        if match := re.match(pattern, name):
            return ours.format(branch=branch) + name[match.end() :]
    return name


def _fill(model: LarIqa, renamed: dict[str, tuple[str, torch.Tensor]], kind: Kind, path: Path) -> None:
    wanted = model.state_dict()
    problems = [f"unknown: {theirs}" for ours, (theirs, _) in renamed.items() if ours not in wanted]
    problems += [f"missing: {name}" for name in wanted if name not in renamed]
    problems += [
        f"shape: {theirs} is {tuple(tensor.shape)}, expected {tuple(wanted[ours].shape)}"
        for ours, (theirs, tensor) in renamed.items()
        if ours in wanted and tensor.shape != wanted[ours].shape
    ]
    problems += [f"not finite: {theirs}" for theirs, tensor in renamed.values() if not tensor.isfinite().all()]
    if problems:
        raise Refusal(f"{path} looks like {kind.name} but {len(problems)} keys do not fit:\n  " + "\n  ".join(problems))
    model.load_state_dict({ours: tensor for ours, (_, tensor) in renamed.items()})


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
