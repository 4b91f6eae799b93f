"""The one error that means "the input or the request was wrong", as opposed to a defect of ours.

A refusal's text is one clear sentence: what was expected, what came, what to do. The command line prints it
and exits with status 2; every other exception is a bug and shows its traceback.
"""

import contextlib
import difflib
import os
from collections.abc import Iterable, Iterator


class Refusal(ValueError):
    """An input or a request that cannot be served. ``str(refusal)`` is the sentence for the user."""


class OwnFault(Exception):
    """A fault of this program that one photo met, told when the others were done. ``str(fault)``: where, and what."""


@contextlib.contextmanager
def named(photo: str | os.PathLike) -> Iterator[None]:
    """Put the photo's name in front of a refusal that does not mention it."""
    try:
        yield
    except Refusal as refusal:
        if os.fspath(photo) in str(refusal):
            raise
        raise Refusal(f"{os.fspath(photo)}: {refusal}") from refusal


def nearest(name: str, names: Iterable[str]) -> str:
    """What a misspelt name probably meant: ", did you mean 'x'?" for the closest one, "" where none is close."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else ""
