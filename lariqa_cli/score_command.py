"""``lariqa score``: photos -> scores, from one photo to a library."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lariqa.errors import Refusal
from lariqa.library.row import OWN_FAULT
from lariqa.time_left import TELL_EVERY_S, said
from lariqa_cli.arguments import (
    ModelArgument,
    PhotosArgument,
    ViewOption,
    WeightCacheOption,
    check_folder,
    check_model,
)
from lariqa_cli.screen import complain_of, end_without, note, note_training, say, steps

if TYPE_CHECKING:
    from lariqa.library.row import Row
    from lariqa.library.score_table import ScoreTable
    from lariqa.library.work import About, Work

MOST_ERRORS = 20  # that are printed where a table has them all


def score_command(
    context: typer.Context,
    model: ModelArgument,
    photos: PhotosArgument,
    synthetic_view: ViewOption = None,
    fit: Annotated[bool, typer.Option("--fit", help="Resample photos that do not have the artifact's size.")] = False,
    weight_cache: WeightCacheOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", help="Write a table: a name that ends in .csv, .jsonl or .parquet."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the table; nothing is scored twice.")] = False,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="With --resume: try the photos again that could not be scored.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write the table anew.")] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Processes that score side by side. Default: one for each processor; 0: this one."),
    ] = None,
    best: Annotated[int | None, typer.Option(min=1, help="Print so many of the best, best first, at the end.")] = None,
    device: Annotated[
        str, typer.Option(help="cpu; for an .onnx file also openvino, cuda and others that ONNX Runtime has.")
    ] = "cpu",
    precision_hint: Annotated[
        Literal["f32", "bf16"],
        typer.Option(
            help="What OpenVINO computes in; bf16 is refused unless the golden pictures hold float16's tolerance."
        ),
    ] = "f32",
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="ray: score photos behind URIs on a cluster, into a folder of tables; see docs/cluster.md."),
    ] = "local",
    address: Annotated[str | None, typer.Option(help="With --engine ray: of a cluster, host:port.")] = None,
    photo_column: Annotated[
        str | None, typer.Option(help="With --engine ray: the column of a Parquet file that has paths or bytes.")
    ] = None,
) -> None:
    """Score photos with a checkpoint or any artifact."""
    check_model(model)
    if precision_hint != "f32":
        if device != "openvino":
            raise Refusal("--precision-hint is for OpenVINO; give --device openvino as well")
        device = f"{device}-{precision_hint}"
    if weight_cache is not None:
        check_folder(weight_cache)
    if output is None and (resume or overwrite):
        raise Refusal("--resume and --overwrite are for a table; name it with -o scores.csv")
    if resume and overwrite:
        raise Refusal("--resume goes on with a table and --overwrite writes it anew; choose one")
    if retry_errors and not resume:
        raise Refusal("--retry-errors goes on with a table; give --resume as well")
    if best and as_json:
        raise Refusal("--best prints a list of its own; leave out --json")
    if engine == "ray":
        if output is None or as_json or weight_cache is not None or retry_errors or workers == 0:
            raise Refusal("--engine ray takes -o FOLDER, and no --json, --weight-cache, --retry-errors or --workers 0")
        options = {"workers": workers, "device": device, "fit": fit, "synthetic_view": synthetic_view}
        options |= {"address": address, "photo_column": photo_column, "resume": resume, "overwrite": overwrite}
        return score_by_ray(model, photos, output, best or 0, options)
    if address or photo_column:
        raise Refusal("--address and --photo-column are for a cluster; give --engine ray as well")
    from lariqa.library.summary import best_of
    from lariqa.library.work import Work
    from lariqa.photos.photo_files import photos_in

    files = photos_in(photos)
    ran = Ran(as_json, silent=bool(best or (output and not as_json)), most_errors=MOST_ERRORS if output else None)
    with ExitStack() as stack:
        table, left = None, files
        if output:
            from lariqa.library.score_table import ScoreTable
            from lariqa.library.work import model_sha256

            table = stack.enter_context(ScoreTable(Path(output), model_sha256(model), resume, overwrite, retry_errors))
            left = [file for file in files if file not in table]
            if table.count:
                note(f"{output} has {table.count:,} photos already; {len(left):,} of {len(files):,} are left")
        work = Work(model, synthetic_view, fit, weight_cache, None, device, table.model_sha256 if table else None)
        rows = ran.rows(work, left, workers, table, raises=bool(context.find_root().params.get("debug")))
        highest = best_of(rows, best or 0)
        for _ in rows:
            pass  # there was no list to make
        if table:
            highest = best_of(table.rows(), best or 0)
            table.finish()
    for row in highest:
        say_score(row)
    ran.tell(output)
    return None


def score_by_ray(model: Path, uris: list[str], output: str, best: int, options: dict[str, Any]) -> None:
    """The same by Ray Data; rows are told of at the end."""
    from lariqa.library.ray_data import score_uri
    from lariqa.library.summary import best_of

    ran, began = Ran(as_json=False, silent=True, most_errors=MOST_ERRORS), time.monotonic()
    with steps() as step:
        step("starting Ray")
        scored = score_uri(
            model, uris, output, tell=lambda done, of: step(progress(done, of, time.monotonic() - began)), **options
        )
    for row in scored.folder.new_rows():
        ran.count(row)
    if scored.before:
        note(f"{output} had {scored.before:,} photos already")
    for row in best_of(scored.folder.rows(), best):
        say_score(row)
    ran.seconds = scored.seconds
    note_training(scored.provenance)
    ran.tell(output)


class Ran:
    """One run: what it prints, keeps and counts, row by row.

    Args:
        as_json: print a JSON list, an entry as soon as it is there.
        silent: print no rows.
        most_errors: that are told at the end; None: all.
    """

    def __init__(self, as_json: bool, silent: bool, most_errors: int | None) -> None:
        from lariqa.library.summary import Summary

        self.as_json, self.silent, self.most_errors = as_json, silent, most_errors
        self.summary, self.errors, self.faults = Summary(), [], []
        self.about: About | None = None
        self.seconds = 0.0

    def rows(
        self, work: Work, photos: list[Path], workers: int | None, table: ScoreTable | None, raises: bool
    ) -> Iterator[Row]:
        """Score, and pass the rows on; each is in the table before it is told of."""
        from lariqa.library.scoring import score_photos, workers_for

        if not photos:
            return
        scored = score_photos(work, photos, workers_for(len(photos)) if workers is None else workers, raises)
        try:
            with steps() as step, self._list(), closing(scored):
                step(f"opening {work.model}")
                self.about = next(scored)
                began = last = time.monotonic()
                for number, row in enumerate(scored, 1):
                    if table:
                        table.add(row)
                    self._told(row)
                    now = time.monotonic()
                    self.seconds = now - began
                    if number == 1 or now - last >= TELL_EVERY_S:
                        last = now
                        step(progress(number, len(photos), self.seconds))
                    yield row
        except KeyboardInterrupt:
            if table and table.count:
                note(f"{table.count:,} rows are kept; the same command with --resume goes on")
            raise

    def tell(self, output: str | None) -> None:
        """What is said at the end, and the exit status.

        Raises:
            OwnFault, typer.Exit: some photos have no score.
        """
        if self.about:
            note_training(self.about.provenance)
        complain_of(self.errors)
        if output:
            for line in self.summary.sentences(self.seconds):
                note(line)
            note(f"wrote {output}")
        end_without(self.faults or self.errors)

    @contextmanager
    def _list(self) -> Iterator[None]:
        """The brackets of a JSON list: it is whole however the run ends."""
        self.first = True
        try:
            yield
        finally:
            if self.as_json and not self.first:
                say("\n]")

    def count(self, row: Row) -> None:
        """Count it and its error."""
        self.summary.add(row)
        if row.error and OWN_FAULT in row.error:
            self.faults.append(row.error)
        elif row.error and (self.most_errors is None or len(self.errors) < self.most_errors):
            self.errors.append(row.error)

    def _told(self, row: Row) -> None:
        self.count(row)
        if self.as_json:
            entry = {name: value for name, value in row.to_json().items() if value is not None}
            entry |= {"views": views_used(self.about), "trained": trained(self.about)}
            say(("[\n" if self.first else ",\n") + json.dumps(entry), end="")
            self.first = False
        elif not self.silent and not row.error:
            say_score(row)


def say_score(row: Row) -> None:
    """One score and its photo."""
    say(f"{row.score:.6f}  {row.photo}")


def progress(done: int, photos: int, seconds: float) -> str:
    """ "120 of 5,000 photos, 9.3 a second, about 9 min left"."""
    text = f"{done:,} of {photos:,} photos"
    if done < 2 or done == photos or not seconds:
        return text
    return f"{text}, {done / seconds:.1f} a second, about {said(seconds / done * (photos - done))} left"


def trained(about: About) -> bool:
    """Whether the weights were."""
    return bool(about.provenance and about.provenance.trained)


def views_used(about: About) -> dict[str, str]:
    """View name -> what of the photo it is, in words."""
    spec = about.preprocess
    side, crop = spec.authentic_side_px, spec.synthetic_crop_px
    words = {
        "authentic": f"whole photo resized to {side}x{side}",
        "synthetic": "whole photo, native pixels"
        if spec.synthetic_view == "full"
        else f"centre crop {crop}x{crop}, native pixels",
    }
    return {view: words[view] for view in about.views}
