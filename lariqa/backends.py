"""The heavy packages behind each format: imported when needed, named when missing, silenced while they work."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from types import ModuleType

from lariqa.errors import Refusal


def backend(module: str, extra: str) -> ModuleType:
    """Import one backend package.

    Raises:
        Refusal: it is not installed; says which extra brings it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as missing:
        if not (missing.name or "").startswith(module.split(".")[0]):
            raise  # installed, but broken: that is worth the traceback
        raise Refusal(
            f"this needs the package {module!r}, which is not installed: pip install 'lariqa[{extra}]'"
        ) from missing


def has_toolkit() -> bool:
    """Whether the floors above this one are there: the wheel holds what scores photos, a checkout holds everything."""
    return importlib.util.find_spec("lariqa_train") is not None


def needs_toolkit(what: str) -> Refusal:
    """The one sentence for "this lives in a checkout, and only the wheel is installed"."""
    return Refusal(
        f"{what} needs the whole toolkit, of which only the part that scores photos is installed: "
        "clone its repository and run `make setup` there"
    )


def needs_package(what: str, package: str) -> Refusal:
    """The one sentence for "a package of the whole toolkit is not installed"."""
    return Refusal(f"{what} needs the package {package!r}, which is not installed: pip install 'lariqa[all]'")


def toolkit(module: str, needed_by: str) -> ModuleType:
    """Import a module of the floors above this one: training, export, benchmarks, which only a checkout has.

    Args:
        module: its full name.
        needed_by: begins the sentence where it is missing.

    Raises:
        Refusal: the checkout, or a package that it needs, is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name and module.startswith(missing.name):
            raise needs_toolkit(needed_by) from missing
        raise needs_package(needed_by, missing.name) from missing


def versions(*packages: str) -> dict[str, str]:
    """Package name -> installed version."""
    return {name: importlib.metadata.version(name) for name in packages}


@contextlib.contextmanager
def quietly(doing: str) -> Iterator[None]:
    """Keep a converter's own output off the terminal, native code's included; show its end if the converter fails.

    Raises:
        Refusal: the converter failed; the sentence says at what, and ends with the converter's last words.
    """
    sys.stdout.flush(), sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as noise, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(noise.fileno(), 1), os.dup2(noise.fileno(), 2)
        try:
            yield
        except (KeyboardInterrupt, Refusal, OSError, MemoryError):
            raise
        except Exception as failed:  # converters raise anything; it is passed on, with its name
            noise.seek(max(0, noise.tell() - 400))
            last = " ".join(noise.read().decode(errors="replace").split())
            raise Refusal(
                f"{doing} failed: {type(failed).__name__}: {failed}. Its last output: {last or '(none)'}"
            ) from failed
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            os.dup2(kept[0], 1), os.dup2(kept[1], 2)
            os.close(kept[0]), os.close(kept[1])
