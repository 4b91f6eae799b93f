"""Training: a run learns, survives kill -9 exactly, is the same in two processes, and says beforehand what is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.photos.photo import open_photo
from lariqa_train.datasets.catalogue import CATALOGUE
from lariqa_train.datasets.rows import Row, read_rows
from lariqa_train.datasets.view_cache import check_and_cache
from lariqa_train.datasets.views import EpochSampler, Pictures
from lariqa_train.model.checkpoint import load_checkpoint, save_checkpoint
from lariqa_train.model.kan import KanLinear
from lariqa_train.model.model import RANDOM_WEIGHTS
from lariqa_train.model.normalise import prepare
from lariqa_train.quantization.qat import FakeQuantize, rounded_layers
from lariqa_train.training.stages import build_stage
from lariqa_train.training.task import LarIqaTask, warmup_cosine
from lariqa_train.training.train import fit, read_splits
from lariqa_train.training.train_config import RECIPES, TrainConfig, read_config
from tests.support.published_layouts import WRITERS

HOUSE = Path(__file__).parents[3]
TINY = TrainConfig(
    stage="branch",
    branch="synthetic",
    datasets=("kadid10k",),
    backbone="mobilenetv3_small_050",
    head="kan-small",
    synthetic_crop_px=64,
    authentic_side_px=64,
    pretrained=False,
    epochs=2,
    lr=1e-3,
    batch_size=8,
    folds=4,
    workers=0,
    accelerator="cpu",
)


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for name in WRITERS:
        WRITERS[name](root / name)
    return root


@pytest.fixture(scope="module")
def branches(trees, tmp_path_factory, one_thread):
    """One trained tiny branch of each kind: view -> checkpoint."""
    runs, made = tmp_path_factory.mktemp("branches"), {}
    with one_thread():
        for branch, name in (("authentic", "koniq10k"), ("synthetic", "kadid10k")):
            config = replace(TINY, branch=branch, datasets=(name,), epochs=1)
            made[branch] = str(fit(config, trees, runs / branch, quiet=True).checkpoints[name])
    return made


def weights(path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path).state_dict()


def differ(a, b) -> float:
    return max((a[key].double() - b[key].double()).abs().max().item() for key in a)


def test_fifty_steps_fit_eight_pictures(trees, one_thread):
    """Right wiring of pictures, MOS, loss and optimiser: nothing else can bring the loss this low."""
    with one_thread():
        rows = read_rows(CATALOGUE["kadid10k"], trees / "kadid10k")[:8]
        network = build_stage(TINY)
        task = LarIqaTask(network, TINY, TINY.datasets)
        pictures = Pictures({"kadid10k": rows}, task.spec, ("synthetic",), training=False, seed=1)
        batch = torch.utils.data.default_collate([pictures[i] for i in range(8)])
        optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
        network.train()
        losses = []
        for _ in range(50):
            loss = (task.scores(batch) - batch["mos"]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    assert batch["mos"].std() > 0.1
    assert losses[-1] < 1e-3 and losses[-1] < 0.02 * losses[0], (losses[0], losses[-1])


def test_several_data_sets_teach_one_branch_as_several_tasks(trees, tmp_path, one_thread):
    config = replace(TINY, datasets=("kadid10k", "tid2013"), rob_weight=0.5, rank_weight=0.5, ema=0.9, epochs=1)
    with one_thread():
        fitted = fit(config, trees, tmp_path / "run", quiet=True)
    first, second = (weights(fitted.checkpoints[name]) for name in config.datasets)
    same = [key for key in first if torch.equal(first[key], second[key])]
    assert all("backbone" in key or "grid" in key for key in same) and any("backbone" in key for key in same)
    assert any(not torch.equal(first[key], second[key]) for key in first if "reducer" in key)
    assert (tmp_path / "run" / "log" / "metrics.csv").exists() and list((tmp_path / "run" / "log").glob("events*"))
    assert json.loads((tmp_path / "run" / "config.json").read_text())["datasets"] == ["kadid10k", "tid2013"]
    assert load_checkpoint(fitted.checkpoints["kadid10k"]).provenance.trained


def test_averaged_weights_are_the_ones_that_are_validated_and_kept(trees, tmp_path, monkeypatch, one_thread):
    """Compared with an average computed here, from the weights after each step."""
    trained, validated = [], []
    validate = LarIqaTask.validation_step

    def weight(task) -> torch.Tensor:
        return next(p for name, p in task.named_parameters() if "heads" in name).detach().clone()

    def validation_step(task, batch, number):
        validated.append(weight(task))
        validate(task, batch, number)

    monkeypatch.setattr(LarIqaTask, "on_train_batch_end", lambda task, *given: trained.append(weight(task)))
    monkeypatch.setattr(LarIqaTask, "validation_step", validation_step)
    with one_thread():
        fitted = fit(replace(TINY, ema=0.8, epochs=3, lr=1e-2), trees, tmp_path / "run", quiet=True)
    averaged = [trained[0]]
    for raw in trained[1:]:
        averaged.append(0.8 * averaged[-1] + 0.2 * raw)
    steps = len(trained) // 3
    assert steps > 1 and len(trained) == 3 * steps
    ends = [averaged[(epoch + 1) * steps - 1] for epoch in range(3)]
    raw_ends = [trained[(epoch + 1) * steps - 1] for epoch in range(3)]
    assert all((a - b).abs().max() > 1e-4 for a, b in zip(ends, raw_ends, strict=True))
    per_epoch = validated[:: len(validated) // 3]
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(per_epoch, ends, strict=True))
    kept = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    name = next(name for name in kept["state_dict"] if "heads" in name)
    assert kept["epoch"] == 2
    assert torch.allclose(kept["state_dict"][name], ends[-1], atol=1e-6)
    assert torch.allclose(kept["current_model_state"][name], raw_ends[-1], atol=1e-6)
    best = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)
    written = weights(fitted.checkpoints["kadid10k"])
    same = [
        torch.equal(best["state_dict"][name], tensor) for tensor in written.values() if tensor.shape == ends[0].shape
    ]
    assert any(same) and torch.allclose(best["state_dict"][name], ends[best["epoch"]], atol=1e-6)


@pytest.mark.parametrize(("patience", "epochs"), [(2, 6), (3, 7), (0, 8)])
def test_a_run_stops_after_so_many_epochs_without_a_better_one(
    patience, epochs, trees, tmp_path, monkeypatch, one_thread
):
    planned = iter([0.1, 0.2, 0.15, 0.3, 0.2, 0.3, 0.25, 0.9])

    def on_validation_epoch_end(task) -> None:
        task._validated.clear()
        task.log("val_srcc", next(planned))

    monkeypatch.setattr(LarIqaTask, "on_validation_epoch_end", on_validation_epoch_end)
    config = replace(TINY, patience=patience, epochs=8, batch_size=12)
    with one_thread():
        fitted = fit(config, trees, tmp_path / "run", quiet=True, limits={"limit_train_batches": 1})
    assert fitted.epochs == epochs
    best = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)
    assert fitted.val_srcc == pytest.approx(0.3 if patience else 0.9)
    assert best["epoch"] == (3 if patience else 7)
    last = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["epoch"] == epochs - 1  # a run goes on after its latest epoch, not after its best


def test_merge_trains_new_heads_and_leaves_the_backbones_as_they_are(trees, branches, tmp_path, one_thread):
    config = replace(TINY, stage="merge", branch="", datasets=("uhd_iqa",), head="kan-small", batch_size=4, lr=1e-2,
                     authentic_from=branches["authentic"], synthetic_from=branches["synthetic"])  # fmt: skip
    with one_thread():
        fitted = fit(config, trees, tmp_path / "merge", quiet=True)
        merged, before = weights(fitted.checkpoints["uhd_iqa"]), weights(branches["synthetic"])
        backbone = [key for key in before if ".backbone." in key]
        assert backbone and all(torch.equal(merged[key], before[key]) for key in backbone)
        # a larger head on them, everything trained
        finer = replace(config, stage="finetune", head="kan", authentic_from="", synthetic_from="", epochs=1,
                        model_from=str(fitted.checkpoints["uhd_iqa"]))  # fmt: skip
        tuned = fit(finer, trees, tmp_path / "finetune", quiet=True)
        # and with its weights rounded, from its own scores
        in_int8 = replace(finer, weight_bits=8, model_from=str(tuned.checkpoints["uhd_iqa"]), lr=1e-4)
        said: list[str] = []
        in_int8 = fit(in_int8, trees, tmp_path / "int8", quiet=True, progress=said.append)
        kept = load_checkpoint(in_int8.checkpoints["uhd_iqa"])
        # so long a step destroys it: the beginning is kept
        worse = replace(finer, weight_bits=8, model_from=str(tuned.checkpoints["uhd_iqa"]), lr=1.0)
        begun = fit(worse, trees, tmp_path / "worse", quiet=True, progress=said.append)
        begun = load_checkpoint(begun.checkpoints["uhd_iqa"])
    assert said[-1].endswith("the rounded weights are kept") and -1 <= in_int8.val_srcc <= 1
    model = load_checkpoint(tuned.checkpoints["uhd_iqa"])
    assert model.config.head.width == 512 and model.config.preprocess.synthetic_crop_px == 64
    assert any(not torch.equal(model.state_dict()[key], before[key]) for key in backbone)
    assert kept.state_dict().keys() == model.state_dict().keys()
    for name in rounded_layers(kept):
        weight, first, was = (network.get_submodule(name).weight.detach() for network in (kept, begun, model))
        for on_grid in (weight, first):
            assert torch.allclose(FakeQuantize()(on_grid), on_grid, atol=1e-7) and not torch.equal(on_grid, was), name
        assert (first - was).abs().max() < 0.1 * was.abs().max(), name


def test_a_run_killed_in_the_middle_goes_on_to_the_same_weights(trees, tmp_path, one_thread):
    config = replace(TINY, epochs=4, batch_size=6)
    recipe = tmp_path / "tiny.toml"
    write_recipe(recipe, config)
    killed = lariqa_process("train", recipe, "--root", trees, "--quiet", "-o", tmp_path / "killed")
    last = tmp_path / "killed" / "checkpoints" / "last.ckpt"
    wait_for(lambda: last.exists() or killed.poll() is not None)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL, "it ended before it was killed: " + killed.stderr.read()
    assert not (tmp_path / "killed" / "synthetic-kadid10k.safetensors").exists()
    with one_thread():
        with pytest.raises(Refusal, match="continue it with --resume"):
            fit(config, trees, tmp_path / "killed", quiet=True)
        with pytest.raises(Refusal, match="another lr"):
            fit(replace(config, lr=1.0), trees, tmp_path / "killed", quiet=True, resume=True)
        whole = fit(config, trees, tmp_path / "whole", quiet=True)
        resumed = fit(config, trees, tmp_path / "killed", quiet=True, resume=True)
    assert whole.epochs == resumed.epochs == 4
    kept = [torch.load(tmp_path / run / "checkpoints" / "last.ckpt", weights_only=True) for run in ("whole", "killed")]
    assert differ(*(one["state_dict"] for one in kept)) == 0
    assert differ(*(weights(run.checkpoints["kadid10k"]) for run in (whole, resumed))) == 0


def test_two_processes_give_the_figures_of_one(trees, branches, tmp_path, one_thread):
    """Frozen backbones: with batch norm's statistics out of the way, only rounding may differ."""
    recipe = tmp_path / "merge.toml"
    config = replace(TINY, stage="merge", branch="", datasets=("uhd_iqa",), batch_size=4, epochs=2, lr=1e-2,
                     authentic_from=branches["authentic"], synthetic_from=branches["synthetic"])  # fmt: skip
    write_recipe(recipe, config)
    with one_thread():
        fit(config, trees, tmp_path / "1", quiet=True)
    run = lariqa("train", recipe, "devices=2", "strategy=ddp", "--root", trees, "-o", tmp_path / "2", "--quiet")
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("validation SRCC") == 1
    outcome = {}
    for processes in (1, 2):
        lines = (tmp_path / str(processes) / "log" / "metrics.csv").read_text().splitlines()
        columns = lines[0].split(",")
        values = [dict(zip(columns, line.split(","), strict=True)) for line in lines[1:]]
        outcome[processes] = [
            [float(row[name]) for name in ("val_plcc/uhd_iqa", "val_rmse/uhd_iqa", "val_srcc/uhd_iqa")]
            for row in values if row.get("val_rmse/uhd_iqa")
        ]  # fmt: skip
    assert len(outcome[1]) == 2 and outcome[1][0] != outcome[1][1]
    assert np.allclose(outcome[1], outcome[2], atol=2e-4), outcome


