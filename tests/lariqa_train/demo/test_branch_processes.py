"""Branch training in several processes: gradients are averaged, all stop together, and the result is repeatable."""

import threading
import time

import numpy as np
import pytest
import timm
import torch

from lariqa.errors import Refusal
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa_train.datasets.generated import contents, render
from lariqa_train.demo.branch_processes import PATIENCE_S, ROWS, GradientAverager, train_branch_on_all_cores
from lariqa_train.demo.branch_training import BranchSteps, Shown, _draw
from lariqa_train.demo.scattering import start_as_scattering
from lariqa_train.pictures.distortions import DISTORTIONS

SPEC = PreprocessSpec()
HOW = BranchSteps(steps=3, batch=8, versions=2, crop_px=64, lr=1e-3, rank_weight=1.0, seed=1)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    return Shown.rendered(contents(4, [], 0, 1), 96, 3, tmp_path_factory.mktemp("shown") / "pixels.npy")


def trained(shown: Shown, processes: int, deadline: float) -> tuple[torch.Tensor, bool]:
    torch.manual_seed(1)
    backbone = timm.create_model("mobilenetv3_large_100", num_classes=10)
    start_as_scattering(backbone, 1)
    late = train_branch_on_all_cores(backbone, shown, SPEC, HOW, deadline, processes=processes)
    return torch.cat([p.detach().flatten() for p in backbone.parameters()]), late


def test_pictures_in_a_file_are_those_that_were_rendered(shown):
    pictures = render(contents(4, [], 0, 1), 96, 3)
    assert all(np.array_equal(kept, p.pixels) for kept, p in zip(shown.pixels, pictures, strict=True))
    assert shown.targets.tolist() == pytest.approx([p.score for p in pictures]) and len(set(shown.targets)) == 13
    assert set(shown.contents) == {0, 1, 2, 3} and 1 < len(set(shown.kinds)) <= len(DISTORTIONS) + 1


def test_a_full_disk_is_refused_before_it_is_mapped(tmp_path):
    with pytest.raises(Refusal, match="set TMPDIR to a larger disk"):
        Shown.rendered(contents(4, [], 0, 1), 10**7, 3, tmp_path / "pixels.npy")
    assert not list(tmp_path.iterdir())


def test_versions_of_one_crop_show_the_same_part_and_most_lie_on_the_blocks_of_jpeg():
    rows, columns = np.mgrid[:60, :60].astype(np.uint8)
    ramp = np.stack([rows, columns, np.zeros_like(rows)], -1)
    pixels = np.stack([ramp + np.array([0, 0, number], np.uint8) for number in range(6)])
    random, aligned = np.random.default_rng(1), 0
    for _ in range(100):
        chosen, crops = _draw(pixels, [np.arange(3), np.arange(3, 6)], HOW, random)
        assert len(chosen) == len(crops) == 8 and crops.shape[1:] == (60, 60, 3)
        assert [crop[0, 0, 2] for crop in crops] == chosen.tolist()
        assert all(np.array_equal(crops[i][..., :2], crops[i + 1][..., :2]) for i in range(0, 8, 2))
    small = BranchSteps(steps=1, batch=2, versions=2, crop_px=16, lr=1.0, rank_weight=0.0, seed=1)
    for _ in range(200):
        crop = _draw(pixels, [np.arange(3)], small, random)[1][0]
        aligned += crop[..., 0].min() % 8 == 0 and crop[..., 1].min() % 8 == 0
    assert 140 < aligned < 190


def test_gradients_meet_as_their_mean_and_one_late_process_stops_all(tmp_path):
    np.lib.format.open_memmap(tmp_path / ROWS, "w+", np.float32, (2, 10)).flush()
    barrier, made = threading.Barrier(2), {}

    def join(rank: int) -> None:
        meeting = GradientAverager(barrier, rank, deadline=0.0 if rank else time.monotonic() + 600)
        meeting.enter(str(tmp_path))
        parameters = [torch.zeros(2, 2, requires_grad=True), torch.zeros(3, requires_grad=True)]
        for parameter in parameters:
            parameter.grad = torch.arange(parameter.numel()).view_as(parameter) + 10.0 * rank
        meeting.average(parameters)
        made[rank] = [p.grad for p in parameters], meeting.late

    threads = [threading.Thread(target=join, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for gradients, late in made.values():
        assert late and gradients[0].tolist() == [[5, 6], [7, 8]] and gradients[1].tolist() == [5, 6, 7]
    assert len(made) == 2


def test_two_processes_train_repeatably_and_a_deadline_cuts_them_short(shown, one_thread):
    with one_thread():
        (first, late), (again, _) = (trained(shown, 2, time.monotonic() + 600) for _ in range(2))
        alone, _ = trained(shown, 1, time.monotonic() + 600)
        short, cut = trained(shown, 2, 0.0)
    assert not late and cut and torch.equal(first, again)
    assert not torch.equal(first, alone) and not torch.equal(first, short)


def test_a_process_that_fails_is_not_waited_for(shown):
    broken = Shown(shown.pixels, shown.targets, shown.kinds[:2], shown.contents)
    began = time.monotonic()
    with pytest.raises((IndexError, Refusal)):  # its own fault, or the other's, whichever comes first
        trained(broken, 2, began + 2 * PATIENCE_S)
    assert time.monotonic() - began < PATIENCE_S
