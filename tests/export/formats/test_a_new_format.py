"""A new format is a folder, a runtime file and a line: one that only this test knows is exported, proved and scored."""

import io
import zipfile
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from export.formats import FORMATS
from export.formats.format import Format
from export.pipeline import export_proved
from export.rewrite.export_ready import ExportRequest
from export.rewrite.graph_options import GraphOptions
from export.rewrite.graph_stats import GraphStats
from export.rewrite.tiling_plan import MEMORIES
from export.verify import verify
from lariqa.errors import Refusal
from lariqa.loading import load
from lariqa.runtimes import runtime as registry
from lariqa.runtimes.runtime import Runtime
from lariqa_cli import main as command_line

HEIGHT, WIDTH = 150, 200


class ToyRunner:
    """What a runtime file would hold."""

    runtime, executes_artifact = "Toy 1.0", True

    def __init__(self, path: Path, threads=None, session=None) -> None:
        with zipfile.ZipFile(path) as file:
            self.module = torch.load(io.BytesIO(file.read("module")), weights_only=False)

    def run(self, inputs) -> float:
        with torch.inference_mode():
            return self.module(*(torch.from_numpy(np.array(value)) for value in inputs.values())).item()


def read_metadata(path: Path) -> str | None:
    with zipfile.ZipFile(path) as file:
        return file.read("lariqa").decode()


RUNTIME = Runtime(
    format="toy", suffix=".toy", precisions=("fp32",), sessions={memory: {} for memory in MEMORIES},
    modules=(), open=ToyRunner, metadata=read_metadata,
)  # fmt: skip


@dataclass(frozen=True)
class Toy(Format):
    """What a format's folder would hold."""

    def convert(self, ready, path, embedded):
        ready.configure(self.graph)
        written = io.BytesIO()
        torch.save(ready, written)
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("module", written.getvalue())
            file.writestr("lariqa", embedded)
        return {"toy": "1.0"}

    def operators(self, path):
        return Counter({"toy": 1})

    def layers(self, path):
        return GraphStats((), 0, 0)

    def weights(self, path):
        return {}


@pytest.fixture
def toy(monkeypatch):
    """The line in FORMATS; a runtime file is found by its name, so here it is put where those are listed."""
    known = {**registry.runtimes(), "toy": RUNTIME}
    monkeypatch.setattr(registry, "runtimes", lambda: known)
    monkeypatch.setattr("lariqa.runtimes.artifacts.runtimes", lambda: known)
    row = Toy(
        "no.modules",
        RUNTIME,
        "Toy",
        ("#000000", "#ffffff"),
        GraphOptions(),
        frozenset({"forbidden"}),
        {"w8": "it is a toy"},
    )
    monkeypatch.setitem(FORMATS, "toy", row)
    return row


def test_it_is_exported_proved_opened_verified_and_inspected(
    toy, tiny_model, tmp_path, photo_folder, monkeypatch, capsys
):
    folder, request = tmp_path / "exported", ExportRequest(height=HEIGHT, width=WIDTH)
    (proved,) = export_proved(tiny_model, request, ["toy"], folder)
    assert proved.parity.passed and proved.parity.spread > 0.01 and proved.path.suffix == ".toy"
    assert proved.artifact.status == "executed here" and proved.parity.runtime == "Toy 1.0"
    photo = photo_folder / "original.png"
    expected = load(folder / "reference.safetensors").score(photo)
    assert load(proved.path).score(photo) == pytest.approx(expected, abs=5e-5)
    ((artifact, parity),) = verify(folder, [str(photo_folder)])
    assert artifact.format == "toy" and parity.passed
    monkeypatch.setattr("sys.argv", ["lariqa", "inspect", str(proved.path)])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 0 and "1 operators: toy 1" in capsys.readouterr().out


def test_what_it_cannot_do_is_refused_with_its_own_reason(toy, tiny_model, tmp_path, monkeypatch):
    export = partial(export_proved, tiny_model, ExportRequest(height=HEIGHT, width=WIDTH), ["toy"], tmp_path / "x")
    with pytest.raises(Refusal, match="toy is not written in w8: it is a toy; the nearest that it has is fp32"):
        next(export(precisions=("w8",)))
    monkeypatch.setattr(Toy, "operators", lambda self, path: Counter({"forbidden": 2}))
    with pytest.raises(Refusal, match="the toy graph has operators that accelerators refuse: forbidden x2"):
        next(export())
    assert not (tmp_path / "x").exists()
