"""Every command that a document shows has the options that it shows; the list of commands is the commands' own."""

import importlib.util
import re
import shlex

import pytest
import typer.main
from typer.core import TyperGroup

from lariqa_cli.main import WrongUsage, app
from tests.support.documents import DOCUMENTS, HOUSE, blocks, command_lines

SHELL = ("sh", "bash", "", "text")
INLINE = re.compile(r"`(lariqa [a-z][^`]*)`")


def lariqa_commands(document) -> list[str]:
    """The lines of code blocks that begin with `lariqa`, and the commands in the text."""
    shown = [line for block in blocks(document, *SHELL) for line in command_lines(block.code)]
    inline = INLINE.findall(" ".join(document.read_text(encoding="utf-8").split()))
    return [command for command in [*shown, *inline] if command.startswith("lariqa ") and "score photos" not in command]


def parsed(command: str) -> None:
    """Raises where a command, an option or a value of it does not exist; what is left out may be left out in a text."""
    words = shlex.split(command.replace("...", "").split("|")[0], comments=True)[1:]
    at = typer.main.get_command(app)
    context = at.make_context("lariqa", [], resilient_parsing=True)
    while isinstance(at, TyperGroup) or hasattr(at, "list_commands"):
        if not words or words[0].startswith("-"):
            return
        name = words.pop(0)
        inside = at.get_command(context, name)
        assert inside is not None, f"there is no command {name!r}"
        at, context = inside, inside.make_context(name, [], parent=context, resilient_parsing=True)
    try:
        at.make_context(at.name, words)
    except WrongUsage as wrong:
        if "Missing" not in type(wrong).__name__:
            raise


WRITTEN_BY_HAND = [document for document in DOCUMENTS if document.name != "cli.md"]  # whose usage lines are no commands


@pytest.mark.parametrize("document", WRITTEN_BY_HAND, ids=lambda path: str(path.relative_to(HOUSE)))
def test_every_command_shown_has_the_options_shown(document):
    wrong = []
    for command in lariqa_commands(document):
        try:
            parsed(command)
        except (WrongUsage, AssertionError, ValueError) as error:
            wrong.append(f"{command}: {getattr(error, 'message', error)}")
    assert not wrong


def test_the_check_sees_an_option_a_command_and_a_value_that_do_not_exist():
    for command in ("lariqa score model.onnx --nothing", "lariqa scores x", "lariqa verify x --limit small"):
        with pytest.raises((WrongUsage, AssertionError, ValueError)):
            parsed(command)
    parsed("lariqa export --batch dynamic")


ELSEWHERES = {  # options of other programs that documents name
    "--compress_to_fp16", "--head", "--port", "--address", "--generate", "--nproc-per-node", "--gradle-version",
    "--filter", "--spec", "--es", "--ei", "--update-grid",
}  # fmt: skip


def test_every_option_named_in_a_text_is_one_of_the_commands():
    known = (
        set(re.findall(r"--[a-z][a-z-]+", (HOUSE / "docs" / "cli.md").read_text())) | ELSEWHERES | {"--debug", "--help"}
    )
    unknown = {}
    for document in WRITTEN_BY_HAND:
        for code in re.findall(r"`([^`]+)`", document.read_text(encoding="utf-8")):
            for option in re.findall(r"(?<![\w-])--[a-z][a-z_-]+", code):
                if option not in known and not option.endswith("-"):
                    unknown.setdefault(option, document.name)
    assert not unknown


def test_every_make_target_shown_exists():
    targets = set(re.findall(r"^([a-z-]+):", (HOUSE / "Makefile").read_text(), re.M))
    shown = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(encoding="utf-8"), re.M)
    }
    assert len(shown) > 8 and not shown - targets


def test_the_page_of_commands_is_what_the_commands_say():
    spec = importlib.util.spec_from_file_location("write_cli", HOUSE / "docs" / "write_cli.py")
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    assert (HOUSE / "docs" / "cli.md").read_text() == writer.page(), "out of date: run `python docs/write_cli.py`"
