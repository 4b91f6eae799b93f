"""What weakens a figure is said; what does not, is not."""

import pytest

from benchmarks.measure.measurement import Conditions, Latency, Setting
from benchmarks.measure.validity import fallback_of, flags_for

STEADY = [10.0 + 0.1 * (n % 3) for n in range(120)]


def flags(samples, conditions=None, setting=None):
    return flags_for(Latency(inference_ms=samples), conditions or Conditions(), setting or Setting())


def test_a_long_steady_run_on_an_idle_machine_has_no_flag():
    assert flags(STEADY, Conditions(other_load_cores=0.02, thermal_status="nominal")) == []


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (STEADY[:5], "too few runs: 5"),
        ([10.0] * 40 + [10.0 + n / 20 for n in range(80)], "slowed down by"),
        ([5.0, 15.0] * 60, "unsteady"),
    ],
)
def test_what_the_runs_show_is_said(samples, said):
    assert any(said in flag for flag in flags(samples))


def test_other_load_and_throttling_are_said():
    assert "0.70 cores" in flags(STEADY, Conditions(other_load_cores=0.7))[0]
    assert "severe" in flags(STEADY, Conditions(thermal_status="severe"))[0]


def test_a_fallback_is_flagged_and_counted():
    fallback = fallback_of("gpu", {"gpu": 120, "cpu": 7}, frozenset({"gpu"}))
    assert "asked for gpu" in fallback and "127 operators" in fallback and "7 on cpu" in fallback
    assert fallback in flags(STEADY, setting=Setting(accelerator="gpu", fallback=fallback))


def test_what_ran_where_it_was_asked_for_or_is_not_told_is_no_fallback():
    assert fallback_of("gpu", {"gpu": 127}, frozenset({"gpu"})) == ""
    assert fallback_of("gpu", None, frozenset({"gpu"})) == ""
