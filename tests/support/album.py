"""A folder of photos as people have them: sizes, formats and folders mixed, names that repeat, a few files broken."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, features

from export.proof.proof_photos import seeded_photos
from lariqa.photos.photo import _heic_opens

SIZES = ((150, 200), (200, 150), (240, 320), (97, 211), (64, 64), (301, 299))  # height, width in px
EVERY_BROKEN = 33  # 3 % of the photos


def kinds() -> dict[str, tuple[str, dict]]:
    """Suffix -> Pillow's format and its options; the lossy ones at a quality where scores still differ."""
    found = {".jpg": ("JPEG", {"quality": 90}), ".png": ("PNG", {}), ".webp": ("WEBP", {"quality": 90})}
    if features.check("avif"):
        found[".avif"] = ("AVIF", {"quality": 80})
    if _heic_opens():
        found[".heic"] = ("HEIF", {"quality": 90})
    return found


def make_album(folder: Path, count: int, scale: int = 1) -> dict[Path, bool]:
    """Write the photos.

    Args:
        folder: to write in.
        count: files in all.
        scale: times SIZES.

    Returns:
        File -> whether it is a photo.
    """
    made, formats = {}, list(kinds().items())
    pictures = {}
    for number in range(count):
        height, width = (scale * side for side in SIZES[number % len(SIZES)])
        if (height, width) not in pictures:
            pictures[height, width] = seeded_photos(count, height, width, seed=number)
        suffix, (kind, options) = formats[number // len(SIZES) % len(formats)]
        path = folder / f"{100 + number // 20}CANON" / f"IMG_{number % 20:04d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(next(pictures[height, width])[1]).save(path, kind, **options)
        made[path] = number % EVERY_BROKEN != 7
        if not made[path]:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return made
