"""PIPAL: 200 published references, 40 distortions, restoration by networks among them; 23,200 images (Gu et al. 2020).

Train_Label/A0001.txt, ...                  one line per image: name, Elo score (about 900..1900)
Train_Dist/ (Train_Distort/, Distortion_1/ ... _4/)     A0001_00_00.bmp: reference A0001, distortion 00, number 00
"""

from collections.abc import Iterator
from pathlib import Path

from lariqa.errors import Refusal
from lariqa_train.datasets.rows import DataSet, RawRow, first_of
from lariqa_train.datasets.spelling import Listing, first_there

FOLDERS = ("Train_Dist", "Train_Distort")  # beside Distortion_1 and its fellows


def read(root: Path) -> Iterator[RawRow]:
    """Every line of every list."""
    folders = [folder for name in FOLDERS if (folder := first_there(root, name))]
    folders += sorted(path for path in root.glob("[Dd]istortion_*") if path.is_dir())
    listing = Listing()
    for table in sorted(first_of(root, "Train_Label").glob("*.txt")):
        if table.name.startswith("."):
            continue
        try:
            lines = table.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Refusal(f"{table} cannot be read: {error}") from error
        for number, line in enumerate(lines, 1):
            if line.strip():
                name, _, mos = line.strip().partition(",")
                places = [folder / name for folder in folders]
                image = next((place for place in places if listing.spellings(place)), places[0])
                yield RawRow(image, mos, name.split("_")[0], f"{table.name}, row {number}")


PIPAL = DataSet(
    name="pipal",
    title="PIPAL",
    kind="synthetic",
    images=23_200,
    mos_range=(800, 2000),
    higher_is_better=True,
    licence="for research only, cite Gu et al. 2020",
    source="www.jasongt.com/projectpages/pipal.html",
    layout=("Train_Label", "Train_Dist or Distortion_1"),
    read=read,
    also={"Train_Dist or Distortion_1": FOLDERS},
)
