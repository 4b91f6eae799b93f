"""``lariqa score -o`` killed at random moments, its driver or a worker, until it ends; and what every run had told.

    python -m tests.support.killed_runs MODEL FOLDER [KILLS]

kills so many runs (100 unless told), each of a table that others before it may have begun.
"""

from __future__ import annotations

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

LONGEST_S = 4.0  # until the kill: from before the model is open to after the table is whole


def told_by(stdout: str) -> list[str]:
    """The photos whose rows a run had printed whole."""
    lines = (
        line.rstrip(",") for line in stdout.splitlines() if line.startswith("{") and line.rstrip(",").endswith("}")
    )
    return [json.loads(line)["photo"] for line in lines]


def run_killed(command: list[str], draw: random.Random) -> tuple[str, int]:
    """Start it, kill it or one of its children once; (stdout, exit status)."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    kills_worker = draw.random() < 0.4
    time.sleep(draw.uniform(0.3, LONGEST_S))
    if kills_worker and process.poll() is None:
        for child in psutil.Process(process.pid).children()[:1]:
            child.kill()
    else:
        process.kill()
    stdout, stderr = process.communicate()
    assert "Traceback" not in stderr, stderr
    return stdout, process.returncode


def killed_runs(model: Path, photos: list[Path], folder: Path, kills: int, seed: int = 0) -> Counter:
    """Kill so many runs, in tables one after another; each table must end like one that nobody disturbed.

    Returns:
        How many runs ended how: exit status -> runs.
    """
    score, draw, endings = Work(model, threads=1).open(), random.Random(seed), Counter()
    expected = {row.photo: _same(row) for row in map(score, photos)}
    killed, number = 0, 0
    while killed < kills:
        number += 1
        table, told = folder / f"{number}.csv", []
        command = [sys.executable, "-m", "lariqa_cli", "score", str(model), *map(str, photos), "-o", str(table)]
        command += ["--resume", "--json", "--workers", "2"]
        while not table.exists() and killed < kills:
            stdout, status = run_killed(command, draw)
            told += told_by(stdout)
            killed += 1
            endings[status] += 1
        before = {row.photo for row in read_table(table)} if table.exists() else set()
        ended = subprocess.run(command, capture_output=True, text=True)
        told += told_by(ended.stdout)
        assert ended.returncode in (0, 2) and "Traceback" not in ended.stderr, ended.stderr
        rows = list(read_table(table))
        assert len(rows) == len(expected) and {row.photo: _same(row) for row in rows} == expected, "rows lost or twice"
        assert not [photo for photo, count in Counter(told).items() if count > 1], "told twice"
        assert before <= {row.photo for row in rows} and set(told) <= expected.keys()
    return endings


def _same(row: Row) -> Row:
    return replace(row, seconds=None)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        asked = int(sys.argv[3]) if len(sys.argv) > 3 else 100
        print(killed_runs(Path(sys.argv[1]), photos_in([sys.argv[2]]), Path(where), asked))
