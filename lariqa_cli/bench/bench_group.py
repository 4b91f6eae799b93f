"""``lariqa bench``: latency, memory, MACs and parity of artifacts, in a report. Puts the sub-commands together."""

from __future__ import annotations

import typer
from typer.core import TyperGroup

from lariqa.errors import Refusal
from lariqa_cli.bench.import_command import bench_import
from lariqa_cli.bench.phone_command import bench_phone
from lariqa_cli.bench.run_command import bench_run


class BenchGroup(TyperGroup):
    """Tells a user who gives no sub-command which one measures on this machine."""

    def resolve_command(self, ctx, args):
        """Refuse what is no sub-command; ``lariqa bench EXPORTED`` and ``lariqa bench -o FOLDER`` are likely slips."""
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        raise Refusal(
            f"`lariqa bench` needs a sub-command before {args[0]}: run, phone or import; "
            "to measure on this machine, type `lariqa bench run EXPORTED`"
        )


bench = typer.Typer(
    cls=BenchGroup,
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    context_settings={"ignore_unknown_options": True},  # BenchGroup answers them
)


@bench.callback()
def bench_without_job(context: typer.Context) -> None:
    """Measure artifacts, and write report.html, report.md and report.json."""
    if context.invoked_subcommand is None:
        raise Refusal(
            "nothing to measure: `lariqa bench run EXPORTED` measures on this machine, `lariqa bench phone EXPORTED` "
            "on an Android phone, and `lariqa bench import ROWS` takes rows that a phone exported"
        )


bench.command("run")(bench_run)
bench.command("phone")(bench_phone)
bench.command("import")(bench_import)
