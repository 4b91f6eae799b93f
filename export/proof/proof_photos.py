"""The photos that measurements run on: real ones, of one size or of many, with scores that differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from lariqa.errors import Refusal, named
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.photos import golden
from lariqa.photos.photo import open_photo
from lariqa.photos.photo_files import photos_in
from lariqa.photos.views import check_image
from lariqa.runtimes.scorer import fit_to
from lariqa_train.pictures.damage import DISTORTIONS, bundled_photo, versions
from lariqa_train.pictures.scenes import render_scene

KINDS = (None, *DISTORTIONS)
USUAL_CROP_PX = PreprocessSpec().synthetic_crop_px
ANY_SIZE = (  # height and width in pixels for the usual crop, kinds; no kinds: all
    (2160, 3840),
    (3840, 2160, "original", "noisy"),
    (3024, 4032, "original", "blurred"),  # a phone's 12 megapixels
    (720, USUAL_CROP_PX, "original", "recompressed"),  # lower than the crop
    (997, 1013, "original", "noisy"),  # odd, and smaller in both directions
)
SCENE_SEEDS = 7_000_000_000  # far from those that training draws from (datasets.generated)


def bundled_photos(height: int, width: int) -> dict[str, np.ndarray]:
    """The bundled photo at that size, and damaged versions of it: name -> (height, width, 3) uint8."""
    photo = bundled_photo()
    if photo.shape[:2] != (height, width):
        # Turned, not squeezed, where that keeps more of it: a portrait size gets a portrait picture.
        turned = np.rot90(photo) if (height > width) != (photo.shape[0] > photo.shape[1]) else photo
        photo = fit_to(np.ascontiguousarray(turned), height, width)
    return versions(photo)


def photos_to_prove(
    takes: tuple[int, int] | None, preprocess: PreprocessSpec, largest: tuple[int, int]
) -> dict[str, np.ndarray]:
    """What an export is proved on.

    Args:
        takes: (height, width) of the one size that its files take; None: any.
        preprocess: of the files.
        largest: (height, width) for a full view of any size.
    """
    if takes is not None:
        return proof_photos(*takes)
    if preprocess.synthetic_view == "full":
        return proof_photos_up_to(*largest)
    return proof_photos_of_any_size(preprocess.synthetic_crop_px)


def proof_photos(height: int, width: int) -> dict[str, np.ndarray]:
    """What an export for one size is proved on: the bundled photos, and the golden one of the phones' self-test."""
    return {**bundled_photos(height, width), golden.FILE_NAME: golden.golden_photo(height, width)}


def proof_photos_of_any_size(crop_px: int) -> dict[str, np.ndarray]:
    """What a crop view for photos of any size is proved on: every size with a damaged version, and the golden photo.

    Args:
        crop_px: side of the crop view; the sizes go by it, so that some photos are larger and some smaller.
    """
    share = crop_px / USUAL_CROP_PX
    return _of_sizes((round(height * share), round(width * share), *kinds) for height, width, *kinds in ANY_SIZE)


