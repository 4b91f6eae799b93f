"""The house keeps its floors: imports point down, one place knows the preprocessing, every module says what it is."""

import ast
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
FLOORS = ["lariqa_train", "export", "benchmarks", "lariqa_cli", "lariqa"]  # from the ground up
FILES = [*sorted(file for floor in FLOORS[:4] for file in (HOUSE / floor).rglob("*.py")), HOUSE / "lariqa.py"]


def floor_of(file: Path) -> int:
    return FLOORS.index(file.relative_to(HOUSE).parts[0].removesuffix(".py"))


def imported(file: Path) -> set[str]:
    """Top-level names that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names.add(node.module.split(".")[0])
    return names


def test_there_are_files_on_every_floor():
    assert {floor_of(file) for file in FILES} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(HOUSE)))
def test_imports_only_point_down(file):
    higher = set(FLOORS[floor_of(file) + 1 :])
    assert not imported(file) & higher


def test_the_ground_floor_needs_no_export_package():
    heavy = {"onnx", "onnxruntime", "onnxscript", "coremltools", "litert_torch", "ai_edge_litert", "tflite_runtime"}
    assert not {file for file in FILES if floor_of(file) == 0 and imported(file) & heavy}


def test_only_preprocess_knows_its_numbers():
    number = re.compile(r"(?<![\w.])(?:384|1280|0\.485|0\.456|0\.406|0\.229|0\.224|0\.225)(?![\w.])")
    for file in FILES:
        tree = ast.parse(file.read_text())
        constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        literals = [value for value in constants if isinstance(value, int | float) and number.fullmatch(str(value))]
        assert not literals or file.name == "preprocess.py", f"{file} holds {literals}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(HOUSE)))
def test_every_module_says_what_it_is(file):
    assert ast.get_docstring(ast.parse(file.read_text()))


def test_no_file_is_a_drawer():
    assert not [file for file in FILES if re.fullmatch(r"(utils?|helpers?|common|misc|base|managers?)\.py", file.name)]


def test_the_lock_pins_exactly_and_names_no_address():
    lines = (HOUSE / "requirements.lock").read_text().splitlines()
    assert len(lines) > 50
    assert all(re.match(r"[A-Za-z0-9_.-]+==[\w.+!]+", line) for line in lines)
    assert not [line for line in lines if "://" in line]
