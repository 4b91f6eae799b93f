"""``lariqa verify FILE --runtime NAME``: the reference evaluator in truth, and made-up runtimes that misbehave."""

from dataclasses import replace

import pytest

from export.formats import FORMATS
from export.formats.other_runtime import OtherRuntime, Way
from export.other_runtimes import process
from tests.support.commands import ONNX, refused

TOY = """
import os, time
def open_model(model, threads, options, folder):
    {opening}
    import onnxruntime
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    def run(inputs):
        {running}
        return session.run(["score"], inputs)[0] + float(options.get("add", 0))
    return "1.0", 1, run
"""
SECOND = Way("its defaults", judged=False)


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A function that puts a runtime in the place of the known ones: name -> what its script does, and its ways."""

    def make(**toys) -> None:
        others = []
        for name, (opening, running, *ways) in toys.items():
            script = tmp_path / f"run_{name}.py"
            script.write_text(TOY.format(opening=opening or "pass", running=running or "pass"))
            others.append(OtherRuntime(name, name.title(), script, ways=tuple(ways) or (Way(),)))
        known = replace(FORMATS["onnx"].other_runtimes, others=tuple(others))
        monkeypatch.setitem(FORMATS, "onnx", replace(FORMATS["onnx"], other_runtimes=known))

    return make


def rows(ended) -> dict[str, list[str]]:
    """Runtime -> its other cells, from a table in Markdown."""
    lines = [line.strip("| ").split(" | ") for line in ended.stdout.splitlines() if line.startswith("|")]
    return {f"{line[0]} {line[2]}": line[1:] for line in lines[2:]}


def test_the_standards_evaluator_gives_pytorchs_scores(run, exported):
    ended = run("verify", exported / ONNX, "--runtime", "reference", "--markdown")
    assert ended.status == 0 and "limit 5e-05" in ended.stdout and str(exported) not in ended.stdout
    (row,) = rows(ended).values()
    assert float(row[3]) < 5e-5 and row[4]


def test_each_misbehaviour_is_a_row_and_the_others_go_on(run, exported, made_up, monkeypatch):
    monkeypatch.setattr(process, "LIMIT_S", 4)
    made_up(
        right=("", ""),
        wrong=("", "", Way("add", {"add": "0.1"}), SECOND),
        same=("", "", Way("asked"), SECOND),
        refusing=("raise ValueError('no operator Foo in ' + model)", ""),
        crashing=("", "os.kill(os.getpid(), 11)"),
        hanging=("", "time.sleep(60)"),
    )
    ended = run("verify", exported / ONNX, "--runtime", "all", "--markdown")
    found = rows(ended)
    assert ended.status == 1
    assert float(found["Right nothing"][3]) < 5e-5 and "to" in found["Right nothing"][5]
    assert 0.09 < float(found["Wrong add"][3]) < 0.11 and float(found["Wrong its defaults"][3]) < 5e-5
    assert "Same asked" in found and "Same its defaults" not in found  # it would say the same again
    assert found["Refusing nothing"][3] == f"opening the file: ValueError: no operator Foo in {ONNX}"
    assert found["Crashing nothing"][3].startswith("killed by SIGSEGV")
    assert found["Hanging nothing"][3] == "no answer within 4 s"
    assert any(line.endswith("Wrong, Refusing, Crashing, Hanging") for line in ended.said)
    assert str(exported) not in ended.stdout


def test_a_runtimes_own_defaults_do_not_fail_the_file(run, exported, made_up):
    made_up(toy=("", "", Way("asked"), Way("its defaults", {"add": "0.1"}, judged=False)))
    ended = run("verify", exported / ONNX, "--runtime", "toy")
    assert ended.status == 0
    (asked, own) = [line for line in ended.stdout.splitlines() if line.strip().startswith("Toy")]
    assert "1.0e-01" in own and "1.0e-01" not in asked


def test_one_that_cannot_be_installed_leaves_the_others_and_status_2(run, exported, made_up, tmp_path, monkeypatch):
    made_up(right=("", ""))
    known = FORMATS["onnx"].other_runtimes
    absent = replace(known.others[0], name="absent", label="Absent", installer="python", packages=("/absent-1.whl",))
    both = replace(known, others=(absent, *known.others))
    monkeypatch.setitem(FORMATS, "onnx", replace(FORMATS["onnx"], other_runtimes=both))
    ended = run("verify", exported / ONNX, "--runtime", "all", "--cache", tmp_path / "cache", "--markdown")
    assert ended.status == 2 and set(rows(ended)) == {"Absent nothing", "Right nothing"}
    assert any(line.startswith("Not installed: absent cannot be installed") for line in ended.said)


def test_requests_that_cannot_be_meant(run, exported):
    refused(run("verify", exported / ONNX, "--runtime", "openvin"), "openvin", "did you mean 'openvino'")
    refused(run("verify", exported, "--runtime", "all"), "one file that ends in .onnx")
    refused(run("verify", exported / ONNX, "--markdown"), "--runtime")
    refused(run("verify", exported / ONNX, "--golden", "--runtime", "all"), "--golden")
