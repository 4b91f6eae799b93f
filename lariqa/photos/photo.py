"""A photo file -> the pixels that a viewer would show: the first step of the trip of one score.

    file -> decode the first picture -> 8 bits -> over white -> upright -> uint8 RGB (height, width, 3)

The sample values are the file's own: no ICC profile and no gamma is applied, because the model was trained on
Pillow's plain RGB. What cannot be shown without guessing (a truncated file, the preview in a camera RAW, grey
values whose white is defined nowhere) is refused.
"""

import functools
import io
import logging
import os
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from lariqa.errors import Refusal
from lariqa.photos.decoded import BACKGROUND, DecodedPhoto, over_background
from lariqa.photos.jpeg_segments import START, pixel_segments
from lariqa.photos.png_chunks import SIGNATURE, pixel_chunks, still_is_no_frame
from lariqa.photos.shows_through import what_shows_through
from lariqa.photos.tiff_layouts import BITS_PER_SAMPLE, PHOTOMETRIC, misread_layout

MAX_PIXELS = 200_000_000  # room for the largest phone sensors (16320x12240), 600 MB of RGB; bombs claim more

# Pillow's names; JPEG includes MPO. Left out although Pillow opens them: JPEG2000, because OpenJPEG shows a file cut
# between two tiles without a word; EPS, which would start Ghostscript; and formats that hold no photos.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM")
KINDS = "JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, GIF or PPM"
EMPTY = "expected a photo, came an empty file (0 bytes); copy or export the photo again"
HEIC_SUFFIXES = {".heic", ".heif", ".hif"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}  # an AVIF carries mif1 too
_DNG_VERSION, _NEW_SUBFILE_TYPE = 50706, 254  # TIFF tags

# What Pillow raises on damaged files. So wide that it may stand around Pillow's own calls only.
_DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError,
    EOFError, RuntimeError, MemoryError, struct.error,
)  # fmt: skip

_pillow_settings = threading.Lock()  # they belong to the whole process: one photo at a time may change them
logging.getLogger("PIL").addHandler(logging.NullHandler())  # or Python prints Pillow's log where none is set up


def open_photo(path: str | os.PathLike) -> np.ndarray:
    """Reads one photo as a viewer would show it.

    EXIF orientation is applied; one that cannot be read counts as upright, as in viewers. Transparency lies over
    ``BACKGROUND``. Grey of 12 or 16 bits is scaled to 8. Of an animation or a multi-picture file the first picture
    counts. No colour management: the values are taken as stored and as sRGB. HEIC needs the package pillow-heif.

    Args:
        path: a JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, GIF or PPM; the content decides, not the suffix.

    Returns:
        uint8 RGB, shape (height, width, 3), range 0..255, C-contiguous and writable.

    Raises:
        Refusal: no readable file; no photo, or a damaged one; more than ``MAX_PIXELS``; a camera RAW; HEIC without
            pillow-heif; grey values without a defined white.
    """
    return decode(path).pixels()


def decode(photo: str | os.PathLike | Image.Image | BinaryIO, name: str | os.PathLike = "the photo") -> DecodedPhoto:
    """A photo file, or an image that Pillow has opened, to be read part by part; errors as :func:`open_photo`.

    Args:
        photo: a path; an image; or a file's bytes in a stream that can seek, which is left open.
        name: begins the refusal of a stream.

    Example:
        >>> photo = decode(Image.new("LA", (64, 48), (0, 0)))  # fully transparent: the white page shows through
        >>> photo.pixels().shape, photo.part(0, 1, 0, 1).getpixel((0, 0))
        ((48, 64, 3), (255, 255, 255))
    """
    if isinstance(photo, Image.Image):
        with _strict_and_silent_pillow():
            return _shown(Path(getattr(photo, "filename", "") or "the image"), b"", photo)
    if not hasattr(photo, "read"):
        with opened(photo) as stream:
            return decode(stream, photo)
    path, stream = Path(name), photo
    with _strict_and_silent_pillow():
        with _decoding(path, b""):
            head = stream.read(64)
        formats = _formats_for(path, head)
        if head.startswith(SIGNATURE):
            with _decoding(path, head):
                stream.seek(0)
                another = still_is_no_frame(stream)
            if another:
                raise Refusal(
                    f"{path}: expected one picture, came an animated PNG whose still picture is none of its frames; "
                    "save the one that is meant as PNG"
                )
        with _decoding(path, head):
            stream.seek(0)
            image = _without_metadata_that_pillow_refuses(stream, head, formats)
        return _shown(path, head, image)


