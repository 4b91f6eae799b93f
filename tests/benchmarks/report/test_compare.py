"""What changed between two reports: planted changes are found and judged, noise is not."""

import json
import sys

import pytest

from benchmarks.baselines.quoted import quoted_rows
from benchmarks.measure.measurement import Setting, append_rows
from benchmarks.report.compare import compare_reports
from benchmarks.report.report import write_report
from benchmarks.report.row_matching import read_report, runtime_family
from lariqa.errors import Refusal
from lariqa_cli.compare_command import parse_threshold
from tests.support.made_rows import OPERATORS, PHONE, made_row, old_row, sustained

NAME = "a.onnx"


def outcomes(before, after, **options) -> dict[str, str]:
    """Figure -> outcome, without those that stayed the same."""
    (pair,) = compare_reports([before], [after], **options).matched
    return {change.what: change.outcome for change in pair.changes if change.outcome != "same"}


def changed(row, field: str, **update):
    return row.model_copy(update={field: getattr(row, field).model_copy(update=update)})


def judged(found: dict[str, str]) -> dict[str, str]:
    """Without the single samples, which are shown and never judged."""
    return {what: outcome for what, outcome in found.items() if what not in ("load", "first run")}


def test_a_row_against_itself_changes_nothing():
    row = made_row(NAME)
    assert outcomes(row, row) == {}


def test_noise_alone_is_no_change():
    assert judged(outcomes(made_row(NAME, seed=1), made_row(NAME, seed=2))) == {}


@pytest.mark.parametrize(("median_ms", "outcome"), [(600, "worse"), (420, "better")])
def test_a_planted_latency_change_is_found(median_ms, outcome):
    assert judged(outcomes(made_row(NAME, 500), made_row(NAME, median_ms, seed=2))) == {"latency p50": outcome}


def test_a_change_below_the_threshold_is_none_however_sure():
    before, after = made_row(NAME, noise=1e-4), made_row(NAME, 515, noise=1e-4)
    assert judged(outcomes(before, after)) == {}
    assert judged(outcomes(before, after, threshold=0.01)) == {}  # the machine's own drift keeps the intervals wide


def test_a_large_change_within_the_noise_is_said_and_not_counted():
    before, after = made_row(NAME, noise=0.9), made_row(NAME, 560, noise=0.9, seed=4)
    (pair,) = compare_reports([before], [after]).matched
    (latency,) = [change for change in pair.changes if change.what == "latency p50"]
    assert abs(latency.ratio - 1) > 0.05 and latency.outcome == "same" and "noise" in latency.why


def test_the_time_of_an_evaluator_is_not_compared():
    before, after = made_row(NAME, 500), made_row(NAME, 900, peak_mib=3000)
    after = changed(after, "setting", executes_artifact=False)
    assert outcomes(before, after) == {}


def test_too_few_runs_are_not_judged():
    found = outcomes(made_row(NAME, 500, runs=3), made_row(NAME, 900, runs=3))
    assert found["latency p50"] == "not judged"


def test_load_and_first_run_are_shown_and_not_judged():
    row = made_row(NAME)
    slower = changed(row, "latency", load_ms=5 * row.latency.load_ms, first_ms=5 * row.latency.first_ms)
    assert outcomes(row, slower) == {"load": "not judged", "first run": "not judged"}
    assert not compare_reports([row], [slower]).worse


@pytest.mark.parametrize(
    ("field", "update", "expected"),
    [
        ("memory", {"peak_mib": 1000.0}, {"peak memory": "worse"}),
        ("memory", {"peak_mib": 800.0}, {"peak memory": "better"}),
        ("memory", {"peak_mib": 930.0}, {}),
        ("subject", {"bytes": 90_000_000}, {"file": "worse"}),
        ("work", {"macs": 5 * 10**9}, {"MACs": "better"}),
        ("work", {"weight_bytes": 90_000_000}, {"weights": "worse"}),
        ("work", {"operators": {**OPERATORS, "Cast": 2}}, {"operator Cast": "changed"}),
        ("setting", {"fallback": "3 operators ran on the CPU"}, {"fallback": "changed"}),
    ],
)
def test_each_planted_change_is_found_and_nothing_else(field, update, expected):
    row = made_row(NAME)
    assert outcomes(row, changed(row, field, **update)) == expected


