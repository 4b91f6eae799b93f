"""What Chromium's decoder makes of pictures of many kinds, beside Pillow's bytes, and how far the score moves.

    python -m benchmarks.browser.decoding EXPORTED [--file FILE]

For each kind: whether all bytes of both views are Python's, how many differ and by how many levels, and how far the
browser's score is from Python's, of the same exported file. Prints a table, and one line of JSON. Needs what `make web`
built.
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from benchmarks.browser.browser_worker import BrowserWorker
from benchmarks.browser.icc_profile import ADOBE_RGB, DISPLAY_P3, profile
from benchmarks.measure.candidate import Candidate
from benchmarks.measure.participants import exported_in, subject_of
from benchmarks.measure.worker import Failed
from lariqa.errors import Refusal
from lariqa.photos.photo import open_photo
from lariqa.photos.views import inputs_of
from lariqa.runtimes.artifacts import open_artifact
from lariqa_train.pictures.damage import bundled_photo

_VIEWS = """
    const photo = new File([await (await fetch(args[0])).blob()], args[0]);
    const { score, notes, thumbnail } = await scorer.score(photo);
    thumbnail?.close();
    const views = await scorer.views(photo);
    const text = {};
    for (const name in views) {
        let letters = '';
        for (let at = 0; at < views[name].length; at += 8192) {
            letters += String.fromCharCode(...views[name].subarray(at, at + 8192));
        }
        text[name] = btoa(letters);
    }
    return { score, notes, views: text };"""


def pictures(photo: Image.Image, folder: Path) -> dict[str, Path]:
    """Kind -> its file."""
    p3, adobe = profile(DISPLAY_P3), profile(ADOBE_RGB)
    deep = np.asarray(photo).astype(np.uint32) * 257
    deep = np.clip(deep + np.random.default_rng(0).integers(-128, 128, deep.shape), 0, 65535).astype(">u2")
    alpha = photo.convert("RGBA")
    alpha.putalpha(photo.convert("L"))
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    write: dict[str, Callable[[Path], object]] = {
        "JPEG 4:2:0.jpg": lambda path: photo.save(path, quality=85),
        "JPEG 4:4:4, progressive.jpg": lambda path: photo.save(path, quality=92, subsampling=0, progressive=True),
        "JPEG, CMYK.jpg": lambda path: photo.convert("CMYK").save(path, quality=90),
        "JPEG, turned by EXIF.jpg": lambda path: photo.save(path, quality=90, exif=turned),
        "JPEG, Display P3.jpg": lambda path: photo.save(path, quality=90, icc_profile=p3),
        "JPEG, Adobe RGB.jpg": lambda path: photo.save(path, quality=90, icc_profile=adobe),
        "JPEG, gain map.jpg": lambda path: path.write_bytes(with_gain_map(photo, folder)),
        "PNG.png": lambda path: photo.save(path),
        "PNG, Display P3.png": lambda path: photo.save(path, icc_profile=p3),
        "PNG, gamma 1.8.png": lambda path: path.write_bytes(png(deep >> 8, 8, 2, gamma=55556)),
        "PNG, 16 bits.png": lambda path: path.write_bytes(png(deep, 16, 2)),
        "PNG, grey, 16 bits.png": lambda path: path.write_bytes(png(deep[..., 0], 16, 0)),
        "PNG, grey and alpha, 16 bits.png": lambda path: path.write_bytes(png(deep[..., :2], 16, 4)),
        "PNG, transparent.png": lambda path: alpha.save(path),
        "WebP.webp": lambda path: photo.save(path, quality=85),
        "WebP, turned by EXIF.webp": lambda path: photo.save(path, quality=85, exif=turned),
        "WebP, transparent.webp": lambda path: alpha.save(path, quality=85),
        "WebP, Display P3.webp": lambda path: photo.save(path, quality=85, icc_profile=p3),
        "AVIF.avif": lambda path: photo.save(path, quality=80),
        "AVIF, 4:4:4, Display P3.avif": lambda path: photo.save(path, quality=80, subsampling="4:4:4", icc_profile=p3),
        "GIF, animated.gif": lambda path: animated(photo, path),
        "BMP.bmp": lambda path: photo.save(path),
        "TIFF.tif": lambda path: photo.save(path),
        "HEIC.heic": lambda path: heic(photo, path),
    }
    made = {}
    for name, save in write.items():
        path = folder / name
        try:
            save(path)
        except (OSError, ImportError, KeyError) as error:  # this Pillow cannot write it
            print(f"not made: {name} ({error})")
            continue
        made[path.stem] = path
    return made


def animated(photo: Image.Image, path: Path) -> None:
    """Two pictures, of which the first counts."""
    photo.quantize(128).save(path, save_all=True, append_images=[photo.rotate(180)])


def png(values: np.ndarray, depth: int, colour: int, gamma: int | None = None) -> bytes:
    """Of samples as stored, big-endian; Pillow writes no 16-bit colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = values.astype(">u2" if depth == 16 else np.uint8)
    header = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], depth, colour, 0, 0, 0)
    middle = chunk(b"gAMA", struct.pack(">I", gamma)) if gamma else b""
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows), 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + middle + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def with_gain_map(photo: Image.Image, folder: Path) -> bytes:
    """A JPEG as phones write them for bright screens: the picture, and behind it how much brighter to show it."""
    path = folder / "gain_map.mpo"
    photo.save(path, "MPO", save_all=True, append_images=[photo.convert("L").resize((480, 270))], quality=90)
    names = 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"'  # by which decoders know it; nothing is fetched
    packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><hdrgm {names} hdrgm:Version="1.0"/></x:xmpmeta>'
    body = b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()
    data = path.read_bytes()
    path.unlink()
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def heic(photo: Image.Image, path: Path) -> None:
    """By pillow-heif, where it is installed."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    photo.save(path, quality=85)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exported", type=Path)
    parser.add_argument("--file", help="of the export; default: the first that a page runs")
    given = parser.parse_args()
    (one, *_) = [
        found
        for found in exported_in([given.exported])
        if found.artifact.input == "views" and given.file in (None, found.artifact.file)
    ]
    scorer = open_artifact(one.path)
    rows = []
    candidate = Candidate(subject_of(one), open, files=(one.path,))
    with tempfile.TemporaryDirectory() as name, BrowserWorker(candidate, 2) as page:
        page.ready()
        page.load()
        for kind, path in pictures(Image.fromarray(bundled_photo()), Path(name)).items():
            rows.append({"kind": kind, **compared(page, scorer, path)})
            print(_line(rows[-1]), flush=True)
    print(json.dumps(rows))


def compared(page: BrowserWorker, scorer, path: Path) -> dict:
    """One file in both."""
    try:
        image = open_photo(path)
    except Refusal as refusal:
        return {"python": str(refusal).replace(f"{path}: ", "")}
    expected = scorer.score(image)
    try:
        came = page.ask_about(_VIEWS, path)
    except Failed as failed:
        return {"score": expected, "refused": str(failed)}
    made = inputs_of(image, "views", scorer.preprocess, scorer.views)
    theirs = {view: np.frombuffer(base64.b64decode(text), np.uint8) for view, text in came["views"].items()}
    steps = np.concatenate([np.abs(made[view].ravel().astype(int) - theirs[view]) for view in theirs])
    found = {"differ": float((steps > 0).mean()), "levels": int(steps.max()), "notes": came["notes"]}
    return {"score": expected, "moved": came["score"] - expected, **found}


def _line(row: dict) -> str:
    if "moved" not in row:
        return f"| {row['kind']} | refused: {row.get('refused') or row['python']} | |"
    same = "every byte" if not row["levels"] else f"{100 * row['differ']:.1f} % differ, by {row['levels']} at most"
    return f"| {row['kind']} | {same} | {row['moved']:+.1e} |"


if __name__ == "__main__":
    main()
