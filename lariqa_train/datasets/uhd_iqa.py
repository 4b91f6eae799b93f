"""UHD-IQA: 6,073 photographs 3840 px wide, each rated twice by 10 experts (Hosu et al. 2024).

    uhd-iqa-metadata.csv               image_name, quality_mos (0..1), set, subset, ...
    training/, validation/, test/      the images (or all of them in images/)

Official split: 4,269 training, 904 validation, 900 test. The AIM 2024 challenge gave out its training part alone:

    uhd-iqa-training-metadata.csv      image_name, quality_mos; no sets, so it is split at random
    challenge/training/                the images
"""

from collections.abc import Iterator
from pathlib import Path

from lariqa_train.datasets.rows import DataSet, RawRow, first_of, read_csv

TABLE = "uhd-iqa-metadata.csv"
OF_CHALLENGE = "uhd-iqa-training-metadata.csv"
TABLES = (TABLE, OF_CHALLENGE, f"challenge/{OF_CHALLENGE}")
FOLDERS = ("training", "images", "database", "challenge/training")


def read(root: Path) -> Iterator[RawRow]:
    """Every line of the table."""
    table, folders = first_of(root, *TABLES), {}
    for where, row in read_csv(table, ("image_name", "quality_mos", *(["set"] if table.name.lower() == TABLE else []))):
        official = row.get("set", "training")
        if official not in folders:
            folders[official] = first_of(root, official, "images", "database", f"challenge/{official}")
        name = row["image_name"]
        yield RawRow(folders[official] / name, row["quality_mos"], name, where, row.get("set"))


UHD_IQA = DataSet(
    name="uhd_iqa",
    title="UHD-IQA",
    kind="authentic",
    images=6_073,
    mos_range=(0, 1),
    higher_is_better=True,
    licence="images: Pixabay's licence; scores: for research, cite Hosu et al. 2024",
    source="database.mmsp-kn.de/uhd-iqa-benchmark-database.html",
    layout=(TABLE, "training or images"),
    read=read,
    official_split=True,
    also={TABLE: TABLES, "training or images": FOLDERS},
)