def test_every_recipe_parses_and_builds_its_model_and_data_on_the_tiny_trees(trees, branches, tmp_path, one_thread):
    recipes = [path for path in sorted(RECIPES.glob("*.toml")) if not path.stem.startswith("generated")]
    assert len(recipes) > 10
    from_branches = {"authentic_from": branches["authentic"], "synthetic_from": branches["synthetic"], "model_from": ""}
    with one_thread():
        both = build_stage(replace(read_config("uhd_finetune"), **from_branches)).model
        save_checkpoint(both, tmp_path / "both.safetensors")
        for recipe in recipes:
            config = read_config(recipe)
            splits = read_splits(config, trees)
            assert all(split.training and split.validation for split in splits.values()), recipe
            start = {"pretrained": False} if config.stage == "branch" else from_branches
            if config.weight_bits:  # which learns from a whole model
                start = {"model_from": str(tmp_path / "both.safetensors")}
            config = replace(config, **start)
            if config.stage == "branch" and config.timm_backbone != "mobilenetv3_large_100":
                config = replace(config, backbone="mobilenetv3_small_050")  # building a large one proves no more
            network = build_stage(config)
            task = LarIqaTask(network, config, config.datasets)
            names = {name for name, p in network.named_parameters() if p.requires_grad}
            frozen = {name for name, p in network.named_parameters() if not p.requires_grad}
            assert names and bool(frozen) == (config.stage == "merge"), recipe
            rows = {name: split.training[:2] for name, split in splits.items()}
            small = PreprocessSpec(authentic_side_px=64, synthetic_crop_px=64)
            item = Pictures(rows, small, config.views, training=True, seed=1)[0]
            batch = torch.utils.data.default_collate([item, item])
            assert task.eval().scores(batch).shape == (2,), recipe


