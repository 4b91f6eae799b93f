"""Write what the Swift tests are held against, made by the Python side itself; afterwards, check what they wrote.

    python ios_demo/Tests/make_vectors.py FOLDER           before `swift test`, which reads LARIQA_VECTORS=FOLDER
    python ios_demo/Tests/make_vectors.py --check FOLDER   after it: the benchmark rows read back as rows

    export/         a real export of a tiny model: lariqa.json, golden.png, an .mlpackage for views and one for pixels
    photos/         the photos both were proved on, as PPM; some of extreme sizes; the golden tile
    scores.json     input -> PyTorch's score of each photo, and sha256 of what goes into each input
    audition.json   the generated pictures' sha256 at two sizes; those of the export as inputs, with PyTorch's scores;
                    decodes of golden.jpg and golden.heic, right and wrong: how far off, and their scores
    burst.json      tests/golden/burst.json as it is
    views.json      tests/golden/views.json as it is
    resize.json     Pillow's resize and `fit_to`: sizes, pixels in and out
    pack.json       the golden pack of tests/golden: decoded pixels, the views' sha256
    full_size.json  the golden photo at 4032x3024, and fitted to 3840x2160: sha256
    turns.json      a stored picture and its upright forms; premultiplied pixels and Pillow's composite
    hashes.json     sha256 of files and of a folder
    quantiles.json  numpy's percentiles
    sentences.json  bad inputs, and the sentence that Python refuses each with

Pixels are base64 of RGB, row by row.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

HOUSE = Path(__file__).parents[2]
sys.path.insert(0, str(HOUSE))

from benchmarks.measure.measurement import read_rows  # noqa: E402
from export.pipeline import export_proved  # noqa: E402
from export.proof.proof_photos import proof_photos, proof_photos_of_any_size  # noqa: E402
from export.rewrite.export_ready import ExportRequest  # noqa: E402
from lariqa.digest import sha256_of  # noqa: E402
from lariqa.errors import Refusal  # noqa: E402
from lariqa.manifest.manifest import parse_manifest  # noqa: E402
from lariqa.manifest.preprocess_spec import PreprocessSpec  # noqa: E402
from lariqa.photos import audition, golden, photo  # noqa: E402
from lariqa.photos.decoded import UPRIGHT  # noqa: E402
from lariqa.photos.views import authentic_pixels, inputs_of, synthetic_pixels  # noqa: E402
from lariqa.runtimes.scorer import Scorer, fit_to  # noqa: E402
from lariqa_train.model.reference import reference_scorer  # noqa: E402
from tests.support.tiny_model import HEIGHT, WIDTH, make_tiny_model  # noqa: E402


def encoded(pixels: np.ndarray) -> dict:
    """Size and pixels."""
    return {
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "pixels": base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode(),
    }


EXTREME = ("32x700", "700x32", "129x127", "32x32")  # width x height, in px


def tiny_export(folder: Path) -> tuple[dict, dict]:
    """A real model, a fiftieth of the size: calibrated, so that its scores differ; exported for both inputs, proved.

    Returns:
        scores.json, audition.json.
    """
    model = make_tiny_model(mirrored_golden=False)
    for request in (ExportRequest(), ExportRequest("pixels", HEIGHT, WIDTH)):
        (proved,) = export_proved(model, request, ["coreml"], folder / "export")
        scores = [row["reference"] for row in proved.artifact.parity["photos"]]
        assert proved.parity.passed and min(np.diff(sorted(scores))) > 1e-4 and np.ptp(scores) > 0.04, scores
    any_size = proof_photos_of_any_size(model.config.preprocess.synthetic_crop_px)
    one_size = proof_photos(HEIGHT, WIDTH)
    photos = {"views": {_with_size(*named): named[1] for named in any_size.items()}, "pixels": one_size}
    for size in EXTREME:
        width, height = map(int, size.split("x"))
        photos["views"][size] = golden.golden_photo(height, width)
    (folder / "photos").mkdir()
    decodes = {file.stem: decodes_of(photo.open_photo(file)) for file in (audition.JPEG_PIXELS, audition.HEIC_PIXELS)}
    decoded = {"tile": photo.open_photo(golden.TILE)}
    decoded |= {f"{name}{off}": image for name, images in decodes.items() for off, image in images.items()}
    for name, image in {**photos["views"], **photos["pixels"], **decoded}.items():
        Image.fromarray(image).save(folder / "photos" / f"{name.removesuffix('.png')}.ppm")
    reference = reference_scorer(model)

    def row(takes: str, name: str, image: np.ndarray) -> dict:
        made = inputs_of(image, takes, model.config.preprocess, model.config.branches)
        hashes = {key: hashlib.sha256(pixels.tobytes()).hexdigest() for key, pixels in made.items()}
        size = {"width": image.shape[1], "height": image.shape[0]}
        return {"photo": name, **size, "reference": reference.score(image), "inputs": hashes}

    scores = {takes: [row(takes, name, image) for name, image in named.items()] for takes, named in photos.items()}
    height, width = proved_size(folder)
    pictures = dict(audition.audition_pictures(height, width))
    judged = [row("views", name, image) for name, image in pictures.items()]
    references = [one["reference"] for one in judged]
    assert len(set(references)) == len(references) and np.ptp(references) > 0.02, references
    shown = {"golden_jpg": (height, width), "golden_heic": golden_size(folder)}
    wrong = [
        decode(f"{name}{off}", image, images[""], row, shown[name])
        for name, images in decodes.items()
        for off, image in images.items()
    ]
    return scores, {"pictures": picture_hashes(), "judged": judged, "decodes": wrong}


def proved_size(folder: Path) -> tuple[int, int]:
    """Height and width of the audition's pictures in the export."""
    rows = json.loads((folder / "export/lariqa.json").read_text())["artifacts"]
    (sizes,) = [{(one["height_px"], one["width_px"]) for one in row["audition"]} for row in rows if row["audition"]]
    assert len(sizes) == 1, sizes
    return sizes.pop()


