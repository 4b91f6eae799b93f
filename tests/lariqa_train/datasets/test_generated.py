"""Generated data and the scattering start: repeatable, growing with severity, and seen before any training."""

import csv
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa_train.datasets.generated import contents, labels, pictures_of, render
from lariqa_train.datasets.generated_files import GENERATED, TABLE, write_generated
from lariqa_train.datasets.rows import read_rows
from lariqa_train.demo.cached_features import planes, pooled, see
from lariqa_train.demo.demo_checkpoint import set_batch_norm_statistics
from lariqa_train.demo.demo_contents import unseen_contents
from lariqa_train.demo.demo_recipe import DemoRecipe, read_demo_recipe
from lariqa_train.demo.demo_training import train_demo
from lariqa_train.demo.head_training import scores_of_features
from lariqa_train.demo.scattering import start_as_scattering
from lariqa_train.model.checkpoint import save_checkpoint
from lariqa_train.model.normalise import prepare
from lariqa_train.pictures.damage import bundled_photo
from lariqa_train.pictures.distortions import DISTORTIONS
from lariqa_train.pictures.scenes import render_scene
from lariqa_train.training.accuracy import measure_accuracy


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_damage_grows_with_severity_and_is_repeatable(kind):
    image = bundled_photo()[900:1100, 1800:2060]
    made = [DISTORTIONS[kind](image, severity, np.random.default_rng(1)) for severity in (0.0, 0.35, 0.7, 1.0)]
    error = [np.square(one.astype(float) - image).mean() for one in made]
    assert all(one.shape == image.shape and one.dtype == np.uint8 for one in made)
    assert error == sorted(error) and error[3] > 2 * error[1] > 0 and error[0] < 0.2 * error[3]
    assert np.array_equal(made[2], DISTORTIONS[kind](image, 0.7, np.random.default_rng(1)))


def test_scenes_are_repeatable_differ_and_use_the_whole_range():
    scenes = [render_scene(seed, 120, 160) for seed in range(6)]
    assert all(scene.shape == (120, 160, 3) for scene in scenes)
    assert np.array_equal(scenes[0], render_scene(0, 120, 160)) and not np.array_equal(scenes[0], scenes[1])
    assert all(scene.min() < 30 and scene.max() > 220 for scene in scenes)


def test_the_same_seed_gives_the_same_pictures_in_one_process_or_two():
    wanted = contents(2, [], 0, seed=5)
    one, two = (render(wanted, 96, 3, processes) for processes in (1, 2))
    assert len(one) == 8 and [p.distortion for p in one] == [p.distortion for p in two]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, two, strict=True))
    assert one[0].severity == 0 and one[0].score == 1 and len({p.score for p in one}) == 7


def test_parts_of_different_photographs_are_distorted_differently():
    """With the same severities for all photographs a model learns them by heart and knows nothing of a new one."""
    photos = [Path(f"{name}.jpg") for name in ("a", "b", "c")]
    seeds = [content.seed for content in contents(5, photos, 4, seed=3)]
    assert len(set(seeds)) == 5 + 3 * 4
    other = {content.seed for content in contents(5, photos, 4, seed=4)}
    assert not other & set(seeds)


def test_generated_files_say_what_was_done_and_keep_a_photograph_on_one_side(tmp_path):
    photos = []
    for name in "abcdef":
        photos.append(tmp_path / f"{name}.png")
        Image.fromarray(bundled_photo()[: 300 + 10 * len(photos), :400]).save(photos[-1])
    made = write_generated(tmp_path / "g", scenes=4, photos=photos, parts=2, versions=3, side_px=64, seed=2)
    rows = read_rows(GENERATED, tmp_path / "g")
    assert len(rows) == made == (4 + 6 * 2) * 4
    sides = {}
    for row in rows:
        sides.setdefault(row.group, set()).add(row.official)
    assert len(sides) == 10 and all(len(side) == 1 for side in sides.values())
    assert sorted(side for (side,) in map(tuple, sides.values())) == ["test"] * 2 + ["training"] * 7 + ["validation"]
    table = list(csv.DictReader((tmp_path / "g" / "generated.csv").open()))
    kinds = {line["distortion"] for line in table}
    assert "none" in kinds and len(kinds) > 6
    assert all(float(line["score"]) == pytest.approx(1 - float(line["severity"]), abs=2e-6) for line in table)
    older = tmp_path / "g" / "generated.csv"  # as it was written before the column had its name
    older.write_text(older.read_text().replace("image,score,group", "image,score,content"))
    assert read_rows(GENERATED, tmp_path / "g") == rows
    again = write_generated(tmp_path / "h", scenes=4, photos=photos, parts=2, versions=3, side_px=64, seed=2)
    assert again == made
    name = table[5]["image"]
    assert (tmp_path / "g" / name).read_bytes() == (tmp_path / "h" / name).read_bytes()
    with pytest.raises(Refusal, match="cannot be dealt to training, validation, test"):
        write_generated(tmp_path / "few", scenes=2, side_px=64)
    assert not (tmp_path / "few").exists()


