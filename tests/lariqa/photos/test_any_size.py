"""Views of photos of any size, made by bands, are those of Pillow and torchvision, whichever way the photo lies."""

import hashlib
import json
import threading
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.photos.decoded import UPRIGHT, DecodedPhoto
from lariqa.photos.golden import golden_photo
from lariqa.photos.photo import decode, open_photo
from lariqa.photos.views import PIXELS_OF, inputs_of
from lariqa.runtimes.scorer import Scorer

ROWS = json.loads((Path(__file__).parents[2] / "golden" / "views.json").read_text())["photos"]
SMALL = PreprocessSpec(authentic_side_px=48, synthetic_crop_px=96)


def sha256(pixels: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest()


def test_the_sizes_have_different_views():
    for view in PIXELS_OF:
        assert len({row[view] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['width']}x{row['height']}")
@pytest.mark.parametrize("as_image", [False, True], ids=["array", "image"])
@pytest.mark.parametrize("threads", [1, 3])
def test_views_are_those_of_the_golden_pack(row, as_image, threads):
    photo = golden_photo(row["height"], row["width"])
    assert sha256(photo) == row["photo"]
    source = DecodedPhoto(Image.fromarray(photo)) if as_image else photo
    made = inputs_of(source, "views", PreprocessSpec(), threads=threads)
    assert {view: sha256(pixels) for view, pixels in made.items()} == {view: row[view] for view in PIXELS_OF}
    assert all(pixels.flags.c_contiguous and pixels.dtype == np.uint8 for pixels in made.values())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "CMYK", "1"])
@pytest.mark.parametrize(("height", "width"), [(101, 67), (40, 300)])
def test_a_photo_read_part_by_part_is_the_photo(orientation, mode, height, width, monkeypatch):
    image = Image.fromarray(golden_photo(height, width))
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    image = image.convert(mode)
    whole = DecodedPhoto(image, orientation)
    pixels = whole.pixels()
    assert pixels.std() > 20 and pixels.shape == (whole.height, whole.width, 3)
    upright = image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image
    assert np.array_equal(pixels, DecodedPhoto(upright).pixels())
    box = 5, whole.height - 7, 9, whole.width - 2
    assert np.array_equal(whole.crop(*box), pixels[box[0] : box[1], box[2] : box[3]])
    for view, make in PIXELS_OF.items():
        assert np.array_equal(make(whole, SMALL), make(pixels, SMALL)), view
    one_band = PIXELS_OF["authentic"](whole, SMALL)
    monkeypatch.setattr("lariqa.photos.decoded.BAND_PIXELS", 2000)
    assert np.array_equal(PIXELS_OF["authentic"](whole, SMALL, threads=2), one_band)


def test_bands_are_shared_by_the_threads_of_the_scorer_and_what_fails_in_one_is_told(monkeypatch):
    """A scan gives each of its processes one thread, and then the photo must not be cut up for more."""
    seen, part = set(), DecodedPhoto.part

    def watched(self, *box):
        seen.add(threading.current_thread().name)
        time.sleep(0.01)  # so that one thread cannot have been through with all of them
        return part(self, *box)

    monkeypatch.setattr(DecodedPhoto, "part", watched)
    photo = golden_photo(1300, 1400)
    scorer = Scorer(None, PreprocessSpec(), ("authentic",), "views", None)
    made = scorer.inputs(photo)
    assert seen == {threading.current_thread().name}
    seen.clear()
    assert np.array_equal(replace(scorer, threads=3).inputs(photo)["authentic"], made["authentic"])
    assert len(seen) == 3 and threading.current_thread().name not in seen

    def third_fails(self, top, *box):
        return part(self, top, *box) if 1 / (top - 374) else None

    monkeypatch.setattr(DecodedPhoto, "part", third_fails)
    with pytest.raises(ZeroDivisionError):
        replace(scorer, threads=3).inputs(photo)


def test_a_photo_file_held_any_way_has_the_views_of_its_pixels(tmp_path):
    image = Image.fromarray(golden_photo(120, 170))
    scores = set()
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = tmp_path / f"{orientation}.png"
        image.save(path, exif=exif)
        pixels = open_photo(path)
        made = inputs_of(decode(path), "views", SMALL)
        assert all(np.array_equal(made[view][0], PIXELS_OF[view](pixels, SMALL)) for view in made)
        scores.add(sha256(made["authentic"]))
    assert len(scores) == 8


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_views_of_a_large_photo_need_no_second_copy_of_it(orientation):
    image = Image.new("RGB", (8064, 6048))  # Pillow's own memory is not seen here, NumPy's is
    photo = DecodedPhoto(image, orientation)
    tracemalloc.start()
    inputs_of(photo, "views", PreprocessSpec())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6  # the photo as an array: 146 MB
