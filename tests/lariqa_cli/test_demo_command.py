"""``lariqa demo``: its folder."""

import json

from tests.support.commands import refused, snapshot


def test_a_demo_does_not_replace_what_was_trained(run, exported):
    manifest = json.loads((exported / "lariqa.json").read_text())
    manifest["model"]["provenance"]["trained"] = True
    (exported / "lariqa.json").write_text(json.dumps(manifest))
    before = snapshot(exported)
    refused(run("demo", "-o", exported), exported, "trained weights", "choose another")
    assert snapshot(exported) == before
