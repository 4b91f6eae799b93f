"""The front door: the commands of ``lariqa_cli`` under one name, and how a command ends.

Exit status: 0 done; 1 a limit was missed; 2 the input or the request was wrong, with one sentence; 130 Ctrl-C.
Results go to stdout; progress, notes and errors to stderr.
"""

from __future__ import annotations

import sys

import typer

from lariqa.errors import Refusal
from lariqa_cli.bench.bench_group import bench
from lariqa_cli.compare_command import compare_measurements
from lariqa_cli.datasets.datasets_group import datasets
from lariqa_cli.demo_command import run_demo
from lariqa_cli.evaluate_command import evaluate_model
from lariqa_cli.export_command import export_checkpoint
from lariqa_cli.import_command import import_weights
from lariqa_cli.inspect_command import inspect_model
from lariqa_cli.reproduce_command import reproduce_table
from lariqa_cli.score_command import score_photos
from lariqa_cli.screen import INTERRUPTED, complain
from lariqa_cli.train_command import train_model
from lariqa_cli.verify_command import verify_export

# What Typer raises for a command line that it cannot parse: Click's class in its older versions, its own since.
WrongUsage = typer.BadParameter.__base__

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="LAR-IQA on devices: import or make a checkpoint, export it to ONNX, Core ML and TFLite, and prove the score.",
)

PANELS = {  # of `lariqa --help`; a Typer has sub-commands
    "Score": {"score": score_photos, "inspect": inspect_model},
    "Export": {
        "demo": run_demo,
        "import": import_weights,
        "export": export_checkpoint,
        "verify": verify_export,
    },
    "Train": {"datasets": datasets, "train": train_model},
    "Measure": {
        "evaluate": evaluate_model,
        "reproduce": reproduce_table,
        "bench": bench,
        "compare": compare_measurements,
    },
}
for panel, commands in PANELS.items():
    for name, command in commands.items():
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(command)


def wrong_usage(wrong: Exception) -> str:
    """What Typer has to say about a command line that it could not parse."""
    sentence = " ".join(wrong.format_message().split()).replace("Value error, ", "").rstrip(".")
    command = wrong.ctx.command_path if wrong.ctx else "lariqa"
    return f"{sentence}; see `{command} --help`"


def main() -> None:
    """Run the command line; see the module for the exit status."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may have bytes that are no text
    try:
        status = app(standalone_mode=False)
    except Refusal as refusal:
        status = complain(str(refusal))
    except WrongUsage as wrong:
        # Without any argument the message is the help, which Typer has printed itself.
        status = complain(wrong_usage(wrong)) if sys.argv[1:] else 2
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except MemoryError:
        status = complain(
            "out of memory; the full view of a large photo needs about 2 GB, --synthetic-view crop about 0.5 GB"
        )
    except OSError as error:  # nothing that a program can help: a file without permission, a full disk, a lost network
        status = complain(f"the system says: {error}; check the path, its permissions and the free space")
    if status == INTERRUPTED:  # Typer turns Ctrl-C into this
        complain("interrupted; nothing half-written was left")
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
