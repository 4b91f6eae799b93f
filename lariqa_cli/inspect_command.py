"""``lariqa inspect``: what a checkpoint or an artifact is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from lariqa.backends import has_toolkit
from lariqa.errors import Refusal, named
from lariqa_cli.arguments import ModelArgument, check_model, is_checkpoint
from lariqa_cli.screen import complain_of, end_without, note, say, say_json, show, steps

if TYPE_CHECKING:  # it imports torch
    from lariqa.manifest.manifest import Artifact, Manifest
    from lariqa_train.model.kan_coverage import Coverage


def inspect_model(
    model: ModelArgument,
    photos: Annotated[
        list[str] | None, typer.Option("--photos", help="Measure KAN coverage on these; may be repeated.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Every step of the execution, with the memory alive at it.")
    ] = False,
) -> None:
    """Show what a checkpoint or an artifact is, and how well its KAN's splines cover real features."""
    check_model(model)
    if is_checkpoint(model):
        if plan:
            raise Refusal("a checkpoint has no execution plan; inspect an artifact with --plan")
        inspect_checkpoint(model, photos or [])
        return
    if photos:
        raise Refusal("KAN coverage is measured on a checkpoint, not on an artifact; leave --photos out")
    inspect_artifact(model, plan)


def inspect_artifact(path: Path, every_step: bool = False) -> None:
    """Print an artifact's manifest, operators, work by part, and what is known to hurt on phones."""
    from lariqa.runtimes.artifacts import describe

    manifest, artifact = describe(path)
    shown = manifest.to_json()
    shown["artifacts"] = [entry for entry in shown["artifacts"] if entry["file"] == artifact.file]
    if not has_toolkit():
        say_json(shown)
        show_inputs(artifact)
        note("operators, work by part and memory: these need the whole toolkit, a clone of its repository.")
        return
    from export.formats import format_of

    row = format_of(path)
    operators = row.operators(path)
    from benchmarks.measure.macs import promised_layers, work_of
    from benchmarks.phones.phone_warnings import Facts, warnings_for

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
    if artifact.open_sides and work.macs < artifact.macs:
        height, width = artifact.inputs[-1].shape[1:3]
        say(f"layers of the photo's size are not counted; with {width}x{height}: {artifact.macs / 1e6:,.1f} MMACs")
    show_inputs(artifact)
    show_execution(manifest, artifact, every_step)
    for warning in warnings_for(Facts(artifact, operators, work)):
        note(warning, "On phones:", "yellow")


def show_inputs(artifact: Artifact) -> None:
    """Print what an artifact takes and gives."""
    for given in artifact.inputs:
        say(f"input {given.name}: {given.dtype} {given.layout} {'x'.join(map(str, given.shape))}")
    say(f"output {artifact.output}: float32, one value")