def _without_metadata_that_pillow_refuses(stream: BinaryIO, head: bytes, formats: tuple[str, ...]) -> Image.Image:
    if head.startswith(SIGNATURE):
        return Image.open(pixel_chunks(stream), formats=formats)
    try:
        return Image.open(stream, formats=formats)
    except UnidentifiedImageError:
        if not head.startswith(START):
            raise
        stream.seek(0)
        return Image.open(pixel_segments(stream), formats=formats)


def _shown(path: Path, head: bytes, image: Image.Image) -> DecodedPhoto:
    """What a viewer would show of an opened image."""
    _check_header(path, head, image)
    with _decoding(path, head):
        finished = what_shows_through(image)
        image.load()
    orientation = _orientation(path, image)
    image = finished(image)
    if image.mode.startswith(("I", "F")):
        image = _rgb_from_deep_grey(path, image)
    with _decoding(path, head):
        over_background(image.crop((0, 0, 1, 1)))  # a mode that has no RGB is told now
    return DecodedPhoto(image, orientation)


def opened(photo: str | os.PathLike) -> io.BufferedReader:
    """A photo file, open and not empty, as ``decode`` takes it; refused as by :func:`open_photo`."""
    path = Path(photo)
    if os.path.isdir(path):
        raise Refusal(f"{path}: expected a photo file, came a folder; name a photo in it")
    if os.path.exists(path) and not os.path.isfile(path):
        raise Refusal(f"{path}: expected a regular file, came a pipe or a device; save the photo to a file first")
    try:
        stream = open(path, "rb")  # noqa: SIM115 - the caller closes it
    except FileNotFoundError as error:
        raise Refusal(f"{path}: expected a photo file, but nothing is there; check the spelling") from error
    except PermissionError as error:
        raise Refusal(f"{path}: expected a file that may be read, came one without permission; change it") from error
    except (OSError, ValueError) as error:  # a name too long, a loop of links, a null character
        raise Refusal(f"{path}: expected a file that can be opened, came {reason_of(error)}; check the path") from error
    try:
        empty = not stream.peek(1)
    except OSError as error:
        stream.close()
        raise unreadable(path, error) from error
    if empty:
        stream.close()
        raise Refusal(f"{path}: {EMPTY}")
    return stream


@contextmanager
def _strict_and_silent_pillow() -> Iterator[None]:
    """Whole files only, our size limit and no warnings, whatever the rest of the process chose; restored after."""
    with _pillow_settings, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = MAX_PIXELS, False
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before


@contextmanager
def _decoding(path: Path, head: bytes) -> Iterator[None]:
    """Stands around calls of Pillow and turns what its decoders raise into a refusal."""
    try:
        yield
    except UnidentifiedImageError as error:
        raise Refusal(
            f"{path}: expected a photo ({KINDS}), came a file of another kind or one too damaged to tell "
            f"(it begins with {head[:12]!r}); export it again as JPEG or PNG"
        ) from error
    except OSError as error:
        if error.errno is not None:  # the system's, not a decoder's
            raise unreadable(path, error) from error
        raise _damaged(path, error) from error
    except Image.DecompressionBombError as error:  # Pillow's own check of sizes, tiles and frames
        raise _too_large(path, "a header that claims more than twice as much") from error
    except _DECODER_ERRORS as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> Refusal:
    return Refusal(
        f"{path}: expected a whole photo, came a damaged or truncated one ({reason_of(error)}); "
        "copy or export the photo again"
    )


