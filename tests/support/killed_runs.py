"""``lariqa score -o`` killed at random moments, its driver or a worker, until it ends; and what every run had told.

    python -m tests.support.killed_runs MODEL FOLDER [KILLS]

kills so many runs (100 unless told), each of a table that others before it may have begun.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil

from lariqa.library.row import Row
from lariqa.library.table_files import read_table
from lariqa.library.work import Work
from lariqa.photos.photo_files import photos_in


def told_by(stdout: str) -> list[str]:
    """The photos whose rows a run had printed whole."""
    lines = (
        line.rstrip(",") for line in stdout.splitlines() if line.startswith("{") and line.rstrip(",").endswith("}")
    )
    return [json.loads(line)["photo"] for line in lines]


def run_killed(command: list[str], victim: str, after_s: float) -> tuple[str, str]:
    """Start it, kill its "driver" or a "worker" after some seconds; (stdout, what was killed, or "nothing").

    A worker is killed once there is one; a run that has ended by then was not killed.
    """
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    killed = "nothing"
    time.sleep(after_s)
    with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself, just now
        victims = [psutil.Process(process.pid)]
        if victim == "worker":
            while not (victims := psutil.Process(process.pid).children()) and process.poll() is None:
                time.sleep(0.02)
        if victims and process.poll() is None:
            victims[-1].kill()
            killed = victim
    stdout, stderr = process.communicate()
    assert "Traceback" not in stderr, stderr
    return stdout, killed


def killed_runs(model: Path, photos: list[Path], folder: Path, kills: int, seed: int = 0) -> Counter:
    """Kill so many runs, in tables one after another; each table must end like one that nobody disturbed.

    Returns:
        What was killed how often; a run that had ended before is counted as "nothing", and is none of ``kills``.
    """
    score, draw, killed = Work(model, threads=1).open(), random.Random(seed), Counter()
    expected = {row.photo: _same(row) for row in map(score, photos)}
    command = [sys.executable, "-m", "lariqa_cli", "score", str(model), *map(str, photos)]
    command += ["--resume", "--json", "--workers", "2", "-o"]
    began = time.monotonic()
    subprocess.run([*command, str(folder / "undisturbed.csv")], capture_output=True)
    longest_s, number = time.monotonic() - began, 0  # so that kills fall anywhere between its start and its end

    def left() -> int:
        return kills - killed["driver"] - killed["worker"]

    while left():
        number += 1
        table, told = folder / f"{number}.csv", []
        while not table.exists() and left():
            victim = "worker" if left() % 2 == 0 else "driver"
            stdout, what = run_killed([*command, str(table)], victim, draw.uniform(0, longest_s))
            told += told_by(stdout)
            killed[what] += 1
        before = {row.photo for row in read_table(table)} if table.exists() else set()
        ended = subprocess.run([*command, str(table)], capture_output=True, text=True)
        told += told_by(ended.stdout)
        assert ended.returncode in (0, 2) and "Traceback" not in ended.stderr, ended.stderr
        rows = list(read_table(table))
        assert len(rows) == len(expected) and {row.photo: _same(row) for row in rows} == expected, "rows lost or twice"
        assert not [photo for photo, count in Counter(told).items() if count > 1], "told twice"
        assert before <= {row.photo for row in rows} and set(told) <= expected.keys()
    return killed


def _same(row: Row) -> Row:
    return replace(row, seconds=None)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        asked = int(sys.argv[3]) if len(sys.argv) > 3 else 100
        print(killed_runs(Path(sys.argv[1]), photos_in([sys.argv[2]]), Path(where), asked))
