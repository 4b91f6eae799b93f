"""The front door: parse, call one function, print.

Exit status: 0 done; 1 a limit was missed; 2 the input or the request was wrong, with one sentence; 130 Ctrl-C.
Imports stand inside the commands, so that ``lariqa --help`` answers at once.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import click
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from lariqa_train.refusal import Refusal

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="LAR-IQA on devices: import or make a checkpoint, export it to ONNX, Core ML and TFLite, and prove the score.",
)
out = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
# Progress goes to a copy of stderr: while a converter works, its own output is kept away from the real one.
progress_console = Console(file=os.fdopen(os.dup(2), "w", buffering=1), highlight=False)

ModelArgument = Annotated[
    Path, typer.Argument(help="A checkpoint (.safetensors or save_pretrained folder) or an artifact.")
]
PhotosArgument = Annotated[list[str], typer.Argument(help="Photo files, folders, or quoted patterns.")]
ViewOption = Annotated[
    Literal["crop", "full"] | None,
    typer.Option(
        "--synthetic-view", help="Synthetic branch: centre crop, or every pixel. Default: as the weights were trained."
    ),
]


@app.command("import")
def import_command(
    weights: Annotated[Path, typer.Argument(help="The authors' .pt or .pth file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the checkpoint, *.safetensors.")],
    branch: Annotated[str | None, typer.Option(help="For one-branch files: authentic or synthetic.")] = None,
) -> None:
    """Turn the authors' published weights into a checkpoint."""
    from lariqa_train.checkpoint import save_checkpoint
    from lariqa_train.import_authors import import_authors

    with steps() as step:
        step(f"reading {weights}")
        model, kind = import_authors(weights, branch)
        step(f"writing {output}")
        save_checkpoint(model, output)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    out.print(f"{kind}: {parameters:,} parameters, branches {' + '.join(model.config.branches)} -> {output}")
    follow = (
        f"lariqa export {output} -o exported"
        if model.config.head
        else "train a head on it: a bare encoder gives no score"
    )
    out.print(f"Next: {follow}")


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint: .safetensors, or a save_pretrained folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the artifacts and lariqa.json.")],
    formats: Annotated[
        str, typer.Option("--format", help="Comma-separated: onnx, coreml, tflite.")
    ] = "onnx,coreml,tflite",
    precision: Annotated[str, typer.Option(help="fp32.")] = "fp32",
    size: Annotated[
        str, typer.Option(help="Photo size that the artifact takes, WIDTHxHEIGHT in pixels.")
    ] = "3840x2160",
    contract: Annotated[
        str, typer.Option("--input", help="pixels: the decoded photo itself; tensors: the two normalised views.")
    ] = "pixels",
    synthetic_view: ViewOption = None,
    limit: Annotated[
        float | None, typer.Option(help="Parity limit in score units, instead of the precision's own.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace another checkpoint's export in the output folder.")] = False,
) -> None:
    """Write artifacts and prove, file by file, that they score as PyTorch does."""
    from benchmarks.proved_export import export_proved
    from export.export_ready import ExportRequest
    from lariqa_train.checkpoint import load_checkpoint

    width, height = parse_size(size)
    request = ExportRequest(contract, height, width, synthetic_view)
    names = [name.strip() for name in formats.split(",") if name.strip()]
    missed = False
    with steps() as step:
        step(f"reading {checkpoint}")
        model = load_checkpoint(checkpoint)
        proofs = []
        for proved in export_proved(
            model, request, names, output, precision=precision, limit=limit, overwrite=overwrite, progress=step
        ):
            missed |= not proved.parity.passed
            proofs.append(proved)
    print_proofs([(proved.artifact, proved.parity) for proved in proofs], f"{output}")
    not_trained_note(model.provenance)
    for proved in proofs:
        if not proved.parity.passed:
            out.print(
                f"[red]Past the limit:[/] {escape(str(proved.path))} was set aside; an older good file was not touched."
            )
    if missed:
        raise typer.Exit(1)
    out.print(f"Next: lariqa score {proofs[0].path} PHOTO.jpg      lariqa verify {output} --photos FOLDER")


