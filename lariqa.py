"""The front door: parse, call one function, print.

Exit status: 0 done; 1 a limit was missed; 2 the input or the request was wrong, with one sentence; 130 Ctrl-C.
Results go to stdout; progress, notes and errors to stderr.
Imports stand inside the commands, after the checks that need none: ``lariqa --help`` and a wrong path are answered at
once, and not after the seconds that importing torch takes.
"""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import shutil
import signal
import sys
import time
from contextlib import closing, contextmanager, nullcontext
from itertools import groupby
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Column, Table

from lariqa_train.refusal import Refusal

AUTHORS_SUFFIXES = (".pt", ".pth")
INTERRUPTED, PIPE_CLOSED = 130, 141  # as a shell counts: 128 + the signal, SIGINT and SIGPIPE
# What Typer raises for a command line that it cannot parse: Click's class in its older versions, its own since.
WrongUsage = typer.BadParameter.__base__


class Screen(Console):
    """A console that prints text as it is, and whose reader may leave (``lariqa score ... | head``)."""

    def __init__(self, **options) -> None:
        super().__init__(highlight=False, emoji=False, **options)

    def on_broken_pipe(self) -> NoReturn:
        reader_left()


# To a file or a pipe, a table is as wide as its longest file name.
out = Screen(width=None if sys.stdout.isatty() else 10_000)
# Progress goes to a copy of stderr: while a converter works, its own output is kept away from the real one.
progress_console = Screen(
    file=os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="LAR-IQA on devices: import or make a checkpoint, export it to ONNX, Core ML and TFLite, and prove the score.",
)

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
LimitOption = Annotated[float | None, typer.Option(help="Parity limit in score units, instead of the precision's own.")]


@app.command("import")
def import_command(
    weights: Annotated[Path, typer.Argument(help="The authors' .pt or .pth file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the checkpoint, *.safetensors.")],
    branch: Annotated[str | None, typer.Option(help="For one-branch files: authentic or synthetic.")] = None,
) -> None:
    """Turn the authors' published weights into a checkpoint."""
    if not weights.is_file():
        raise Refusal(f"no file at {weights}; give the authors' .pt or .pth file")
    if output.suffix != ".safetensors" or output.is_dir():
        raise Refusal(f"-o is {output}; expected the name of a file, not a folder, that ends in .safetensors")
    check_folder(output.parent)

    from lariqa_train.checkpoint import save_checkpoint
    from lariqa_train.import_authors import import_authors

    with steps() as step:
        step(f"reading {weights}")
        model, kind = import_authors(weights, branch)
        step(f"writing {output}")
        save_checkpoint(model, output)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    say(f"{kind}: {parameters:,} parameters, branches {' + '.join(model.config.branches)} -> {output}")
    follow = (
        typed("export", output, "-o", "exported")
        if model.config.head
        else "train a head on it: a bare encoder gives no score"
    )
    note(f"Next: {follow}")


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
    limit: LimitOption = None,
    overwrite: Annotated[bool, typer.Option(help="Replace another checkpoint's export in the output folder.")] = False,
) -> None:
    """Write artifacts and prove, file by file, that they score as PyTorch does."""
    check_checkpoint(checkpoint)
    check_folder(output)
    check_limit(limit)
    width, height = parse_size(size)
    names = list(dict.fromkeys(name.strip() for name in formats.split(",") if name.strip()))
    if not names:
        raise Refusal(f"--format is {formats!r}; expected one or several of onnx, coreml, tflite, with commas between")

    from benchmarks.proved_export import export_proved
    from export.export_ready import ExportRequest
    from lariqa_train.checkpoint import load_checkpoint

    request = ExportRequest(contract, height, width, synthetic_view)
    proofs = []
    with steps() as step:
        step(f"reading {checkpoint}")
        model = load_checkpoint(checkpoint)
        options = {"precision": precision, "limit": limit, "overwrite": overwrite, "progress": step}
        try:
            with closing(export_proved(model, request, names, output, **options)) as exporting:
                proofs.extend(exporting)
        except Refusal:  # of a later format: those before it are finished, and stay
            print_proofs([(proved.artifact, proved.parity) for proved in proofs], f"{output}")
            raise
    print_proofs([(proved.artifact, proved.parity) for proved in proofs], f"{output}")
    note_training(model.provenance)
    missed = [proved for proved in proofs if not proved.parity.passed]
    for proved in missed:
        note(f"{proved.path} was set aside; an older good file was not touched.", "Past the limit:", "red")
    if missed:
        raise typer.Exit(1)
    note(f"Next: {typed('score', proofs[0].path)} PHOTO.jpg\n      {typed('verify', output)} --photos FOLDER")


