"""``lariqa datasets``: the data sets that the toolkit reads, and two that it makes. Puts the sub-commands together."""

from __future__ import annotations

import typer

from lariqa_cli.datasets.fetch_command import fetch_free_photographs
from lariqa_cli.datasets.generate_command import generate_dataset
from lariqa_cli.datasets.list_command import list_datasets

datasets = typer.Typer(add_completion=False, rich_markup_mode=None, invoke_without_command=True)


@datasets.callback()
def datasets_without_job(context: typer.Context) -> None:
    """List data sets, generate one, or fetch photographs. Without a sub-command: list."""
    if context.invoked_subcommand is None:
        list_datasets()


datasets.command("list")(list_datasets)
datasets.command("generate")(generate_dataset)
datasets.command("fetch-photographs")(fetch_free_photographs)
