"""Contenders with known behaviour, for tests of the harness. A worker finds them by this module's name."""

import os
import signal
import time
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.measure.candidate import Candidate
from benchmarks.measure.measurement import Subject

BLOCK_MIB, SLEEP_S = 256, 0.05


@dataclass
class FakeRunner:
    """Scores a photo by its mean, after doing what it was told to do."""

    behave: object
    runtime: str = "fake 1.0"
    executes_artifact: bool = True

    def run(self, inputs):
        self.behave()
        return float(inputs["image"].mean()) / 255

    def placement(self, inputs):
        return {"gpu": 3, "cpu": 2}


@dataclass
class FakeScorer:
    runner: FakeRunner

    def inputs(self, image, fit=False):
        return {"image": image}


def sleep(seconds=SLEEP_S):
    time.sleep(seconds)


def hold_a_block():
    np.ones(BLOCK_MIB * 2**20, np.uint8)  # written to, so that it is resident; freed at once


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def stumble():
    raise ValueError("two\nlines")


def hang():
    time.sleep(60)


def nothing():
    pass


def opened(behave, threads):
    return FakeScorer(FakeRunner(behave))


def not_opened(threads):
    raise FileNotFoundError("no such model")


def candidate(name, behave=nothing, **options):
    return Candidate(Subject(name=name), partial(opened, behave), **options)
