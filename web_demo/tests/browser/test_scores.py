"""From the photo file to the score in Chromium: its pixels, its views and its score are those of Python and PyTorch."""

from pathlib import Path

import pytest
from PIL import ExifTags, Image

from benchmarks.browser.chromium import tab_pid
from lariqa.photos.golden import golden_photo
from tests.support.web_page import BOTH, ONNX, SIX

PHOTO = "const blob = await (await fetch(`photos/${args[0]}`)).blob(); const photo = new File([blob], args[0]);"
SUM = """
    const sum = async bytes => [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))]
        .map(byte => byte.toString(16).padStart(2, '0')).join('');"""


@pytest.fixture
def beside(exported):
    folder = exported.parent / "photos"
    return {"beside": {f"photos/{file.name}": file for file in folder.iterdir()}}


@pytest.mark.parametrize("file", BOTH)
def test_photos_of_six_sizes_and_three_formats_score_as_in_pytorch(module, beside, scores, file):
    page = module(file, **beside)
    assert page.opened["file"] == file and page.opened["threads"] == 2, page.opened
    names = [f"{size}.{suffix}" for size in SIX for suffix in ("jpg", "png", "webp")]
    references = [scores[name]["reference"] for name in names]
    assert max(references) - min(references) > 0.04 and len({round(score, 5) for score in references}) == len(names)
    came = {
        name: page.ask(f"{PHOTO} const made = await scorer.score(photo); return made.score;", name) for name in names
    }
    worst = max(abs(came[name] - scores[name]["reference"]) for name in names)
    print(f"{file}: worst of {len(names)} photos {worst:.1e}")
    assert worst <= 1e-5, came


def test_the_views_of_every_kind_of_photo_are_pythons_byte_for_byte(module, beside, scores):
    page = module(ONNX, **beside)
    assert "turned_6.webp" in scores and "transparent_noise.png" in scores and len(scores) > 40
    wrong = {}
    for name, row in scores.items():
        made = page.ask(
            f"""{PHOTO} {SUM} const views = await scorer.views(photo); const sums = {{}};
            for (const view in views) sums[view] = await sum(views[view]); return sums;""",
            name,
        )
        if made != row["views"]:
            wrong[name] = made
    assert wrong == {}


def test_pixels_and_bitmaps_score_as_their_file(module, beside, scores):
    page = module(ONNX, **beside)
    made = page.ask(
        f"""{PHOTO}
        const decoding = {{ colorSpaceConversion: 'none', premultiplyAlpha: 'none' }};
        const bitmap = await createImageBitmap(blob, decoding);
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
        const pen = canvas.getContext('2d');
        pen.drawImage(bitmap, 0, 0);
        const pixels = pen.getImageData(0, 0, bitmap.width, bitmap.height);
        const found = [await scorer.score(photo), await scorer.score(bitmap), await scorer.score(pixels)];
        return [...found.map(one => one.score), bitmap.width];""",
        "333x517.png",
    )
    assert made[0] == made[1] == made[2] and abs(made[0] - scores["333x517.png"]["reference"]) <= 1e-5
    assert made[3] == 0  # a bitmap is handed over, so that it is in memory once


def test_a_large_photo_is_scored_without_a_second_copy_of_it(module, browser, tmp_path, exported):
    """48 megapixels are 186 MiB decoded, for a moment twice, because Chromium's decoder has a copy of its own.

    The views are made of them, turned upright, in next to nothing.
    """
    large = tmp_path / "large.jpg"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # as phones store them
    Image.fromarray(golden_photo(6048, 8064)).save(large, quality=90, exif=exif)
    small = exported.parent / "photos" / "333x517.jpg"
    page = module(ONNX, beside={"photos/large.jpg": large, "photos/small.jpg": small})
    page.ask(f"{PHOTO} return (await scorer.score(photo)).score;", "small.jpg")
    status = Path(f"/proc/{tab_pid(browser)}/status")
    before = in_mib(status, "VmRSS")
    (status.parent / "clear_refs").write_text("5")  # proc(5): the peak begins anew
    assert isinstance(page.ask(f"{PHOTO} return (await scorer.score(photo)).score;", "large.jpg"), float)
    decoded, grew = 8064 * 6048 * 4 / 2**20, in_mib(status, "VmHWM") - before
    print(f"peak above a small photo's: {grew:.0f} MiB; the photo: {decoded:.0f} MiB")
    assert decoded < grew < 2.3 * decoded  # a copy for the views would make it three


def in_mib(status: Path, name: str) -> float:
    return int(status.read_text().split(f"{name}:")[1].split()[0]) / 1024


def test_one_thread_where_it_is_asked_for(module, beside, scores):
    page = module(ONNX, threads=1, **beside)
    made = page.ask(f"{PHOTO} return (await scorer.score(photo)).score;", "101x97.png")
    assert page.opened["threads"] == 1 and abs(made - scores["101x97.png"]["reference"]) <= 1e-5