def test_the_learning_rate_climbs_a_line_and_falls_along_a_cosine():
    factors = [warmup_cosine(step, 100, 5) for step in range(100)]
    assert factors[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert factors[5] == 1 and factors[52] == pytest.approx(0.5, abs=0.02) and factors[99] < 0.001
    assert factors[5:] == sorted(factors[5:], reverse=True)


def test_processes_together_see_the_order_of_one():
    one = list(EpochSampler(21, 4, True, seed=3))
    two = [list(EpochSampler(21, 4, True, seed=3, rank=rank, processes=2)) for rank in (0, 1)]
    assert len(one) == 20 and [x for pair in zip(*two, strict=True) for x in pair] == one
    everything = [row for rank in (0, 1) for row, _ in EpochSampler(21, 4, False, 3, rank, 2)]
    assert sorted(set(everything)) == list(range(21)) and len(everything) == 22


def test_views_are_the_products_of_preprocess_and_random_only_by_seed_epoch_and_row(trees):
    rows = read_rows(CATALOGUE["uhd_iqa"], trees / "uhd_iqa")
    spec = PreprocessSpec(authentic_side_px=64, synthetic_crop_px=96)
    still = Pictures({"a": rows}, spec, ("authentic", "synthetic"), training=False, seed=1)[4]
    image = open_photo(rows[4].image)
    expected = prepare(image, spec)
    for view in expected:
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (spec.mean, spec.std))
        assert torch.allclose((still[view] / 255 - mean) / std, expected[view][0])
    moving = Pictures({"a": rows}, spec, ("authentic", "synthetic"), training=True, seed=1)
    again = Pictures({"a": rows}, spec, ("authentic", "synthetic"), training=True, seed=1)
    assert torch.equal(moving[(4, 2)]["synthetic"], again[(4, 2)]["synthetic"])
    crops = [moving[(4, epoch)]["synthetic"] for epoch in range(6)]
    assert len({crop.sum().item() for crop in crops}) > 3
    # flips and places only: every crop is in the photo, pixel by pixel
    for crop in crops:
        crop = crop.permute(1, 2, 0).numpy()
        windows = np.lib.stride_tricks.sliding_window_view(image, (96, 96), axis=(0, 1))  # (y, x, 3, 96, 96)
        found = [np.all(windows[:, :, :, 0, 0] == c[0, 0], axis=-1).any() for c in (crop, crop[:, ::-1])]
        assert any(found)


