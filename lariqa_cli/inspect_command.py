"""``lariqa inspect``: what a checkpoint or an artifact is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from lariqa_cli.arguments import ModelArgument, check_model, is_checkpoint
from lariqa_cli.score_command import named
from lariqa_cli.screen import note, say, say_json, show, steps
from lariqa_train.refusal import Refusal


def inspect_model(
    model: ModelArgument,
    photos: Annotated[
        list[str] | None, typer.Option("--photos", help="Measure KAN coverage on these; may be repeated.")
    ] = None,
) -> None:
    """Show what a checkpoint or an artifact is, and how well its KAN's splines cover real features."""
    check_model(model)
    if is_checkpoint(model):
        inspect_checkpoint(model, photos or [])
        return
    if photos:
        raise Refusal("KAN coverage is measured on a checkpoint, not on an artifact; leave --photos out")
    inspect_artifact(model)


def inspect_artifact(path: Path) -> None:
    """Print an artifact's manifest, operators, work by part, and what is known to hurt on phones."""
    from export.formats import describe, format_of

    manifest, artifact = describe(path)
    row = format_of(path)
    operators = row.operators(path)
    shown = manifest.to_json()
    shown["artifacts"] = [entry for entry in shown["artifacts"] if entry["file"] == artifact.file]

    from benchmarks.macs import promised_layers, work_of
    from benchmarks.phone_warnings import Facts, warnings_for

    with steps() as step:
        step(f"counting in {path}")
        work = work_of(row.layers(path), promised_layers(manifest, artifact), dict(operators))
    say_json(shown)
    say(
        f"{sum(operators.values())} operators: "
        + ", ".join(f"{name} {count}" for name, count in operators.most_common())
    )
    table = Table("part", box=box.SIMPLE_HEAD)
    for name in ("MMACs", "weights"):
        table.add_column(name, justify="right")
    for part, numbers in work.parts.items():
        table.add_row(part, f"{numbers['macs'] / 1e6:,.1f}", f"{numbers['weights']:,}")
    table.add_section()
    table.add_row("all, tables and biases too", f"{work.macs / 1e6:,.1f}", f"{work.parameters:,}")
    show(table)
    say(f"weights as stored: {work.weight_bytes / 1e6:.1f} MB; MACs: convolutions and matrix products of one run")
    for given in artifact.inputs:
        say(f"input {given.name}: {given.dtype} {given.layout} {'x'.join(map(str, given.shape))}")
    say(f"output {artifact.output}: float32, one value")
    for warning in warnings_for(Facts(artifact, operators, work)):
        note(warning, "On phones:", "yellow")


def inspect_checkpoint(path: Path, photos: list[str]) -> None:
    """Print a checkpoint's description and, given photos, its KAN coverage."""
    from lariqa_train.photo import open_photo
    from lariqa_train.photo_files import photos_in

    files = photos_in(photos)
    import torch

    from lariqa_train.checkpoint import load_checkpoint
    from lariqa_train.kan_coverage import watch_coverage
    from lariqa_train.preprocess import prepare

    model = load_checkpoint(path)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    heads = parameters - sum(
        p.numel() for view in model.config.branches for p in getattr(model, view).backbone.parameters()
    )
    with steps() as step, watch_coverage(model) as coverage, torch.inference_mode():
        if files and not coverage:
            raise Refusal(f"{path} has no KAN layer, so no coverage to measure; leave --photos out")
        for photo in files:
            step(f"KAN inputs of {photo}")
            with named(photo):
                model(**prepare(open_photo(photo), model.config.preprocess, model.config.branches))
    say_json({"parameters": parameters, "of_them_in_heads": heads, **model.describe()})
    if not files:
        return
    table = Table("KAN layer", "inputs", "inside the spline support", "inside the core grid", box=box.SIMPLE_HEAD)
    for name, row in coverage.items():
        table.add_row(name, f"{row.inputs}", f"{row.in_support:.1%}", f"{row.in_core:.1%}")
    show(table)
    note("Outside the support a spline is zero: there the layer is only its SiLU part.")
