"""Rows survive: what is written is read back, by later versions too, and what is no row is refused by name."""

import json

import pytest

from benchmarks.measure.measurement import SCHEMA, Latency, Measurement, Memory, Score, Subject, append_rows, read_rows
from lariqa.errors import Refusal

ROW = Measurement(
    subject=Subject(name="a.onnx"),
    latency=Latency(inference_ms=[2.0, 3.0], decode_ms=[1.0, 1.0], preprocess_ms=[0.5, 0.5], post_ms=[0.0, 0.1]),
    memory=Memory(baseline_mib=100, peak_mib=300, curve_s_mib=[(0.0, 100.0), (0.1, 300.0)]),
    scores=[Score(photo="p.jpg", score=0.5, reference=0.5001)],
)


def test_rows_come_back_as_they_were(tmp_path):
    path = tmp_path / "rows.jsonl"
    append_rows(path, [ROW])
    append_rows(path, [ROW, ROW])
    assert read_rows(path.read_text(), str(path)) == [ROW] * 3


def test_a_row_of_a_later_version_and_one_with_the_least_are_read():
    later = json.loads(ROW.to_line()) | {"colour": "blue"}
    later["latency"]["nap_ms"] = [1]
    least = {"schema": SCHEMA, "subject": {"name": "phone row"}}
    rows = read_rows("\n".join(map(json.dumps, (later, least))), "rows")
    assert rows[0] == ROW and rows[1].subject.name == "phone row" and rows[1].latency is None


def test_lines_a_list_and_a_report_all_hold_rows():
    data = json.loads(ROW.to_line())
    for text in (ROW.to_line(), json.dumps([data]), json.dumps({"schema": "lariqa-report/1", "rows": [data]})):
        assert read_rows(text, "x") == [ROW]


def test_the_total_is_the_sum_of_the_parts():
    assert ROW.latency.total_ms == pytest.approx([3.5, 4.6])
    assert Latency(inference_ms=[1.0]).total_ms == []


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("", ["holds no rows"]),
        ('{"schema": "other/1"}', ["row 1", "other/1", SCHEMA]),
        (ROW.to_line() + "\n" + ROW.to_line()[:50], ["line 2", "not JSON"]),
        (json.dumps({"schema": SCHEMA, "subject": {}}), ["row 1", "subject.name"]),
        (
            json.dumps(
                {
                    "schema": SCHEMA,
                    "subject": {"name": "a"},
                    "latency": {"inference_ms": [1, 2], "decode_ms": [1]},
                }
            ),
            ["decode_ms has 1 entries for 2 runs"],
        ),
        (
            json.dumps({"schema": SCHEMA, "subject": {"name": "a"}, "memory": {"baseline_mib": "x", "peak_mib": 1}}),
            ["baseline_mib"],
        ),
        ('{"schema": "lariqa-measurement/2", "subject": {"name": "a"}, "latency": {"load_ms": NaN}}', ["load_ms"]),
    ],
)
def test_what_is_no_row_is_refused_with_its_place(text, facts):
    with pytest.raises(Refusal) as refused:
        read_rows(text, "phone.jsonl")
    for fact in ("phone.jsonl", *facts):
        assert fact in str(refused.value)
