"""TID2013: 25 references, 24 distortions, 5 levels, 3,000 images at 512x384 (Ponomarenko et al. 2015).

mos_with_names.txt      one line per image: MOS (0..9), a space, name
distorted_images/       i01_01_1.bmp: reference 01, distortion 01, level 1; the case of letters varies
"""

from collections.abc import Iterator
from pathlib import Path

from lariqa.errors import Refusal
from lariqa_train.datasets.rows import DataSet, RawRow, first_of

TABLE = "mos_with_names.txt"


def read(root: Path) -> Iterator[RawRow]:
    """Every line of the list."""
    folder, table = first_of(root, "distorted_images"), first_of(root, TABLE)
    try:
        lines = table.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{table} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            mos, _, name = line.strip().partition(" ")
            name = name.strip()
            yield RawRow(folder / name, mos, name[:3].lower(), f"{TABLE}, row {number}")


TID2013 = DataSet(
    name="tid2013",
    title="TID2013",
    kind="synthetic",
    images=3_000,
    mos_range=(0, 9),
    higher_is_better=True,
    licence="free for research, cite Ponomarenko et al. 2015; references from Kodak",
    source="www.ponomarenko.info/tid2013.htm",
    layout=(TABLE, "distorted_images"),
    read=read,
)
