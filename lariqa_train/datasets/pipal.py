"""PIPAL: 200 published references, 40 distortions, restoration by networks among them; 23,200 images (Gu et al. 2020).

Train_Label/A0001.txt, ...                  one line per image: name, Elo score (about 900..1900)
Train_Dist/ (or Distortion_1/ ... _4/)      A0001_00_00.bmp: reference A0001, distortion 00, number 00
"""

from collections.abc import Iterator
from pathlib import Path

from lariqa.errors import Refusal
from lariqa_train.datasets.rows import DataSet, RawRow


def read(root: Path) -> Iterator[RawRow]:
    """Every line of every list."""
    folders = [folder for folder in (root / "Train_Dist", *sorted(root.glob("Distortion_*"))) if folder.is_dir()]
    on_disk = {path.name: path for folder in folders for path in folder.iterdir()}
    for table in sorted((root / "Train_Label").glob("*.txt")):
        try:
            lines = table.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Refusal(f"{table} cannot be read: {error}") from error
        for number, line in enumerate(lines, 1):
            if line.strip():
                name, _, mos = line.strip().partition(",")
                image = on_disk.get(name, folders[0] / name)
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
)
