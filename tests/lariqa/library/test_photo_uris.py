"""What URIs mean: files and Parquet, here and in other file systems; each photo once, and not those that are done."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet
import pytest

from lariqa.errors import Refusal
from lariqa.library.photo_listing import Listing
from lariqa.library.photo_uris import Files, Place
from lariqa.library.row import photo_id
from lariqa.library.score_folder import ScoreFolder

NONE = np.array([], np.int64)


def rows(listing: Listing) -> list[dict]:
    return [row for chunk in listing.chunks for table in chunk.tables() for row in table.to_pylist()]


@pytest.fixture
def table(photo_folder, tmp_path):
    """A function that writes a Parquet file with the photos of the folder, in row groups of two."""

    def write(**columns) -> str:
        photos = sorted(photo_folder.iterdir())
        made = {name: pa.array([make(photo) for photo in photos]) for name, make in columns.items()}
        pyarrow.parquet.write_table(pa.table(made), tmp_path / "photos.parquet", row_group_size=2)
        return str(tmp_path / "photos.parquet")

    return write


def test_a_folder_is_the_same_by_its_path_and_by_its_uri(photo_folder):
    here, there = rows(Listing([photo_folder], NONE)), rows(Listing([photo_folder.as_uri()], NONE))
    assert len(here) == len(there) == 5
    assert [row["photo"] for row in here] == [str(photo) for photo in sorted(photo_folder.iterdir())]
    assert [row["photo"] for row in there] == [photo.as_uri() for photo in sorted(photo_folder.iterdir())]
    assert all(row["id"] == photo_id(row["photo"]) for row in here + there)
    assert [Path(os.fsdecode(row["path"])).read_bytes() for row in here] == [row["bytes"] for row in there]


def test_another_file_system_is_read_where_the_task_runs(photo_folder):
    filesystem = pyarrow.fs.SubTreeFileSystem(str(photo_folder), pyarrow.fs.LocalFileSystem())
    place = Place(filesystem, "store://photos", "")
    names = ["/dark.png", "/absent.png"]
    chunk = Files(place, [name.encode() for name in names], np.array([1, 2]))
    good, bad = [row for table in chunk.tables() for row in table.to_pylist()]
    assert good["photo"] == "store://photos/dark.png" and good["bytes"] == (photo_folder / "dark.png").read_bytes()
    assert bad["bytes"] is None and "store://photos/absent.png" in bad["unreadable"]


def test_a_photo_counts_once_and_a_done_one_not_at_all(photo_folder):
    given = [photo_folder, photo_folder / "dark.png", f"{photo_folder}/*.png"]
    listing = Listing(given, np.array([photo_id(str(photo_folder / "dark.png"))]))
    assert (listing.count, listing.left) == (5, 4)
    assert "dark" not in "".join(row["photo"] for row in rows(listing))


@pytest.mark.parametrize("column", ["path", "photo", "where"])
def test_parquet_with_paths(photo_folder, table, column):
    given = table(**{column: str, "other": lambda photo: 1})
    listed = rows(Listing([given], NONE, None if column != "where" else "where"))
    assert [row["photo"] for row in listed] == [str(photo) for photo in sorted(photo_folder.iterdir())]


def test_parquet_with_bytes_as_such_and_in_a_struct(photo_folder, table):
    photos = sorted(photo_folder.iterdir())
    given = table(bytes=lambda photo: photo.read_bytes(), name=lambda photo: photo.name)
    listed = rows(Listing([given], NONE))
    assert [row["photo"] for row in listed] == [f"{given}#{row}" for row in range(5)]
    assert [row["bytes"] for row in listed] == [photo.read_bytes() for photo in photos]
    done = np.array([photo_id(f"{given}#1"), photo_id(f"{given}#2"), photo_id(f"{given}#3")])
    done.sort()
    assert [row["photo"] for row in rows(Listing([given], done))] == [f"{given}#0", f"{given}#4"]
    named = rows(Listing([given], NONE, name_column="name"))
    assert [row["photo"] for row in named] == [photo.name for photo in photos]
    given = table(image=lambda photo: {"bytes": photo.read_bytes(), "path": photo.name})
    assert [row["bytes"] for row in rows(Listing([given], NONE, name_column="image.path"))] == [
        photo.read_bytes() for photo in photos
    ]


def test_small_tasks_come_last_and_none_is_lost(photo_folder):
    chunk = Files(Place(None, "", ""), [b"%d" % number for number in range(1000)], np.arange(1000))
    listing = Listing([], NONE)
    listing.chunks = [chunk]
    tasks = listing.tasks(2, 64)
    assert np.array_equal(np.concatenate([task.ids for task in tasks]), np.arange(1000))
    assert max(map(len, tasks)) == 64 and [len(task) for task in tasks[-5:]] == [1] * 5


@pytest.mark.parametrize(
    ("columns", "options", "facts"),
    [
        ({"number": lambda photo: 1}, {}, ["a column bytes or image.bytes or path or photo", "neither text nor bytes"]),
        ({"where": str}, {}, ["came where", "--photo-column"]),
        ({"bytes": lambda photo: b"x", "n": lambda photo: "same"}, {"name_column": "n"}, ["has a name twice"]),
        ({"bytes": lambda photo: b"x"}, {"name_column": "n"}, ["a column n of names"]),
        ({"path": lambda photo: None if photo.name == "dark.png" else "x"}, {}, ["an empty one"]),
    ],
)
def test_a_parquet_that_does_not_say_it_is_refused(table, columns, options, facts):
    with pytest.raises(Refusal) as refusal:
        Listing([table(**columns)], NONE, **options)
    assert all(fact in str(refusal.value) for fact in facts)


@pytest.mark.parametrize(
    ("given", "fact"),
    [("nosuch://bucket/a", "no place"), ("file:///no/such/folder", "nothing is there"), ("absent.parquet", "nothing")],
)
def test_what_is_nowhere_is_refused(given, fact):
    with pytest.raises(Refusal, match=fact):
        Listing([given], NONE)


# The folder of tables


def test_what_a_killed_run_left_is_removed_and_what_was_finished_stays(tmp_path):
    def ids(name: str, *numbers: int) -> None:
        path = tmp_path / "scores.parts" / "done-0001" / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pyarrow.parquet.write_table(pa.table({"id": pa.array(numbers, pa.int64())}), path)

    with ScoreFolder(str(tmp_path / "scores"), "a" * 64):
        (tmp_path / "scores").mkdir()
        for name in ("scores_r_000000", "scores_r_000001"):
            (tmp_path / "scores" / f"{name}.parquet").write_text(name)
        ids("scores_r_000000", 7, 3)
        ids("scores_r_000001.pending", 9)
    with pytest.raises(Refusal, match="--resume"):
        ScoreFolder(str(tmp_path / "scores"), "a" * 64).__enter__()
    with pytest.raises(Refusal, match="another model"):
        ScoreFolder(str(tmp_path / "scores"), "b" * 64, resume=True).__enter__()
    with pytest.raises(Refusal, match="--synthetic-view"):
        ScoreFolder(str(tmp_path / "scores"), "a" * 64, "full", resume=True).__enter__()
    with ScoreFolder(str(tmp_path / "scores"), "a" * 64, resume=True) as folder:
        assert folder.done().tolist() == [3, 7] and folder.run == "done-0002"
        assert [path.name for path in (tmp_path / "scores").iterdir()] == ["scores_r_000000.parquet"]
        with pytest.raises(Refusal, match="another run"):
            ScoreFolder(str(tmp_path / "scores"), "a" * 64, resume=True).__enter__()
    with ScoreFolder(str(tmp_path / "scores"), "b" * 64, overwrite=True) as folder:
        assert not len(folder.done()) and not folder.tables()


@pytest.mark.parametrize("given", ["file:///", "s3://bucket", "/"])
def test_the_top_of_a_store_is_no_place_for_scores(given):
    with pytest.raises(Refusal, match="name a folder in it"):
        ScoreFolder(given, "a" * 64)


def test_a_folder_with_something_else_is_not_written_into(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(Refusal, match="no folder of scores"):
        ScoreFolder(str(tmp_path), "a" * 64, overwrite=True).__enter__()
    assert (tmp_path / "mine.txt").read_text() == "mine"
