"""A folder for what coremltools leaves behind: a copy of each package that it makes, until the process ends.

A conversion leaves one of the model's size, each pass over a package another. A search for weight formats writes some
dozens of files: several gigabytes, and all of them stay if the process is killed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_temporary_folder() -> Iterator[None]:
    """While the block runs, temporary files of this process go into a folder that is removed with them at its end."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="lariqa-coreml-") as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before
