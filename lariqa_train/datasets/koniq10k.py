"""KonIQ-10k: 10,073 photographs from the web at 1024x768, each rated by about 120 people (Hosu et al. 2020).

    koniq10k_distributions_sets.csv    image_name, c1..c5, c_total, MOS (1..100), SD, set
    1024x768/ (or 512x384/)            the images

Official split: 7,058 training, 1,000 validation, 2,015 test.
"""

from collections.abc import Iterator
from pathlib import Path

from lariqa_train.datasets.rows import DataSet, RawRow, first_of, read_csv

TABLE = "koniq10k_distributions_sets.csv"


def read(root: Path) -> Iterator[RawRow]:
    """Every line of the table."""
    folder = first_of(root, "1024x768", "512x384")
    for where, row in read_csv(root / TABLE, ("image_name", "MOS", "set")):
        yield RawRow(folder / row["image_name"], row["MOS"], row["image_name"], where, row["set"])


KONIQ10K = DataSet(
    name="koniq10k",
    title="KonIQ-10k",
    kind="authentic",
    images=10_073,
    mos_range=(1, 100),
    higher_is_better=True,
    licence="images: Creative Commons, each its own; scores: for research, cite Hosu et al. 2020",
    source="database.mmsp-kn.de/koniq-10k-database.html",
    layout=(TABLE, "1024x768 or 512x384"),
    read=read,
    official_split=True,
)
