"""Photos scored by Ray Data, on one machine or many: the same unit of work in Ray's actors, the same rows.

    list names (here) -> tasks of some names -> actors, one session each: read, decode, score -> tables, checkpoints

The names alone travel; an actor reads the photos of its task itself. Ray restarts an actor that dies and repeats its
task. ``score_dataset`` is for a pipeline of one's own, ``score_uri`` does all of it, and goes on where a run ended.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lariqa.backends import backend
from lariqa.errors import Refusal
from lariqa.library.photo_listing import Chunk, Listing
from lariqa.library.ray_actor import BATCH, ScoringActor, begun_folder
from lariqa.library.ray_cluster import Cluster, quiet_context
from lariqa.library.score_folder import PREFIX, ScoreFolder
from lariqa.library.table_files import row_from, write_table
from lariqa.library.work import Work, model_sha256
from lariqa.loading import provenance_of
from lariqa.manifest.model_config import Provenance

TABLES, ROWS_IN_A_TABLE = 20, (20, 1000)  # so many tables, of at least and at most so many rows: as many may be lost
MOST_IN_A_TASK = 64  # photos; Ray takes some milliseconds for a task, and repeats all of it after a death
WRITERS = 1  # processes; a table of a thousand rows takes some milliseconds
TELL_EVERY_S = 5.0


def score_dataset(
    dataset: Any,
    model: str | os.PathLike,
    *,
    photo_column: str = "bytes",
    name_column: str | None = None,
    workers: int = 2,
    device: str = "cpu",
    fit: bool = False,
    synthetic_view: str | None = None,
    batch_size: int = BATCH,
    threads: int = 1,
) -> Any:
    """Add scores to a dataset, in actors that hold one session each.

    Args:
        dataset: a ``ray.data.Dataset``.
        model: its path on every node.
        photo_column: the photos: bytes of files, or paths that every node can read.
        name_column: what the photos are called in rows; None: their paths, for bytes "the photo".
        workers: actors. What is between reading and scoring, and cannot be done in the actors, needs another processor.
        device: "cpu", or one of ``lariqa.load``; another than "cpu" takes one GPU for each actor.
        fit: resample a photo that does not have the file's size.
        synthetic_view: as for ``lariqa.load``.
        batch_size: photos that an actor scores in one run on a GPU.
        threads: of each actor, and the processors that it takes.

    Returns:
        The dataset, not yet executed, without the bytes and with the columns of :class:`~lariqa.library.row.Row`. A bad
        photo is a row with its ``error``.

    Raises:
        Refusal: Ray is not installed. When the dataset is executed: the model cannot be opened, or a column is missing
            or would be written over.

    Example:
        >>> photos = ray.data.read_binary_files(folder, include_paths=True)
        >>> rows = score_dataset(photos, model, name_column="path", workers=1).take_all()
        >>> {row["photo"]: row["score"] for row in rows}[photo] == lariqa.load(model).score(photo)
        True
    """
    if workers < 1 or batch_size < 1 or threads < 1:
        raise Refusal(f"expected at least 1, came workers={workers}, batch_size={batch_size}, threads={threads}")
    work = Work(model, synthetic_view, fit, None, threads, device, model_sha256(Path(model)))
    options = {"photo_column": photo_column, "name_column": name_column, "batch_size": batch_size}
    return _mapped(dataset, work, workers, options)


@dataclass(frozen=True)
class Scored:
    """What a run of :func:`score_uri` did.

    Args:
        before: photos that had a row already.
        photos: that got one now.
        seconds: from the first look at the URIs to the last row, Ray's start included.
        folder: of the tables; ``folder.new_rows()`` are this run's, ``folder.rows()`` all.
        provenance: of the model's weights, where it is known.
    """

    before: int
    photos: int
    seconds: float
    folder: ScoreFolder
    provenance: Provenance | None


def score_uri(
    model: str | os.PathLike,
    uris: Iterable[str | os.PathLike],
    output: str,
    *,
    photo_column: str | None = None,
    name_column: str | None = None,
    workers: int | None = None,
    device: str = "cpu",
    fit: bool = False,
    synthetic_view: str | None = None,
    address: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    rows_in_a_table: int | None = None,
    tell: Callable[[int, int], None] = lambda done, photos: None,
) -> Scored:
    """Score photos behind URIs into a folder of tables.

    Args:
        model: its path; on a cluster, on every node or on this one alone, which then sends it.
        uris: local files, folders, patterns; URIs that pyarrow opens; Parquet files or folders of them.
        output: URI or path of the folder: tables in Parquet, in CSV or JSON lines where its name ends so.
        photo_column: of Parquet; None: ``bytes``, ``image.bytes``, ``path`` or ``photo``.
        name_column: of Parquet with bytes; None: rows are called ``file.parquet#row``.
        workers: actors; None: one for each processor, or GPU, of the cluster.
        device: as for :func:`score_dataset`.
        fit: the same.
        synthetic_view: the same.
        address: of a cluster; None: RAY_ADDRESS, else this machine alone.
        resume: go on with the folder; nothing is scored twice.
        overwrite: write the folder anew.
        rows_in_a_table: rows that are written at a time, and scored again if this process is killed before; None: a
            twentieth, 20 to 1,000.
        tell: hears now and then how many photos of how many have a row in a table.

    Returns:
        What was done.

    Raises:
        Refusal: Ray is not installed; nothing to score; the folder is another model's; the model cannot be opened.

    Example:
        >>> scored = score_uri(model, [folder], output, workers=1)
        >>> {row.photo: row.score for row in scored.folder.rows()}[photo] == lariqa.load(model).score(photo)
        True
        >>> score_uri(model, [folder], output, resume=True).photos
        0
    """
    began = time.monotonic()
    backend("ray", "ray")
    provenance = provenance_of(Path(model))
    work = Work(Path(model), synthetic_view, fit, None, 1, device, model_sha256(Path(model)))
    with ScoreFolder(output, work.sha256, synthetic_view, resume, overwrite) as folder:
        done = folder.done()
        listing = Listing(map(os.fspath, uris), done, photo_column, name_column)
        if listing.left:
            with Cluster(address, workers, device) as cluster, _told(folder, listing.left, tell):
                rows = rows_in_a_table or min(max(listing.left // TABLES, ROWS_IN_A_TABLE[0]), ROWS_IN_A_TABLE[1])
                _run(listing, work, cluster, folder, rows)
            missing = listing.left - (len(folder.done()) - len(done))
            if missing:
                raise Refusal(f"{missing:,} photos of {listing.left:,} have no row; the same with --resume goes on")
    return Scored(listing.count - listing.left, listing.left, time.monotonic() - began, folder, provenance)


def _run(listing: Listing, work: Work, cluster: Cluster, folder: ScoreFolder, rows_in_a_table: int) -> None:
    ray_data = backend("ray.data", "ray")
    tasks = listing.tasks(cluster.workers, MOST_IN_A_TASK)
    with quiet_context() as context:
        context.checkpoint_config = _checkpoints(folder)
        # The same resources as the actors' are what lets Ray read in the actors, so that no bytes are sent.
        resources = _resources(work)
        dataset = ray_data.read_datasource(_source(tasks), override_num_blocks=len(tasks), **resources)
        run = uuid.uuid4().hex
        dataset = _mapped(dataset, work, cluster.workers, {"run": run, "model": cluster.shared(work.model)})
        try:
            dataset.write_datasink(
                _tables(folder, rows_in_a_table), ray_remote_args={"num_cpus": 0}, concurrency=WRITERS
            )
        except Exception as error:
            raise _refusal_in(error) or error from error
        finally:
            shutil.rmtree(begun_folder(run), ignore_errors=True)


def _checkpoints(folder: ScoreFolder) -> Any:
    """Ray's checkpoints, by number. The listing leaves out what is done: Ray's own filter would take a processor."""
    checkpoint = backend("ray.data.checkpoint", "ray")

    class Nothing(checkpoint.CheckpointManager):
        def load_checkpoint(self, *arguments: Any, **more: Any) -> tuple[None, int]:
            return None, 0

    return checkpoint.CheckpointConfig(
        "id",
        folder.checkpoint,
        delete_checkpoint_on_success=False,
        override_filesystem=folder.filesystem,
        checkpoint_manager_cls=Nothing,
    )


def _resources(work: Work) -> dict[str, float]:
    return {"num_cpus": work.threads, "num_gpus": int(work.device != "cpu")}


def _mapped(dataset: Any, work: Work, workers: int, options: dict[str, Any]) -> Any:
    strategy = backend("ray.data", "ray").ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2)
    return dataset.map_batches(
        ScoringActor,
        fn_constructor_kwargs={"work": work, **options},
        batch_size=None,  # with a number Ray reads in other processes, for which the actors may leave no processor
        batch_format="pyarrow",
        compute=strategy,
        zero_copy_batch=True,
        **_resources(work),
    )


def _source(tasks: list[Chunk]) -> Any:
    """A ``ray.data.Datasource`` of what a listing found."""
    datasource = backend("ray.data.datasource", "ray")
    metadata = backend("ray.data.block", "ray").BlockMetadata

    class Photos(datasource.Datasource):
        def estimate_inmemory_data_size(self) -> int:
            return 100 * sum(map(len, tasks))

        def get_read_tasks(self, parallelism: int, *more: Any, **others: Any) -> list:
            return [
                datasource.ReadTask(task.tables, metadata(len(task), 100 * len(task), None, None)) for task in tasks
            ]

    return Photos()


def _tables(folder: ScoreFolder, rows_in_a_table: int) -> Any:
    """A ``ray.data.Datasink`` of our tables, whatever their kind."""
    sink = backend("ray.data.datasource", "ray").BlockBasedFileDatasink
    suffix = folder.suffix

    class Tables(sink):
        def write_block_to_file(self, block: Any, file: Any) -> None:
            rows = map(row_from, block.to_arrow().drop_columns(["id"]).to_pylist())
            with tempfile.TemporaryDirectory() as here:
                table = Path(here, f"table{suffix}")
                write_table(table, rows)
                file.write(table.read_bytes())

    return Tables(
        folder.path,
        min_rows_per_file=rows_in_a_table,
        filesystem=folder.filesystem,
        dataset_uuid=PREFIX,
        file_format=suffix[1:],
    )


@contextlib.contextmanager
def _told(folder: ScoreFolder, photos: int, tell: Callable[[int, int], None]) -> Iterator[None]:
    """While in this context, a thread tells how far it is."""
    ended, seen = threading.Event(), {}

    def look() -> None:
        while not ended.wait(TELL_EVERY_S):
            tell(folder.done_now(seen), photos)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _refusal_in(error: BaseException | None) -> Refusal | None:
    """The sentence behind what Ray wraps around an actor's error."""
    while error is not None:
        if isinstance(error, Refusal):
            return Refusal(str(error))
        error = getattr(error, "cause", None) or error.__cause__
    return None