def golden_size(folder: Path) -> tuple[int, int]:
    """Height and width of the golden photo that the export's views file was proved on."""
    rows = json.loads((folder / "export/lariqa.json").read_text())["artifacts"]
    (photos,) = [row["parity"]["photos"] for row in rows if row["input"] == "views"]
    (one,) = [one for one in photos if one["photo"] == golden.FILE_NAME]
    return one["height_px"], one["width_px"]


def picture_hashes() -> list[dict]:
    """Of the generated pictures, at the usual size and at an odd one."""
    return [
        {"picture": name, "width": width, "height": height, "sha256": hashlib.sha256(image.tobytes()).hexdigest()}
        for height, width in (audition.SIZE_PX, (151, 203))
        for name, image in audition.audition_pictures(height, width)
        if name != audition.JPEG.name
    ]


def decodes_of(right: np.ndarray) -> dict[str, np.ndarray]:
    """What is added to the name -> pixels: right, and by two decoders that are off."""
    return {"": right, " one off": slightly_off(right), " off": badly_off(right)}


def slightly_off(pixels: np.ndarray) -> np.ndarray:
    """As by a decoder that rounds one value otherwise."""
    off = pixels.copy()
    off[1, 2, 0] += 1 if off[1, 2, 0] < 255 else -1
    return off


def badly_off(pixels: np.ndarray) -> np.ndarray:
    """As by a decoder that takes each colour from the pixel beside it, by up to 12 levels."""
    beside = np.roll(pixels.astype(int), 1, axis=1) - pixels
    return np.clip(pixels + np.clip(beside, -12, 12), 0, 255).astype(np.uint8)


def decode(name: str, image: np.ndarray, right: np.ndarray, row: Callable[..., dict], size: tuple[int, int]) -> dict:
    """One decode of a golden file: its levels against the right one, and its score as the decoder check shows it."""
    differences = np.abs(image.astype(int) - right)
    levels = {
        "worst": int(differences.max()),
        "mean": float(differences.mean()),
        "share": float((differences > 0).mean()),
    }
    return row("views", name, golden.mirrored(image, *size)) | levels


def _with_size(name: str, image: np.ndarray) -> str:
    """Those of the first size are named as in the proof for one size; here both lie in one folder."""
    size = f"{image.shape[1]}x{image.shape[0]} "
    return name if name.startswith(size) or name == golden.FILE_NAME else size + name


def resizes() -> list[dict]:
    """Random pictures, where every rounding shows, up and down, odd and even, to sizes that cover and to any."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(40):
        (height, width), (to_height, to_width) = rng.integers(32, 150, 2), rng.integers(32, 150, 2)
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        if number % 2:
            made = fit_to(image, int(to_height), int(to_width))
        else:
            made = authentic_pixels(image, PreprocessSpec(authentic_side_px=int(to_width)))
        rows.append({"kind": "fit" if number % 2 else "square", "from": encoded(image), "to": encoded(made)})
    return rows


def pack() -> list[dict]:
    """The golden pack, its PNGs decoded."""
    spec, rows = PreprocessSpec(), []
    for row in json.loads((HOUSE / "tests/golden/golden.json").read_text())["photos"]:
        image = photo.open_photo(HOUSE / "tests/golden" / row["file"])
        assert hashlib.sha256(authentic_pixels(image, spec).tobytes()).hexdigest() == row["authentic"]["sha256"]
        assert hashlib.sha256(synthetic_pixels(image, spec).tobytes()).hexdigest() == row["synthetic"]["sha256"]
        hashes = {stage: row[stage]["sha256"] for stage in ("decoded", "authentic", "synthetic")}
        rows.append({"from": encoded(image), **hashes})
    return rows


def full_size() -> dict:
    """The golden photo at a phone's size, and what fitting it to another leaves: their sha256."""
    phone = golden.golden_photo(3024, 4032)
    fitted = fit_to(phone, 2160, 3840)
    return {name: hashlib.sha256(image.tobytes()).hexdigest() for name, image in (("phone", phone), ("fitted", fitted))}


