"""How fast a library of photos is scored by our own worker processes and by Ray's actors, in turns: A B, B A, A B.

    python -m benchmarks.measure.library_engines MODEL FOLDER [--workers 2] [--rounds 3]

Rate: photos a second, by the clock, from the call to the last row. Both start what they need within it: our processes,
or Ray's on this machine alone, its imports included; Ray also writes its tables. Each turn is a process of its own, so
that nothing is warm but the system's memory of the files. Load: of the machine, before the turn; it has our own last
turn in it. Prints a table for people, and one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from lariqa.library.work import Work


def by_workers(model: str, folder: str, workers: int) -> dict[str, float]:
    """Scores of a folder, by photo, from our own processes."""
    from lariqa.library.workers import score_in_workers
    from lariqa.photos.photo_files import photos_in

    _, *rows = score_in_workers(Work(model), ((photo, None) for photo in photos_in([folder])), workers)
    return {row.photo: row.score for row in rows}


def by_ray(model: str, folder: str, workers: int) -> dict[str, float]:
    """The same from Ray's actors on this machine."""
    from lariqa.library.ray_data import score_uri

    with tempfile.TemporaryDirectory() as here:
        scored = score_uri(model, [folder], f"{here}/scores", workers=workers)
        return {row.photo: row.score for row in scored.folder.rows()}


ENGINES: dict[str, Callable[[str, str, int], dict[str, float]]] = {"workers": by_workers, "ray": by_ray}


def turn(engine: str, model: str, folder: str, workers: int) -> dict:
    """One engine in a process of its own: {"rate": photos a second, "seconds", "scores", "load"}."""
    load = os.getloadavg()[0]
    command = [sys.executable, "-m", "benchmarks.measure.library_engines", model, folder]
    ended = subprocess.run([*command, "--workers", str(workers), "--turn", engine], stdout=subprocess.PIPE, check=True)
    return {**json.loads(ended.stdout), "load": load}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turn", choices=ENGINES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.turn:
        began = time.monotonic()
        scores = ENGINES[given.turn](given.model, given.folder, given.workers)
        seconds = time.monotonic() - began
        print(json.dumps({"rate": len(scores) / seconds, "seconds": seconds, "scores": scores}))
        return
    rates: dict[str, list[float]] = {name: [] for name in ENGINES}
    first = None
    print(f"{'round':>5} {'engine':>8} {'photos/s':>9} {'seconds':>8} {'load':>5}")
    for number in range(given.rounds):
        for engine in list(ENGINES)[:: 1 if number % 2 == 0 else -1]:
            found = turn(engine, given.model, str(Path(given.folder)), given.workers)
            first = first or found["scores"]
            if found["scores"] != first:
                raise SystemExit(f"{engine} gives other scores")
            rates[engine].append(found["rate"])
            row = f"{number + 1:>5} {engine:>8} {found['rate']:>9.2f} {found['seconds']:>8.1f} {found['load']:>5.1f}"
            print(row, flush=True)
    middle = {name: median(found) for name, found in rates.items()}
    ratios = [ray / own for ray, own in zip(rates["ray"], rates["workers"], strict=True)]
    print(f"ray / workers: {median(ratios):.2f} (of each round: {', '.join(f'{ratio:.2f}' for ratio in ratios)})")
    print(
        json.dumps({"photos": len(first), "workers": given.workers, "rates": rates, "median": middle, "ratio": ratios})
    )


if __name__ == "__main__":
    main()
