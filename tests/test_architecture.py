"""The house keeps its floors: imports point down, rooms do not reach each other, each thing is known in one place."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from export.formats import FORMATS

HOUSE = Path(__file__).parent.parent
FLOORS = ["lariqa", "lariqa_train", "export", "benchmarks", "lariqa_cli"]  # from the ground up
FILES = sorted(file for floor in FLOORS for file in (HOUSE / floor).rglob("*.py"))
MODULES = {".".join(file.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__"): file for file in FILES}
MOST_FILES = 17  # in a folder
MOST_LINES = 300  # of a file, unless its docstring gives the reason


def name_of(file: Path) -> str:
    return str(file.relative_to(HOUSE))


def floor_of(file: Path) -> int:
    return FLOORS.index(file.relative_to(HOUSE).parts[0])


def imported(file: Path) -> set[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def packages(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(file)}


def test_there_are_files_on_every_floor():
    assert {floor_of(file) for file in FILES} == set(range(len(FLOORS)))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_imports_only_point_down(file):
    assert not packages(file) & set(FLOORS[floor_of(file) + 1 :])


def test_the_ground_floor_scores_with_numpy_pillow_and_one_runtime_each():
    allowed = {"lariqa", "numpy", "PIL", "pillow_heif", "flatbuffers", "tflite_runtime", "filelock"}
    standard = {"__future__"} | set(__import__("sys").stdlib_module_names)
    for file in FILES:
        if floor_of(file) == 0:
            assert not packages(file) - allowed - standard, f"{file} imports more than the ground floor has"


def test_training_needs_no_export_package():
    heavy = {
        "onnx",
        "onnxruntime",
        "onnxscript",
        "coremltools",
        "coreai",
        "litert_torch",
        "ai_edge_litert",
        "tflite_runtime",
    }
    assert not [file for file in FILES if floor_of(file) == 1 and packages(file) & heavy]


def test_no_two_folders_reach_each_other():
    """The graph of folders has no circle, whoever imports whom inside them."""
    reaches = defaultdict(set)
    for file in FILES:
        for name in imported(file):
            other = MODULES.get(name, file).parent
            # A folder holds what its rooms share and what stands on top of them: between it and them is no circle.
            if other not in (file.parent, *file.parents) and file.parent not in other.parents:
                reaches[file.parent].add(other)
    closed = {folder: set(others) for folder, others in reaches.items()}
    for _ in range(len(closed)):
        for folder in closed:
            closed[folder] |= set().union(*(closed.get(other, set()) for other in closed[folder]))
    circles = sorted(str(folder.relative_to(HOUSE)) for folder, others in closed.items() if folder in others)
    assert not circles, f"{circles} reach themselves"


def test_no_folder_is_a_warehouse():
    counts = defaultdict(int)
    for file in FILES:
        counts[file.parent] += file.name != "__init__.py"
    assert not {str(folder): count for folder, count in counts.items() if count > MOST_FILES}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_long_file_says_why(file):
    text = file.read_text()
    if len(text.splitlines()) > MOST_LINES:
        assert "One file because" in ast.get_docstring(ast.parse(text)), f"{len(text.splitlines())} lines, no reason"


def test_only_the_spec_knows_its_numbers():
    number = re.compile(r"(?<![\w.])(?:384|1280|0\.485|0\.456|0\.406|0\.229|0\.224|0\.225)(?![\w.])")
    for file in FILES:
        constants = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
        literals = [value for value in constants if isinstance(value, int | float) and number.fullmatch(str(value))]
        assert not literals or file.name == "preprocess_spec.py", f"{file} holds {literals}"


def test_only_a_formats_own_folder_and_its_runtime_know_its_name():
    """So a new format is a folder, a runtime file and a line; extras of pyproject.toml may bear a format's name."""
    names = set(FORMATS) | {row.suffix for row in FORMATS.values()} | {row.label for row in FORMATS.values()}
    at_home = {"export/formats", "lariqa/runtimes"}
    elsewhere = []
    for file in FILES:
        place = name_of(file)
        if any(place.startswith(folder) for folder in at_home) or place.startswith("benchmarks/baselines/"):
            continue  # baselines are other tools' exports, each written and run as those tools do it
        tree = ast.parse(file.read_text())
        elsewhere += [
            f"{place}:{node.lineno} {node.value!r}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and node.value in names
        ]
    assert not elsewhere


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_module_says_what_it_is(file):
    assert ast.get_docstring(ast.parse(file.read_text()))


def test_every_folder_gives_its_reading_order():
    folders = {file.parent for file in FILES}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_no_file_is_a_drawer():
    assert not [file for file in FILES if re.fullmatch(r"(utils?|helpers?|common|misc|base|managers?)\.py", file.name)]


def test_tests_mirror_the_tree():
    folders = {str(file.parent.relative_to(HOUSE / "tests")) for file in (HOUSE / "tests").rglob("test_*.py")}
    assert not [folder for folder in folders if folder != "." and not (HOUSE / folder).is_dir()]


def test_the_lock_pins_exactly_and_names_no_address():
    lines = (HOUSE / "requirements.lock").read_text().splitlines()
    assert len(lines) > 50
    assert all(re.match(r"[A-Za-z0-9_.-]+==[\w.+!]+", line) for line in lines)
    assert not [line for line in lines if "://" in line]


DOCUMENTS = sorted({*HOUSE.glob("*.md"), *(HOUSE / "docs").rglob("*.md"), *HOUSE.glob("*_demo/README.md")})


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_and_files_named_in_documents_are_there(document):
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    named = re.findall(r"`((?:lariqa|lariqa_train|lariqa_cli|export|benchmarks|tests|docs)/[\w./-]+\.\w+)`", text)
    missing = [link for link in links if not (document.parent / link).exists()]
    missing += [path for path in named if not (HOUSE / path).exists()]
    assert not missing
