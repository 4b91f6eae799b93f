"""ARM's kernels give the reference's scores, and what is said if they do not.

The emulated runs are optional, by `make arm` or LARIQA_ARM=1: the first time they take a minute and 250 MB.
"""

import json
import os
import platform
import sys

import numpy as np
import pytest

from benchmarks.arm import arm_root
from benchmarks.arm.arm_arithmetic import Arithmetic, arm_arithmetic, lines_of, main
from benchmarks.arm.arm_root import ArmRoot, find_arm_root, prepare_arm_root
from benchmarks.measure.measurement import Measurement, Score, Subject, read_rows
from export.proof.limits import LIMITS
from export.rewrite.export_ready import ExportRequest
from lariqa.backends import versions
from lariqa.errors import Refusal


class NativeRoot(ArmRoot):
    """No emulation: this machine's own Python, to test what lies around the emulator."""

    def command(self, program, *words):
        return [sys.executable, str(program), *map(str, words)]


NATIVE = NativeRoot(None, "0", {})


@pytest.fixture(scope="module")
def exported(shared_exports):
    """A tiny export with the ONNX file."""
    return shared_exports(ExportRequest("pixels", 150, 200))[0]


@pytest.fixture(scope="module")
def both(shared_exports):
    """A tiny export with the ONNX and the TFLite file."""
    return shared_exports(ExportRequest("pixels", 150, 200), ["onnx", "tflite"])[0]


@pytest.fixture(scope="module")
def emulated():
    """The emulated processor, where it was prepared or is asked for."""
    try:
        return prepare_arm_root() if os.environ.get("LARIQA_ARM") == "1" else find_arm_root()
    except Refusal as reason:
        pytest.skip(f"{reason} (or LARIQA_ARM=1)")


@pytest.fixture
def no_root(tmp_path, monkeypatch):
    """A checkout without a prepared root."""
    monkeypatch.setattr(arm_root, "HOME", tmp_path / ".arm")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    return tmp_path / ".arm"


@pytest.mark.slow
def test_arm_kernels_give_the_references_scores(emulated, both):
    results = list(arm_arithmetic(both, emulated, 6, 2, lambda step: None))
    assert [result.arm.subject.format for result in results] == ["onnx", "tflite"]
    for result in results:
        assert result.arm.machine.kind == "emulated" and result.arm.latency is None  # an emulator's time means nothing
        references = [score.reference for score in result.arm.scores]
        assert len(references) == 6 and min(np.diff(sorted(references))) > LIMITS["fp32"]
        assert max(references) - min(references) > 100 * LIMITS["fp32"]
        assert len(result.differences) == 6 and result.passed
        assert max(result.worst) <= LIMITS["fp32"]
        assert result.arm.setting.runtime.endswith("aarch64")
        print("\n".join(lines_of(result)))
    assert len({result.arm.report for result in results}) == 1


@pytest.mark.slow
def test_the_command_prints_the_scores_and_appends_the_rows(emulated, both, tmp_path, capsys):
    rows = tmp_path / "rows.jsonl"
    assert main([str(both), "--photos", "2", "-o", str(rows)]) == 0
    assert capsys.readouterr().out.count("within the limit") == 2
    kinds = [row.machine.kind for row in read_rows(rows.read_text(), "rows")]
    assert kinds == ["emulated", "emulated"]


def test_a_python_that_is_not_arm_is_not_taken_for_it(exported):
    with pytest.raises(Refusal, match=r"says that it is .*, expected aarch64"):
        next(arm_arithmetic(exported, NATIVE, 2, 1, lambda step: None))


def test_the_runner_gives_what_the_toolkits_own_gives(exported, monkeypatch):
    monkeypatch.setattr("benchmarks.arm.arm_arithmetic.ARM", platform.machine())
    (result,) = arm_arithmetic(exported, NATIVE, 3, 1, lambda step: None)
    assert len(result.arm.scores) == 3 and max(result.worst) <= LIMITS["fp32"] and result.passed


def test_a_runtime_that_crashes_is_quoted(exported):
    class Crashing(NativeRoot):
        def command(self, program, *words):
            return ["sh", "-c", "echo qemu: uncaught target signal 11 >&2; exit 139"]

    with pytest.raises(Refusal, match=r"\.onnx could not be run .*status 139\): qemu: uncaught target signal 11"):
        next(arm_arithmetic(exported, Crashing(None, "0", {}), 2, 1, lambda step: None))


