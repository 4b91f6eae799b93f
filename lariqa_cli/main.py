"""The front door: the commands of ``lariqa_cli`` under one name, and how a command ends.

Exit status: 0 done; 1 a limit was missed; 2 the input or the request was wrong, with one sentence; 70 a fault of this
program's own, with one sentence (`lariqa --debug COMMAND` shows where); 130 Ctrl-C.
Results go to stdout; progress, notes and errors to stderr.
"""

from __future__ import annotations

import importlib
import shlex
import sys
from dataclasses import dataclass
from typing import Annotated

import typer
import typer.main
from typer.core import TyperGroup

from lariqa.errors import OwnFault, Refusal, nearest
from lariqa_cli.screen import complain

# What Typer raises for a command line that it cannot parse: Click's class in its older versions, its own since.
WrongUsage = typer.BadParameter.__base__

OWN_FAULT = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130  # as a shell counts: 128 + SIGINT
TOOLKIT = ("lariqa_train", "export", "benchmarks")  # the floors that only a checkout has


@dataclass(frozen=True)
class Command:
    """One command: the module and the function, or sub-commands, behind it; and its line in the list of commands."""

    module: str
    function: str
    summary: str


COMMANDS = {
    "Score": {
        "score": Command("score_command", "score_command", "Score photos with an exported file or a checkpoint."),
        "inspect": Command("inspect_command", "inspect_model", "Show what an exported file or a checkpoint is."),
    },
    "Export": {
        "demo": Command("demo_command", "run_demo", "The whole trip on one photo: train, export, prove, score."),
        "import": Command("import_command", "import_weights", "Turn the authors' published weights into a checkpoint."),
        "export": Command("export_command", "export_checkpoint", "Write a checkpoint to files, each one proved."),
        "bundle": Command(
            "apps.bundle_command", "bundle_export", "Copy an export into a sample app: Android, iOS, web."
        ),
        "web": Command("apps.web_command", "serve_web", "Score photos in a browser: serve an export on this machine."),
        "verify": Command("verify_command", "verify_export", "Prove an export again, on your photos."),
    },
    "Train": {
        "datasets": Command("datasets.datasets_group", "datasets", "The data sets: what is there, what is missing."),
        "train": Command("train_command", "train_model", "Train one stage of the paper."),
        "update-grid": Command("update_grid_command", "update_grid", "Refit a KAN's grids to the features of photos."),
        "evaluate": Command("evaluate_command", "evaluate_model", "Compare a model's scores with people's ratings."),
        "reproduce": Command("reproduce_command", "reproduce_table", "Train and measure the rows of a table of it."),
    },
    "Measure": {
        "bench": Command("bench.bench_group", "bench", "Measure exported files beside PyTorch, and write a report."),
        "compare": Command("compare_command", "compare_measurements", "Say what changed between two reports."),
    },
}
_shows_faults = False  # of this program: with a traceback
ALL = {name: command for panel in COMMANDS.values() for name, command in panel.items()}


class Commands(TyperGroup):
    """The commands by name; each is imported when it is used, so that the list of them is there at once."""

    def list_commands(self, ctx) -> list[str]:
        return list(ALL)

    def get_command(self, ctx, name: str):
        if name not in ALL:
            raise Refusal(f"there is no command {name!r}; `lariqa --help` lists them{nearest(name, ALL)}")
        target = getattr(importlib.import_module(f"lariqa_cli.{ALL[name].module}"), ALL[name].function)
        if not isinstance(target, typer.Typer):
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(name)(target)
            target = alone
        command = typer.main.get_command(target)
        command.name = name
        return command

    def format_commands(self, ctx, formatter) -> None:
        for panel, commands in COMMANDS.items():
            with formatter.section(panel):
                formatter.write_dl([(name, command.summary) for name, command in commands.items()])


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # its boxes cost half a second each time
    pretty_exceptions_enable=False,
    help="LAR-IQA on devices: import or train a checkpoint, export it to files for phones, prove and use the score.",
)


@app.callback(invoke_without_command=False)
def commands(
    debug: Annotated[bool, typer.Option("--debug", help="Show where this program itself fails, if it does.")] = False,
) -> None:
    """The commands are found by ``Commands``."""
    global _shows_faults
    _shows_faults = debug


def wrong_usage(wrong: Exception) -> str:
    """What Typer has to say about a command line that it could not parse."""
    sentence = " ".join(wrong.format_message().split()).replace("Value error, ", "").rstrip(".")
    command = wrong.ctx.command_path if wrong.ctx else "lariqa"
    return f"{sentence}; see `{command} --help`"


def not_installed(missing: ModuleNotFoundError) -> Refusal:
    """What to install where a module is not there; a module of ours that is missing is a defect and is raised."""
    from lariqa.backends import has_toolkit, needs_package, needs_toolkit

    command, top = f"`{' '.join(['lariqa', *sys.argv[1:2]])}`", (missing.name or "").partition(".")[0]
    if top in TOOLKIT and not has_toolkit():
        return needs_toolkit(command)
    if not top or top in (*TOOLKIT, "lariqa", "lariqa_cli"):
        raise missing
    return needs_package(command, missing.name)


def main() -> None:
    """Run the command line; see the module for the exit status."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may have bytes that are no text
    try:
        status = app(standalone_mode=False)
    except Refusal as refusal:
        status = complain(str(refusal))
    except WrongUsage as wrong:
        if sys.argv[1:]:
            status = complain(wrong_usage(wrong))
        else:  # nothing was asked for: the help says what can be
            print(wrong.ctx.get_help(), file=sys.stderr)
            status = 2
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except ModuleNotFoundError as missing:
        status = complain(str(not_installed(missing)))
    except MemoryError:
        status = complain(
            "out of memory; the full view of a large photo needs about 2 GB, --synthetic-view crop about 0.5 GB"
        )
    except OSError as error:  # nothing that a program can help: a file without permission, a full disk, a lost network
        status = complain(f"the system says: {error}; check the path, its permissions and the free space")
    except Exception as fault:  # nobody foresaw it: neither a wrong input (2) nor a missed limit (1)
        if _shows_faults:
            raise
        said = " ".join((str(fault) if isinstance(fault, OwnFault) else f"{type(fault).__name__}: {fault}").split())
        command = shlex.join(["lariqa", "--debug", *sys.argv[1:]])
        complain(f"{said}; this is a fault of lariqa itself: please report it, with what `{command}` shows")
        status = OWN_FAULT
    if status == INTERRUPTED:  # Typer turns Ctrl-C into this
        complain("interrupted; nothing half-written was left")
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