def test_scores_are_judged_by_the_limit_and_not_by_the_rounding():
    exact, rounded, wrong = (made_row(NAME, error=error) for error in (1e-7, 9e-7, 1e-3))
    assert outcomes(exact, rounded) == {}  # nine times as far, and still nothing
    assert outcomes(exact, wrong) == {"worst score diff.": "worse"}
    assert outcomes(wrong, exact) == {"worst score diff.": "better"}
    assert outcomes(made_row(NAME, error=1e-6), made_row(NAME, error=1e-5)) == {"worst score diff.": "worse"}


def test_scores_of_other_photos_or_without_spread_are_not_judged():
    row, wrong = made_row(NAME), made_row(NAME, error=1e-3)
    others = wrong.model_copy(update={"scores": wrong.scores[:12]})
    assert outcomes(row, others) == {"worst score diff.": "not judged"}
    alike = made_row(NAME, error=1e-3, spread=1e-4)
    assert outcomes(row, alike) == {"worst score diff.": "not judged"}


def test_an_error_that_is_new_is_worse():
    row = made_row(NAME)
    broken = row.model_copy(update={"error": "killed", "latency": None, "memory": None, "scores": [], "work": None})
    assert judged(outcomes(row, broken))["error"] == "worse"
    assert judged(outcomes(broken, row))["error"] == "better"


def test_a_phone_is_never_taken_for_a_host():
    with pytest.raises(Refusal, match="no subject in common"):
        compare_reports([made_row(NAME)], [made_row(NAME, machine=PHONE)])


@pytest.mark.parametrize("update", [{"model": "another"}, {"system": "another"}, {"cores": 64}])
def test_other_machines_are_said_and_not_judged_unless_asked(update):
    before = made_row(NAME, 500)
    after = changed(made_row(NAME, 900, seed=2, peak_mib=2000), "machine", **update)
    comparison = compare_reports([before], [after])
    (pair,) = comparison.matched
    assert "not judged" in pair.warnings[0] and not comparison.worse
    assert judged(outcomes(before, after)) == {"latency p50": "not judged", "peak memory": "not judged"}
    assert outcomes(before, after, across_machines=True)["latency p50"] == "worse"


def test_other_thread_numbers_are_not_judged():
    before, after = made_row(NAME), made_row(NAME, 900)
    after = changed(after, "setting", threads=8)
    assert judged(outcomes(before, after)) == {"latency p50": "not judged"}


def test_rows_of_another_name_are_matched_by_what_they_are():
    before = [made_row("old.onnx"), made_row("old.tflite", format="tflite"), made_row("gone", view="full")]
    after = [made_row("new.onnx", 700), made_row("new.tflite", format="tflite"), made_row("came", format="coreml")]
    after[0] = changed(after[0], "setting", runtime="ONNX Runtime 1.40.1")
    comparison = compare_reports([*before, *quoted_rows()], [*after, *quoted_rows()])
    assert {(pair.name_before, pair.name) for pair in comparison.matched} == {
        ("old.onnx", "new.onnx"),
        ("old.tflite", "new.tflite"),
    }
    assert comparison.only_before == ["gone (host)"] and comparison.only_after == ["came (host)"]


def test_what_could_be_several_is_matched_with_none():
    before = [made_row("one.onnx"), made_row("two.onnx")]
    comparison = compare_reports([*before, made_row("same")], [made_row("three.onnx"), made_row("same")])
    assert [pair.name for pair in comparison.matched] == ["same"] and len(comparison.only_before) == 2


def test_burst_and_sustained_rows_are_different_subjects():
    rows = [made_row(NAME), sustained(NAME, 500, 20, 1.0)]
    assert len(compare_reports(rows, rows).matched) == 2


def test_of_rows_measured_again_the_latest_counts():
    old, new = made_row(NAME, 500), made_row(NAME, 900, measured_at="2026-11-25T00:00:00+00:00")
    comparison = compare_reports([old, new], [new.model_copy(update={"id": "other"})])
    assert not comparison.worse and "several rows" in comparison.warnings[0]


def test_phones_and_old_rows_can_be_compared():
    phone = made_row("phone", machine=PHONE, setting=Setting(runtime="LiteRT 2.3.0", accelerator="gpu"))
    assert compare_reports([phone, old_row()], [phone, old_row()]).to_json()["worse"] is False


