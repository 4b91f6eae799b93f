"""A machine is judged by the pictures whose rules it knows."""

import shutil
from dataclasses import replace

import numpy as np

from export.rewrite.export_ready import ExportRequest
from lariqa.manifest.manifest import read_manifest, write_manifest
from lariqa.runtimes.golden_check import check_golden


def test_pictures_of_another_generator_judge_nobody(shared_exports, tmp_path):
    folder = tmp_path / "export"
    shutil.copytree(shared_exports(ExportRequest(), ["onnx", "tflite"])[0], folder)
    (file,), manifest = folder.glob("*.onnx"), read_manifest(folder)
    checks = check_golden(file)
    assert len(checks) == 7 and all(check.passed for check in checks)
    assert np.ptp([check.reference for check in checks]) > 100 * checks[0].tolerance
    write_manifest(folder, replace(manifest, golden={**manifest.golden, "generator": "lariqa-audition/2"}))
    assert [check.picture for check in check_golden(file)] == ["golden.png"]