def test_each_photo_is_decoded_once_and_all_bad_ones_are_named(trees, tmp_path):
    rows = read_rows(CATALOGUE["kadid10k"], trees / "kadid10k")
    spec = PreprocessSpec(authentic_side_px=64)
    steps = []
    cache = check_and_cache(rows, spec, tmp_path / "views", keep=True, progress=steps.append)
    plain = Pictures({"a": rows}, spec, ("authentic",), training=False, seed=1)
    cached = Pictures({"a": rows}, spec, ("authentic",), training=False, seed=1, cache=cache)
    assert all(torch.equal(plain[i]["authentic"], cached[i]["authentic"]) for i in range(0, len(rows), 5))
    assert steps and not check_and_cache_steps(rows, spec, tmp_path / "views")
    bad = [tmp_path / "broken.png", tmp_path / "small.png"]
    bad[0].write_bytes(rows[0].image.read_bytes()[:300])
    from PIL import Image

    Image.new("RGB", (8, 8)).save(bad[1])
    with pytest.raises(Refusal) as refusal:
        check_and_cache([*rows, *(Row(path, 0.5, "x") for path in bad)], spec, tmp_path / "views", keep=False)
    assert "2 faults" in str(refusal.value) and all(str(path) in str(refusal.value) for path in bad)


