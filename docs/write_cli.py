"""Writes docs/cli.md from the commands themselves: `python docs/write_cli.py`. A test fails where it is out of date."""

import re
import sys
from pathlib import Path

import typer.main

from lariqa_cli.main import COMMANDS, app

PAGE = Path(__file__).parent / "cli.md"
HEAD = """# Commands

<!-- Written by docs/write_cli.py from the commands themselves; change their help, then run it. -->

Results go to stdout; progress, notes and errors to stderr. The status is 0 where it is done, 1 where a limit was
missed, 2 where the input or the request was wrong, 70 for a fault of lariqa's own, and 130 after Ctrl-C.
"""


def leaves(command, words: tuple[str, ...], context=None):
    """(words, command) of every command that does something, below one."""
    if hasattr(command, "list_commands"):
        inside = command.make_context(words[-1], [], parent=context, resilient_parsing=True)
        for name in command.list_commands(inside):
            yield from leaves(command.get_command(inside, name), (*words, name), inside)
    else:
        yield words, command


def cell(text: object) -> str:
    """One field of a table."""
    return re.sub(r"\s+", " ", str(text or "")).replace("|", "\\|").strip()


def option_rows(command):
    """(how it is typed, what it does) of each option."""
    context = command.make_context("x", [], resilient_parsing=True)
    for option in command.params:
        if option.param_type_name != "option" or option.name == "help" or getattr(option, "hidden", False):
            continue
        shown, says = option.get_help_record(context)
        yield f"`{cell(shown)}`", cell(says)


def section(words: tuple[str, ...], command) -> str:
    """One command as Markdown."""
    context = command.make_context("x", [], resilient_parsing=True)
    usage = " ".join([*words, *command.collect_usage_pieces(context)])
    paragraphs = [re.sub(r"\s+", " ", part).strip() for part in (command.help or "").strip().split("\n\n")]
    lines = [f"### {' '.join(words)}", "", "\n\n".join(paragraphs), "", "```", usage, "```", ""]
    arguments = [
        (param.make_metavar(context), param.help) for param in command.params if param.param_type_name == "argument"
    ]
    rows = [(f"`{cell(name)}`", cell(says)) for name, says in arguments] + list(option_rows(command))
    if rows:
        lines += ["| argument, option | |", "| --- | --- |", *(f"| {name} | {says} |" for name, says in rows), ""]
    return "\n".join(lines)


def page() -> str:
    """The whole page."""
    group = typer.main.get_command(app)
    context = group.make_context("lariqa", [], resilient_parsing=True)
    parts = [HEAD]
    for panel, commands in COMMANDS.items():
        parts.append(f"## {panel}\n")
        for name in commands:
            parts += [section(*leaf) for leaf in leaves(group.get_command(context, name), ("lariqa", name), context)]
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}", file=sys.stderr)
