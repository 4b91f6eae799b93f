"""Room of floor 2: the file formats. A new one is a folder here, a file in ``lariqa/runtimes`` and a line below.

Reading order: format (what a format is), other_runtime -> onnx, coreml, tflite, coreai, each: format, convert,
quantize.
Nothing heavy is imported before a file is written or read.
"""

from __future__ import annotations

from pathlib import Path

from export.formats.coreai.format import FORMAT as COREAI
from export.formats.coreml.format import FORMAT as COREML
from export.formats.format import Format
from export.formats.onnx.format import FORMAT as ONNX
from export.formats.tflite.format import FORMAT as TFLITE
from lariqa.runtimes.runtime import runtime_of

FORMATS: dict[str, Format] = {row.name: row for row in (ONNX, COREML, TFLITE, COREAI)}
USUAL = tuple(name for name, row in FORMATS.items() if not row.runtime.experimental)  # written where nobody names one


def format_of(path: Path) -> Format:
    """The format of a model file, by its suffix.

    Raises:
        Refusal: no format has that suffix.
    """
    return FORMATS[runtime_of(path).format]
