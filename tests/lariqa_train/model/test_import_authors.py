"""The authors' files become checkpoints: every key placed, held against a forward pass that shares no code of ours."""

import pickle

import pytest
import timm
import torch
import torch.nn.functional as F
from torch import nn

from lariqa.errors import Refusal
from lariqa.runtimes.artifacts import describe
from lariqa_train.demo.demo_checkpoint import set_batch_norm_statistics, standardise_features
from lariqa_train.model.checkpoint import load_checkpoint
from lariqa_train.model.import_authors import import_authors

BACKBONE = "mobilenetv3_large_100"


@torch.no_grad()
def spread(backbone: nn.Module, seed: int) -> nn.Module:
    """Statistics that are not the default and features that differ, so that a swapped or forgotten tensor shows."""
    images = torch.randn(8, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
    set_batch_norm_statistics(backbone, images)
    standardise_features(backbone, images)
    return backbone.eval()


def kan_state(prefix: str, n_in: int, n_out: int, seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    grid = (torch.arange(-3, 9) * 0.4 - 1).expand(n_in, -1).contiguous()
    random = lambda *shape: torch.randn(*shape, generator=generator) / n_in**0.5  # noqa: E731
    return {
        f"{prefix}.layers.0.base_weight": random(n_out, n_in),
        f"{prefix}.layers.0.spline_weight": random(n_out, n_in, 8),
        f"{prefix}.layers.0.spline_scaler": random(n_out, n_in) * 10,
        f"{prefix}.layers.0.grid": grid,
    }


def kan(state: dict[str, torch.Tensor], prefix: str, x: torch.Tensor) -> torch.Tensor:
    """A cubic KAN layer by truncated powers in float64: neither our recursion nor our closed form."""
    base, spline, scaler, grid = (
        state[f"{prefix}.layers.0.{name}"].double()
        for name in ("base_weight", "spline_weight", "spline_scaler", "grid")
    )
    x = x.double()
    # B_i = sum_j (-1)^j C(4, j) relu((x - t_i)/h - j)^3 / 6
    scaled = (x[..., None] - grid[:, :8]) / 0.4
    bases = sum(c * F.relu(scaled - j) ** 3 for j, c in enumerate((1, -4, 6, -4, 1))) / 6  # (B, in, 8)
    return F.silu(x) @ base.T + torch.einsum("bpi,opi->bo", bases, spline * scaler[..., None])


def linear_state(prefix: str, n_in: int, n_out: int, seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    layer = nn.Linear(n_in, n_out)
    return {f"{prefix}.weight": layer.weight.detach(), f"{prefix}.bias": layer.bias.detach()}


@pytest.fixture(scope="module")
def backbones():
    torch.manual_seed(0)
    return [spread(timm.create_model(BACKBONE), seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def views():
    generator = torch.Generator().manual_seed(7)
    return {view: torch.randn(2, 3, 64, 64, generator=generator) for view in ("authentic", "synthetic")}


def prefixed(prefix: str, module: nn.Module) -> dict[str, torch.Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in module.state_dict().items()}


def both(backbones) -> dict[str, torch.Tensor]:
    return prefixed("authentic", backbones[0]) | prefixed("syntetic", backbones[1])  # their spelling


@pytest.fixture(scope="module")
def kan_file(backbones, tmp_path_factory):
    state = both(backbones) | kan_state("aut_dw", 1000, 512, 3) | kan_state("syn_dw", 1000, 512, 4)
    state |= kan_state("head", 1024, 1, 5)
    path = tmp_path_factory.mktemp("authors") / "two branches.pt"
    torch.save(state, path)
    return path, state


@torch.no_grad()
def test_two_branch_kan_scores_as_their_forward_does(kan_file, backbones, views):
    path, state = kan_file
    assert len(state) == 636
    model, kind = import_authors(path)
    reduced = [
        kan(state, name, backbone(views[view]))
        for name, view, backbone in zip(("aut_dw", "syn_dw"), views, backbones, strict=True)
    ]
    expected = kan(state, "head", torch.cat(reduced, 1))
    assert kind == "two-branch KAN" and model.provenance.trained and len(model.provenance.source_sha256) == 64
    assert (expected[0] - expected[1]).abs() > 1e-3
    assert torch.allclose(model(**views).double(), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_two_branch_mlp_scores_as_their_forward_does(backbones, views, tmp_path):
    state = both(backbones) | linear_state("head", 1024, 1, 9)
    for number, side in enumerate(("aut", "syn")):
        state |= linear_state(f"{side}_up", 1000, 3100, number) | linear_state(f"{side}_dw", 3100, 512, 10 + number)
    assert len(state) == 634
    torch.save(state, tmp_path / "mlp.pt")
    model, kind = import_authors(tmp_path / "mlp.pt")
    reduced = []
    for side, view, backbone in zip(("aut", "syn"), views, backbones, strict=True):
        x = backbone(views[view]).relu()
        for layer in ("up", "dw"):
            x = F.linear(x, state[f"{side}_{layer}.weight"], state[f"{side}_{layer}.bias"]).relu()
        reduced.append(x)
    expected = F.linear(torch.cat(reduced, 1), state["head.weight"], state["head.bias"])
    assert kind == "two-branch MLP" and (expected[0] - expected[1]).abs() > 1e-4
    assert torch.allclose(model(**views), expected, atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("branch", ["authentic", "synthetic"])
def test_one_branch_kan_scores_as_their_forward_does(backbones, views, tmp_path, branch):
    state = prefixed("base", backbones[0]) | kan_state("aut_dw", 1000, 128, 3) | kan_state("head", 128, 1, 4)
    assert len(state) == 320
    torch.save(state, tmp_path / "one.pt")
    model, kind = import_authors(tmp_path / "one.pt", branch)
    expected = kan(state, "head", kan(state, "aut_dw", backbones[0](views[branch])))
    assert kind == "one-branch KAN" and model.config.branches == (branch,)
    assert (expected[0] - expected[1]).abs() > 1e-3
    assert torch.allclose(model(**{branch: views[branch]}).double(), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_bare_backbone_gives_its_features(backbones, views, tmp_path):
    torch.save(backbones[0].state_dict(), tmp_path / "encoder.pth")
    model, kind = import_authors(tmp_path / "encoder.pth", "synthetic")
    assert kind == "bare backbone" and model.config.head is None
    features = model(synthetic=views["synthetic"])
    assert features.std() > 1e-3 and torch.equal(features, backbones[0](views["synthetic"]))


def test_a_file_with_one_branch_needs_to_be_told_which(backbones, tmp_path):
    torch.save(backbones[0].state_dict(), tmp_path / "encoder.pth")
    with pytest.raises(Refusal, match="--branch"):
        import_authors(tmp_path / "encoder.pth")
    with pytest.raises(Refusal, match="sharp"):
        import_authors(tmp_path / "encoder.pth", "sharp")


def test_a_file_with_both_branches_takes_no_branch(kan_file):
    with pytest.raises(Refusal, match="leave --branch out"):
        import_authors(kan_file[0], "authentic")


def test_missing_unknown_and_misshaped_keys_are_all_listed(kan_file, tmp_path):
    state = dict(kan_file[1])
    del state["head.layers.0.grid"]
    state["authentic.surprise"] = torch.zeros(1)
    state["syn_dw.layers.0.base_weight"] = torch.zeros(3, 3)
    torch.save(state, tmp_path / "odd.pt")
    with pytest.raises(Refusal) as refused:
        import_authors(tmp_path / "odd.pt")
    told = str(refused.value)
    assert "3 keys" in told and "unknown: authentic.surprise" in told
    assert "missing: regressor.layers.0.grid" in told
    assert "syn_dw.layers.0.base_weight is (3, 3), expected (512, 1000)" in told


def test_weights_that_are_not_numbers_are_refused(kan_file, tmp_path):
    state = dict(kan_file[1])
    state["head.layers.0.base_weight"] = torch.full((1, 1024), float("nan"))
    torch.save(state, tmp_path / "nan.pt")
    with pytest.raises(Refusal, match="not finite"):
        import_authors(tmp_path / "nan.pt")


class Bomb:
    """Runs code when unpickled, if the reader lets it."""

    def __reduce__(self):
        return (open, ("/nonexistent/the-bomb-went-off", "w"))


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    torch.save({"weight": Bomb()}, tmp_path / "bomb.pt")
    with pytest.raises(Refusal, match="could run code"):
        import_authors(tmp_path / "bomb.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(Refusal):
        import_authors(tmp_path / "plain.pt")


@pytest.mark.parametrize(
    ("content", "word"), [(b"", "readable|weight file"), (b"not a model at all", "weight file"), (None, "readable")]
)
def test_what_is_no_weight_file_is_refused(kan_file, tmp_path, content, word):
    path = tmp_path / "file.pt"
    path.write_bytes(kan_file[0].read_bytes()[:50_000] if content is None else content)
    with pytest.raises(Refusal, match=word):
        import_authors(path)


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {"weight": torch.zeros(2)}])
def test_other_peoples_files_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(Refusal):
        import_authors(tmp_path / "other.pt")


WRAPPED = {
    "Lightning": lambda state: {"epoch": 3, "state_dict": {f"model.{name}": x for name, x in state.items()}},
    "a training loop": lambda state: {"epoch": 3, "model_state_dict": state, "optimizer": {"lr": 1.0}},
    "params": lambda state: {"params": state},
    "the averaged weights alone": lambda state: {"ema": state, "step": torch.tensor(3)},
    "torch.compile in DataParallel": lambda state: {f"module._orig_mod.{name}": x for name, x in state.items()},
}


@pytest.mark.parametrize("how", WRAPPED)
def test_weights_inside_a_training_checkpoint_are_found(how, kan_file, tmp_path):
    state = torch.load(kan_file[0], weights_only=True)
    path = tmp_path / "wrapped.pt"
    torch.save(WRAPPED[how](state), path)
    found, kind = import_authors(path)
    expected, _ = import_authors(kan_file[0])
    assert kind == "two-branch KAN"
    assert all(torch.equal(x, found.state_dict()[name]) for name, x in expected.state_dict().items())


def test_several_sets_of_weights_are_refused_by_their_names(kan_file, tmp_path):
    state = torch.load(kan_file[0], weights_only=True)
    torch.save({"model": state, "ema": state}, tmp_path / "two.pt")
    with pytest.raises(Refusal, match="several sets of weights, model and ema"):
        import_authors(tmp_path / "two.pt")


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n", "Git LFS pointer"),
        (b"<!DOCTYPE html>\n<html><title>Sign in</title>", "a web page"),
        (b"\n<HTML>", "a web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Error>", "an XML answer"),
    ],
)
@pytest.mark.parametrize("opens", [import_authors, load_checkpoint, describe], ids=lambda opens: opens.__name__)
def test_what_came_down_in_a_files_place_is_called_what_it_is(opens, head, says, tmp_path):
    path = tmp_path / {import_authors: "a.pt", load_checkpoint: "a.safetensors", describe: "a.onnx"}[opens]
    path.write_bytes(head)
    with pytest.raises(Refusal, match=says):
        opens(path)