def check_and_cache_steps(rows, spec, folder) -> list[str]:
    steps = []
    check_and_cache(rows, spec, folder, keep=True, progress=steps.append)
    return steps


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["epocs=3"], "no setting 'epocs', did you mean 'epochs'"),
        (["epochs=three"], "epochs is 'three'; it must be int"),
        (["epochs"], "'epochs' is not key=value"),
        (["pretrained=perhaps"], "true or false"),
        (["datasets=kadid"], "no data set 'kadid', did you mean 'kadid10k'"),
        (["stage=merge", "branch="], "starts from trained weights"),
        (["branch=both"], "needs 'authentic' or 'synthetic'"),
        (["branch="], "needs 'authentic' or 'synthetic'"),
        (["head=kna"], "did you mean 'kan'"),
        (["color_spaces=rgb,cmyk"], "cmyk"),
        (["batch_size=0"], "must be at least 1"),
        (["warmup=1.5"], "shares"),
        (["grid_size=-1"], "grid_size is -1; expected 1 to 64"),
        (["grid_size=1000"], "grid_size is 1000; expected 1 to 64"),
        (["grid_size=2.5"], "grid_size is '2.5'; it must be int"),
        (["grid_size=fine"], "grid_size is 'fine'; it must be int"),
        (["spline_order=6"], "spline_order is 6; expected 1 to 5"),
        (["head=mlp", "grid_size=8"], "head mlp has no splines"),
        (["head=mlp-matched", "spline_order=2"], "head mlp-matched has no splines"),
    ],
)
def test_wrong_settings_are_refused_with_what_to_do(overrides, words, tmp_path):
    write_recipe(tmp_path / "a.toml", TINY)
    with pytest.raises(Refusal, match=words):
        read_config(tmp_path / "a.toml", overrides)


