"""Every command and every snippet of README.md and docs/quickstart.md, run in their order in an empty folder.

The tiny model stands in where the text has full-size weights: in the place of the authors' file's checkpoint, and for
the two formats whose writers take minutes even so. Kotlin, Swift and JavaScript are quoted from sources that
`make test-android`, `make test-ios` and `make test-web` compile and run.
"""

import re
import shlex
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from benchmarks.measure.measurement import append_rows
from export.formats import FORMATS, USUAL
from export.rewrite.export_ready import ExportRequest
from lariqa.runtimes.runtime import runtimes
from lariqa_train.model.model import LarIqa
from tests.support.commands import converted_by, run_here
from tests.support.documents import DOCUMENTS, HOUSE, Block, blocks, command_lines, first_line_not_in
from tests.support.made_rows import made_rows

PAGES = [HOUSE / "README.md", HOUSE / "docs" / "quickstart.md"]
ALONE = {  # what is parsed by test_commands_of_documents.py and not run here, and why
    "lariqa bench phone": "wants a phone: tests/benchmarks/phones",
    "lariqa web": "serves until Ctrl-C: tests/export/test_web_server.py",
    "lariqa export lariqa.safetensors -o exported --format onnx,coreml --precision": "tests/export/quantize",
}
AUTHORS = {  # our names of weights -> theirs
    "authentic.backbone.": "authentic.",
    "synthetic.backbone.": "syntetic.",
    "authentic.reducer.": "aut_dw.",
    "synthetic.reducer.": "syn_dw.",
    "regressor.": "head.",
}


@pytest.fixture
def one_writer(shared_exports, monkeypatch):
    """Every usual format is written by copying one ONNX file that was exported before; all else happens as always."""
    (model,) = shared_exports(ExportRequest(), ["onnx", "tflite"])[0].glob("*.onnx")

    def write(ready, path: Path, embedded: str) -> dict[str, str]:
        import onnx

        from export.formats.onnx.convert import METADATA_KEY

        copy = onnx.load(str(model))
        onnx.helper.set_model_props(copy, {METADATA_KEY: embedded})
        path.write_bytes(copy.SerializeToString())
        return {"copied": "1"}

    plain = converted_by(FORMATS["onnx"], write)
    for name in USUAL:
        runtime = replace(FORMATS["onnx"].runtime, format=name, suffix=FORMATS[name].suffix)
        monkeypatch.setitem(FORMATS, name, replace(plain, runtime=runtime))
        monkeypatch.setitem(runtimes(), name, runtime)


@pytest.fixture(scope="module")
def authors_file(tmp_path_factory):
    """The authors' two-branch weights: their names and shapes, random numbers."""
    state = {}
    for key, tensor in LarIqa().state_dict().items():
        ours = next(name for name in AUTHORS if key.startswith(name))
        state[AUTHORS[ours] + key.removeprefix(ours)] = tensor
    path = tmp_path_factory.mktemp("authors") / "AIM_Training_2branche_KAN-Head-2.pt"
    torch.save(state, path)
    return path


@pytest.fixture
def empty_folder(authors_file, shared_exports, photo_folder, tmp_path, monkeypatch):
    """Where a reader is: an exported file, photos, the authors' weights, and nothing of the checkout."""
    exported = shared_exports(ExportRequest(), ["onnx", "tflite"])[0]
    for name in ("lariqa_views_crop_fp32.onnx", "lariqa.json", "golden.png"):
        shutil.copy(exported / name, tmp_path / name)
    (tmp_path / "Pictures").mkdir()
    for folder in ("my_photos", "Pictures"):
        shutil.copytree(photo_folder, tmp_path / folder, dirs_exist_ok=True)
    Image.open(photo_folder / "original.png").save(tmp_path / "photo.jpg")
    shutil.copy(authors_file, tmp_path)
    append_rows(tmp_path / "rows.jsonl", [row for row in made_rows() if row.machine.kind == "phone"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def is_run(command: str) -> bool:
    return command.startswith("lariqa ") and not any(command.startswith(beginning) for beginning in ALONE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_run_in_their_order(
    page, empty_folder, one_writer, tiny_checkpoint, one_thread, monkeypatch, capfd
):
    ran = []
    for block in blocks(page, "sh"):
        for command in filter(is_run, command_lines(block.code)):
            words = [str(Path(word).expanduser()) for word in shlex.split(command, comments=True)[1:]]
            with one_thread():
                status, said, complained = run_here(monkeypatch, capfd, *words)
            assert status == 0, f"{command}: {complained}"
            ran.append((command, said))
            if words[0] == "import":  # in full size; from here on the tiny model stands in
                shutil.copyfile(tiny_checkpoint, "lariqa.safetensors")
    said = dict(ran)
    assert len(said) >= 4
    score = next(text for command, text in ran if command.startswith("lariqa score") and "photo.jpg" in command)
    assert re.match(r"-?\d\.\d{6}  photo\.jpg", score)
    if page.name == "README.md":
        table = Path("scores.csv").read_text().splitlines()
        assert len({line.split(",")[1] for line in table[1:]}) == len(table) - 1 == 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_runs(page, empty_folder, capsys):
    for block in blocks(page, "python"):
        names = {}
        exec(compile(block.code, str(block), "exec"), names)
        assert 0 < float(capsys.readouterr().out) < 1


QUOTES = [block for document in DOCUMENTS for block in blocks(document) if block.source]


@pytest.mark.parametrize("quote", QUOTES, ids=str)
def test_what_is_quoted_stands_in_a_tested_source(quote: Block):
    missing = first_line_not_in(quote.code, (HOUSE / quote.source).read_text(encoding="utf-8"))
    assert missing is None, f"{quote.source} has no such line any more, or not there: {missing}"


def test_a_quote_may_leave_lines_out_and_not_turn_them_around():
    assert first_line_not_in("one\n\n  three\n", "one\ntwo\nthree\n") is None
    assert first_line_not_in("three\none\n", "one\ntwo\nthree\n") == "one"


def test_every_snippet_in_a_language_of_the_apps_is_such_a_quote():
    loose = [
        str(block) for page in [*PAGES, HOUSE / "docs" / "apps.md"] for block in blocks(page, "kotlin", "swift", "js")
    ]
    assert len(loose) >= 6 and set(loose) <= {str(quote) for quote in QUOTES}


def test_what_pip_is_asked_for_exists():
    extras = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = {
        extra
        for document in DOCUMENTS
        for found in re.findall(r"lariqa\[([\w,-]+)\]", document.read_text(encoding="utf-8"))
        for extra in found.split(",")
    }
    assert asked >= {"onnx", "heif", "ray"} and asked <= extras.keys()


def test_the_readme_is_short_and_its_sentences_are_too():
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    for page in PAGES:
        prose = re.sub(
            r"^```.*?^```$|^\|.*?$|<!--.*?-->|^#.*?$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S
        )
        for sentence in re.split(r"(?<=[.!?:])\s+|\n\n", prose):
            words = [word for word in sentence.split() if re.search(r"\w", word)]
            assert len(words) <= 30, f"{page.name}: {len(words)} words: {sentence}"
