"""The authors' two-column CSV: what their training code reads, and the simplest way to bring your own data.

    labels.csv      image (relative to the folder, or a full path), score (0..1, higher is better)

With a header the columns are found by their names, in any order, and further ones are left alone: IMAGES, SCORES,
GROUPS and SPLITS have the names that common tables use. Without one, an optional third column names the group: images
of one group are never on both sides of a split. Every image is a group of its own where none is named.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from lariqa.errors import Refusal
from lariqa_train.datasets.rows import DataSet, RawRow, first_of

TABLE = "labels.csv"
IMAGES = (
    "image",
    "image_name",
    "img_name",
    "img",
    "filename",
    "file_name",
    "file",
    "dist_img",
    "image_path",
    "img_path",
)
SCORES = ("score", "mos", "quality_mos", "mean_opinion_score")
GROUPS = ("group", "content", "ref_img", "ref_name", "ref_img_name", "reference")
SPLITS = ("split", "set", "subset")
SETS = {
    "train": "training", "training": "training", "val": "validation", "valid": "validation",
    "validation": "validation", "test": "test",
}  # fmt: skip


def read(root: Path) -> Iterator[RawRow]:
    """Every line of the table."""
    table = first_of(root, TABLE)
    lines = _lines(table)
    header = _header(table, lines[0][1]) if lines else None
    for number, cells in lines[1:] if header else lines:
        where = f"{TABLE}, row {number}"
        if header:
            named = {name: cells[at] if at < len(cells) else "" for name, at in header.items()}
        elif len(cells) > 3:
            raise Refusal(
                f"{table} has {len(cells)} columns and no header to tell which is which; begin it with names, "
                "for example image,score,split"
            )
        else:
            named = dict(zip(("image", "score", "group"), [*cells, "", ""], strict=False))
        name, score = named["image"], named["score"]
        if "\\" in name and not (root / name).exists():
            raise Refusal(f"{where} of {root}: {name!r} has Windows separators; write / between folders")
        if "," in score and score.replace(",", "").lstrip("-").isdigit():
            raise Refusal(f"{where} of {root}: the score {score!r} has a decimal comma; write a point")
        official = named.get("split")
        yield RawRow(root / name, score, named.get("group") or name, where, SETS.get(official, official) or None)


def _lines(table: Path) -> list[tuple[int, list[str]]]:
    """(row, cells) of every line that is not empty."""
    try:
        text = table.read_bytes()
        if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise Refusal(f"{table} is UTF-16; save it as CSV UTF-8")
        rows = enumerate(csv.reader(text.decode("utf-8-sig").splitlines()), 1)
        lines = [(number, [cell.strip() for cell in cells]) for number, cells in rows if any(cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refusal(f"{table} cannot be read as a table: {error}") from error
    if lines and all(len(cells) == 1 or cells[0].count(";") for _, cells in lines[:2]) and ";" in lines[0][1][0]:
        raise Refusal(f"{table} has ; between its columns; save it with commas, and with points in its numbers")
    return lines


def _header(table: Path, first: list[str]) -> dict[str, int] | None:
    """What is in which column; None where the first line is data.

    Raises:
        Refusal: it is neither data nor a header that names an image and a score.
    """
    if len(first) > 1 and _is_number(first[1]) and len(first) <= 3:
        return None
    names = [name.lower() for name in first]
    meant = {"image": IMAGES, "score": SCORES, "group": GROUPS, "split": SPLITS}
    found = {
        what: next(names.index(name) for name in known if name in names)
        for what, known in meant.items()
        if set(known) & set(names)
    }
    if any(map(_is_number, first)) or not {"image", "score"} <= found.keys():
        raise Refusal(
            f"{table} begins with {','.join(first)!r}: neither image and score nor a header with a column of each "
            f"({', '.join(IMAGES[:4])} ...; {', '.join(SCORES)}; if there are any {', '.join(GROUPS[:3])} ...; "
            f"{', '.join(SPLITS)}); name the columns"
        )
    return found


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


TWO_COLUMN_CSV = DataSet(
    name="csv",
    title="two-column CSV",
    kind="authentic",
    images=0,
    mos_range=(0, 1),
    higher_is_better=True,
    licence="yours",
    source="you: a folder with labels.csv (image, score 0..1)",
    layout=(TABLE,),
    read=read,
)
