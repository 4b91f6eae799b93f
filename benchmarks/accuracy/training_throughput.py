"""Where the time of UHD training goes: images/s of decoding, of the loader and of the training step, side by side.

    python -m benchmarks.accuracy.training_throughput [--seconds 20] [--batch 2] [--photos 24] [--recipe uhd_finetune]

    decode      one process: JPEG 3840x2160 -> pixels
    views       the same, and both views cut
    loader      the trainer's own DataLoader with one worker per core; "cached" with the resized view kept
    step        forward, backward and AdamW of the whole model at the recipe's sizes, data ready in memory: as it is, in
                bfloat16, with the channels last in memory, and with depthwise gradients in float32 (demo's training)

Generated 4K photos (the bundled one, turned and cut anew) in a temporary folder. A printed figure, not a test.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

from lariqa.manifest.model_config import LarIqaConfig
from lariqa.photos.photo import open_photo
from lariqa_train.datasets.rows import Row
from lariqa_train.datasets.view_cache import check_and_cache
from lariqa_train.datasets.views import EpochSampler, Pictures
from lariqa_train.demo.depthwise_gradients import float32_depthwise_gradients
from lariqa_train.model.model import LarIqa
from lariqa_train.pictures.damage import bundled_photo
from lariqa_train.training.stages import BothBranches
from lariqa_train.training.task import LarIqaTask
from lariqa_train.training.train_config import TrainConfig, read_config

STEPS = (
    "float32",
    "bfloat16",
    "float32, channels last",
    "bfloat16, channels last",
    "bfloat16, channels last, depthwise",
)


def main() -> None:
    """Measure and print; see the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--recipe", default="uhd_finetune")
    options = parser.parse_args()
    config = read_config(options.recipe, [f"batch_size={options.batch}"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    cores = os.cpu_count() or 1
    print(f"{options.photos} photos of 3840x2160, batch {options.batch}, {cores} cores, {device}, images/s:")
    with tempfile.TemporaryDirectory() as folder:
        rows = _write_photos(Path(folder), options.photos)
        spec = LarIqaConfig().preprocess
        _say("decode", _rate(lambda: open_photo(rows[0].image), 1, options.seconds))
        plain = Pictures({"uhd": rows}, spec, config.views, True, 1)
        _say("views", _rate(lambda: plain[(0, 0)], 1, options.seconds))
        cache = check_and_cache(rows, spec, Path(folder) / "views", keep=True)
        cached = Pictures({"uhd": rows}, spec, config.views, True, 1, cache)
        for name, pictures in (("loader", plain), ("loader, cached", cached)):
            _say(name, _loader_rate(pictures, options.batch, cores, options.seconds))
        batch = torch.utils.data.default_collate([cached[(i, 0)] for i in range(options.batch)])
        for how in STEPS:
            _say(f"step, {how}", _step_rate(config, batch, device, how, options.seconds))
    if device.type == "cuda":
        print(f"peak GPU memory {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")


def _write_photos(folder: Path, count: int) -> list[Row]:
    photo, rows = bundled_photo(), []
    for number in range(count):
        path = folder / f"{number}.jpg"
        Image.fromarray(np.roll(photo, 157 * number, axis=1)).save(path, quality=92)
        rows.append(Row(path, number / count, path.name))
    return rows


def _rate(work: Callable[[], object], images: int, seconds: float) -> float:
    work()
    began, done = time.perf_counter(), 0
    while (took := time.perf_counter() - began) < seconds or not done:
        work()
        done += images
    return done / took if took else float("inf")


def _loader_rate(pictures: Pictures, batch: int, workers: int, seconds: float) -> float:
    sampler = EpochSampler(len(pictures), batch, True, 1)
    loader = DataLoader(pictures, batch, sampler=sampler, num_workers=workers, persistent_workers=True)
    began, done = None, 0
    while True:
        for made in loader:
            if began is None:  # the first batch pays for starting the workers
                began = time.perf_counter()
                continue
            done += len(made["mos"])
            if (took := time.perf_counter() - began) > seconds:
                return done / took


def _step_rate(config: TrainConfig, batch: dict, device: torch.device, how: str, seconds: float) -> float:
    network = BothBranches(LarIqa(LarIqaConfig(backbone=config.timm_backbone)), frozen=False)
    if "channels last" in how:
        network = network.to(memory_format=torch.channels_last)
    task = LarIqaTask(network, config, config.datasets).to(device)
    optimiser = torch.optim.AdamW(task.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    ready = {name: tensor.to(device) for name, tensor in batch.items()}

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled="bfloat16" in how):
            scores = task.scores(ready)
        loss = (scores.float() - ready["mos"]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if device.type == "cuda":
            torch.cuda.synchronize()

    with float32_depthwise_gradients(network) if "depthwise" in how else nullcontext():
        return _rate(step, len(batch["mos"]), seconds)


def _say(name: str, rate: float) -> None:
    print(f"  {name:41s} {rate:8.2f}   {1000 / rate:8.1f} ms each", flush=True)


if __name__ == "__main__":
    main()