@pytest.mark.parametrize(
    ("runtime", "family"),
    [("ONNX Runtime 1.32.0", "onnx runtime"), ("LiteRT 2.3.0", "litert"), ("MIL reference evaluator",) * 2, ("", "")],
)
def test_a_runtime_without_its_version(runtime, family):
    assert runtime_family(runtime) == family.casefold()


# The command


@pytest.fixture
def run(monkeypatch, capfd):
    """``lariqa compare ARGUMENTS...`` -> (status, stdout, stderr)."""
    from lariqa_cli import main as command_line
    from lariqa_cli import screen

    def run_command(*arguments):
        monkeypatch.setattr(sys, "argv", ["lariqa", "compare", *map(str, arguments)])
        with open(2, "w", buffering=1, closefd=False) as stderr:
            monkeypatch.setattr(screen, "stderr", stderr)
            with pytest.raises(SystemExit) as ended:
                command_line.main()
        return ended.value.code, *capfd.readouterr()

    return run_command


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """Two report folders (the second slower), and the second's rows as JSON lines."""
    monkeypatch.setattr("benchmarks.report.report.plots_of", lambda *given: [])  # they take seconds
    rows = [[made_row(NAME, 500), made_row("kept")], [made_row(NAME, 700), made_row("kept")]]
    for name, report in zip(("before", "after"), rows, strict=True):
        write_report(tmp_path / name, report)
    append_rows(tmp_path / "rows.jsonl", rows[1])
    return tmp_path


def test_the_status_says_whether_anything_got_worse(run, reports):
    status, stdout, stderr = run(reports / "before", reports / "after" / "report.json")
    assert status == 1 and stderr == ""
    assert "latency p50" in stdout and "worse" in stdout and "+40" in stdout.replace("+39", "+40")
    assert "1 figure worse" in stdout.splitlines()[-1]
    assert run(reports / "after", reports / "rows.jsonl")[0] == 0
    assert run(reports / "after", reports / "before")[0] == 0
    assert run(reports / "before", reports / "after", "--threshold", "90%")[0] == 0


def test_json_holds_every_figure(run, reports):
    status, stdout, _ = run(reports / "before", reports / "after", "--json")
    found = json.loads(stdout)
    assert status == 1 and found["schema"] == "lariqa-comparison/1" and found["worse"] is True
    (slow,) = [pair for pair in found["matched"] if pair["name"] == NAME]
    changes = {change["what"]: change for change in slow["changes"]}
    assert changes["MACs"]["outcome"] == "same" and changes["MACs"]["ratio"] == 1
    assert changes["latency p50"]["outcome"] == "worse" and 1.3 < changes["latency p50"]["ratio"] < 1.5


@pytest.mark.parametrize("threshold", ["5", "-1%", "much", "", "1e-2", "120%"])
def test_a_threshold_that_is_no_share_is_refused(threshold):
    with pytest.raises(Refusal, match="--threshold"):
        parse_threshold(threshold)


def test_thresholds_in_per_cent_and_as_shares():
    assert parse_threshold("5%") == parse_threshold(" 0.05 ") == 0.05 and parse_threshold("0%") == 0


def test_bad_input_is_one_sentence_and_status_two(run, reports, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.json").write_text("Dear Sir")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "other.json").write_text('{"schema": "something else"}')
    for name, fact in {"absent": "no report", "empty": "holds neither", "text.json": "not JSON",
                       "bytes.json": "no text", "other.json": "something else"}.items():  # fmt: skip
        status, stdout, stderr = run(reports / "before", tmp_path / name)
        assert (status, stdout) == (2, "") and fact in stderr and stderr.count("\n") == 1, (name, stderr)
    write_report(tmp_path / "strangers", [made_row("x.mlpackage", format="coreml", view="full")])
    status, _, stderr = run(reports / "before", tmp_path / "strangers")
    assert status == 2 and "no subject in common" in stderr


def test_a_folder_of_json_lines_is_read(tmp_path):
    append_rows(tmp_path / "a.jsonl", [made_row("a")])
    append_rows(tmp_path / "b.jsonl", [made_row("b")])
    assert [row.subject.name for row in read_report(tmp_path)] == ["a", "b"]
