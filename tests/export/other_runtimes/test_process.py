"""A child process that answers, refuses, crashes, hangs, or says something else."""

import json
import shutil
import sys

import numpy as np
import pytest

from export.other_runtimes.environment import CHILD
from export.other_runtimes.process import Child, NoAnswer

OPENED = {"model": "model", "threads": 1, "options": {"add": "1"}, "folder": "."}
SUM = """
import os, sys, time
print("a greeting of the library")
os.write(1, b"and one of its native code\\n")
def open_model(model, threads, options, folder):
    def run(inputs):
        {run}
        return sum(value.sum() for value in inputs.values()) + float(options["add"])
    return "1.0", threads, run
"""

JAVASCRIPT = """
const { answer } = require(%s);
console.log("a greeting of the library");
answer(async (asked) => {
  const sum = (numbers) => numbers.reduce((before, one) => before + one, 0);
  return {
    version: "1.0",
    threads: asked.threads,
    onCpu: 3,
    run: async (inputs) => [sum(Object.values(inputs).map(([kind, numbers]) => sum(numbers)))],
  };
});
"""


@pytest.fixture
def start(tmp_path):
    """A function that starts a script whose run begins with a statement."""

    def start(run: str = "pass", script: str = SUM, limit_s: float = 30) -> Child:
        path = tmp_path / "run_toy.py"
        path.write_text(script.format(run=run))
        return Child([sys.executable, "-I", CHILD, path], 1, limit_s)

    return start


@pytest.fixture
def question(tmp_path):
    np.savez(tmp_path / "inputs.npz", first=np.ones((2, 3), np.uint8), second=np.ones(4, np.float32))
    return {"inputs": str(tmp_path / "inputs.npz")}


def test_it_answers_with_scores_and_seconds_whatever_its_library_prints(start, question):
    with start("time.sleep(0.05)") as child:
        assert child.ask(OPENED) == {"version": "1.0", "threads": 1}
        answers = [child.ask(question) for _ in range(2)]
    assert [answer["scores"] for answer in answers] == [[11.0], [11.0]]
    assert all(0.05 <= answer["seconds"] < 5 for answer in answers)


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("raise RuntimeError('no such\\n operator')", "RuntimeError: no such operator"),
        ("os.kill(os.getpid(), 11)", "killed by SIGSEGV"),
        ("print('last', file=sys.stderr, flush=True); os._exit(3)", "status 3; its last words: .*last"),
    ],
)
def test_a_refusal_and_a_crash_are_sentences(start, question, run, said):
    with start(run) as child:
        child.ask(OPENED)
        with pytest.raises(NoAnswer, match=said):
            child.ask(question)
        with pytest.raises(NoAnswer, match=r"killed|status"):  # and it stays silent
            child.ask(question)


def test_a_child_that_hangs_or_answers_with_noise_is_given_up(start, question):
    with start("time.sleep(60)", limit_s=2) as child:
        child.ask(OPENED)
        with pytest.raises(NoAnswer, match="no answer within 2 s"):
            child.ask(question)
    assert child._process.returncode == -9
    with Child([sys.executable, "-c", "print('hello', flush=True)"], 1) as child, pytest.raises(NoAnswer, match="JSON"):
        child.ask(OPENED)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_a_script_of_javascript_reads_the_same_inputs_and_tells_what_is_left_to_the_cpu(question, tmp_path):
    script = tmp_path / "run_toy.cjs"
    script.write_text(JAVASCRIPT % json.dumps(str(CHILD.with_suffix(".cjs"))))
    with Child(["node", script, tmp_path], 1, 30) as child:
        assert child.ask(OPENED) == {"version": "1.0", "threads": 1, "on_cpu": 3}
        assert child.ask(question)["scores"] == [6 + 4]
        assert child.ask(question)["seconds"] >= 0
    script.write_text(script.read_text().replace("return {", "throw new Error('no such\\n operator'); return {"))
    with Child(["node", script, tmp_path], 1, 30) as child, pytest.raises(NoAnswer, match="Error: no such operator"):
        child.ask(OPENED)
