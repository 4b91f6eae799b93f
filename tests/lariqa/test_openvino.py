"""``--device openvino``: OpenVINO's own package, float32 asked for; here by a stand-in that is ONNX Runtime inside."""

import re
import sys

import pytest

import lariqa
from export.proof.proof_photos import bundled_photos
from export.rewrite.export_ready import ExportRequest
from lariqa.errors import Refusal

STAND_IN = """
import onnxruntime
__version__ = "2026.9.0-123-of-a-release"
asked = []
class Core:
    def compile_model(self, path, device, options):
        asked.append((device, options))
        if "damaged" in path:
            raise RuntimeError("no\\n such model")
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return self
    def create_infer_request(self):
        return self
    def infer(self, inputs):
        return {"score": self.session.run(["score"], inputs)[0] + MOVED}
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A function that installs it; its scores may be moved, as bfloat16 would move them."""

    def install(moved: float = 0.0) -> None:
        (tmp_path / "openvino.py").write_text(STAND_IN.replace("MOVED", str(moved)))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "openvino", raising=False)

    yield install
    sys.modules.pop("openvino", None)


@pytest.fixture
def file(shared_exports):
    return shared_exports(ExportRequest("pixels", 150, 200))[1][0].path


def test_it_is_asked_for_float32_and_gives_the_score(file, stand_in):
    stand_in()
    scorer, photo = lariqa.load(file, device="openvino", threads=1), bundled_photos(150, 200)["original"]
    assert scorer.score(photo) == lariqa.load(file).score(photo)
    assert (scorer.device, scorer.runner.runtime) == ("openvino", "OpenVINO 2026.9.0")
    ((device, options),) = sys.modules["openvino"].asked
    assert device == "CPU" and options["INFERENCE_PRECISION_HINT"] == "f32" and options["INFERENCE_NUM_THREADS"] == 1


def test_bfloat16_is_a_hint_that_is_taken_only_where_every_picture_holds(shared_exports, stand_in):
    folder, _ = shared_exports(ExportRequest(), ["onnx", "tflite"])
    (views,) = folder.glob("*.onnx")
    stand_in(0.003)
    scorer, photo = lariqa.load(views, device="openvino-bf16"), bundled_photos(150, 200)["original"]
    assert scorer.score(photo) == pytest.approx(lariqa.load(views).score(photo) + 0.003)
    assert scorer.runner.runtime == "OpenVINO 2026.9.0, bf16"
    assert sys.modules["openvino"].asked[0][1]["INFERENCE_PRECISION_HINT"] == "bf16"
    stand_in(0.006)
    with pytest.raises(Refusal, match=r"openvino-bf16 scores the golden photo.*5e-03 is allowed"):
        lariqa.load(views, device="openvino-bf16")


def test_one_wrong_picture_of_the_audition_is_enough_to_refuse(shared_exports, stand_in):
    folder, _ = shared_exports(ExportRequest(), ["onnx", "tflite"])
    (views,) = folder.glob("*.onnx")
    stand_in("(0.006 if inputs['synthetic'].max() < 64 else 0.001)")  # the dark picture alone
    with pytest.raises(Refusal, match="scores the picture 'dark'"):
        lariqa.load(views, device="openvino-bf16")
    with pytest.raises(Refusal, match="openvino scores the golden photo"):
        lariqa.load(views, device="openvino")


def test_other_scores_and_an_absent_package_are_refused(file, stand_in, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(Refusal, match=re.escape("lariqa[openvino]")):
        lariqa.load(file, device="openvino")
    monkeypatch.delitem(sys.modules, "openvino")
    stand_in(0.01)
    with pytest.raises(Refusal, match="openvino scores the golden photo"):
        lariqa.load(file, device="openvino")
