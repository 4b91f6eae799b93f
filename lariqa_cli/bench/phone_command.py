"""``lariqa bench phone``: measure artifacts on an Android phone."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

import typer

from lariqa.errors import Refusal
from lariqa_cli.arguments import check_folder
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


def bench_phone(
    exported: ExportedArgument,
    output: ReportOption = REPORT,
    photos: Annotated[
        list[str] | None,
        typer.Option("--photos", help="Folder, file or pattern; may be repeated. Default: the export's golden photo."),
    ] = None,
    runs: RunsOption = 30,
    quick: Annotated[bool, typer.Option("--quick", help="A first look: 5 runs of each model.")] = False,
    sustained: SustainedOption = 0,
    accelerator: Annotated[
        Literal["cpu", "gpu", "npu", "xnnpack", "xnnpack_float16", "all"], typer.Option(help="What the app is to use.")
    ] = "cpu",
    session_option: Annotated[
        list[str] | None,
        typer.Option(
            "--session-option",
            metavar="KEY=VALUE",
            help="Config entry of ONNX Runtime's session; may be repeated. mlas.disable_kleidiai=1: no KleidiAI.",
        ),
    ] = None,
    adb: Annotated[str, typer.Option(metavar="SERIAL|any", help="Which phone; any: the only one connected.")] = "any",
    adb_path: Annotated[str | None, typer.Option(help="The adb program. Default: the one on the PATH.")] = None,
    adb_dir: Annotated[str | None, typer.Option(help="Folder on the phone. Default: /data/local/tmp/lariqa.")] = None,
    adb_command: Annotated[
        str | None, typer.Option(help="A program on the phone to run instead of the app; see docs/measurement.md.")
    ] = None,
    adb_timeout: Annotated[
        float | None, typer.Option(min=1, help="Seconds that one artifact may take. Default: 600, and --sustained.")
    ] = None,
    rows: RowsOption = None,
) -> None:
    """Measure on an Android phone, through the demo app and adb; each artifact runs in a fresh process."""
    check_exported(exported)
    check_rows(rows or [])
    check_folder(output)
    from lariqa.photos.photo_files import photos_in

    files = photos_in(photos or [])
    from benchmarks.phones.phone import FOLDER, PhoneRequest

    request = PhoneRequest(
        targets=tuple(exported),
        photos=tuple(files),
        serial=None if adb == "any" else adb,
        adb_path=adb_path,
        folder=PurePosixPath(adb_dir) if adb_dir else FOLDER,
        command=adb_command,
        runs=min(runs, QUICK_RUNS) if quick else runs,
        sustained_s=round(60 * sustained),
        accelerator=accelerator,
        session_options=_entries(session_option or []),
        timeout_s=adb_timeout,
    )
    bench_and_print(request, output, rows or [])


def _entries(options: list[str]) -> dict[str, str]:
    """KEY=VALUE, each key once; the app is given them with commas in between."""
    entries: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not key or not equals or "," in option or key in entries:
            raise Refusal(f"expected --session-option KEY=VALUE, each key once and no comma, came {option!r}")
        entries[key] = value
    return entries
