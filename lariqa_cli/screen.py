"""What a person sees: results on stdout; progress, notes and errors on stderr."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Collection
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from lariqa.errors import OwnFault
from lariqa.library.row import OWN_FAULT

if TYPE_CHECKING:  # Rich costs a tenth of a second; a score in a pipe needs no table, no spinner and no colour
    from rich.console import Console
    from rich.table import Table

PIPE_CLOSED = 141  # as a shell counts: 128 + SIGPIPE


# Progress goes to a copy of stderr: while a converter runs, the real one is redirected to hide its output.
stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")


def console(file, width: int | None = None) -> Console:
    """A Rich console that prints text as it is, and whose reader may leave (``lariqa datasets list | head``)."""
    from rich.console import Console

    class Screen(Console):
        def on_broken_pipe(self) -> NoReturn:  # Rich's own ends with status 1, which here means a missed limit
            reader_left()

    return Screen(file=file, width=width, highlight=False, emoji=False)


@contextmanager
def steps():
    """Show what is being done and for how long: a live line on a terminal, one line per step elsewhere.

    Ctrl-C ends the work at the next step at the latest: some packages swallow it, coremltools while it is imported.
    """
    began, pressed, live, shown = time.monotonic(), [], nullcontext(), None
    if stderr.isatty():
        from rich.live import Live
        from rich.spinner import Spinner

        shown = Spinner("dots")
        # Not the console's status(), which replaces sys.stderr and would show the converters' output.
        live = Live(shown, console=console(stderr), transient=True, redirect_stdout=False, redirect_stderr=False)

    def press(number, frame) -> NoReturn:
        pressed.append(number)
        raise KeyboardInterrupt

    def begin(step: str) -> None:
        if pressed:
            raise KeyboardInterrupt
        if shown is not None:
            from rich.markup import escape

            shown.update(text=f"{escape(step)} [dim]({time.monotonic() - began:.0f} s)[/]")
        else:
            print(f"[{time.monotonic() - began:5.0f} s] {step}", file=stderr)

    before = signal.signal(signal.SIGINT, press)
    try:
        with live:
            yield begin
    finally:
        signal.signal(signal.SIGINT, before)


def say(line: str, end: str = "\n") -> None:
    """One line of the result, on stdout: neither wrapped nor read as markup, so that file names stay what they are."""
    try:
        print(line, end=end, flush=True)
    except BrokenPipeError:
        reader_left()


def say_json(data: dict) -> None:
    """A result in JSON."""
    say(json.dumps(data, indent=2))


def show(table: Table) -> None:
    """A table of the result, on stdout; to a file or a pipe, as wide as its longest file name."""
    console(sys.stdout, None if sys.stdout.isatty() else 10_000).print(table)


def typed(*words: object) -> str:
    """A command as one types it into a shell."""
    return shlex.join([program(), *map(str, words)])


def program() -> str:
    """How to call this program again: by its name if the shell finds it, else by the path that was typed."""
    return sys.argv[0] if Path(sys.argv[0]).name == "lariqa" and not shutil.which("lariqa") else "lariqa"


def note(sentence: str, heading: str = "", colour: str = "") -> None:
    """A note about the result, on stderr."""
    if heading and stderr.isatty():
        console(stderr).out(heading, style=colour, end=" ")
    elif heading:
        print(heading, end=" ", file=stderr)
    print(sentence, file=stderr)


def note_training(provenance) -> None:
    """Warn, next to any score, about weights that were not trained on human ratings."""
    if provenance.note:
        note(f"{provenance.note}.", "DEMONSTRATION:", "yellow")
    elif not provenance.trained:
        note(
            "these weights are a calibrated stand-in; the scores show that the pipeline works, not quality.",
            "NOT TRAINED:",
            "yellow",
        )


def complain(sentence: str) -> int:
    """One refusal, on stderr; returns the exit status for it."""
    note(sentence, "error:", "red")
    return 2


def complain_of(errors: Collection[str], most: int | None = None) -> None:
    """One line for each photo that was left out.

    Args:
        errors: a sentence each.
        most: lines, where a file has them all.
    """
    shown = list(errors)[:most]
    for error in shown:
        complain(error)
    if more := len(errors) - len(shown):
        note(f"and {more:,} more photos")


def end_without(errors: Collection[str]) -> None:
    """End the command for the photos that it had to leave out, when its result is told; return where there are none.

    Raises:
        OwnFault, typer.Exit: there are some.
    """
    if faults := [error.partition(f"; {OWN_FAULT}")[0] for error in errors if OWN_FAULT in error]:
        raise OwnFault(f"{len(faults)} photos could not be scored, the first: {faults[0]}")
    if errors:
        raise typer.Exit(2)


def reader_left() -> NoReturn:
    """End quietly; what Python still holds for the closed pipe goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(PIPE_CLOSED)
