"""The report's tables of precisions: each file beside the float32 one that differs in nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.measure.measurement import Latency, Memory, Score
from benchmarks.report.precision_tables import precision_tables
from benchmarks.report.summary import summarise
from export.proof.limits import PAPER_SCORE_SD
from tests.support.made_rows import made_row

FILES = {"w8": (20.25e6, 1000.0, 510.0), "fp32": (81e6, 1000.0, 500.0), "int8": (24.3e6, 900.0, 450.0)}
REFERENCES = np.linspace(0.2, 0.8, 12)


def row_of(precision: str, **subject):
    """A row with times that drift by half on the way, as a whole machine does; its scores are off by 1e-3 and -1e-3."""
    size, run, peak = FILES[precision]
    drift = np.linspace(1, 1.5, 9)
    off = 0.0 if precision == "fp32" else 1e-3
    return made_row(
        f"{precision}.onnx",
        1,
        latency=Latency(inference_ms=list(run * drift), cpu_ms=list(2 * run * drift)),
        memory=Memory(baseline_mib=75, loaded_mib=200, peak_mib=peak + 165, running_peak_mib=peak + 75),
        scores=[
            Score(photo=f"{n}.jpg", score=score + (-1) ** n * off, reference=score)
            for n, score in enumerate(REFERENCES)
        ],
        subject={"precision": precision, "memory": "balanced", "bytes": int(size), **subject},
    )


def tables_of(*rows):
    (place,) = summarise(rows).places
    return precision_tables(place)


def test_each_precision_stands_beside_float32():
    (table,) = tables_of(*map(row_of, FILES))
    assert [row[2].text for row in table.rows] == ["fp32", "w8", "int8"]
    headings = [column.heading for column in table.columns[2:]]
    whole, w8, int8 = (dict(zip(headings, (cell.line for cell in row[2:]), strict=True)) for row in table.rows)
    assert (w8["size, MB"], w8["size, ×"]) == ("20.2", "0.250×") and int8["size, ×"] == "0.300×"
    assert int8["time, ×"].startswith("0.900×") and int8["CPU time, ×"].startswith("0.900×")
    assert (w8["running, MiB"], w8["running, ×"], int8["running, ×"]) == ("510", "1.02×", "0.900×")
    assert whole["size, ×"] == whole["running, ×"] == "baseline" and whole["time, ×"] == "–"
    sd = 1e-3 * (12 / 11) ** 0.5
    assert float(w8["sd of diff."]) == pytest.approx(sd, rel=0.05) and w8["worst diff."] == "1.0e-03"
    on_paper_scale = sd / REFERENCES.std(ddof=1) * PAPER_SCORE_SD
    assert float(w8["on the paper's scale"]) == pytest.approx(on_paper_scale, rel=0.05)
    assert "ONNX Runtime 1.32.0, " in table.caption and "balanced, pixels, 3840x2160" in table.caption


def test_nothing_is_compared_across_ways_sizes_or_without_float32():
    assert tables_of(row_of("fp32"), row_of("w8", memory="low")) == []
    assert tables_of(row_of("fp32"), row_of("w8", photo_width_px=4032, photo_height_px=3024)) == []
    assert tables_of(row_of("int8"), row_of("w8")) == [] and tables_of(row_of("fp32")) == []