def show_execution(manifest: Manifest, artifact: Artifact, every_step: bool) -> None:
    """Print how an artifact executes: strips, groups of channels, live tensors, and the memory that it will need."""
    from export.proof.memory_model import PHOTOS, photo_size_px, planned_branches, predict
    from lariqa.runtimes.weight_cache import keeps_weights

    height, width = photo_size_px(artifact)
    branches = planned_branches(manifest.config, artifact.synthetic_view, artifact.memory, height, width)
    if not branches:
        say("execution: naive, the plain graph; no plan")
        return
    say(f"execution: {artifact.memory}; session: {artifact.session or 'the defaults of the runtime'}")
    for branch in branches:
        strips, steps = branch.plan.strips, branch.steps
        peak = max(steps, key=lambda step: step.alive_bytes)
        rows = f"{len(strips)} strips of {strips[0].result.count} rows" if len(strips) > 1 else "one strip"
        most = max((len(cuts) for cuts in branch.plan.groups), default=1)
        rest = "whole blocks" if most == 1 else f"blocks in up to {most} groups of channels"
        say(
            f"{branch.view} {branch.plan.width}x{branch.plan.height}: {rows} through {branch.plan.prefix} blocks, then "
            f"{rest}; {branch.alive_mib:.0f} MiB alive at most (at {peak.name})"
        )
        if every_step:
            table = Table("step", "result", "MMACs", "MiB alive", box=box.SIMPLE_HEAD)
            for step in steps:
                shape = "x".join(map(str, step.shape))
                table.add_row(step.name, shape, f"{step.macs / 1e6:.1f}", f"{step.alive_bytes / 2**20:.1f}")
            show(table)
    if predict(manifest, artifact) is None:
        say("memory: no prediction for this runtime and way of execution")
        return
    table = Table("photo", "weights", "input", "activations", "slack", "predicted peak, MiB", box=box.SIMPLE_HEAD)
    for name, (columns, lines) in {"this file's": (width, height), **PHOTOS}.items():
        memory = predict(manifest, artifact, (lines, columns))
        parts = (memory.weights_mib, memory.input_mib, memory.held_mib, memory.slack_mib, memory.peak_mib)
        table.add_row(f"{name} {columns}x{lines}", *(f"{part:.0f}" for part in parts))
    show(table)
    own_file = "; each photo size needs its own file (--size)" if artifact.photo_width_px else ""
    say(f"above the bare process, with two threads{own_file}")
    if keeps_weights(artifact):
        kept = predict(manifest, artifact, weights_kept=True).peak_mib
        say(f"with packed weights kept in a file (`lariqa score --weight-cache`): {kept:.0f} MiB for this photo")


def inspect_checkpoint(path: Path, photos: list[str]) -> None:
    """Print a checkpoint's description and, if photos are given, its KAN coverage."""
    from lariqa.photos.photo import open_photo
    from lariqa.photos.photo_files import photos_in
    from lariqa.time_left import counted

    files = photos_in(photos)
    import torch

    from lariqa_train.model.checkpoint import load_checkpoint
    from lariqa_train.model.kan_coverage import watch_coverage
    from lariqa_train.model.normalise import prepare

    model = load_checkpoint(path)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    heads = parameters - sum(
        p.numel() for view in model.config.branches for p in getattr(model, view).backbone.parameters()
    )
    left_out: dict[str, str] = {}
    measured, seen, interrupted = {}, 0, None
    try:
        with steps() as step, watch_coverage(model) as coverage, torch.inference_mode():
            if files and not coverage:
                raise Refusal(f"{path} has no KAN layer, so no coverage to measure; leave --photos out")
            for photo in counted(files, len(files), "KAN inputs of the photos", step):
                try:
                    with named(photo):
                        inputs = prepare(open_photo(photo), model.config.preprocess, model.config.branches)
                except Refusal as refusal:
                    left_out[str(photo)] = str(refusal)
                    continue
                model(**inputs)
                measured, seen = dict(coverage), seen + 1  # of whole photos: Ctrl-C may come in the midst of one
    except KeyboardInterrupt as pressed:
        interrupted = pressed
    if seen or not files:
        say_json({"parameters": parameters, "of_them_in_heads": heads, **model.describe()})
    if seen:
        show_coverage("KAN layer", measured)
        note("Outside the support a spline is zero: there the layer is only its SiLU part.")
        if seen < len(files):
            say(f"over {seen:,} of {len(files):,} photos; {len(left_out):,} were left out: they do not open")
    complain_of(left_out.values())
    if interrupted:
        raise interrupted
    end_without(left_out.values())


def show_coverage(heading: str, coverage: Mapping[str, Coverage]) -> None:
    """Print which share of each KAN layer's inputs its splines cover."""
    table = Table(heading, "inputs", "inside the spline support", "inside the core grid", box=box.SIMPLE_HEAD)
    for name, row in coverage.items():
        table.add_row(name, f"{row.inputs}", f"{row.in_support:.1%}", f"{row.in_core:.1%}")
    show(table)
