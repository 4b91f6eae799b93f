"""The report's tables on memory: what was predicted, and each way of execution beside the plain graph."""

from __future__ import annotations

import numpy as np

from benchmarks.measure.measurement import Latency, Memory, Score, Work
from benchmarks.measure.memory import peak_while_mib, resident_mib
from benchmarks.report.memory_tables import execution_tables, memory_table
from benchmarks.report.summary import summarise
from tests.support.made_rows import made_row

WAYS = {"naive": (1900.0, 1000.0, 4000.0), "fast": (1000.0, 860.0, 3500.0), "low": (475.0, 950.0, 4400.0)}


def row_of(way: str, **subject):
    """A row with times that drift by half on the way, as a whole machine does."""
    peak, run, cpu = WAYS[way]
    drift = np.linspace(1, 1.5, 9)
    latency = Latency(inference_ms=list(run * drift), cpu_ms=list(cpu * drift))
    told = 480 if way == "low" else None
    memory = Memory(baseline_mib=75, loaded_mib=200, peak_mib=peak + 90, running_peak_mib=peak, predicted_mib=told)
    work = Work(macs=36_000_000_000, halo_macs={"low": 720_000_000, "fast": 0}.get(way))
    scores = [Score(photo=name, score=at + 1e-6, reference=at) for name, at in (("a", 0.2), ("b", 0.7))]
    given = {"memory": way, "photo_width_px": 3840, "photo_height_px": 2160, **subject}
    return made_row(
        f"{way}.onnx", 1, view="full", latency=latency, memory=memory, work=work, scores=scores, subject=given
    )


def tables_of(*rows):
    (place,) = summarise(rows).places
    return place, execution_tables(place)


def test_ways_stand_beside_the_plain_graph() -> None:
    _, (table,) = tables_of(*map(row_of, WAYS))
    found = {row[2].text: [cell.line for cell in row[3:]] for row in table.rows}
    assert list(found) == ["low", "fast", "naive"]  # least memory first, the plain graph last
    headings = [column.heading for column in table.columns[3:]]
    low = dict(zip(headings, found["low"], strict=True))
    assert low["running, MiB"] == "400"
    assert low["running, ×"] == "0.22×"  # 400 / 1825
    assert low["with decoding, MiB"] == "490"
    assert low["predicted, MiB"] == "480 (+20 %)"
    assert low["time, ×"].startswith("0.950×")
    assert low["CPU time, ×"].startswith("1.10×")
    assert low["halos, MMACs"] == "720 (2 %)"
    naive = dict(zip(headings, found["naive"], strict=True))
    assert naive["running, ×"] == "baseline"
    assert naive["time, ×"] == naive["halos, MMACs"] == naive["predicted, MiB"] == "–"


def test_a_way_that_another_writer_knows_stands_last(monkeypatch) -> None:
    monkeypatch.setitem(WAYS, "tiny", WAYS["low"])
    _, (table,) = tables_of(*map(row_of, ("tiny", "naive", "low")))
    assert [row[2].text for row in table.rows] == ["low", "naive", "tiny"]


def test_the_peak_of_one_run_holds_what_it_takes_and_not_what_was_freed_before() -> None:
    freed, began = [np.ones(2**20) for _ in range(40)], []  # 8 MiB each
    del freed

    def run() -> None:
        began.append(resident_mib())
        np.ones(10 * 2**20)  # 80 MiB

    peak = peak_while_mib(run)
    if peak is not None:  # else this system cannot tell
        assert 75 < peak - began[0] < 110


def test_nothing_is_compared_with_another_size_or_precision() -> None:
    rows = [row_of("naive"), row_of("low", photo_height_px=3024, photo_width_px=4032)]
    assert tables_of(*rows)[1] == []
    assert tables_of(row_of("naive"), row_of("low", precision="fp16"))[1] == []
    assert tables_of(row_of("fast"), row_of("low"))[1] == []  # no plain graph to go by


def test_prediction_stands_beside_the_measured_peak() -> None:
    place, _ = tables_of(row_of("low"))
    table = memory_table(place)
    cell = table.rows[0][[column.label for column in table.columns].index("predicted")]
    assert (cell.text, cell.sub) == ("480", "+20 %")
