"""Who only scores photos loads NumPy, Pillow and one runtime: seen from fresh processes, with the scores beside it."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lariqa
from export.formats import USUAL
from export.rewrite.export_ready import ExportRequest
from lariqa.errors import Refusal
from lariqa_train.model.reference import reference_scorer
from tests.support.commands import ended, start

LIMIT = 5e-5  # score units, largest |difference| to the PyTorch reference
LEAST_APART = 1e-4  # the same, between the reference scores of any two photos
# What training, writing and reporting need. Each takes seconds to import; torch takes a gigabyte.
HEAVY = {"torch", "torchvision", "timm", "coremltools", "scipy", "matplotlib", "lightning", "pandas"}
FORMATS = ["onnx", "tflite"]

SCORE = """
import json, sys
import lariqa
model, *photos = sys.argv[1:]
scorer = lariqa.load(model, threads=1)
scores = [scorer.score(photo) for photo in photos]
print(json.dumps({"scores": scores, "modules": sorted(sys.modules)}))
"""
SCORE_BY_COMMAND = """
import json, sys
from lariqa_cli import main
try:
    main.main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def packages(modules: list[str]) -> set[str]:
    return {name.split(".")[0] for name in modules}


@pytest.fixture(scope="module")
def models(shared_exports) -> dict[str, Path]:
    """Format -> an exported file of the tiny model, for photos of 200x150."""
    _, proofs = shared_exports(ExportRequest("pixels", 150, 200), list(USUAL))
    return {proved.artifact.format: proved.path for proved in proofs}


@pytest.fixture(scope="module")
def references(tiny_model, photo_folder, one_thread) -> dict[str, float]:
    """Photo -> its score by PyTorch; no two are alike, or a match would prove nothing."""
    reference = reference_scorer(tiny_model)
    with one_thread():
        scores = {str(path): reference.score(path) for path in sorted(photo_folder.iterdir())}
    assert len(scores) >= 3 and min(np.diff(sorted(scores.values()))) > LEAST_APART, scores
    return scores


def test_importing_the_package_imports_neither_numpy_nor_pillow():
    done = ended(start(sys.executable, "-c", "import json, sys, lariqa\nprint(json.dumps(sorted(sys.modules)))"))
    assert done.status == 0, done.stderr
    loaded = packages(json.loads(done.stdout))
    assert "lariqa" in loaded and not loaded & {"numpy", "PIL", *HEAVY}


@pytest.mark.parametrize("format_name", FORMATS)
def test_scoring_from_python_loads_no_training_library_and_gives_the_references_scores(format_name, models, references):
    done = ended(start(sys.executable, "-c", SCORE, models[format_name], *references))
    assert done.status == 0, done.stderr
    came = json.loads(done.stdout)
    assert np.abs(np.subtract(came["scores"], list(references.values()))).max() <= LIMIT
    assert {"numpy", "PIL"} <= packages(came["modules"]) and not packages(came["modules"]) & HEAVY


def test_the_check_sees_torch_where_a_checkpoint_is_scored(tiny_checkpoint, references):
    done = ended(start(sys.executable, "-c", SCORE, tiny_checkpoint, next(iter(references))))
    assert done.status == 0 and {"torch", "timm"} <= packages(json.loads(done.stdout)["modules"]), done.stderr


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_score_command_loads_no_training_library_and_gives_the_references_scores(format_name, models, references):
    done = ended(start(sys.executable, "-c", SCORE_BY_COMMAND, "score", models[format_name], *references, "--json"))
    assert done.status == 0, done.stderr
    rows = {row["photo"]: row["score"] for row in done.results()}
    assert rows.keys() == references.keys()
    assert max(abs(rows[photo] - score) for photo, score in references.items()) <= LIMIT
    loaded = packages(json.loads(done.said[-1]))
    assert {"lariqa_cli", "numpy", "PIL"} <= loaded and not loaded & HEAVY


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_photo_is_a_path_an_array_or_an_open_image(format_name, models, references):
    scorer = lariqa.load(models[format_name], threads=1)
    assert scorer.threads == 1
    assert isinstance(scorer, lariqa.Scorer)
    for photo, reference in references.items():
        score = scorer.score(photo)
        assert abs(score - reference) <= LIMIT
        with Image.open(photo) as image:
            assert scorer.score(image) == score
        with Image.open(photo) as image:
            assert scorer.score(np.asarray(image)) == score
        assert scorer.score(Path(photo)) == score


def test_a_model_is_a_path_or_a_text_and_a_checkpoint_scores_as_the_reference(models, tiny_checkpoint, references):
    by_text = lariqa.load(str(models["onnx"]), threads=1)
    assert all(abs(by_text.score(photo) - score) <= LIMIT for photo, score in references.items())
    for model in (tiny_checkpoint, str(tiny_checkpoint)):
        scorer = lariqa.load(model)
        assert {photo: scorer.score(photo) for photo in references} == references


def test_what_load_refuses_is_refused_in_one_sentence(models, tiny_checkpoint, photo_folder, tmp_path):
    (tmp_path / "folder").mkdir()
    for suffix in (".onnx", ".tflite", ".safetensors", ".txt"):
        (tmp_path / f"text{suffix}").write_text("not a model")
    (tmp_path / "nothing.onnx").write_bytes(b"")
    photo = next(photo_folder.iterdir())
    cases = [
        (tmp_path / "absent.onnx", {}, ["absent.onnx", "lariqa export"]),
        (tmp_path / "absent.safetensors", {}, ["absent.safetensors"]),
        (tmp_path / "folder", {}, ["folder", ".onnx", ".tflite"]),
        (models["onnx"].parent, {}, [models["onnx"].parent, ".onnx", ".tflite"]),
        (tmp_path / "text.onnx", {}, ["text.onnx"]),
        (tmp_path / "text.tflite", {}, ["text.tflite"]),
        (tmp_path / "nothing.onnx", {}, ["nothing.onnx"]),
        (tmp_path / "text.safetensors", {}, ["text.safetensors", "not a readable"]),
        (tmp_path / "text.txt", {}, ["text.txt", ".onnx", ".tflite"]),
        (photo, {}, [photo, ".onnx", ".tflite"]),
        (models["onnx"], {"synthetic_view": "full"}, [models["onnx"], "crop view", "full"]),
        (models["tflite"], {"synthetic_view": "full"}, [models["tflite"], "crop view", "full"]),
        (models["onnx"], {"synthetic_view": "up"}, [models["onnx"], "crop view", "up"]),
        (tiny_checkpoint, {"synthetic_view": "up"}, ["up", "crop", "full"]),
        (tiny_checkpoint, {"weight_cache": tmp_path / "kept"}, ["is a checkpoint", ".tflite"]),
        (models["onnx"], {"weight_cache": tmp_path / "kept"}, [".tflite"]),
    ]
    for path, options, facts in cases:
        for given in (path, os.fspath(path)):
            with pytest.raises(Refusal) as refusal:
                lariqa.load(given, **options)
            sentence = str(refusal.value)
            assert "\n" not in sentence and "Traceback" not in sentence and 20 < len(sentence) < 700, sentence
            assert all(str(fact) in sentence for fact in facts), (facts, sentence)
    assert lariqa.Refusal is Refusal and not (tmp_path / "kept").exists()
