"""KADID-10k: 81 references, 25 distortions, 5 levels, 10,125 images at 512x384 (Lin et al. 2019).

    dmos.csv     dist_img, ref_img, dmos (1..5), var
    images/      distorted images and references

Its "dmos" is a mean of comparison ratings in which 5 is imperceptible: in spite of the name, higher is better.
"""

from collections.abc import Iterator
from pathlib import Path

from lariqa_train.datasets.rows import DataSet, RawRow, first_of, read_csv


def read(root: Path) -> Iterator[RawRow]:
    """Every line of the table."""
    folder, table = first_of(root, "images"), first_of(root, "dmos.csv")
    for where, row in read_csv(table, ("dist_img", "ref_img", "dmos")):
        yield RawRow(folder / row["dist_img"], row["dmos"], row["ref_img"], where)


KADID10K = DataSet(
    name="kadid10k",
    title="KADID-10k",
    kind="synthetic",
    images=10_125,
    mos_range=(1, 5),
    higher_is_better=True,
    licence="images: Pixabay's licence; scores: for research, cite Lin et al. 2019",
    source="database.mmsp-kn.de/kadid-10k-database.html",
    layout=("dmos.csv", "images"),
    read=read,
)