def turns() -> dict:
    """A picture as it lies in a file with each EXIF orientation, and transparency over white."""
    rng = np.random.default_rng(2)
    stored = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    upright = {1: Image.fromarray(stored)}
    upright |= {tag: Image.fromarray(stored).transpose(turn) for tag, turn in UPRIGHT.items()}
    straight = rng.integers(0, 256, (16, 16, 4), dtype=np.uint8)
    premultiplied = straight.copy()
    premultiplied[..., :3] = np.rint(straight[..., :3] * (straight[..., 3:] / 255.0))
    white = Image.new("RGBA", (16, 16), (255, 255, 255))
    over = np.asarray(Image.alpha_composite(white, Image.fromarray(straight, "RGBA")).convert("RGB"))
    return {
        "stored": encoded(stored),
        "upright": {str(tag): encoded(np.asarray(image)) for tag, image in upright.items()},
        "premultiplied_rgba": base64.b64encode(premultiplied.tobytes()).decode(),
        "over_white": encoded(over),
    }


def hashes(folder: Path) -> dict:
    """Sizes around SHA-256's block, and a folder whose order by code points is not that of an alphabet."""
    rng, files = np.random.default_rng(3), {}
    (folder / "hashed" / "b").mkdir(parents=True)
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, (1 << 20) + 3):
        (folder / f"{size}.bin").write_bytes(rng.bytes(size))
        files[f"{size}.bin"] = sha256_of(folder / f"{size}.bin")
    for name in ("b/é", "b.txt", "B", "a~", "Z", "b/z"):
        (folder / "hashed" / name).write_bytes(rng.bytes(70))
    for name in (".DS_Store", "b/._c", "b/Thumbs.db"):  # what file managers leave is no part of it
        (folder / "hashed" / name).write_bytes(b"litter")
    return {"files": files, "folder": sha256_of(folder / "hashed")}


def quantiles() -> list[dict]:
    """Samples and what numpy says of them."""
    rng, rows = np.random.default_rng(4), []
    for count in (1, 2, 7, 30, 101):
        samples = rng.gamma(2, 50, count)
        rows.append(
            {
                "samples": samples.tolist(),
                "percentiles": np.percentile(samples, [0, 50, 90, 95, 99, 100]).tolist(),
                "mean": float(samples.mean()),
                "sd": float(samples.std(ddof=1)) if count > 1 else 0.0,
            }
        )
    return rows


def refused(call: Callable[[], object]) -> str:
    """The sentence of the refusal that the call must end in."""
    try:
        call()
    except Refusal as refusal:
        return str(refusal)
    raise AssertionError("not refused")


def sentences(folder: Path) -> dict:
    """Manifests and photos that must be refused, each with Python's own words."""
    good = json.loads((folder / "export" / "lariqa.json").read_text())

    def changed(*path: str | int, to: object = None) -> str:
        data = copy.deepcopy(good)
        place = data
        for key in path[:-1]:
            place = place[key]
        if to is None:
            del place[path[-1]]
        else:
            place[path[-1]] = to
        return json.dumps(data)

    manifests = {
        "another schema": changed("schema", to="lariqa-manifest/3"),
        "a schema that is a number": changed("schema", to=1),
        "no schema": changed("schema"),
        "a list": "[]",
        "no artifacts": changed("artifacts"),
        "no tolerances": changed("tolerances"),
        "no checkpoint": changed("checkpoint_sha256"),
        "another resize": changed("model", "preprocess", "resize", to="nearest"),
        "a new key of preprocessing": changed("model", "preprocess", "gamma", to=2.2),
        "no crop": changed("model", "preprocess", "synthetic_crop_px"),
        "a crop too small": changed("model", "preprocess", "synthetic_crop_px", to=31),
        "another view": changed("model", "preprocess", "synthetic_view", to="tiles"),
        "a file elsewhere": changed("artifacts", 0, "file", to="../lariqa.mlpackage"),
        "another size than the input": changed("artifacts", 0, "photo_width_px", to=201),
        "an unknown input": changed("artifacts", 0, "input", to="latents"),
        "an unknown view": changed("artifacts", 1, "inputs", 0, "name", to="left"),
        "no views": changed("artifacts", 1, "inputs", to=[]),
        "half a size": changed("artifacts", 1, "photo_width_px", to=200),
    }
    scorer = Scorer(None, PreprocessSpec(), ("authentic", "synthetic"), "pixels", (HEIGHT, WIDTH))
    files = {"empty.jpg": b"", "text.jpg": b"it's not a photo \\ \"\n"}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    photos = {
        name: refused(lambda name=name: photo.open_photo(folder / name)).replace(f"{folder}/", "") for name in files
    }
    return {
        "manifests": {
            name: {"json": text, "sentence": refused(lambda text=text: parse_manifest(text, "lariqa.json"))}
            for name, text in manifests.items()
        },
        "photos": {
            name: {"base64": base64.b64encode(data).decode(), "sentence": photos[name]} for name, data in files.items()
        },
        "does not fit": refused(lambda: scorer.inputs(np.zeros((100, 120, 3), np.uint8))),
        "too small": refused(lambda: scorer.inputs(np.zeros((31, 200, 3), np.uint8), fit=True)),
        "too large": str(photo._too_large(Path("big.jpg"), "20000x10001 (200.0 megapixels)")),
        "kinds": photo.KINDS,
    }


