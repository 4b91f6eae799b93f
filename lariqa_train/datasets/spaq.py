"""SPAQ: 11,125 photographs from 66 smartphones, rated in the laboratory (Fang et al. 2020).

Annotations/MOS and Image attribute scores.xlsx    Image name, MOS (0..100), Brightness, ...
TestImage/                                         the images

Loaders of other projects call them MOS_and_Image_attribute_scores (.xlsx or .csv) and img/ (img_resize/: made smaller).
"""

from collections.abc import Iterator
from pathlib import Path

from lariqa.errors import Refusal
from lariqa_train.datasets.rows import DataSet, RawRow, first_of, read_csv, read_sheet

SHEET = "MOS and Image attribute scores.xlsx"
RENAMED = "MOS_and_Image_attribute_scores"
NAMES = (SHEET, f"{RENAMED}.xlsx", f"{RENAMED}.csv")
PLACES = ("Annotations", "SPAQ_dataset/Annotations")
TABLES = (*(f"{place}/{name}" for place in PLACES for name in NAMES), *NAMES)
FOLDERS = ("TestImage", "img", "img_resize")
IMAGE, MOS = "Image name", "MOS"


def read(root: Path) -> Iterator[RawRow]:
    """Every line of the table."""
    table, folder = first_of(root, *TABLES), first_of(root, *FOLDERS)
    if table.suffix.lower() == ".csv":
        for where, row in read_csv(table, (IMAGE, MOS)):
            yield RawRow(folder / row[IMAGE], row[MOS], row[IMAGE], where)
        return
    lines = read_sheet(table)
    header = [str(cell) for cell in next(lines, ("", ()))[1]]
    if not {IMAGE, MOS} <= set(header):
        raise Refusal(f"{table} has no columns {IMAGE!r} and {MOS!r}; it has {', '.join(header)}")
    image, mos = header.index(IMAGE), header.index(MOS)
    for where, cells in lines:
        if any(cell is not None for cell in cells):
            name = str(cells[image])
            yield RawRow(folder / name, cells[mos], name, where)


SPAQ = DataSet(
    name="spaq",
    title="SPAQ",
    kind="authentic",
    images=11_125,
    mos_range=(0, 100),
    higher_is_better=True,
    licence="for research only, cite Fang et al. 2020",
    source="github.com/h4nwei/SPAQ",
    layout=(f"Annotations/{SHEET} or {SHEET}", "TestImage"),
    read=read,
    also={f"Annotations/{SHEET} or {SHEET}": TABLES, "TestImage": FOLDERS},
)
