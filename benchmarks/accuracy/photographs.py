"""Free photographs to train the generated recipes on, from Debian's packages. Fetched only on request.

    lariqa datasets fetch-photographs FOLDER

Wallpapers of four desktops, chosen by eye: pictures that a camera took, not drawings. 49 of them, 1 to 20 megapixels,
without the one that the toolkit bundles.
Debian distributes them as free software or under Creative Commons; each package's statement of who made what is kept
beside the photographs. They are not a quality benchmark: some are soft, some were compressed before.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.arm.debian_packages import unpack
from lariqa.atomic import replace, staging
from lariqa.errors import Refusal

SOURCES_FILE = "SOURCES.md"


@dataclass(frozen=True)
class Source:
    """A package and the photographs in it."""

    package: str
    release: str  # of Debian
    licence: str  # of these photographs, as the package states it
    place: str  # of a photograph in the package; {} stands for its name
    names: tuple[str, ...]


SOURCES = (
    Source(
        "budgie-backgrounds",
        "trixie",
        "CC0-1.0",
        "usr/share/backgrounds/budgie/{}.jpg",
        ("abstract-spiral", "beacon-street-sunset", "blue-periwinkle", "canyon-wren", "casa-mila",
         "extreme-desert-hike", "high-trestle-trail", "lake-sherburne", "oakland-zoo-otters", "perched-osprey",
         "piazza-gae-aulenti", "roman-colosseum", "singaporean-cityscape", "tea-gardens"),
    ),
    Source(
        "lomiri-wallpapers-16.04",
        "bookworm",
        "CC-BY-4.0 or CC-BY-SA-4.0",
        "usr/share/backgrounds/{}.jpg",
        ("Bridge_by_Sander_Klootwijk", "Dragonfly_by_Bolly", "Picture_0B_by_freespace", "Picture_1A_by_freespace",
         "Wine_by_Jakkub_Mede", "aitzgorri_by_Aitzol_Berasategi", "free_by_Peter_Nerlich",
         "friends_by_Aitzol_Berasategi", "greentock_by_Peter_Nerlich", "life_by_Aitzol_Berasategi",
         "picosdeeuropa_by_Aitzol_Berasategi", "sunset_by_Aitzol_Berasategi"),
    ),
    Source(
        "lomiri-wallpapers-20.04",
        "bookworm",
        "CC-BY-SA-3.0",
        "usr/share/backgrounds/{}.jpg",
        ("Kleiber_by_Lukas_Baubkus",),
    ),
    Source(
        "mate-backgrounds",
        "bookworm",
        "GPL-2+",
        "usr/share/backgrounds/mate/nature/{}.jpg",
        ("Aqua", "Blinds", "Dune", "FreshFlower", "Garden", "GreenMeadow", "LadyBird", "RainDrops", "Storm", "TwoWings",
         "Wood", "YellowFlower"),
    ),
    Source(
        "plasma-workspace-wallpapers",
        "bookworm",
        "GPL-2+",
        "usr/share/wallpapers/{}/contents/images/2560x1600.jpg",
        ("BytheWater", "ColdRipple", "ColorfulCups", "DarkestHour", "EveningGlow", "FallenLeaf", "Grey", "Kite",
         "OneStandsOut", "Path"),
    ),
)  # fmt: skip


def fetch_photographs(folder: Path, progress: Callable[[str], None] = lambda step: None) -> dict[str, list[Path]]:
    """Fetch every source's photographs into a folder: package -> its photographs there.

    ``SOURCES.md`` says where each comes from and under which licence, ``copyright/`` holds the packages' own words.

    Raises:
        Refusal: this is no Debian, a package cannot be had, or holds other files than it did.
    """
    fetched = {}
    with staging(folder) as stage, tempfile.TemporaryDirectory(prefix="photographs-") as scratch:
        for source in SOURCES:
            progress(f"fetching Debian's {source.package} ({source.release})")
            unpacked = Path(scratch, source.package)
            unpack([source.package], unpacked, release=source.release, alone=True)
            missing = [name for name in source.names if not (unpacked / source.place.format(name)).is_file()]
            if missing:
                raise Refusal(
                    f"Debian's {source.package} in {source.release} has no {', '.join(missing)} any more; "
                    "put photographs of your own in a folder instead"
                )
            fetched[source.package] = []
            for name in source.names:
                shutil.copyfile(unpacked / source.place.format(name), stage / f"{name}.jpg")
                fetched[source.package].append(folder / f"{name}.jpg")
            (stage / "copyright").mkdir(exist_ok=True)
            shutil.copyfile(
                unpacked / f"usr/share/doc/{source.package}/copyright", stage / "copyright" / source.package
            )
            shutil.rmtree(unpacked)
        (stage / SOURCES_FILE).write_text(sources_text(), encoding="utf-8")
        for made in sorted(stage.iterdir()):
            replace(made, folder / made.name)
    return fetched


def sources_text() -> str:
    """Sources and licences of the photographs, as Markdown."""
    lines = ["# Photographs from Debian's packages", ""]
    for source in SOURCES:
        lines += [f"`{source.package}` ({source.release}), {source.licence}: {', '.join(source.names)}.", ""]
    return "\n".join([*lines, "Who made each of them: the packages' own statements in `copyright/`.", ""])