def make(folder: Path) -> None:
    """Write everything, into an empty folder."""
    folder.mkdir(parents=True)
    scores, auditioned = tiny_export(folder)
    for name, data in {
        "scores": scores,
        "audition": auditioned,
        "burst": json.loads((HOUSE / "tests/golden/burst.json").read_text()),
        "views": json.loads((HOUSE / "tests/golden/views.json").read_text()),
        "resize": resizes(),
        "pack": pack(),
        "full_size": full_size(),
        "turns": turns(),
        "hashes": hashes(folder),
        "quantiles": quantiles(),
        "sentences": sentences(folder),
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(data))


def check(folder: Path) -> None:
    """The rows that the Swift tests wrote are rows, with the figures that the fake runtime had."""
    rows = read_rows((folder / "rows.jsonl").read_text(), "the rows of the Swift tests")
    good = [row for row in rows if row.error is None and row.latency and len(row.latency.inference_ms) >= 20]
    assert good and any(row.error for row in rows) and any(row.mode == "sustained" for row in rows), rows
    for row in good:
        assert row.subject.file.endswith(".mlpackage") and row.subject.memory, row
        assert row.subject.input in ("views", "pixels") and row.memory.input_mib > 0, row
        assert row.machine.kind == "phone", row
        assert all(ms > 0 for ms in row.latency.total_ms) and row.memory.peak_mib > row.memory.baseline_mib, row
        assert row.scores and all(abs(score.score - score.reference) < 1e-9 for score in row.scores), row
    assert {row.subject.input for row in good} == {"views", "pixels"}, good
    auditioned = [row for row in rows if any("an audition" in flag for flag in row.flags)]
    assert {row.setting.accelerator for row in auditioned} == {"cpu", "gpu", "npu", "all"}, auditioned
    assert all(len(row.scores) == 7 and len(row.latency.inference_ms) >= 3 for row in auditioned), auditioned
    assert all(row.latency.first_ms and row.memory and row.error is None for row in auditioned), auditioned
    (decoder,) = [row.decoder for row in rows if row.decoder]
    assert decoder.worst_levels == 12 and 0 < decoder.differing_share < 1, decoder
    check_example((folder / "example.txt").read_text(), json.loads((folder / "scores.json").read_text())["views"])
    print(f"{len(rows)} rows of the Swift tests read back by benchmarks.measure.measurement")


def check_example(said: str, rows: list[dict]) -> None:
    """The README's lines, run: one unit refused for its offset, the right scores, the right one kept."""
    expected = {row["photo"]: row["reference"] for row in rows}
    lines = said.splitlines()
    assert lines[0].startswith("Self-test passed: the golden photo scores "), said
    assert [line.split(": ")[1].split(",")[0] for line in lines[1:5]] == [
        "admitted",
        "admitted",
        "refused",
        "admitted",
    ], said
    assert lines[3].startswith("CPU and Neural Engine: refused, off by 0.020 on "), said
    scored = {line.rsplit(".ppm ", 1)[0]: float(line.rsplit(".ppm ", 1)[1]) for line in lines[5:8]}
    assert len(scored) == 3 and all(abs(score - expected[name]) < 0.006 for name, score in scored.items()), said
    kept = max(scored, key=lambda name: expected[name])
    assert lines[8].startswith(f"Keep {kept}.ppm: it leads ") and len(lines) == 9, said


if __name__ == "__main__":
    check(Path(sys.argv[2])) if sys.argv[1] == "--check" else make(Path(sys.argv[1]))
