"""``lariqa bench run``: measure artifacts on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from lariqa_cli.arguments import check_checkpoint, check_folder
from lariqa_cli.bench.bench_arguments import (
    QUICK_RUNS,
    REPORT,
    ExportedArgument,
    ReportOption,
    RowsOption,
    RunsOption,
    SustainedOption,
    check_exported,
    check_rows,
)
from lariqa_cli.bench.bench_screen import bench_and_print

MOST_THREADS = 1024
PICTURES, QUICK_PICTURES = 30, 5  # generated ones, of each size


def bench_run(
    exported: ExportedArgument,
    output: ReportOption = REPORT,
    photos: Annotated[
        list[str] | None,
        typer.Option("--photos", help="Folder, file or pattern; may be repeated. Default: generated ones."),
    ] = None,
    runs: RunsOption = 30,
    threads: Annotated[
        int | None, typer.Option(min=1, max=MOST_THREADS, help="Of each runtime. Default: one for each core.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A first look: 5 runs of each model, on 5 photos.")] = False,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Also measure the authors' preprocessing and naive exports.")
    ] = False,
    sustained: SustainedOption = 0,
    find_divergence: Annotated[
        bool, typer.Option("--find-divergence", help="Where parity breaks, name the first stage that differs.")
    ] = False,
    weight_cache: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Measure LiteRT files a second time, with packed weights kept there."),
    ] = None,
    browser: Annotated[
        Literal["chromium"] | None, typer.Option(help="Also measure files in the browser app; `make web` builds it.")
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="The reference, if not the one kept in the folder.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the generated photos.")] = 0,
    rows: RowsOption = None,
) -> None:
    """Measure on this machine, beside the PyTorch reference; models take turns, run by run."""
    check_exported(exported)
    check_rows(rows or [])
    if checkpoint is not None:
        check_checkpoint(checkpoint)
    for folder in (output, weight_cache):
        if folder is not None:
            check_folder(folder)
    from lariqa.photos.photo_files import photos_in

    photos_in(photos or [])
    from benchmarks.suite import BenchRequest

    request = BenchRequest(
        targets=tuple(exported),
        checkpoint=checkpoint,
        photos=tuple(photos or ()),
        runs=min(runs, QUICK_RUNS) if quick else runs,
        pictures=QUICK_PICTURES if quick else PICTURES,
        threads=threads,
        baselines=baselines,
        sustained_s=60 * sustained,
        find_divergence=find_divergence,
        seed=seed,
        weight_cache=weight_cache,
        browser=browser,
    )
    bench_and_print(request, output, rows or [])
