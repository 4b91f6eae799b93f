"""BID, the blurred image database: 586 photographs with real blur (Ciancio et al. 2011).

DatabaseGrades.xlsx              number of the image, mean grade (0..5), below one line of headings
DatabaseImage0001.JPG, ...       the images, here or in ImageDatabase/
"""

from collections.abc import Iterator
from pathlib import Path

from lariqa_train.datasets.rows import DataSet, RawRow, first_of, read_sheet
from lariqa_train.datasets.spelling import first_there

SHEET = "DatabaseGrades.xlsx"


def read(root: Path) -> Iterator[RawRow]:
    """Every line of the sheet below its headings."""
    folder = first_there(root, "ImageDatabase") or root
    for number, (where, cells) in enumerate(read_sheet(first_of(root, SHEET))):
        if number == 0 or cells[0] is None:
            continue
        name = f"DatabaseImage{cells[0]:04.0f}.JPG" if isinstance(cells[0], int | float) else str(cells[0])
        yield RawRow(folder / name, cells[1] if len(cells) > 1 else None, name, where)


BID = DataSet(
    name="bid",
    title="BID",
    kind="authentic",
    images=586,
    mos_range=(0, 5),
    higher_is_better=True,
    licence="for research only, cite Ciancio et al. 2011",
    source="the authors of BID; github.com/zwx8981/UNIQUE tells where it is kept",
    layout=(SHEET, "ImageDatabase or DatabaseImage0001.JPG"),
    read=read,
)
