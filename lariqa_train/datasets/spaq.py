"""SPAQ: 11,125 photographs from 66 smartphones, rated in the laboratory (Fang et al. 2020).

Annotations/MOS and Image attribute scores.xlsx    Image name, MOS (0..100), Brightness, ...
TestImage/                                         the images
"""

from collections.abc import Iterator
from pathlib import Path

from lariqa.errors import Refusal
from lariqa_train.datasets.rows import DataSet, RawRow, first_of, read_sheet

SHEET = "MOS and Image attribute scores.xlsx"


def read(root: Path) -> Iterator[RawRow]:
    """Every line of the sheet."""
    path = first_of(root, f"Annotations/{SHEET}", SHEET)
    lines = read_sheet(path)
    header = [str(cell) for cell in next(lines, ("", ()))[1]]
    if not {"Image name", "MOS"} <= set(header):
        raise Refusal(f"{path} has no columns 'Image name' and 'MOS'; it has {', '.join(header)}")
    image, mos = header.index("Image name"), header.index("MOS")
    for where, cells in lines:
        if any(cell is not None for cell in cells):
            name = str(cells[image])
            yield RawRow(root / "TestImage" / name, cells[mos], name, where)


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
)
