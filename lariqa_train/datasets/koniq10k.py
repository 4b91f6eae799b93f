"""KonIQ-10k: 10,073 photographs from the web at 1024x768, each rated by about 120 people (Hosu et al. 2020).

    koniq10k_distributions_sets.csv             image_name, c1..c5, c_total, MOS (1..100), SD, set
    koniq10k_scores_and_distributions.csv       image_name, c1..c5, c_total, MOS (1..5), SD, MOS_zscore (1..100)
    1024x768/ (or 512x384/)                     the images

Each may lie in a folder of its archive's name: koniq10k_1024x768/1024x768/, koniq10k_scores_and_distributions/.
Official split, in the first table alone: 7,058 training, 1,000 validation, 2,015 test. The second is split at random.
"""

from collections.abc import Iterator
from pathlib import Path

from lariqa_train.datasets.rows import DataSet, RawRow, first_of, read_csv

TABLE = "koniq10k_distributions_sets.csv"
WITHOUT_SETS = "koniq10k_scores_and_distributions.csv"
TABLES = (TABLE, WITHOUT_SETS, f"koniq10k_scores_and_distributions/{WITHOUT_SETS}")
FOLDERS = ("1024x768", "koniq10k_1024x768/1024x768", "512x384", "koniq10k_512x384/512x384")


def read(root: Path) -> Iterator[RawRow]:
    """Every line of the table; scores on 1..100 by the column that has them, whatever the file is called."""
    folder, table = first_of(root, *FOLDERS), first_of(root, *TABLES)
    for where, row in read_csv(table, ("image_name", "MOS")):
        score = row.get("MOS_zscore") or row["MOS"]
        yield RawRow(folder / row["image_name"], score, row["image_name"], where, row.get("set") or None)


KONIQ10K = DataSet(
    name="koniq10k",
    title="KonIQ-10k",
    kind="authentic",
    images=10_073,
    mos_range=(1, 100),
    higher_is_better=True,
    licence="images: Creative Commons, each its own; scores: for research, cite Hosu et al. 2020",
    source="database.mmsp-kn.de/koniq-10k-database.html (scores 1..5 and z-scores), or, with the official sets, the "
    "authors' repository subpic/koniq",
    layout=(f"{TABLE} or {WITHOUT_SETS}", "1024x768 or 512x384"),
    read=read,
    official_split=True,
    also={f"{TABLE} or {WITHOUT_SETS}": TABLES, "1024x768 or 512x384": FOLDERS},
)