@app.command()
def score(
    model: ModelArgument,
    photos: PhotosArgument,
    synthetic_view: ViewOption = None,
    fit: Annotated[bool, typer.Option("--fit", help="Resample photos that do not have the artifact's size.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """Score photos with a checkpoint or any artifact."""
    from lariqa_train.photo import open_photo, photos_in

    with steps() as step:
        step(f"opening {model}")
        scorer, provenance = open_model(model, synthetic_view)
        files, rows = photos_in(photos), []
        for number, photo in enumerate(files, 1):
            step(f"photo {number} of {len(files)}: {photo}")
            row = {"photo": str(photo)}
            try:
                row["score"] = scorer.score(open_photo(photo), fit)
            except Refusal as refusal:
                row["error"] = str(refusal)
            row |= {
                "model": str(model),
                "runtime": scorer.runner.runtime,
                "views": views_used(scorer),
                "trained": provenance.trained,
            }
            rows.append(row)
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        for row in rows:
            if "score" in row:
                out.print(f"{row['score']:.6f}  {escape(row['photo'])}")
        not_trained_note(provenance)
    for row in rows:
        if "error" in row:
            complain(row["error"])
    if any("error" in row for row in rows):
        raise typer.Exit(2)


@app.command()
def verify(
    target: Annotated[Path, typer.Argument(help="An export folder, or one artifact in it.")],
    photos: Annotated[
        list[str] | None,
        typer.Option("--photos", help="Folder, file or pattern; may be repeated. Default: the bundled photo."),
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="The reference, if not the one kept in the folder.")] = None,
    limit: Annotated[
        float | None, typer.Option(help="Parity limit in score units, instead of the precision's own.")
    ] = None,
) -> None:
    """Prove an export again, on your photos."""
    from benchmarks.verify import verify as verify_export

    with steps() as step:
        proofs = list(verify_export(target, photos or [], checkpoint, limit, step))
    print_proofs(proofs, str(target), photos=True)
    if not all(parity.passed for _, parity in proofs):
        raise typer.Exit(1)


@app.command()
def inspect(
    model: ModelArgument,
    photos: Annotated[
        list[str] | None, typer.Option("--photos", help="Measure KAN coverage on these; may be repeated.")
    ] = None,
) -> None:
    """Show what a checkpoint or an artifact is, and how well its KAN's splines cover real features."""
    from export.formats import describe, format_of

    if is_checkpoint(model):
        inspect_checkpoint(model, photos or [])
        return
    if photos:
        raise Refusal("KAN coverage is measured on a checkpoint, not on an artifact; leave --photos out")
    manifest, artifact = describe(model)
    operators = format_of(model).operators(model)
    shown = manifest.to_json() | {"artifacts": manifest.to_json()["artifacts"]}
    shown["artifacts"] = [row for row in shown["artifacts"] if row["file"] == artifact.file]
    out.print_json(json.dumps(shown))
    out.print(
        f"{sum(operators.values())} operators: "
        + ", ".join(f"{name} {count}" for name, count in operators.most_common())
    )


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the checkpoint and the artifacts.")] = Path(
        "demo-output"
    ),
    seed: Annotated[int, typer.Option(help="Of the stand-in weights.")] = 1,
    synthetic_view: ViewOption = None,
) -> None:
    """The whole trip on the bundled 3840x2160 photo: checkpoint, three formats, parity, scores."""
    from benchmarks.proved_export import export_proved
    from export.export_ready import ExportRequest
    from lariqa_train.checkpoint import save_checkpoint
    from lariqa_train.demo_checkpoint import make_demo_checkpoint

    checkpoint = output / "demo.safetensors"
    with steps() as step:
        step("making a seeded, calibrated checkpoint (not trained)")
        model = make_demo_checkpoint(seed=seed)
        save_checkpoint(model, checkpoint)
        request = ExportRequest(synthetic_view=synthetic_view)
        proofs = list(
            export_proved(model, request, ("onnx", "coreml", "tflite"), output, overwrite=True, progress=step)
        )
    print_proofs(
        [(proved.artifact, proved.parity) for proved in proofs], f"{output}, bundled photo 3840x2160", photos=True
    )
    not_trained_note(model.provenance)
    if not all(proved.parity.passed for proved in proofs):
        raise typer.Exit(1)
    out.print(
        f"Next: lariqa score {proofs[-1].path} PHOTO.jpg --fit      lariqa inspect {checkpoint} --photos PHOTO.jpg"
    )


def inspect_checkpoint(path: Path, photos: list[str]) -> None:
    """Print a checkpoint's description and, given photos, its KAN coverage."""
    import torch

    from lariqa_train.checkpoint import load_checkpoint
    from lariqa_train.kan_coverage import watch_coverage
    from lariqa_train.photo import open_photo, photos_in
    from lariqa_train.preprocess import prepare

    model = load_checkpoint(path)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    heads = parameters - sum(
        p.numel() for view in model.config.branches for p in getattr(model, view).backbone.parameters()
    )
    out.print_json(json.dumps({"parameters": parameters, "of_them_in_heads": heads, **model.describe()}))
    if not photos:
        return
    with steps() as step, watch_coverage(model) as coverage, torch.inference_mode():
        for photo in photos_in(photos):
            step(f"KAN inputs of {photo}")
            model(**prepare(open_photo(photo), model.config.preprocess, model.config.branches))
    table = Table("KAN layer", "inputs", "inside the spline support", "inside the core grid", title="KAN coverage")
    for name, row in coverage.items():
        table.add_row(name, f"{row.inputs}", f"{row.in_support:.1%}", f"{row.in_core:.1%}")
    out.print(table)
    out.print("Outside the support a spline is zero: there the layer is only its SiLU part.")


def open_model(path: Path, synthetic_view: str | None):
    """(Scorer, Provenance) for a checkpoint or an artifact."""
    from export.formats import describe, scorer_for
    from export.run_torch import TorchRunner
    from export.scorer import Scorer
    from lariqa_train.checkpoint import load_checkpoint

    if is_checkpoint(path):
        model = load_checkpoint(path)
        spec = model.config.preprocess.with_view(synthetic_view)
        return Scorer(TorchRunner(model), spec, model.config.branches, "tensors", None), model.provenance
    manifest, artifact = describe(path)
    if synthetic_view not in (None, artifact.synthetic_view):
        raise Refusal(
            f"{path} was exported with the {artifact.synthetic_view} view; "
            f"export another with --synthetic-view {synthetic_view}"
        )
    return scorer_for(path, manifest, artifact), manifest.provenance


def is_checkpoint(path: Path) -> bool:
    """Whether ``path`` is a checkpoint rather than an artifact; an export folder is neither, and refused."""
    from export.artifact import FILE_NAME, read_manifest

    if not path.exists():
        raise Refusal(f"no model at {path}; `lariqa import`, `lariqa export` or `lariqa demo` makes one")
    if path.suffix in (".pt", ".pth"):
        raise Refusal(
            f"{path} is a file of the authors' kind; first: lariqa import {path} -o {path.with_suffix('.safetensors')}"
        )
    if path.is_dir() and (path / FILE_NAME).exists():
        files = ", ".join(str(path / row.file) for row in read_manifest(path).artifacts)
        raise Refusal(f"{path} holds several artifacts; name one of {files}")
    return path.suffix == ".safetensors" or (path.is_dir() and (path / "config.json").exists())


def views_used(scorer) -> dict[str, str]:
    """View name -> what of the photo it is, in words."""
    spec = scorer.preprocess
    side, crop = spec.authentic_side_px, spec.synthetic_crop_px
    words = {
        "authentic": f"whole photo resized to {side}x{side}",
        "synthetic": "whole photo, native pixels"
        if spec.synthetic_view == "full"
        else f"centre crop {crop}x{crop}, native pixels",
    }
    return {view: words[view] for view in scorer.views}


def print_proofs(proofs: list, title: str, photos: bool = False) -> None:
    """One row per artifact: score, size, parity, how it was run; with ``photos``, each photo's scores as well."""
    if not proofs:
        return
    first = proofs[0][1]
    table = Table(
        Column("artifact", overflow="fold"),
        *(Column(name, no_wrap=True) for name in ("MB", "score", "worst", "mean", "run by")),
        title=escape(title),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        caption=f"score: of {escape(first.photos[0].photo)}; worst, mean: |difference| to {first.reference} over "
        f"{len(first.photos)} photos, limit {first.limit:.0e}",
    )
    for artifact, parity in proofs:
        colour = "green" if parity.passed else "red"
        table.add_row(
            escape(artifact.file),
            f"{artifact.bytes / 1e6:.1f}",
            f"{parity.photos[0].score:.6f}",
            f"[{colour}]{parity.worst:.1e}[/]",
            f"{parity.mean:.1e}",
            f"{artifact.status}: {parity.runtime}",
        )
    out.print(table)
    if photos:
        table = Table("photo", "PyTorch", *(artifact.format for artifact, _ in proofs), box=box.SIMPLE_HEAD)
        for index, photo in enumerate(first.photos):
            scores = [parity.photos[index].score for _, parity in proofs]
            table.add_row(escape(photo.photo), f"{photo.reference:.6f}", *(f"{score:.6f}" for score in scores))
        out.print(table)


def not_trained_note(provenance) -> None:
    """Say it wherever a score is shown."""
    if not provenance.trained:
        out.print(
            "[yellow]NOT TRAINED[/]: these weights are a calibrated stand-in; "
            "the scores show that the pipeline works, not quality."
        )


def parse_size(text: str) -> tuple[int, int]:
    """ "3840x2160" -> (3840, 2160)."""
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text)
    if not match:
        raise Refusal(f"--size is {text!r}; expected WIDTHxHEIGHT in pixels, for example 3840x2160")
    return int(match[1]), int(match[2])


@contextmanager
def steps():
    """Show what is being done and for how long: a live line on a terminal, one line per step elsewhere."""
    began = time.monotonic()
    if progress_console.is_terminal:
        with progress_console.status("...") as status:
            yield lambda step: status.update(f"{escape(step)} [dim]({time.monotonic() - began:.0f} s)[/]")
    else:
        yield lambda step: progress_console.print(f"[{time.monotonic() - began:5.0f} s] {step}", markup=False)


def complain(sentence: str) -> None:
    """One refusal, on stderr."""
    progress_console.print(f"[red]error:[/] {escape(sentence)}", soft_wrap=True)


def main() -> None:
    """Run the command line; see the module for the exit status."""
    try:
        status = app(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except Refusal as refusal:
        complain(str(refusal))
        sys.exit(2)
    except click.exceptions.Abort:
        complain("interrupted; nothing half-written was left")
        sys.exit(130)
    except KeyboardInterrupt:
        complain("interrupted; nothing half-written was left")
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(2)
    except MemoryError:
        complain("out of memory; the full view of a large photo needs about 2 GB, --synthetic-view crop about 0.5 GB")
        sys.exit(2)


if __name__ == "__main__":
    main()
