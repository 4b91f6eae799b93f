"""The exports that the Kotlin tests score with are made again when what they come from changes."""

import sys
from pathlib import Path

ANDROID = Path(__file__).parents[2] / "android_demo"
sys.path.insert(0, str(ANDROID))

import make_test_exports  # noqa: E402


def test_a_changed_tiny_model_is_noticed(monkeypatch, tmp_path):
    as_it_is = make_test_exports.made_from()
    assert make_test_exports.made_from() == as_it_is
    factory = Path(make_test_exports.tiny_model.__file__)
    assert factory == Path(__file__).parents[1] / "support" / "tiny_model.py"
    other = tmp_path / factory.name
    other.write_text(text := factory.read_text())
    monkeypatch.setattr(make_test_exports.tiny_model, "__file__", str(other))
    before = make_test_exports.made_from()
    other.write_text(text + "# changed\n")
    assert make_test_exports.made_from() != before