def unreadable(path: str | os.PathLike, error: OSError) -> Refusal:
    """The one sentence for "the system could not read this"."""
    return Refusal(f"{path}: expected a file that can be read, came {reason_of(error)}; check the disk or the network")


def _formats_for(path: Path, head: bytes) -> tuple[str, ...]:
    """The Pillow formats to try, told from the file type box (ISO 14496-12, 4.3) that begins a HEIC."""
    box_bytes = int.from_bytes(head[:4], "big")
    brands = {head[8:12], *(head[i : i + 4] for i in range(16, min(box_bytes, len(head)), 4))}
    if head[4:8] != b"ftyp" or brands & _AVIF_BRANDS or not brands & _HEIC_BRANDS:
        return FORMATS
    if not _heic_opens():
        raise Refusal(
            f"{path}: expected a photo that needs no extra package, came a HEIC; "
            "run `pip install pillow-heif`, or export the photo as JPEG"
        )
    return ("HEIF",)


@functools.cache
def _heic_opens() -> bool:
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _check_header(path: Path, head: bytes, image: Image.Image) -> None:
    """Refuses by what the header says, before memory is taken for pixels."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_large(path, f"{width}x{height} ({width * height / 1e6:.1f} megapixels)")
    if image.format == "TIFF":  # so Pillow calls most RAW files too, and opens the thumbnail that comes first in them
        with _decoding(path, head):
            raw = _DNG_VERSION in image.tag_v2 or image.tag_v2.get(_NEW_SUBFILE_TYPE) == 1 or head[8:10] == b"CR"
        if raw:
            raise Refusal(f"{path}: expected a developed photo, came a camera RAW; develop it to JPEG, PNG or TIFF")
        with _decoding(path, head):
            layout = misread_layout(image)
        if layout:
            raise Refusal(f"{path}: expected a TIFF that Pillow reads rightly, came {layout}; save it as PNG")


def _orientation(path: Path, image: Image.Image) -> int:
    # Not ImageOps.exif_transpose, which writes all the metadata anew and fails on unusual tags that do not matter here.
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)  # 1 for TIFF: load() has turned it already
    except _DECODER_ERRORS as error:
        if getattr(error, "errno", None) is not None:  # the system's: what it would have said is not known
            raise unreadable(path, error) from error
        return 1


def _rgb_from_deep_grey(path: Path, image: Image.Image) -> Image.Image:
    """RGB of grey deeper than 8 bits, by the white that the file defines; Pillow's own convert clips at 255."""
    values = np.asarray(image)
    tags = image.tag_v2 if image.format == "TIFF" else {}
    if image.mode == "F":
        lowest, highest = float(values.min()), float(values.max())
        if not (lowest >= 0 and highest <= 1):  # so written that NaN is refused too
            raise Refusal(
                f"{path}: expected floating-point grey from 0 (black) to 1 (white), came {lowest:g}..{highest:g}; "
                "scale the values or export the photo with 16 bits"
            )
        grey = np.rint(values * 255).astype(np.uint8)
    elif image.mode == "I" and tags:
        raise Refusal(
            f"{path}: expected grey of 1..16 bits without a sign, came signed or 32-bit integers, whose white is "
            "defined nowhere; export the photo with 16 bits"
        )
    else:
        white = 4095 if 12 in tags.get(BITS_PER_SAMPLE, ()) else 65535  # Pillow scales PPM to 65535 itself
        levels = np.clip(values, 0, white).astype(np.uint32)
        grey = ((levels * 255 + white // 2) // white).astype(np.uint8)  # at 16 bits v / 257, rounded
    if tags.get(PHOTOMETRIC) == 0:  # WhiteIsZero, which Pillow heeds only up to 8 bits
        grey = 255 - grey
    if "transparency" in image.info:
        grey[values == image.info["transparency"]] = BACKGROUND[0]
    return Image.fromarray(grey).convert("RGB")


def _too_large(path: Path, came: str) -> Refusal:
    return Refusal(f"{path}: expected at most {MAX_PIXELS / 1e6:g} megapixels, came {came}; scale or crop the photo")


def reason_of(error: BaseException) -> str:
    """What an exception says, on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