def test_photographs_of_one_name_in_several_folders_are_several_contents(tmp_path):
    photos = []
    for number, place in enumerate(
        ("100CANON/IMG_1.png", "101CANON/IMG_1.png", "trip/101CANON/IMG_1.png", "b/only.png")
    ):
        (tmp_path / place).parent.mkdir(parents=True)
        photos.append(tmp_path / place)
        Image.fromarray(np.ascontiguousarray(bundled_photo()[: 200 + number, :300])).save(photos[-1])
    named = labels(photos)
    assert len(set(named.values())) == 4 and named[photos[0]] == "100CANON-IMG_1" and named[photos[3]] == "only"
    assert labels([Path(os.fsdecode(b"a/\xff.png"))]) == {Path(os.fsdecode(b"a/\xff.png")): "\\xff"}
    count = write_generated(tmp_path / "set", scenes=0, photos=photos, parts=1, versions=1, side_px=64)
    assert count == len(list((tmp_path / "set" / "images").iterdir())) == 8
    rows = list(csv.DictReader((tmp_path / "set" / TABLE).open(encoding="utf-8")))
    assert {row["group"] for row in rows} == set(named.values())


def test_unseen_contents_are_none_of_the_training():
    recipe = DemoRecipe(unseen_contents=2)
    seen = {content.name for content in contents(recipe.scenes, [], 0, recipe.seed)}
    assert not seen & {content.name for content in unseen_contents(recipe)}


def test_the_scattering_start_sees_blur_and_noise_before_any_training():
    """A linear read-out of its features orders severities on other contents; the usual random start's hardly does."""
    train = [p for c in contents(40, [], 0, 1) for p in pictures_of(c, 128, 6)]
    other = [p for c in contents(16, [], 0, 2) for p in pictures_of(c, 128, 6)]
    spec, figures = PreprocessSpec(), {}
    for start in ("scattering", "random"):
        torch.manual_seed(1)
        backbone = timm.create_model("mobilenetv3_large_100")
        if start == "scattering":
            start_as_scattering(backbone, seed=1)
        stack = np.stack([p.pixels for p in train])
        with torch.no_grad():
            set_batch_norm_statistics(backbone, planes(stack[::3], spec))
        seen, unseen = (
            torch.from_numpy(pooled(backbone, np.stack([p.pixels for p in part]), spec)).double()
            for part in (train, other)
        )
        mean, deviation = seen.mean(0), seen.std(0) + 1e-3
        seen, unseen = ((part - mean) / deviation for part in (seen, unseen))
        target = torch.tensor([p.score for p in train]).double()
        kernel = seen @ seen.T + 100 * torch.eye(len(seen))
        predicted = unseen @ (seen.T @ torch.linalg.solve(kernel, target - target.mean()))
        figures[start] = measure_accuracy(predicted.numpy(), np.array([p.score for p in other])).srcc
    assert figures["scattering"] > 0.35 and figures["scattering"] > figures["random"] + 0.1, figures


def test_residual_branches_start_small_but_not_at_nothing():
    """A converter would leave out a branch of zeros, and the exported file's time would be that of another network."""
    backbone = train_start(1)
    scales = [block.bn3.weight for stage in backbone.blocks[1:6] for block in stage[1:]]
    assert len(scales) == 9 and all((scale > 0).all() and (scale < 0.2).all() for scale in scales)


def test_another_architecture_is_refused():
    with pytest.raises(Refusal, match="laid out for mobilenetv3_large_100"):
        start_as_scattering(timm.create_model("mobilenetv3_small_050"), 1)


