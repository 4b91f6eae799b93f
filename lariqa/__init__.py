"""Score photos with an exported LAR-IQA file: NumPy, Pillow and one runtime, no training library.

>>> import lariqa
>>> scorer = lariqa.load("exported/lariqa_views_crop_fp32.onnx")  # doctest: +SKIP
>>> scorer.score("photo.jpg")  # doctest: +SKIP
0.828858

Reading order, the trip of one score: photos (photo_files -> photo -> views) -> manifest (what a file promises) ->
runtimes (runtime -> scorer -> one file for each runtime) -> loading, which is ``lariqa.load`` -> library (many photos).
Beside it: errors, atomic, digest, backends, time_left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Refusal", "Scorer", "__version__", "load"]

if TYPE_CHECKING:
    from lariqa.errors import Refusal
    from lariqa.loading import load
    from lariqa.runtimes.scorer import Scorer

_HOMES = {"Refusal": "lariqa.errors", "Scorer": "lariqa.runtimes.scorer", "load": "lariqa.loading"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that ``import lariqa`` costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lariqa' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
