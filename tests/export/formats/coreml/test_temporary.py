"""Writing a Core ML file, in float32 and in lower precision, leaves nothing in the folder for temporary files."""

import tempfile
from pathlib import Path

import pytest

from export.formats import FORMATS
from export.formats.coreml.temporary import own_temporary_folder
from export.formats.format import Quantization
from export.rewrite.export_ready import ExportRequest, make_export_ready

ROW = FORMATS["coreml"]


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def packages(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.mlpackage")]


def test_no_package_is_left_behind(tiny_config, make_tiny_model, tmp_path, temporary):
    model = make_tiny_model(tiny_config(branches=("authentic",)))  # one branch leaves behind what two would
    source, low = tmp_path / "float32.mlpackage", tmp_path / "w8.mlpackage"
    ROW.convert(make_export_ready(model, ExportRequest(height=150, width=200)), source, "{}")
    names = [layer.weight for layer in ROW.layers(source).layers if layer.weights > 1000]
    ROW.quantize(source, low, "{}", Quantization(dict.fromkeys(names, "w8")))
    assert names and ROW.layers(low).weight_bytes < ROW.layers(source).weight_bytes
    assert not packages(temporary)


def test_the_folder_goes_and_the_old_place_comes_back_whatever_happens(temporary):
    with pytest.raises(KeyError), own_temporary_folder():
        inside = Path(tempfile.mkdtemp())
        (inside / "left.mlpackage").write_text("x")
        assert packages(temporary) == ["left.mlpackage"]
        raise KeyError
    assert tempfile.tempdir == str(temporary) and not list(temporary.iterdir())