SMALL = ["scenes=2", "photo_parts=1", "versions=2", "picture_px=96", "synthetic_px=64", "authentic_px=64",
         "head_steps=3", "branch_steps=2", "branch_scenes=2", "branch_parts=1", "branch_versions=2",
         "branch_picture_px=96", "branch_crop_px=64", "branch_batch=4", "head_batch=8", "unseen_contents=2",
         "unseen_versions=2", "unseen_px=96", "large=false", "size_contents=3", "photograph_parts=1",
         "photograph_folds=2", "held_out_parts=1", "held_out_versions=2", "branch_group=2"]  # fmt: skip


@pytest.fixture(scope="module")
def small_demo(one_thread):
    with one_thread():
        return train_demo(read_demo_recipe("generated", SMALL))


@pytest.fixture
def photographs(tmp_path):
    """A folder of five photographs and one that is too small."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number, name in enumerate(("a", "b", "c", "d", "e")):
        part = bundled_photo()[200 * number : 200 * number + 150, 300 * number : 300 * number + 200]
        Image.fromarray(part).save(folder / f"{name}.png")
    Image.fromarray(bundled_photo()[:50, :300]).save(folder / "small.png")
    return folder


def test_a_demo_in_small_runs_is_repeatable_and_says_what_it_is(small_demo, one_thread):
    with one_thread():
        again = train_demo(read_demo_recipe("generated", SMALL))
    assert small_demo.unseen_srcc == again.unseen_srcc and small_demo.unseen_pictures == 6
    same = zip(small_demo.model.state_dict().values(), again.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in same)
    provenance = small_demo.model.provenance
    assert provenance.trained is False and "no human ratings" in provenance.note
    assert not small_demo.stopped_early and small_demo.photographs == ()


def test_scores_of_kept_features_are_the_models_own(small_demo):
    """The printed figure is that of the model, although the model never sees the pictures for it."""
    spec = replace(PreprocessSpec(), synthetic_crop_px=96)
    wanted = contents(4, [], 0, seed=8)
    seen = see(small_demo.model, wanted, 96, 2, spec, exact=True)
    kept = scores_of_features(small_demo.model, seen.features)
    pictures = [picture for content in wanted for picture in pictures_of(content, 96, 2)]
    with torch.inference_mode():
        own = np.array([small_demo.model(**prepare(picture.pixels, spec)).item() for picture in pictures])
    assert [picture.severity for picture in pictures] == seen.severity.tolist() and np.ptp(own) > 0.05
    assert np.abs(kept - own).max() < 1e-3 * own.std(), (kept, own)


def test_photographs_are_held_out_group_by_group_and_small_ones_are_counted(photographs, one_thread):
    settings = [*SMALL, f"photographs={photographs}", "branch_steps=0"]
    with one_thread():
        learnt = train_demo(read_demo_recipe("generated", settings))
    assert learnt.too_small == 1 and len(learnt.photographs) == 2
    assert sum(pictures for _, pictures in learnt.photographs) == 5 * 3
    with pytest.raises(Refusal, match="too few to hold out 5 parts"):
        train_demo(read_demo_recipe("generated", [*settings, "photograph_folds=5", "picture_px=140"]))


def test_a_trained_branch_counts_the_held_out_group_only_and_can_be_taken_again(photographs, tmp_path, one_thread):
    settings = [*SMALL, f"photographs={photographs}", "photograph_fold=1"]
    with one_thread():
        first = train_demo(read_demo_recipe("generated", settings))
        save_checkpoint(first.model, tmp_path / "first.safetensors")
        taken = [*settings, "branch_steps=0", f"branch_from={tmp_path / 'first.safetensors'}"]
        second = train_demo(read_demo_recipe("generated", taken))
    assert len(first.photographs) == len(second.photographs) == 1
    weights = [learnt.model.synthetic.backbone.blocks[3][1].conv_dw.weight for learnt in (first, second)]
    assert torch.equal(*weights)
    moved = first.model.synthetic.backbone.blocks[3][1].bn3.weight - train_start(1).blocks[3][1].bn3.weight
    assert moved.abs().max() > 1e-4  # trained, deep inside


def train_start(seed: int):
    backbone = timm.create_model("mobilenetv3_large_100")
    start_as_scattering(backbone, seed)
    return backbone


def test_a_misspelt_setting_of_the_demo_is_refused():
    with pytest.raises(Refusal, match="did you mean 'head_steps'"):
        read_demo_recipe("generated", ["head_step=3"])
    with pytest.raises(Refusal, match="must be int"):
        read_demo_recipe("generated", ["scenes=many"])
