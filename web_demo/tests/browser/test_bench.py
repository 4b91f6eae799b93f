"""Chromium as a participant of `lariqa bench run --browser chromium`, in turns with the native runtime."""

import shutil

import pytest

from benchmarks.browser.browser_worker import BrowserWorker, in_chromium, runs_in_a_page
from benchmarks.measure.interleaved import measure_in_turns
from benchmarks.measure.participants import artifact_candidate, exported_in
from benchmarks.measure.worker import Failed
from tests.support.web_page import ONNX


def test_a_file_is_measured_in_turns_with_its_native_runtime(exported):
    (one,) = exported_in([exported / ONNX])
    assert runs_in_a_page(one)
    native = artifact_candidate(one, None)
    photos = [exported.parent / "photos" / name for name in ("641x427.jpg", "333x517.png")]
    both = [native, in_chromium(native, one)]
    here, there = measure_in_turns(both, lambda candidate: photos, 4, 2, print, profile=False)
    assert here.error is None and there.error is None, (here.error, there.error)
    assert there.loaded.runtime.startswith("ONNX Runtime Web ") and ", Chromium " in there.loaded.runtime
    assert len(there.scores) == 2 and abs(there.scores[photos[0]] - there.scores[photos[1]]) > 1e-4
    assert all(abs(there.scores[photo] - here.scores[photo]) <= 1e-5 for photo in photos)
    assert all(min(run.decode_ms, run.preprocess_ms, run.inference_ms) > 0 for run in there.runs)
    assert there.finished.peak_mib > there.loaded.baseline_mib > 30 and there.loaded.load_ms > 0
    assert there.candidate.subject.name == f"{ONNX}, Chromium" and there.candidate.subject.sha256


def test_what_a_page_refuses_is_the_error_of_its_row(exported, tmp_path):
    folder = shutil.copytree(exported, tmp_path / "copy")
    (one,) = exported_in([folder / ONNX])
    candidate = in_chromium(artifact_candidate(one, None), one)
    with BrowserWorker(candidate, 1) as worker:
        worker.ready()
        data = (folder / ONNX).read_bytes()
        (folder / ONNX).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(Failed, match="its sha256 differs"):
            worker.load()
    with BrowserWorker(candidate, 1) as worker, pytest.raises(Failed, match="its sha256 differs"):
        worker.ready()
