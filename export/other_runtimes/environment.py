"""A runtime's packages in an environment of their own: made on request, kept, and never mixed with the toolkit's.

Converters and runtimes ask for other versions of packages that the toolkit needs, so none of them is installed into it.
An environment's folder is named by the runtime and by what is in it: another pin makes another folder. It counts as
made only when its last file, READY, is there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

from export.formats.other_runtime import OtherRuntime
from lariqa.errors import Refusal

READY = "ready"
CHILD = Path(__file__).with_name("child.py")
LIMIT_S = 900  # for one installation: the largest is 200 MB


def default_cache() -> Path:
    """Where environments are kept if nothing else is said."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lariqa" / "runtimes"


def command_of(runtime: OtherRuntime, cache: Path, progress: Callable[[str], None]) -> list[str | Path]:
    """How to start a runtime's child process; its environment is made if it is not there.

    Raises:
        Refusal: it cannot be made.
    """
    if runtime.installer == "none":
        return [sys.executable, "-I", CHILD, runtime.script]
    folder = _environment(runtime, cache, progress)
    if runtime.installer == "node":
        return [_program("node", runtime), runtime.script, folder]
    return [_python(folder), "-I", CHILD, runtime.script]


def _environment(runtime: OtherRuntime, cache: Path, progress: Callable[[str], None]) -> Path:
    """The folder of a runtime's environment."""
    made_of = " ".join((runtime.installer, sys.version.split()[0], *runtime.packages))
    folder = cache.absolute() / f"{runtime.name}-{sha256(made_of.encode()).hexdigest()[:12]}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):  # two verifications at once
            if not (folder / READY).exists():
                shutil.rmtree(folder, ignore_errors=True)  # what an interrupted installation left
                progress(f"installing {', '.join(runtime.packages)} into {folder}")
                for command in _installation(runtime, folder):
                    _run(command, runtime)
                (folder / READY).touch()
    except OSError as error:
        raise Refusal(
            f"{runtime.name} cannot be installed into {folder}: {error.strerror or error}; choose another --cache"
        ) from error
    return folder


def _installation(runtime: OtherRuntime, folder: Path) -> list[list[str | Path]]:
    """The commands that make an environment."""
    if runtime.installer == "node":
        _program("node", runtime)
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        return [[_program("npm", runtime), "install", "--prefix", folder, *quiet, *runtime.packages]]
    beside = shutil.which("uv", path=str(Path(sys.executable).parent))
    uv = shutil.which("uv") or beside
    if uv:
        install = [uv, "pip", "install", "--quiet", "--no-deps", "--python", _python(folder), *runtime.packages]
        return [[uv, "venv", "--quiet", "--no-project", "--python", sys.executable, folder], install]
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-deps")
    return [
        [sys.executable, "-m", "venv", folder],
        [_python(folder), "-m", "pip", "install", *quiet, *runtime.packages],
    ]


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _program(name: str, runtime: OtherRuntime) -> str:
    found = shutil.which(name)
    if found is None:
        raise Refusal(f"{runtime.name} needs the program {name}, which is not installed here; install Node.js")
    return found


def _run(command: list[str | Path], runtime: OtherRuntime) -> None:
    words = list(map(str, command))
    try:
        ended = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise Refusal(f"{runtime.name} was not installed within {LIMIT_S / 60:g} min; is there a network?") from None
    if ended.returncode:
        last = " ".join((ended.stderr or ended.stdout).decode(errors="replace").split())[-300:]
        raise Refusal(f"{runtime.name} cannot be installed: {Path(words[0]).name} says: {last or '(nothing)'}")
