"""What the Kotlin tests score with: exports, photos and vectors that Python makes. Remade when the code changes.

python android_demo/make_test_exports.py [-o FOLDER]          (default: android_demo/build/test_exports)

views/      a tiny model for photos of any size, ONNX and TFLite, with its golden photo   for tests of everything
tiny/       the same model for photos of 200x150, input pixels                            for tests of what goes by size
full/       the demo's model for 3840x2160, input pixels, ONNX                            for the real photo's score
tensors/    the demo's model, input tensors, ONNX                                         for tests/golden's scores
photos/     the tiny model's photos, and the bundled one as PNG, so that every decoder gives the same bytes
mixed/      photos of many sizes; scores.json says what PyTorch gives them
assets/     what an app carries, put there by `lariqa bundle`: lariqa/ the tiny export, exported/ the one for any size
decoding/   pictures of many kinds; expected.json says what Python decodes them to: size, sha256 of the RGB bytes
vectors.json    resampled photos, generated pictures, transparency and sentences, as the Python side has them
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import ExifTags, Image

from export.app_bundle import bundle
from export.pipeline import export_proved
from export.proof.proof_photos import bundled_photos
from export.rewrite.export_ready import ExportRequest
from lariqa.atomic import staging
from lariqa.errors import Refusal
from lariqa.photos.audition import GENERATOR, audition_pictures
from lariqa.photos.photo import open_photo
from lariqa.photos.views import check_image
from lariqa.runtimes.scorer import Scorer, fit_to
from lariqa_train.demo.demo_checkpoint import make_demo_checkpoint
from lariqa_train.model.model import LarIqa
from lariqa_train.model.reference import reference_scorer
from lariqa_train.pictures.damage import bundled_photo
from tests.support import tiny_model

HERE = Path(__file__).parent
PARTS = ("photos", "mixed", "decoding", "assets", "views", "tiny", "full", "tensors", "vectors.json")
SIZE = (tiny_model.HEIGHT, tiny_model.WIDTH)  # of the tiny model's photos
# (height, width) of the photo -> of the artifact: larger, smaller, portrait, odd, one side alike
FITS = [
    ((311, 287), (150, 200)), ((90, 64), (150, 200)), ((200, 150), (150, 200)), ((601, 1003), (150, 200)),
    ((150, 333), (150, 200)), ((400, 200), (150, 200)), ((33, 900), (64, 48)),
]  # fmt: skip
# width, height, damage: landscape, portrait, odd, and smaller than the tiny model's views in one direction or both
MIXED = [
    (640, 480, "original"), (480, 640, "noisy"), (385, 217, "blurred"), (211, 383, "original"), (60, 270, "noisy"),
    (300, 90, "recompressed"), (101, 97, "dark"), (32, 32, "original"), (32, 700, "blurred"),
]  # fmt: skip
AUDITIONS = [(150, 200), (131, 77)]  # (height, width): the tiny photos, and an odd one that cuts squares and tile


def decoding(folder: Path) -> None:
    """Pictures as phones and the web have them, beside what Python's decoder makes of them."""
    folder.mkdir()
    photo = Image.fromarray(bundled_photos(*SIZE)["original"])
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        photo.save(folder / f"turned_{orientation}.jpg", quality=95, exif=exif)
    photo.save(folder / "subsampled.jpg", quality=80, subsampling="4:2:0", progressive=True)
    photo.convert("L").save(folder / "grey.png")
    photo.convert("L").save(folder / "grey.jpg", quality=95)
    photo.quantize(64).save(folder / "palette.png")
    photo.save(folder / "lossless.webp", lossless=True)
    transparent = photo.convert("RGBA")
    transparent.putalpha(photo.convert("L"))
    transparent.save(folder / "transparent.png")
    opened = {path.name: open_photo(path) for path in sorted(folder.iterdir())}
    expected = {
        name: {"width": image.shape[1], "height": image.shape[0], "sha256": hashlib.sha256(image.tobytes()).hexdigest()}
        for name, image in opened.items()
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1))
    data = (folder / "turned_1.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(data[: len(data) // 2])
    (folder / "text.jpg").write_text("no photo")
    (folder / "empty.jpg").write_bytes(b"")


def mixed(folder: Path, model: LarIqa) -> None:
    """A folder as people have them, photos of all sizes, beside their scores in PyTorch."""
    folder.mkdir()
    reference, scores = reference_scorer(model), {}
    for width, height, kind in MIXED:
        name = f"{kind}_{width}x{height}.png"
        Image.fromarray(bundled_photos(height, width)[kind]).save(folder / name)
        scores[name] = reference.score(folder / name)
    (folder / "scores.json").write_text(json.dumps(scores, indent=1))


def vectors() -> dict:
    """Facts of the Python side that the Kotlin side must give back."""
    photo = bundled_photo()
    fits = []
    for (height, width), (to_height, to_width) in FITS:
        cut = np.ascontiguousarray(photo[700 : 700 + height, 1900 : 1900 + width])
        fitted = np.ascontiguousarray(fit_to(cut, to_height, to_width))
        fits.append(
            {"left": 1900, "top": 700, "width": width, "height": height, "to_width": to_width, "to_height": to_height,
             "sha256": hashlib.sha256(fitted.tobytes()).hexdigest()}
        )  # fmt: skip
    rng = np.random.default_rng(0)
    rgba = rng.integers(0, 256, (64, 64, 4), dtype=np.uint8)
    white = Image.new("RGBA", (64, 64), (255, 255, 255, 255))
    over = np.asarray(Image.alpha_composite(white, Image.fromarray(rgba)).convert("RGB"))
    pictures = [
        {"picture": name, "width": width, "height": height, "sha256": hashlib.sha256(picture.tobytes()).hexdigest()}
        for height, width in AUDITIONS
        for name, picture in audition_pictures(height, width)
    ]
    return {
        "fits": fits,
        "audition": {"generator": GENERATOR, "pictures": pictures},
        "over_white": {"rgba": rgba.reshape(-1, 4).tolist(), "rgb": over.reshape(-1, 3).tolist()},
        "sentences": {
            "DOES_NOT_FIT": refusal_of(lambda: Scorer(None, None, (), "pixels", SIZE).inputs(photo)),
            "TOO_SMALL": refusal_of(lambda: check_image(photo[:20, :40])),
        },
    }


def refusal_of(call) -> str:
    """What a call says when it refuses."""
    try:
        call()
    except Refusal as refusal:
        return str(refusal)
    raise AssertionError("it did not refuse")


def make(folder: Path) -> None:
    """Everything into ``folder``, complete or not at all."""
    torch.set_num_threads(1)
    with staging(folder) as stage:
        photos = stage / "photos"
        photos.mkdir()
        for name, image in bundled_photos(*SIZE).items():
            Image.fromarray(image).save(photos / f"{name}.png")
        Image.fromarray(bundled_photo()).save(photos / "bundled_3840x2160.png", compress_level=1)
        decoding(stage / "decoding")
        demo, tiny = make_demo_checkpoint(), tiny_model.make_tiny_model()
        mixed(stage / "mixed", tiny)
        for name, model, request, formats in (
            ("views", tiny, ExportRequest(input="views"), ("onnx", "tflite")),
            ("tiny", tiny, ExportRequest("pixels", *SIZE), ("onnx", "tflite")),
            ("full", demo, ExportRequest("pixels"), ("onnx",)),
            ("tensors", demo, ExportRequest(input="tensors"), ("onnx",)),
        ):
            for proved in export_proved(model, request, formats, stage / name, progress=print):
                assert proved.parity.passed, proved.artifact.file
        for name, place in (("tiny", "lariqa"), ("views", "exported")):
            bundle(stage / name, "android", stage / "assets" / place)
        (stage / "vectors.json").write_text(json.dumps(vectors()))
        (stage / "made_from").write_text(made_from())
        for part in (*PARTS, "made_from"):  # the stamp last
            folder.mkdir(parents=True, exist_ok=True)
            old = folder / part
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
            (stage / part).rename(old)


def made_from() -> str:
    """sha256 over the code that these files come from."""
    root, digest = HERE.parent, hashlib.sha256(Path(__file__).read_bytes())
    files = [file for floor in ("lariqa", "lariqa_train", "export") for file in (root / floor).rglob("*.py")]
    files += [Path(tiny_model.__file__)]
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("-o", "--output", type=Path, default=HERE / "build" / "test_exports")
    output = parser.parse_args().output
    stamp = output / "made_from"
    if stamp.is_file() and stamp.read_text() == made_from():
        print(f"{output} is up to date")
    else:
        make(output)
