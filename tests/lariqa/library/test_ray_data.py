"""Ray Data over the unit of work: the same scores bit for bit, and nothing lost or twice whatever is killed.

Ray is 76 MB to fetch and 200 MB on the disk; where it is not installed, these tests are skipped.
"""

import doctest
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lariqa
from export.pipeline import export_proved
from export.rewrite.export_ready import ExportRequest
from lariqa.digest import sha256_of
from lariqa.errors import Refusal
from lariqa.library.row import Row
from lariqa.library.scoring import score_photos
from lariqa.library.work import Work
from lariqa.photos.photo_files import photos_in

ray = pytest.importorskip("ray", reason="needs the extra lariqa[ray]")
pytest.importorskip("ray.data", reason="needs the extra lariqa[ray]")

from lariqa.library import ray_data  # noqa: E402
from lariqa.library.ray_actor import DEATHS, Begun, model_here  # noqa: E402
from lariqa.library.ray_data import score_dataset, score_uri  # noqa: E402

HOUSE = Path(__file__).parents[3]
PHOTOS, BROKEN = 60, 3
LONG_S = 180  # until a run that hangs is given up
SEES_US = {"PYTHONPATH": os.pathsep.join([str(HOUSE), os.environ.get("PYTHONPATH", "")])}


@pytest.fixture(scope="module")
def models(tiny_model, make_tiny_model, tiny_config, one_thread, tmp_path_factory):
    """Two models for photos of any size."""
    paths = []
    with one_thread():
        for model in (tiny_model, make_tiny_model(tiny_config(), seed=2)):
            (proved,) = export_proved(model, ExportRequest(), ["onnx"], tmp_path_factory.mktemp("model") / "exported")
            paths.append(proved.path)
    return paths


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """A folder of 60 photos: six sizes, three formats, two folders; three are broken, some take time."""
    folder, random = tmp_path_factory.mktemp("many"), np.random.default_rng(3)
    (folder / "more").mkdir()
    sizes = [(1500, 2000), (2000, 1500), (240, 320), (64, 90), (333, 217), (1200, 900)]
    for number in range(PHOTOS - BROKEN):
        height, width = sizes[number % 6]
        coarse = Image.fromarray(random.integers(0, 256, (height // 8, width // 8, 3), np.uint8))
        suffix = ("jpg", "png", "webp")[number // 6 % 3]
        coarse.resize((width, height)).save(folder / ("more" if number % 4 else ".") / f"{number:02}.{suffix}")
    (folder / "text.jpg").write_text("Dear Sir or Madam")
    (folder / "cut.jpg").write_bytes(next(folder.rglob("*.jpg")).read_bytes()[:2000])
    (folder / "empty.png").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def alone(models, photos) -> dict:
    """Photo -> its row, from one session, one after the other; their scores differ."""
    _, *rows = score_photos(Work(models[0], threads=1), photos_in([photos]))
    assert len({row.score for row in rows if row.score is not None}) == PHOTOS - BROKEN
    return {row.photo: row for row in rows}


@pytest.fixture(scope="module")
def cluster():
    """One Ray for the tests that kill none."""
    os.environ.update(SEES_US, RAY_USAGE_STATS_ENABLED="0")
    ray.init("local", num_cpus=4, include_dashboard=False, object_store_memory=200_000_000, log_to_driver=False)
    yield
    ray.shutdown()


def with_uri(row: Row) -> Row:
    uri = f"file://{row.photo}"
    return replace(row, photo=uri, error=row.error and row.error.replace(row.photo, uri))


def same(rows, alone: dict) -> None:
    """Asserts that the rows are those of scoring one by one, each once, but for the time that they took."""
    rows = list(rows)
    found = {row.photo: replace(row, seconds=None) for row in rows}
    assert len(rows) == len(found) == len(alone)
    assert found == {photo: replace(row, seconds=None) for photo, row in alone.items()}


def start(*words: object, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "lariqa_cli", "score", *map(str, words), "--engine", "ray", "--workers", "2"],
        env={**os.environ, **SEES_US, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(happened: Callable[[], object]) -> None:
    end = time.monotonic() + LONG_S
    while not happened():
        assert time.monotonic() < end, "this did not happen"
        time.sleep(0.01)


def test_two_actors_give_the_scores_of_one_session(cluster, models, photos, alone, tmp_path):
    scored = score_uri(models[0], [photos], str(tmp_path / "scores"), workers=2)
    assert (scored.before, scored.photos, scored.provenance.trained) == (0, PHOTOS, False)
    same(scored.folder.rows(), alone)
    same(scored.folder.new_rows(), alone)
    again = score_uri(models[0], [photos], str(tmp_path / "scores"), resume=True)
    assert (again.before, again.photos) == (PHOTOS, 0) and not list(again.folder.new_rows())
    with pytest.raises(Refusal, match="--resume"):
        score_uri(models[0], [photos], str(tmp_path / "scores"))
    with pytest.raises(Refusal, match="another model"):
        score_uri(models[1], [photos], str(tmp_path / "scores"), resume=True)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_other_kinds_of_tables_from_a_parquet_of_bytes_by_uri(cluster, kind, models, photos, alone, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet

    files = photos_in([photos])
    columns = {"image": [file.read_bytes() for file in files], "name": [file.as_uri() for file in files]}
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "photos.parquet", row_group_size=25)
    options = {"photo_column": "image", "name_column": "name", "workers": 2, "rows_in_a_table": 20}
    output = (tmp_path / f"scores.{kind}").as_uri()
    scored = score_uri(models[0], [(tmp_path / "photos.parquet").as_uri()], output, **options)
    same(scored.folder.rows(), {f"file://{photo}": with_uri(row) for photo, row in alone.items()})
    assert len(scored.folder.tables()) > 1 and all(table.endswith(kind) for table in scored.folder.tables())


def test_a_pipeline_of_ones_own(cluster, models, photos, alone):
    dataset = ray.data.read_binary_files(str(photos), include_paths=True)
    rows = score_dataset(dataset, models[0], name_column="path", workers=1).take_all()
    assert {row["path"]: row["score"] for row in rows} == {photo: row.score for photo, row in alone.items()}
    assert "bytes" not in rows[0]
    paths = ray.data.from_items([{"where": photo} for photo in alone])
    rows = score_dataset(paths, models[0], photo_column="where", workers=1).take_all()
    assert {row["photo"]: row["score"] for row in rows} == {photo: row.score for photo, row in alone.items()}


def test_the_examples_in_the_docstrings_are_right(cluster, models, photo_folder, tmp_path):
    names = {"model": str(models[0]), "folder": str(photo_folder), "photo": str(photo_folder / "dark.png")}
    names |= {"output": str(tmp_path / "scores"), "ray": ray, "lariqa": lariqa}
    result = doctest.testmod(ray_data, extraglobs=names)
    assert result.attempted > 5 and not result.failed


def test_a_model_that_does_not_open_on_a_node_is_one_sentence(cluster, models, photos, tmp_path):
    with pytest.raises(Refusal, match="GPU"):
        score_uri(models[0], [photos], str(tmp_path / "scores"), workers=1, device="cuda")


def test_a_node_without_the_model_gets_it_from_ray(cluster, models, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    work = Work(tmp_path / "not here.onnx", sha256=sha256_of(models[0]))
    sent = ray.put(models[0].read_bytes())
    for _ in range(2):
        assert Path(model_here(work, sent)).read_bytes() == models[0].read_bytes()
    assert model_here(work, None) == work.model


def test_a_killed_worker_loses_nothing(models, photos, alone, tmp_path):
    # What actors have begun is noted in the folder for temporary files; Ray's sockets need a shorter path.
    running = start(models[0], photos, "-o", tmp_path / "scores", TMPDIR=str(tmp_path), RAY_TMPDIR="/tmp")
    killed = []

    def kill() -> None:
        until(lambda: list(tmp_path.glob("lariqa-begun-*/*")))
        killed.extend(actors_below(running.pid)[:1])
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    _, said = running.communicate(timeout=LONG_S)
    thread.join()
    assert killed and running.returncode == 2, said
    assert f"{PHOTOS} photos: {PHOTOS - BROKEN} scored, {BROKEN} refused" in said
    assert "Traceback" not in said and "Ray" not in said.replace("starting Ray", "")
    same(score_uri(models[0], [photos], str(tmp_path / "scores"), resume=True).folder.rows(), alone)


def test_a_killed_driver_is_gone_on_with(models, photos, alone, tmp_path):
    running = start(models[0], photos, "-o", tmp_path / "scores")
    until(lambda: [file for file in tmp_path.rglob("done-*/*.parquet") if ".pending" not in file.name])
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    resumed = start(models[0], photos, "-o", tmp_path / "scores", "--resume")
    _, said = resumed.communicate(timeout=LONG_S)
    assert resumed.returncode in (0, 2), said
    assert "photos already" in said
    scored = score_uri(models[0], [photos], str(tmp_path / "scores"), resume=True)
    assert 0 < scored.photos + scored.before == PHOTOS and not scored.photos
    same(scored.folder.rows(), alone)


def test_a_photo_that_two_processes_died_of_is_not_tried_again(tmp_path):
    for _ in range(DEATHS):
        assert Begun(tmp_path).begin("a.jpg") is None
    assert "died, twice" in Begun(tmp_path).begin("a.jpg")
    begun = Begun(tmp_path)
    assert begun.begin("b.jpg") is None
    begun.end("b.jpg")
    assert begun.begin("b.jpg") is None


def actors_below(pid: int) -> list[int]:
    """Processes of scoring actors that descend from one."""
    parents, actors = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if (folder / "cmdline").read_bytes().startswith(b"ray::MapWorker"):
                actors.append(int(folder.name))
        except OSError:
            pass  # it has ended
    return [actor for actor in actors if descends(actor, pid, parents)]


def descends(process: int, from_pid: int, parents: dict[int, int]) -> bool:
    while process > 1:
        if process == from_pid:
            return True
        process = parents.get(process, 0)
    return False
