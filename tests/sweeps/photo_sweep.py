"""The large sweeps over photo files, outside CI: TIFF layouts, odd and broken pictures, damaged metadata.

    python -m tests.sweeps.photo_sweep                    all 2,500, about two minutes of one core
    python -m tests.sweeps.photo_sweep tiffs odd          some of them
    python -m tests.sweeps.photo_sweep damaged --files 5000 --seed 7

Each file must give the right pixels or be refused in one sentence that names it. What is wrong is printed, its file is
kept, and the exit status is 1. Whoever finds a fault adds a small test of its kind to tests/lariqa/photos.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

from tests.sweeps import broken_pictures, damaged_metadata, odd_pictures, tiffs
from tests.sweeps.judge import REFUSED, RIGHT, WRONG, sweep


def main() -> int:
    """Run the sweeps that are named; the exit status."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("sweeps", nargs="*", choices=["tiffs", "odd", "broken", "damaged", []], help="none: all")
    asked.add_argument("--files", type=int, default=1000, help="with damaged metadata")
    asked.add_argument("--seed", type=int, default=1, help="of the damage")
    asked.add_argument("--refusals", action="store_true", help="print what was refused, and why")
    given = asked.parse_args()
    sources = {
        "tiffs": tiffs.cases,
        "odd": odd_pictures.cases,
        "broken": broken_pictures.cases,
        "damaged": lambda: damaged_metadata.cases(given.files, given.seed),
    }
    warnings.simplefilter("ignore")  # Pillow's about modes, while the files are written
    folder, counts, wrong = Path(tempfile.mkdtemp(prefix="photo-sweep-")), {}, []
    for name in given.sweeps or sources:
        for outcome in sweep(sources[name](), folder):
            counts.setdefault(outcome.case.group, Counter())[outcome.verdict] += 1
            if outcome.verdict == WRONG:
                wrong.append(outcome)
            if outcome.verdict == REFUSED and given.refusals:
                print(f"{outcome.case.group}, {outcome.case.name}: {outcome.words}")
    width = max(map(len, counts))
    print(f"{'files':{width}}  {'right':>6} {'refused':>8} {'wrong':>6}")
    for group, verdicts in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        print(f"{group:{width}}  {verdicts[RIGHT]:6} {verdicts[REFUSED]:8} {verdicts[WRONG]:6}")
    for outcome in wrong:
        print(f"{WRONG}: {outcome.case.group}, {outcome.case.name}: {outcome.words}")
    if not wrong:
        folder.rmdir()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