@pytest.mark.parametrize(
    ("precision", "arm", "verdict"),
    [
        ("fp32", 0.0, "within"),
        ("fp32", 4e-5, "within"),
        ("fp32", -6e-5, "PAST"),
        ("fp32", 0.1, "PAST"),
        ("w8", 0.02, "within"),  # the gate's: it grows with the spread of the scores
        ("w8", -0.03, "PAST"),
        ("fp16", 1e-3, "PAST"),
    ],
)
def test_a_score_past_the_limit_does_not_pass(precision, arm, verdict):
    moved = Score(photo="b", score=0.25 + arm, reference=0.25)
    row = Measurement(
        subject=Subject(name="x", precision=precision), scores=[Score(photo="a", score=0.5, reference=0.5), moved]
    )
    result = Arithmetic(row, {"a": 0.5, "b": 0.25})
    assert result.worst == (pytest.approx(abs(arm)), pytest.approx(abs(arm)))
    assert result.passed is (verdict == "within")
    assert f"{verdict} the limit" in list(lines_of(result))[-1]


def test_a_score_that_is_no_number_does_not_pass(exported, monkeypatch):
    class Broken(NativeRoot):
        def command(self, program, *words):
            answer = '{"machine": "aarch64", "runtime": "X", "scores": {"original": NaN, "blurred": 0.5}}'
            return ["echo", answer]

    result = next(arm_arithmetic(exported, Broken(None, "0", {}), 2, 1, lambda step: None))
    assert not result.passed and result.arm.error == "no finite score for original"
    assert [score.photo for score in result.arm.scores] == ["blurred"]


def test_a_folder_without_an_export_is_refused(tmp_path):
    with pytest.raises(Refusal, match=r"holds no lariqa\.json with artifacts"):
        next(arm_arithmetic(tmp_path, NATIVE, 2, 1, lambda step: None))


def test_without_a_root_the_sentence_says_how_to_get_one(no_root, exported, capsys):
    with pytest.raises(Refusal, match=r"no ARM Python with onnxruntime .* is prepared; `make arm` does it"):
        find_arm_root()
    assert main([str(exported)]) == 2
    assert "error: no ARM Python" in capsys.readouterr().err


def test_a_root_of_other_versions_is_not_used(no_root):
    no_root.mkdir()
    ready = {"recipe": arm_root.RECIPE, "wheels": versions(*arm_root.WHEELS), "qemu": "7.2.22"}
    (no_root / "ready.json").write_text(json.dumps(ready))
    assert find_arm_root().qemu_version == "7.2.22"
    for other in ({**ready, "recipe": 0}, {**ready, "wheels": {"numpy": "1.0"}}, [], "half a file"):
        (no_root / "ready.json").write_text(other if isinstance(other, str) else json.dumps(other))
        with pytest.raises(Refusal, match="no ARM Python"):
            find_arm_root()


def test_a_root_that_does_not_start_is_not_kept(no_root, monkeypatch):
    def unpack(packages, into, **options):
        (into / "usr/bin").mkdir(parents=True)
        (into / "usr/bin" / arm_root.QEMU).write_text("#!/bin/sh\necho not an emulator\nexit 1\n")
        (into / "usr/bin" / arm_root.QEMU).chmod(0o755)

    monkeypatch.setattr(arm_root, "unpack", unpack)
    monkeypatch.setattr(arm_root, "_install_wheels", lambda site: site.mkdir())
    with pytest.raises(Refusal, match=r"does not start as it should \(status 1\): not an emulator"):
        prepare_arm_root()
    assert [path.name for path in no_root.iterdir()] == ["lock"]


def test_on_an_arm_machine_nothing_is_emulated(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(Refusal, match="this machine is ARM itself: `lariqa verify`"):
        find_arm_root()


def test_each_processor_of_the_emulated_machine_is_an_arm_one():
    text = arm_root._cpuinfo(2)
    assert [line for line in text.splitlines() if line.startswith("processor")] == ["processor\t: 0", "processor\t: 1"]
    assert text.count("CPU implementer\t: 0x41") == 2 and " asimd " in text
