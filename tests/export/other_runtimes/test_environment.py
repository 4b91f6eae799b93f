"""A runtime's environment: made once, from exact packages, without a network where the packages are files."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from export.formats.other_runtime import OtherRuntime
from export.other_runtimes import environment
from export.other_runtimes.environment import READY, command_of
from lariqa.errors import Refusal


@pytest.fixture
def script(tmp_path):
    return tmp_path / "run_toy.py"


@pytest.fixture
def wheel(tmp_path):
    """A package of one module, as a file."""
    path = tmp_path / "toyruntime-1.0-py3-none-any.whl"
    info = "toyruntime-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("toyruntime.py", "VERSION = '1.0'\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toyruntime\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    return path


def installed_version(command) -> str:
    asked = [command[0], "-I", "-c", "import toyruntime; print(toyruntime.VERSION)"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def test_it_is_made_once_and_again_after_an_interruption(wheel, script, tmp_path):
    toy, steps = OtherRuntime("toy", "Toy", script, "python", (str(wheel),)), []
    command = command_of(toy, tmp_path / "cache", steps.append)
    assert installed_version(command) == "1.0" and len(steps) == 1 and str(wheel) in steps[0]
    assert command_of(toy, tmp_path / "cache", steps.append) == command and len(steps) == 1
    (ready,) = (tmp_path / "cache").glob(f"*/{READY}")
    ready.unlink()
    (ready.parent / "half").touch()
    command_of(toy, tmp_path / "cache", steps.append)
    assert len(steps) == 2 and ready.exists() and not (ready.parent / "half").exists()


def test_other_pins_have_another_folder(script, monkeypatch):
    pins = [OtherRuntime("toy", "Toy", script, "python", (f"toy=={version}",)) for version in ("1.0", "1.1")]
    monkeypatch.setattr(environment, "_run", lambda command, runtime: Path(command[-1]).mkdir(exist_ok=True))
    monkeypatch.chdir(script.parent)  # what would be the package is made there
    folders = [command_of(pinned, script.parent / "cache", lambda step: None)[0] for pinned in pins]
    assert len(set(folders)) == 2


def test_without_uv_it_is_venv_and_pip_and_always_without_dependencies(script, tmp_path, monkeypatch):
    toy = OtherRuntime("toy", "Toy", script, "python", ("toy==1.0",))
    with_uv = environment._installation(toy, tmp_path)
    monkeypatch.setattr(environment.shutil, "which", lambda *words, **where: None)
    without = environment._installation(toy, tmp_path)
    assert without[0][1:3] == ["-m", "venv"] and without[1][1:4] == ["-m", "pip", "install"]
    assert all(commands[1][-1] == "toy==1.0" and "--no-deps" in commands[1] for commands in (with_uv, without))


def test_what_cannot_be_installed_is_a_sentence(script, tmp_path, monkeypatch):
    absent = OtherRuntime("toy", "Toy", script, "python", (str(tmp_path / "absent-1.0-py3-none-any.whl"),))
    with pytest.raises(Refusal, match=r"toy cannot be installed: uv says: .*absent"):
        command_of(absent, tmp_path / "cache", lambda step: None)
    assert not list((tmp_path / "cache").glob(f"*/{READY}"))
    (tmp_path / "file").touch()
    with pytest.raises(Refusal, match=r"toy cannot be installed into .*--cache"):
        command_of(absent, tmp_path / "file", lambda step: None)
    monkeypatch.setattr(environment.shutil, "which", lambda *words, **where: None)
    with pytest.raises(Refusal, match=r"toy needs the program node.*Node\.js"):
        command_of(OtherRuntime("toy", "Toy", script, "node", ("toy@1.0",)), tmp_path / "cache", lambda step: None)