def kan_layers(network):
    return [module for module in network.modules() if isinstance(module, KanLinear)]


def test_the_splines_of_a_kan_head_are_settings_of_a_run(branches, tmp_path, one_thread):
    write_recipe(tmp_path / "a.toml", TINY)
    plain = read_config(tmp_path / "a.toml")
    finer = read_config(tmp_path / "a.toml", ["grid_size=8", "spline_order=2"])
    with one_thread():
        assert [(layer.grid_size, layer.spline_order) for layer in kan_layers(build_stage(plain))] == [(5, 3)] * 2
        network = build_stage(finer)
        layers = kan_layers(network)
        assert [(layer.grid_size, layer.spline_order) for layer in layers] == [(8, 2)] * 2
        assert [layer.grid.shape[1] for layer in layers] == [8 + 2 * 2 + 1] * 2
        assert [layer.spline_weight.shape[2] for layer in layers] == [8 + 2] * 2
        # It travels with the checkpoint.
        save_checkpoint(network.as_model("kadid10k", RANDOM_WEIGHTS), tmp_path / "branch.safetensors")
        head = load_checkpoint(tmp_path / "branch.safetensors").config.head
        assert (head.grid_size, head.spline_order, head.width) == (8, 2, 128)


def test_a_run_that_goes_on_from_a_model_keeps_its_splines(branches, tmp_path, one_thread):
    config = replace(TINY, stage="merge", branch="", datasets=("uhd_iqa",), grid_size=8,
                     authentic_from=branches["authentic"], synthetic_from=branches["synthetic"])  # fmt: skip
    with one_thread():
        merged = build_stage(config).as_model("uhd_iqa", RANDOM_WEIGHTS)
        save_checkpoint(merged, tmp_path / "merged.safetensors")
        onward = replace(config, stage="finetune", authentic_from="", synthetic_from="", grid_size=0,
                         model_from=str(tmp_path / "merged.safetensors"))  # fmt: skip
        kept = build_stage(onward).model
        other = build_stage(replace(onward, grid_size=6)).model
    before = merged.state_dict()
    assert all(torch.equal(tensor, before[name]) for name, tensor in kept.state_dict().items())
    assert kept.config.head == merged.config.head and kept.config.head.grid_size == 8
    assert {layer.grid_size for layer in kan_layers(other)} == {6}  # new heads, the same backbones
    assert all(torch.equal(tensor, before[name]) for name, tensor in other.state_dict().items() if ".backbone." in name)


def test_a_run_of_a_version_without_these_settings_can_be_resumed(trees, tmp_path, one_thread):
    with one_thread():
        fit(replace(TINY, epochs=1), trees, tmp_path / "run", quiet=True)
        told = json.loads((tmp_path / "run" / "config.json").read_text())
        (tmp_path / "run" / "config.json").write_text(
            json.dumps({key: value for key, value in told.items() if key not in ("grid_size", "spline_order")})
        )
        with pytest.raises(Refusal, match="another grid_size"):
            fit(replace(TINY, epochs=1, grid_size=8), trees, tmp_path / "run", quiet=True, resume=True)
        fitted = fit(replace(TINY, epochs=1), trees, tmp_path / "run", quiet=True, resume=True)
    assert fitted.epochs == 1


