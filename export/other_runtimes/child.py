"""Run one runtime's script and answer questions on stdin; started by ``process`` in the runtime's own environment.

    python -I child.py run_NAME.py
        asks      {"model": FILE, "threads": n, "options": {...}, "folder": FOR_ITS_OWN_FILES}
        answers   {"version": "1.2.3", "threads": n that it uses, "on_cpu": operators that an accelerator left there}
        asks      {"inputs": FILE.npz}, again and again
        answers   {"scores": [...], "seconds": of the run alone}
        or, at any time, {"refused": "SomeError: why"}, and ends

One line of JSON each. A script has one function, ``open_model(model, threads, options, folder)``, which returns the
version, the threads in use, and a function from arrays by name to an array of scores. What a library prints goes to
stderr, so that the answers stay alone on stdout.
"""

import json
import os
import runpy
import sys
import time


def main() -> None:
    """Answer until there are no more questions."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        for answer in answered(sys.argv[1]):
            print(json.dumps(answer), file=answers)
    except Exception as error:  # whatever the library raises is its answer
        print(json.dumps({"refused": f"{type(error).__name__}: {' '.join(str(error).split())}"}), file=answers)


def answered(script: str):
    """One answer for each line of stdin."""
    asked = json.loads(sys.stdin.readline())
    open_model = runpy.run_path(script)["open_model"]
    version, threads, run = open_model(asked["model"], asked["threads"], asked["options"], asked["folder"])
    yield {"version": version, "threads": threads}
    import numpy as np

    for line in sys.stdin:
        with np.load(json.loads(line)["inputs"]) as arrays:
            inputs = dict(arrays)
        began = time.perf_counter()
        scores = run(inputs)
        seconds = time.perf_counter() - began
        yield {"scores": np.asarray(scores, np.float64).reshape(-1).tolist(), "seconds": seconds}


if __name__ == "__main__":
    main()