def proof_photos_up_to(height: int, width: int) -> dict[str, np.ndarray]:
    """What a full view for photos of any size is proved on: none has more pixels than this."""
    turned, half = (width, height, "original", "noisy"), (height // 2, width // 2, "original", "blurred")
    return _of_sizes([(height, width), turned, half, (height // 3 | 1, width // 3 | 1, "original", "noisy")])


def _of_sizes(sizes: Iterable[tuple]) -> dict[str, np.ndarray]:
    """Those of the first size have the names that they have alone, the others with their size before."""
    photos = {}
    for height, width, *kinds in sizes:
        found = bundled_photos(height, width)
        size = f"{width}x{height} " if photos else ""
        photos |= {f"{size}{kind}": found[kind] for kind in kinds or found}
    return {**photos, golden.FILE_NAME: golden.golden_photo(*golden.ANY_SIZE_PX)}


class PhotoFiles(Mapping):
    """Photos as they lie on the disk: path -> pixels, one opened at a time, resampled where a size is asked for."""

    def __init__(self, paths: Iterable[str | Path], size_px: tuple[int, int] | None) -> None:
        self.files, self.size_px = {str(path): path for path in photos_in(paths)}, size_px

    def __getitem__(self, name: str) -> np.ndarray:
        image = open_photo(self.files[name])
        return fit_to(image, *self.size_px) if self.size_px else image

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


class PhotosThatOpen(PhotoFiles):
    """The same without the photos that do not open: that a photo is one of those shows when it is asked for.

    Args:
        paths: as before.
        size_px: as before.
        left_out: gets the photos that do not open, and why.
    """

    def __init__(self, paths: Iterable[str | Path], size_px: tuple[int, int] | None, left_out: dict[str, str]) -> None:
        super().__init__(paths, size_px)
        self.left_out = left_out

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            with named(name):
                image = super().__getitem__(name)
                check_image(image)  # or a photo of one pixel would look like a fault of the model
        except Refusal as refusal:
            self.left_out[name] = str(refusal)
            del self.files[name]
            raise KeyError(name) from refusal
        return image


def seeded_photos(
    count: int, height: int, width: int, seed: int = 0, part: tuple[float, float] = (0.0, 1.0)
) -> Iterator[tuple[str, np.ndarray]]:
    """(name, pixels) of natural pictures that differ in content and quality, without a folder of photographs.

    Each is a window of the bundled photograph, of another place and scale, perhaps mirrored, in other light and perhaps
    damaged. The same arguments give the same pictures. ``part`` (first, last share of its width) keeps them inside.
    """
    whole = Image.fromarray(bundled_photo())
    source = whole.crop((round(part[0] * whole.width), 0, round(part[1] * whole.width), whole.height))
    for number in range(count):
        draw = np.random.default_rng((seed, number))
        scale = draw.uniform(0.35, 1.0)
        ratio = min(source.width / width, source.height / height) * scale
        box_width, box_height = width * ratio, height * ratio
        left, top = draw.uniform(0, source.width - box_width), draw.uniform(0, source.height - box_height)
        box = (left, top, left + box_width, top + box_height)
        picture = source.resize((width, height), Image.Resampling.BICUBIC, box)
        pixels = np.asarray(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if draw.random() < 0.5 else picture)
        yield _taken(pixels, draw, number, f"seed {seed} no. {number}")


def seeded_scenes(count: int, height: int, width: int, seed: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """(name, pixels) of made-up scenes, each with its own seed, in other light and damaged like ``seeded_photos``.

    A scene of half the size with its mirror images beside it and below: one of 3840x2160 takes seconds to draw.
    """
    for number in range(count):
        draw = np.random.default_rng((seed, number, 1))
        scene = render_scene(SCENE_SEEDS + 1000 * seed + number, -(-height // 2), -(-width // 2), oversampling=1)
        beside = np.concatenate([scene, scene[:, ::-1]], 1)
        scene = np.ascontiguousarray(np.concatenate([beside, beside[::-1]])[:height, :width])
        pixels = np.asarray(Image.fromarray(scene).filter(ImageFilter.GaussianBlur(draw.uniform(0.3, 0.8))))
        yield _taken(pixels, draw, number, f"scene {seed} no. {number}")


def _taken(pixels: np.ndarray, draw: np.random.Generator, number: int, name: str) -> tuple[str, np.ndarray]:
    """The picture in the light and the colour of another hour, undamaged or damaged by each known kind in turn."""
    gain = draw.uniform(0.6, 1.2) * draw.uniform(0.85, 1.15, 3)
    curve = np.clip(np.arange(256)[:, None] * gain, 0, 255).astype(np.uint8)  # (level, channel)
    pixels = np.stack([curve[pixels[..., channel], channel] for channel in range(3)], axis=-1)
    kind = KINDS[number % len(KINDS)]
    severity = draw.uniform(0.1, 0.9)
    return name + (f", {kind} {severity:.2f}" if kind else ""), (
        DISTORTIONS[kind](pixels, severity) if kind else pixels
    )


def photo_files(folder: Path, pictures: Iterable[tuple[str, np.ndarray]], first: int = 0) -> dict[Path, str]:
    """Write pictures as the JPEG files that a phone would make of them; file -> name."""
    files = {}
    for number, (name, pixels) in enumerate(pictures, first):
        path = folder / f"{number:03d}.jpg"
        Image.fromarray(pixels).save(path, "JPEG", quality=92, subsampling="4:4:4")
        files[path] = name
    return files


def fitted_files(folder: Path, paths: Iterable[str | Path], height: int, width: int) -> dict[Path, str]:
    """The user's photo files, those of another size resampled into ``folder``; file -> the name that the user gave."""
    files = {}
    for number, path in enumerate(photos_in(paths)):
        image = open_photo(path)
        if image.shape[:2] == (height, width):
            files[path] = str(path)
        else:
            (fitted,) = photo_files(folder, [(str(path), fit_to(image, height, width))], number)
            files[fitted] = f"{path}, resampled"
    return files