def test_overrides_take_the_place_of_the_recipe_and_bundled_recipes_go_by_name(tmp_path):
    write_recipe(tmp_path / "a.toml", TINY)
    config = read_config(tmp_path / "a.toml", ["epochs=7", "lr=2e-4", "datasets=kadid10k, pipal", "pretrained=TRUE"])
    assert (config.epochs, config.lr, config.datasets, config.pretrained) == (7, 2e-4, ("kadid10k", "pipal"), True)
    assert read_config("uhd_finetune").stage == "finetune"
    with pytest.raises(Refusal, match="did you mean 'uhd_finetune'"):
        read_config("uhd_finetun")


def test_the_papers_defaults_are_written_once():
    config = TrainConfig(stage="branch", datasets=("kadid10k",), branch="synthetic")
    assert (config.epochs, config.lr, config.weight_decay, config.folds) == (100, 5e-5, 1e-4, 10)
    for recipe in RECIPES.glob("*.toml"):
        lines = recipe.read_text().splitlines()
        own = "generated" in recipe.stem or lines[0].startswith("# Not of the paper")
        assert own or not [line for line in lines if line.startswith(("lr", "weight_decay", "warmup"))]


def test_all_data_sets_faults_come_together(trees, tmp_path):
    with pytest.raises(Refusal) as refusal:
        read_splits(replace(TINY, datasets=("kadid10k", "pipal")), tmp_path)
    assert "KADID-10k" in str(refusal.value) and "PIPAL" in str(refusal.value)


def test_a_batch_larger_than_the_data_is_refused(trees, tmp_path):
    with pytest.raises(Refusal, match="fewer than one batch of 64"):
        fit(replace(TINY, batch_size=64), trees, tmp_path / "r", quiet=True)


def test_imagenet_weights_out_of_reach_are_explained(trees, tmp_path, monkeypatch):
    def unreachable(*args, **options):
        raise OSError("name resolution failed")

    monkeypatch.setattr("lariqa_train.training.stages.timm.create_model", unreachable)
    from lariqa_train.training.stages import load_imagenet

    with pytest.raises(Refusal, match="--no-pretrained"):
        load_imagenet(torch.nn.Identity(), "mobilenetv3_large_100")


def write_recipe(path: Path, config: TrainConfig) -> None:
    lines = []
    for key, value in config.to_json().items():
        lines.append(f"{key} = {json.dumps(value)}")
    path.write_text("\n".join(lines) + "\n")


def lariqa_process(*words) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(HOUSE), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        [sys.executable, "-m", "lariqa_cli", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=HOUSE,
    )  # fmt: skip


def lariqa(*words) -> subprocess.CompletedProcess:
    process = lariqa_process(*words)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def wait_for(happens, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happens() and time.monotonic() < end:
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"accelerator": "gpu" if not torch.cuda.is_available() else "tpu"}, "accelerator="),
        ({"precision": "fp16"}, "precision=fp16"),
        ({"strategy": "dp"}, "strategy=dp"),
        ({"devices": "0"}, "devices=0"),
        ({"backbone": "mobilenetv3_lrge_100"}, "mobilenetv3_large_100"),
    ],
)
def test_what_lightning_or_timm_refuses_is_said_before_any_photo_is_read(settings, says, tmp_path):
    config = replace(TrainConfig(stage="branch", branch="synthetic", datasets=("kadid10k",)), **settings)
    said = []
    with pytest.raises(Refusal) as refusal:
        fit(config, tmp_path, tmp_path / "run", quiet=True, progress=said.append)
    assert says in str(refusal.value) and "\n" not in str(refusal.value)
    assert said == [] and not (tmp_path / "run").exists()
