"""Writes a tiny tree in each published layout, with scores that follow the damage: what the readers are tested on."""

import functools
from pathlib import Path

import numpy as np
from openpyxl import Workbook
from PIL import Image

from lariqa_train.pictures.damage import bundled_photo
from lariqa_train.pictures.distortions import gaussian_blur

CONTENTS, LEVELS = 12, 3
photo = functools.cache(bundled_photo)  # decoded once for hundreds of pictures


def picture(content: int, level: int, side: int = 96) -> Image.Image:
    """A part of the bundled photo, the more blurred the higher the level (0: as it is)."""
    top, left = 150 * content, 280 * content
    part = photo()[top : top + side, left : left + side + 32]
    return Image.fromarray(gaussian_blur(part, level / 3, np.random.default_rng(0)) if level else part)


def shares():
    """(content, level, MOS 0..1) of each image: falls with the level."""
    for content in range(CONTENTS):
        for level in range(LEVELS):
            yield content, level, round(0.9 - 0.25 * level - 0.01 * content, 4)


def write_koniq10k(root: Path) -> None:
    (root / "1024x768").mkdir(parents=True)
    lines = ["image_name,c1,c2,c3,c4,c5,c_total,MOS,SD,set"]
    for number, (content, level, share) in enumerate(shares()):
        name = f"{content}{level}.jpg"
        picture(content, level).save(root / "1024x768" / name, quality=98)
        official = ("training", "training", "training", "validation", "test")[number % 5]
        lines.append(f"{name},0,0,1,2,3,6,{1 + 99 * share},0.5,{official}")
    (root / "koniq10k_distributions_sets.csv").write_text("\n".join(lines) + "\n")


def write_uhd_iqa(root: Path) -> None:
    lines = ["image_name,quality_mos,quality_mos_std,set,subset"]
    for number, (content, level, share) in enumerate(shares()):
        official = ("training", "training", "training", "validation", "test")[number % 5]
        (root / official).mkdir(parents=True, exist_ok=True)
        name = f"uhd{content}_{level}.jpg"
        picture(content, level, side=160).save(root / official / name, quality=98)
        lines.append(f"{name},{share},0.1,{official},exclusive")
    (root / "uhd-iqa-metadata.csv").write_text("\n".join(lines) + "\n")


def write_spaq(root: Path) -> None:
    (root / "TestImage").mkdir(parents=True)
    (root / "Annotations").mkdir()
    book = Workbook()
    book.active.append(["Image name", "MOS", "Brightness"])
    for content, level, share in shares():
        name = f"{content:03d}{level:02d}.jpg"
        picture(content, level).save(root / "TestImage" / name, quality=98)
        book.active.append([name, 100 * share, 50])
    book.save(root / "Annotations" / "MOS and Image attribute scores.xlsx")


def write_bid(root: Path) -> None:
    (root / "ImageDatabase").mkdir(parents=True)
    book = Workbook()
    book.active.append(["Image Number", "Average Subjective Grade"])
    for number, (content, level, share) in enumerate(shares(), 1):
        picture(content, level).save(root / "ImageDatabase" / f"DatabaseImage{number:04d}.JPG", quality=98)
        book.active.append([number, 5 * share])
    book.save(root / "DatabaseGrades.xlsx")


def write_kadid10k(root: Path) -> None:
    (root / "images").mkdir(parents=True)
    lines = ["dist_img,ref_img,dmos,var"]
    for content, level, share in shares():
        name = f"I{content:02d}_01_{level:02d}.png"
        picture(content, level).save(root / "images" / name)
        lines.append(f"{name},I{content:02d}.png,{1 + 4 * share},0.2")
    (root / "dmos.csv").write_text("\n".join(lines) + "\n")


def write_tid2013(root: Path) -> None:
    (root / "distorted_images").mkdir(parents=True)
    lines = []
    for content, level, share in shares():
        name = f"i{content:02d}_01_{level + 1}.bmp"
        picture(content, level).save(root / "distorted_images" / name.upper().replace("BMP", "bmp"))
        lines.append(f"{9 * share:.5f} {name}")
    (root / "mos_with_names.txt").write_text("\n".join(lines) + "\n")


def write_pipal(root: Path) -> None:
    (root / "Train_Dist").mkdir(parents=True)
    (root / "Train_Label").mkdir()
    for content in range(CONTENTS):
        lines = []
        for _, level, share in (row for row in shares() if row[0] == content):
            name = f"A{content:04d}_00_{level:02d}.bmp"
            picture(content, level).save(root / "Train_Dist" / name)
            lines.append(f"{name},{800 + 1200 * share}")
        (root / "Train_Label" / f"A{content:04d}.txt").write_text("\n".join(lines) + "\n")


def write_csv(root: Path) -> None:
    (root / "photos").mkdir(parents=True)
    lines = []
    for content, level, share in shares():
        picture(content, level).save(root / "photos" / f"{content}-{level}.png")
        lines.append(f"photos/{content}-{level}.png,{share},{content}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")


def write_generated_tree(root: Path) -> None:
    (root / "images").mkdir(parents=True)
    lines = ["image,score,group,set,distortion,severity"]
    for content, level, share in shares():
        name = f"scene{content}-{level:02d}.png"
        picture(content, level).save(root / "images" / name)
        side = ("training", "training", "validation", "test")[content % 4]
        lines.append(f"images/{name},{share},scene{content},{side},gaussian_blur,{1 - share}")
    (root / "generated.csv").write_text("\n".join(lines) + "\n")


WRITERS = {
    "koniq10k": write_koniq10k,
    "uhd_iqa": write_uhd_iqa,
    "spaq": write_spaq,
    "bid": write_bid,
    "kadid10k": write_kadid10k,
    "tid2013": write_tid2013,
    "pipal": write_pipal,
    "csv": write_csv,
    "generated": write_generated_tree,
}


def write_all(root: Path) -> None:
    """Every data set, each under its catalogue name."""
    for name, write in WRITERS.items():
        write(root / name)
