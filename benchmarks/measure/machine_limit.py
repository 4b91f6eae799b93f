"""What this machine can do at best, measured in the same run and on the same threads as the models.

    matrix product   1024 x 1024 x 1024, float32                              10^9 MACs per second
    convolution      3x3, 64 -> 64 channels, 128 x 128, float32, padded       10^9 MACs per second
    copy             256 MiB, larger than most caches; read + written           10^9 bytes per second

The best of many short tries: a limit is what is possible, not what is usual. PyTorch's kernels (oneDNN on x86) do it.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import torch
import torch.nn.functional as F

from benchmarks.measure.measurement import MachineLimit

TRY_S = 0.6  # for each of the three


def measure_limit(threads: int, try_s: float = TRY_S) -> MachineLimit:
    """Measure in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        return fresh.submit(limit_here, threads, try_s).result()


def limit_here(threads: int, try_s: float = TRY_S) -> MachineLimit:
    """Measure in this process, which then keeps that many threads."""
    torch.set_num_threads(threads)
    side, channels, kernel, picture = 1024, 64, 3, 128
    left, right = torch.rand(side, side), torch.rand(side, side)
    image = torch.rand(1, channels, picture, picture).to(memory_format=torch.channels_last)
    weight = torch.rand(channels, channels, kernel, kernel).to(memory_format=torch.channels_last)
    source = torch.zeros(256 * 2**20, dtype=torch.uint8)
    target = torch.empty_like(source)
    with torch.inference_mode():
        return MachineLimit(
            matmul_gmacs_per_s=side**3 / _best_s(lambda: left @ right, try_s) / 1e9,
            convolution_gmacs_per_s=(channels * kernel * picture) ** 2
            / _best_s(lambda: F.conv2d(image, weight, padding=kernel // 2), try_s)
            / 1e9,
            copy_gb_per_s=2 * source.numel() / _best_s(lambda: target.copy_(source), try_s) / 1e9,
        )


def better_of(one: MachineLimit, other: MachineLimit) -> MachineLimit:
    """The better figure of each kind."""
    return MachineLimit(**{name: max(getattr(one, name), getattr(other, name)) for name in MachineLimit.model_fields})


def _best_s(work: Callable[[], object], try_s: float) -> float:
    work()
    best, until = float("inf"), time.perf_counter() + try_s
    while time.perf_counter() < until:
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best
