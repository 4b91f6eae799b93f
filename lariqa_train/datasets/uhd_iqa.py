"""UHD-IQA: 6,073 photographs 3840 px wide, each rated twice by 10 experts (Hosu et al. 2024).

    uhd-iqa-metadata.csv               image_name, quality_mos (0..1), set, subset, ...
    training/, validation/, test/      the images (or all of them in images/)

Official split: 4,269 training, 904 validation, 900 test.
"""

from collections.abc import Iterator
from pathlib import Path

from lariqa_train.datasets.rows import DataSet, RawRow, first_of, read_csv

TABLE = "uhd-iqa-metadata.csv"


def read(root: Path) -> Iterator[RawRow]:
    """Every line of the table."""
    for where, row in read_csv(root / TABLE, ("image_name", "quality_mos", "set")):
        image = first_of(root, row["set"], "images") / row["image_name"]
        yield RawRow(image, row["quality_mos"], row["image_name"], where, row["set"])


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
)
