"""Write what the tests of the browser app are held against, made by the Python side itself.

    python web_demo/tests/make_vectors.py FOLDER       remade when the code that it comes from has changed

    export/         a real export of a tiny model: lariqa.json, golden.png, .onnx and .tflite for views, proved
    photos/         one photo in six sizes, each as JPEG, PNG and WebP, and pictures of many kinds
    scores.json     photo -> PyTorch's score of it, and sha256 of its pixels and of both views
    bad/            files that must be refused; bad.json says in which words
    views.json      tests/golden/views.json as it is
    resize.json, pack.json, quantiles.json, sentences.json    as in ios_demo/Tests/make_vectors.py

Pixels are base64 of RGB, row by row.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

HOUSE = Path(__file__).parents[2]
sys.path.insert(0, str(HOUSE))

from export.pipeline import export_proved  # noqa: E402
from export.rewrite.export_ready import ExportRequest  # noqa: E402
from lariqa.atomic import staging  # noqa: E402
from lariqa.errors import Refusal  # noqa: E402
from lariqa.manifest.preprocess_spec import PreprocessSpec  # noqa: E402
from lariqa.photos import golden, photo  # noqa: E402
from lariqa.photos.photo import open_photo  # noqa: E402
from lariqa.photos.views import inputs_of  # noqa: E402
from lariqa_train.model.reference import reference_scorer  # noqa: E402
from lariqa_train.pictures.damage import bundled_photo  # noqa: E402
from tests.support.tiny_model import make_tiny_model  # noqa: E402

SIX = ((1920, 1080), (1080, 1920), (641, 427), (333, 517), (101, 97), (96, 700))  # width, height
PARTS = ("export", "photos", "bad")


def sibling(path: str):
    """The script that makes the vectors of another app."""
    spec = importlib.util.spec_from_file_location(path.partition("/")[0], HOUSE / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sha256(pixels: np.ndarray) -> str:
    """Of the bytes, row by row."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def photos(folder: Path) -> None:
    """Files as people have them: a photo of six sizes, damaged more or less, in three formats; and many kinds."""
    folder.mkdir()
    whole = Image.fromarray(bundled_photo())
    for number, (width, height) in enumerate(SIX):
        left, top = 300 + 190 * number, 60 + 35 * number
        cut = whole.crop((left, top, min(left + 2 * width, whole.width), min(top + 2 * height, whole.height)))
        image = cut.resize((width, height), Image.Resampling.LANCZOS)
        image.save(folder / f"{width}x{height}.jpg", quality=95 - 12 * number, subsampling=number % 3)
        image.save(folder / f"{width}x{height}.png")
        image.save(folder / f"{width}x{height}.webp", quality=90 - 10 * number)
    small = whole.crop((1800, 700, 2500, 1150)).resize((350, 225))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        small.save(folder / f"turned_{orientation}.jpg", quality=95, exif=exif)
        small.save(folder / f"turned_{orientation}.webp", quality=90, exif=exif)
    small.save(folder / "progressive.jpg", quality=80, subsampling="4:2:0", progressive=True)
    small.convert("CMYK").save(folder / "cmyk.jpg", quality=92)
    small.convert("L").save(folder / "grey.jpg", quality=92)
    small.convert("L").save(folder / "grey.png")
    small.quantize(64).save(folder / "palette.png")
    small.save(folder / "lossless.webp", lossless=True)
    small.save(folder / "photo.avif", quality=80)
    small.save(folder / "photo.bmp")
    small.quantize(128).save(folder / "photo.gif")
    transparent = small.convert("RGBA")
    transparent.putalpha(small.convert("L"))
    transparent.save(folder / "transparent.png")
    transparent.save(folder / "transparent.webp", lossless=True)
    noise = np.random.default_rng(5).integers(0, 256, (120, 160, 4), dtype=np.uint8)
    Image.fromarray(noise, "RGBA").save(folder / "transparent_noise.png")
    deep = np.asarray(small.convert("L")).astype(np.uint16) * 257 + np.arange(350, dtype=np.uint16) % 200
    Image.fromarray(deep).save(folder / "grey_16_bits.png")
    Image.fromarray(deep).save(folder / "grey_16_bits_transparent.png", transparency=int(deep[100, 100]))


