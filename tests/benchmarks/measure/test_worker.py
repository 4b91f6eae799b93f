"""A worker measures what is known of a fake model, and its end, however bad, is a sentence."""

import os
import resource

import pytest
from PIL import Image

from benchmarks.measure.candidate import Candidate
from benchmarks.measure.interleaved import measure_in_turns, run_back_to_back
from benchmarks.measure.measurement import Subject
from benchmarks.measure.memory import MIB
from benchmarks.measure.worker import Failed, Worker
from tests.support import fake_candidates as fake


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Three grey photos."""
    folder = tmp_path_factory.mktemp("photos")
    files = []
    for level in (50, 100, 200):
        files.append(folder / f"{level}.png")
        Image.new("RGB", (64, 48), (level,) * 3).save(files[-1])
    return files


@pytest.fixture(scope="module")
def measured(photos):
    """One measurement of a quick model, a slow one, one with a block, one that dies, and more, in turns."""
    candidates = [
        fake.candidate("quick"),
        fake.candidate("slow", fake.sleep),
        fake.candidate("block", fake.hold_a_block),
        fake.candidate("dies", fake.die),
        fake.candidate("stumbles", fake.stumble),
        Candidate(Subject(name="not there"), fake.not_opened),
        fake.candidate("few", most_runs=2),
    ]
    said = []
    found = measure_in_turns(candidates, lambda candidate: photos, 6, 1, said.append)
    return {one.candidate.subject.name: one for one in found}, said


def test_a_known_sleep_is_the_latency(measured):
    one = measured[0]["slow"]
    assert len(one.runs) == len(one.started_s) == 6
    for run in one.runs:
        assert run.inference_ms >= 1000 * fake.SLEEP_S  # a sleep may last longer on a busy machine, never shorter
        assert run.cpu_ms < run.inference_ms  # it slept
        assert min(run.decode_ms, run.preprocess_ms, run.post_ms) >= 0
    assert min(run.inference_ms for run in one.runs) < 1000 * fake.SLEEP_S + 50


def test_a_planted_slow_variant_is_found_slower(measured):
    quick, slow = (sorted(run.inference_ms for run in measured[0][name].runs) for name in ("quick", "slow"))
    assert slow[0] > quick[3]


def test_a_known_block_is_the_peak_even_if_it_is_gone_at_once(measured):
    block, quick = measured[0]["block"], measured[0]["quick"]
    above = block.finished.peak_mib - block.loaded.loaded_mib
    assert block.loaded.peak_is_fresh
    # Two readings, each off by less than 32 pages for each processor: so many does Linux count apart (percpu_counter.h;
    # VmRSS was up to 192 kB below smaps_rollup's Rss on two).
    counted_apart = 2 * 32 * (os.cpu_count() or 1) * resource.getpagesize() / MIB
    assert fake.BLOCK_MIB - counted_apart <= above < fake.BLOCK_MIB + 24
    assert quick.finished.peak_mib - quick.loaded.loaded_mib < 24


def test_the_curve_begins_at_the_load_and_never_shows_more_than_the_peak(measured):
    curve = measured[0]["block"].curve
    assert curve == sorted(curve) and len(curve) > 3
    assert max(mib for _, mib in curve) <= measured[0]["block"].finished.peak_mib + 1


def test_a_death_is_a_sentence_and_the_others_go_on(measured):
    assert "SIGKILL" in measured[0]["dies"].error and "memory" in measured[0]["dies"].error
    assert measured[0]["stumbles"].error == "ValueError: two lines"
    assert measured[0]["not there"].error == "FileNotFoundError: no such model"
    assert not measured[0]["dies"].runs
    assert len(measured[0]["quick"].runs) == 6 and measured[0]["quick"].error is None


def test_one_whose_run_takes_long_has_fewer_runs(measured):
    assert len(measured[0]["few"].runs) == 2


def test_contenders_take_turns_and_each_begins_a_round_in_its_turn(measured):
    lines = [line.split(": ") for line in measured[1] if line.startswith("run ")]
    begins = {}
    for turn, name in lines:
        begins.setdefault(turn, name)
    assert list(begins.values())[:4] == ["quick", "slow", "block", "quick"]  # "few" has had its two


def test_photos_are_taken_in_turn_and_scores_go_with_them(measured, photos):
    one = measured[0]["quick"]
    assert one.photos == photos * 2
    assert one.scores == pytest.approx({photo: int(photo.stem) / 255 for photo in photos})


def test_what_ran_where_is_asked_for_at_the_end(measured):
    finished = measured[0]["quick"].finished
    assert finished.placement == {"gpu": 3, "cpu": 2}
    assert "gives no operator times" in finished.profile.tool


def test_a_model_that_hangs_is_given_up(photos):
    with Worker(fake.candidate("hangs", fake.hang), 1, timeout_s=60) as worker:
        worker.ready()
        worker.load()
        worker.timeout_s = 0.2
        with pytest.raises(Failed, match=r"no answer within 0\.2 s"):
            worker.run(photos[0])
    assert not worker._process.is_alive()


def test_sustained_mode_runs_without_a_pause_for_as_long_as_asked(photos):
    one = run_back_to_back(fake.candidate("slow", fake.sleep), photos, 0.6, 1, lambda step: None)
    assert one.error is None and 2 <= len(one.runs) <= 12
    assert one.started_s == sorted(one.started_s) and one.started_s[-1] < 0.6
    assert one.finished.peak_mib > 0