@app.command()
def score(
    model: ModelArgument,
    photos: PhotosArgument,
    synthetic_view: ViewOption = None,
    fit: Annotated[bool, typer.Option("--fit", help="Resample photos that do not have the artifact's size.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """Score photos with a checkpoint or any artifact."""
    check_model(model)
    from lariqa_train.photo import open_photo
    from lariqa_train.photo_files import photos_in

    files, rows = photos_in(photos), []
    with steps() as step:
        step(f"opening {model}")
        scorer, provenance = open_model(model, synthetic_view)
        for number, photo in enumerate(files, 1):
            step(f"photo {number} of {len(files)}: {photo}")
            row = {"photo": str(photo)}
            try:
                with named(photo):
                    row["score"] = finite(scorer.score(open_photo(photo), fit))
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
        say(json.dumps(rows, indent=2))
    else:
        for row in rows:
            if "score" in row:
                say(f"{row['score']:.6f}  {row['photo']}")
    note_training(provenance)
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
    limit: LimitOption = None,
) -> None:
    """Prove an export again, on your photos."""
    if not target.exists():
        raise Refusal(f"nothing is at {target}; give a folder that `lariqa export` wrote, or an artifact in it")
    if checkpoint is not None:
        check_checkpoint(checkpoint)
    check_limit(limit)
    from lariqa_train.photo_files import photos_in

    photos_in(photos or [])
    from benchmarks.verify import verify as verify_export

    with steps() as step:
        proofs = list(verify_export(target, photos or [], checkpoint, limit, step))
    print_proofs(proofs, str(target), photos=True)
    missed = [artifact.file for artifact, parity in proofs if not parity.passed]
    if missed:
        note(", ".join(missed), "Past the limit:", "red")
        raise typer.Exit(1)


@app.command()
def inspect(
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
    from export.formats import describe, format_of

    manifest, artifact = describe(model)
    operators = format_of(model).operators(model)
    shown = manifest.to_json()
    shown["artifacts"] = [row for row in shown["artifacts"] if row["file"] == artifact.file]
    say_json(shown)
    say(
        f"{sum(operators.values())} operators: "
        + ", ".join(f"{name} {count}" for name, count in operators.most_common())
    )


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the checkpoint and the artifacts.")] = Path(
        "demo-output"
    ),
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the stand-in weights.")] = 1,
    synthetic_view: ViewOption = None,
) -> None:
    """The whole trip on the bundled 3840x2160 photo: checkpoint, three formats, parity, scores."""
    check_folder(output)
    from benchmarks.proved_export import export_proved
    from export.artifact import read_manifest
    from export.export_ready import ExportRequest
    from lariqa_train.checkpoint import save_checkpoint
    from lariqa_train.demo_checkpoint import make_demo_checkpoint

    if (old := read_manifest(output)) and old.provenance.trained:
        raise Refusal(f"{output} holds an export of trained weights, which a demo must not replace; choose another -o")
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
    note_training(model.provenance)
    if not all(proved.parity.passed for proved in proofs):
        raise typer.Exit(1)
    note(f"Next: {typed('score', proofs[-1].path)} PHOTO.jpg --fit\n      {typed('verify', output)} --photos FOLDER")


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
    out.print(table)
    note("Outside the support a spline is zero: there the layer is only its SiLU part.")


def open_model(path: Path, synthetic_view: str | None):
    """(Scorer, Provenance) for a checkpoint or an artifact."""
    from export.formats import describe, scorer_for
    from export.run_torch import reference_scorer
    from lariqa_train.checkpoint import load_checkpoint

    if is_checkpoint(path):
        model = load_checkpoint(path)
        return reference_scorer(model, synthetic_view), model.provenance
    manifest, artifact = describe(path)
    if synthetic_view not in (None, artifact.synthetic_view):
        raise Refusal(
            f"{path} was exported with the {artifact.synthetic_view} view; "
            f"export another with --synthetic-view {synthetic_view}"
        )
    return scorer_for(path, manifest, artifact), manifest.provenance


def is_checkpoint(path: Path) -> bool:
    """Whether ``path`` has the name of a checkpoint; of what is there, an artifact has none such."""
    return path.suffix == ".safetensors" or (path / "config.json").exists()


def check_model(path: Path) -> None:
    """Refuse, before anything heavy is imported, what is neither a checkpoint nor an artifact."""
    if not path.exists():
        raise Refusal(f"no model at {path}; `lariqa import`, `lariqa export` or `lariqa demo` makes one")
    if path.suffix in AUTHORS_SUFFIXES:
        raise Refusal(
            f"{path} is a file of the authors' kind; first: "
            + typed("import", path, "-o", path.with_suffix(".safetensors"))
        )
    if path.is_dir() and not is_checkpoint(path) and (inside := models_in(path)):
        raise Refusal(f"{path} is a folder with several files; name one of {', '.join(map(str, inside))}")


def check_checkpoint(path: Path) -> None:
    """Refuse, before anything heavy is imported, what is no checkpoint."""
    if path.exists() and path.suffix not in AUTHORS_SUFFIXES and not is_checkpoint(path):
        raise Refusal(
            f"{path} is no checkpoint: expected a .safetensors file or a folder written by save_pretrained; "
            "an export folder keeps its own as reference.safetensors"
        )
    check_model(path)


def models_in(folder: Path) -> list[Path]:
    """What in a folder may be a model, by its name; in an .mlpackage, itself a folder, nothing."""
    return sorted(path for path in folder.iterdir() if path.suffix not in ("", ".json") and path.name[0] != ".")


def check_folder(path: Path) -> None:
    """Refuse, before anything heavy is imported, a place where no folder can be."""
    there = next(part for part in (path, *path.absolute().parents) if part.exists())
    if not there.is_dir():
        raise Refusal(f"nothing can be written in {path}, because {there} is a file; choose another folder")


def check_limit(limit: float | None) -> None:
    """Refuse a limit that no comparison, or every one, would keep."""
    if limit is not None and not 0 <= limit < math.inf:
        raise Refusal(f"--limit is {limit}; expected a number from 0 on, in score units, for example 1e-5")


def parse_size(text: str) -> tuple[int, int]:
    """ "3840x2160" -> (3840, 2160)."""
    from lariqa_train.photo import MAX_PIXELS

    match = re.fullmatch(r"([0-9]{1,9})[xX]([0-9]{1,9})", text)
    if not match:
        raise Refusal(f"--size is {text!r}; expected WIDTHxHEIGHT in pixels, for example 3840x2160")
    width, height = int(match[1]), int(match[2])
    if width * height > MAX_PIXELS:
        raise Refusal(f"--size is {text}; expected at most {MAX_PIXELS / 1e6:g} megapixels, as for photos")
    return width, height


@contextmanager
def named(photo: Path):
    """Begin a refusal of this photo with its name, where it does not say it itself."""
    try:
        yield
    except Refusal as refusal:
        if str(photo) in str(refusal):
            raise
        raise Refusal(f"{photo}: {refusal}") from refusal


def finite(score: float) -> float:
    """The score, if it is a number."""
    if not math.isfinite(score):
        raise Refusal(f"the score is {score}, not a number: the weights are damaged; import or train them again")
    return score


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
    table = Table(  # on a terminal of 80 columns the numbers stay whole and the words are folded
        Column("artifact", overflow="fold", min_width=16),
        *(Column(name, no_wrap=True) for name in ("MB", "score", "worst", "mean", "limit")),
        Column("run by", overflow="fold", min_width=12),
        box=box.SIMPLE_HEAD,
    )
    for artifact, parity in proofs:
        colour = "green" if parity.passed else "red"
        table.add_row(
            escape(artifact.file),
            f"{artifact.bytes / 1e6:.1f}",
            f"{parity.photos[0].score:.6f}",
            f"[{colour}]{parity.worst:.1e}[/]",
            f"{parity.mean:.1e}",
            f"{parity.limit:.0e}",
            f"{artifact.status}: {parity.runtime}",
        )
    say(title)
    out.print(table)
    say(
        f"score: of {first.photos[0].photo}; worst, mean: |difference| to {first.reference} "
        f"over {len(first.photos)} photos"
    )
    if not photos:
        return
    # One table for all artifacts that were held against the same reference: another size or view has other scores.
    for reference, group in groupby(proofs, key=lambda proof: [photo.reference for photo in proof[1].photos]):
        group = list(group)
        table = Table("PyTorch", *(artifact.format for artifact, _ in group), "photo", box=box.SIMPLE_HEAD)
        table.columns[-1].overflow = "fold"
        for index, expected in enumerate(reference):
            scores = [expected, *(parity.photos[index].score for _, parity in group)]
            table.add_row(*(f"{score:.6f}" for score in scores), escape(group[0][1].photos[index].photo))
        out.print(table)


def program() -> str:
    """How to call this program again: by its name if the shell finds it, else by the path that was typed."""
    return sys.argv[0] if Path(sys.argv[0]).name == "lariqa" and not shutil.which("lariqa") else "lariqa"


def note_training(provenance) -> None:
    """Say it wherever a score is shown."""
    if not provenance.trained:
        note(
            "these weights are a calibrated stand-in; the scores show that the pipeline works, not quality.",
            "NOT TRAINED:",
            "yellow",
        )


@contextmanager
def steps():
    """Show what is being done and for how long: a live line on a terminal, one line per step elsewhere.

    Ctrl-C ends the work at the next step at the latest: some packages swallow it, coremltools while it is imported.
    """
    began, pressed = time.monotonic(), []

    def press(number, frame) -> NoReturn:
        pressed.append(number)
        raise KeyboardInterrupt

    def begin(step: str) -> None:
        if pressed:
            raise KeyboardInterrupt
        if progress_console.is_terminal:
            shown.update(text=f"{escape(step)} [dim]({time.monotonic() - began:.0f} s)[/]")
        else:
            progress_console.out(f"[{time.monotonic() - began:5.0f} s] {step}")

    shown = Spinner("dots")
    # Not the console's status(), which puts itself in the place of sys.stderr and shows what converters say.
    live = Live(shown, console=progress_console, transient=True, redirect_stdout=False, redirect_stderr=False)
    before = signal.signal(signal.SIGINT, press)
    try:
        with live if progress_console.is_terminal else nullcontext():
            yield begin
    finally:
        signal.signal(signal.SIGINT, before)


def say(line: str) -> None:
    """One line of the result, on stdout: neither wrapped nor read as markup, so that file names stay what they are."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        reader_left()


def say_json(data: dict) -> None:
    """A result in JSON."""
    say(json.dumps(data, indent=2))


def typed(*words: object) -> str:
    """A command as one types it into a shell."""
    return shlex.join([program(), *map(str, words)])


def note(sentence: str, heading: str = "", colour: str = "") -> None:
    """What is worth saying beside the result, on stderr."""
    if heading:
        progress_console.out(heading, style=colour, end=" ")
    progress_console.out(sentence)


def complain(sentence: str) -> int:
    """One refusal, on stderr; returns the exit status for it."""
    note(sentence, "error:", "red")
    return 2


def reader_left() -> NoReturn:
    """End quietly; what Python still holds for the closed pipe goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(PIPE_CLOSED)


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
    except OSError as odd:  # nothing that a program can help: a file without permission, a full disk, a lost network
        status = complain(f"the system says: {odd}; check the path, its permissions and the free space")
    if status == INTERRUPTED:  # Typer turns Ctrl-C into this
        complain("interrupted; nothing half-written was left")
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