def bad(folder: Path, photo_folder: Path) -> dict[str, str]:
    """Files that must be refused -> the sentence; where the browser has words of its own in it, what stands around."""
    folder.mkdir()
    for name in ("1920x1080.jpg", "641x427.png", "641x427.webp", "photo.avif", "photo.gif"):
        data = (photo_folder / name).read_bytes()
        (folder / f"truncated_{name}").write_bytes(data[: len(data) // 2])
    (folder / "text.jpg").write_bytes(b"it's not a photo \\ \"\n")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "huge.png").write_bytes(png_header(20_000, 10_050))
    jpeg = bytearray((photo_folder / "101x97.jpg").read_bytes())
    frame = max(jpeg.find(bytes((0xFF, marker))) for marker in (0xC0, 0xC2))
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 14_000, 14_358)
    (folder / "huge.jpg").write_bytes(jpeg)
    Image.new("RGB", (31, 200)).save(folder / "small.png")
    Image.new("RGB", (64, 64)).save(folder / "photo.tif")
    (folder / "photo.heic").write_bytes(struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + b"\0" * 99)
    sentences = {}
    for file in sorted(folder.iterdir()):
        try:
            pixels = open_photo(file)
            inputs_of(pixels, "views", PreprocessSpec())
        except Refusal as refusal:
            sentences[file.name] = str(refusal).replace(f"{folder}/", "")
    cut = "expected a whole photo, came a damaged or truncated one ("
    for name, sentence in sentences.items():
        if name.startswith("truncated_"):
            assert cut in sentence or "too damaged to tell" in sentence, sentence
            sentences[name] = f"{name}: {cut}"
    for name, kind in (("photo.heic", "a HEIC"), ("photo.tif", "a TIFF")):
        sentences[name] = f"{name}: expected a photo that this browser decodes, came {kind}; export the photo as JPEG"
    assert len(sentences) == len(list(folder.iterdir())), sentences
    return sentences


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims this size, with a few bytes of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))


def scores(model, folder: Path) -> dict:
    """What Python makes of each photo."""
    spec, reference, rows = model.config.preprocess, reference_scorer(model), {}
    for file in sorted(folder.iterdir()):
        pixels = open_photo(file)
        made = inputs_of(pixels, "views", spec, model.config.branches)
        rows[file.name] = {
            "reference": reference.score(pixels),
            "width": pixels.shape[1],
            "height": pixels.shape[0],
            "pixels": sha256(pixels),
            "views": {name: sha256(view) for name, view in made.items()},
        }
    six = [rows[f"{w}x{h}.{suffix}"]["reference"] for w, h in SIX for suffix in ("jpg", "png", "webp")]
    assert min(np.diff(sorted(six))) > 1e-5 and np.ptp(six) > 0.04, sorted(six)  # else a comparison could not fail
    return rows


def sentences(folder: Path, ios) -> dict:
    """Those of the sibling, whose manifest has a row for photos of one size before that for any."""
    data = json.loads((folder / "export" / "lariqa.json").read_text())
    views = next(row for row in data["artifacts"] if row["file"].endswith(".onnx"))
    pixels = {**views, "file": "pixels.onnx", "input": "pixels", "photo_width_px": 200, "photo_height_px": 150}
    pixels["inputs"] = [{"name": "image", "dtype": "uint8", "layout": "NHWC", "shape": [1, 150, 200, 3]}]
    with staging(folder / "of_both") as stage:
        (stage / "export").mkdir()
        (stage / "export" / "lariqa.json").write_text(json.dumps({**data, "artifacts": [pixels, views]}))
        return ios.sentences(stage)


def tiny_export(model, folder: Path) -> None:
    """The tiny model for photos of any size; the Kotlin tests' own where they have made it from the same code."""
    android = sibling("android_demo/make_test_exports.py")
    made = android.HERE / "build" / "test_exports"
    if (made / "made_from").is_file() and (made / "made_from").read_text() == android.made_from():
        shutil.copytree(made / "views", folder)
        return
    for proved in export_proved(model, ExportRequest(input="views"), ("onnx", "tflite"), folder):
        assert proved.parity.passed and proved.parity.spread > 0.01, proved.artifact.file


def make(folder: Path) -> None:
    """Write everything, into a folder that is new."""
    ios, model = sibling("ios_demo/Tests/make_vectors.py"), make_tiny_model()
    tiny_export(model, folder / "export")
    photos(folder / "photos")
    for name, data in {
        "scores": scores(model, folder / "photos"),
        "bad": bad(folder / "bad", folder / "photos"),
        "views": json.loads((HOUSE / "tests/golden/views.json").read_text()),
        "resize": ios.resizes(),
        "pack": ios.pack(),
        "quantiles": ios.quantiles(),
        "sentences": sentences(folder, ios),
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(data))
    shutil.copy(golden.TILE, folder / "tile.png")
    tile = photo.open_photo(golden.TILE)
    (folder / "tile.rgb").write_bytes(tile.tobytes())
    (folder / "tile.json").write_text(json.dumps({"width": tile.shape[1], "height": tile.shape[0]}))


def made_from() -> str:
    """sha256 over the code that these files come from."""
    digest = hashlib.sha256()
    files = [file for floor in ("lariqa", "lariqa_train", "export") for file in (HOUSE / floor).rglob("*.py")]
    files += [Path(__file__), HOUSE / "ios_demo/Tests/make_vectors.py", HOUSE / "tests/support/tiny_model.py"]
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    output = Path(sys.argv[1])
    if (output / "made_from").is_file() and (output / "made_from").read_text() == made_from():
        print(f"{output} is up to date")
    else:
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
        make(output)
        (output / "made_from").write_text(made_from())
