"""The vectors that hold both phone apps' ranking are what their rules say, and they tell the rules apart."""

import importlib.util
import json
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "golden"


def rules():
    spec = importlib.util.spec_from_file_location("make_burst", GOLDEN / "make_burst.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_burst_vectors_are_what_their_rules_say():
    made = json.loads((GOLDEN / "burst.json").read_text())
    assert made == json.loads(json.dumps(rules().make()))
    margins = [row["margin"] for row in made["margins"]]
    assert len(set(margins)) == 5 and None in margins
    assert {len(row["groups"][0]) for row in made["bursts"] if row["groups"]} == {1, 2, 3}


def test_figures_have_two_digits_and_no_exponent():
    figure = rules().figure
    assert [figure(x) for x in (0, 0.0000036, 0.0036, 0.114, 1.26, 13.75)] == [
        "0", "0.0000036", "0.0036", "0.11", "1.3", "14",
    ]  # fmt: skip
