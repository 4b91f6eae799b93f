"""In the phone app's place: measures one ONNX artifact by docs/schemas/measurement.md, with ONNX Runtime.

    stand_in_app.py FOLDER FILE OUT RUNS

It shares no code with the toolkit, as the real apps do not.
"""

import hashlib
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def pixels(folder: Path, photo: str, height: int, width: int) -> np.ndarray:
    """(1, height, width, 3) uint8; the golden tile mirrored to that size."""
    image = np.asarray(Image.open(folder / photo).convert("RGB"))
    if photo == "golden.png":
        rows, columns = max(0, height - image.shape[0]), max(0, width - image.shape[1])
        image = np.pad(image, ((0, rows), (0, columns), (0, 0)), mode="symmetric")[:height, :width]
    return np.ascontiguousarray(image)[None]


def measure(folder: Path, file: str, runs: int) -> dict:
    """One row."""
    baseline = resident_mib()
    manifest = json.loads((folder / "lariqa.json").read_text())
    artifact = next(row for row in manifest["artifacts"] if row["file"] == file)
    size = artifact["photo_height_px"], artifact["photo_width_px"]
    lossy = [manifest["golden"].get(kind, {}) for kind in ("jpeg", "heic")]
    others = {one.get(name) for one in lossy for name in ("file", "pixels_file")}  # not to measure
    photos = sorted(
        path.name for path in folder.iterdir() if path.suffix in (".png", ".jpg") and path.name not in others
    )

    began = time.perf_counter()
    session = onnxruntime.InferenceSession(str(folder / file), providers=["CPUExecutionProvider"])
    loaded = time.perf_counter()
    loaded_mib = resident_mib()
    session.run(["score"], {"image": pixels(folder, photos[0], *size)})
    first = time.perf_counter()

    latency = {key: [] for key in ("decode_ms", "preprocess_ms", "inference_ms", "post_ms", "started_s")}
    scores = {}
    for run in range(runs):
        photo = photos[run % len(photos)]
        start = time.perf_counter()
        image = pixels(folder, photo, *size)
        decoded = time.perf_counter()
        scores[photo] = float(session.run(["score"], {"image": image})[0].item())
        ended = time.perf_counter()
        figures = ((decoded - start) * 1e3, 0.0, (ended - decoded) * 1e3, 0.0, start - began)
        for samples, figure in zip(latency.values(), figures, strict=True):
            samples.append(figure)
    return {
        "schema": "lariqa-measurement/2",
        "measured_by": "stand-in app",
        "subject": {"name": file, "file": file, "sha256": hashlib.sha256((folder / file).read_bytes()).hexdigest()},
        "machine": {"kind": "phone"},
        "setting": {"runtime": f"ONNX Runtime {onnxruntime.__version__}", "accelerator": "cpu"},
        "latency": {"load_ms": (loaded - began) * 1e3, "first_ms": (first - loaded) * 1e3, **latency},
        "memory": {"baseline_mib": baseline, "loaded_mib": loaded_mib, "peak_mib": max(loaded_mib, resident_mib())},
        "scores": [{"photo": photo, "score": score} for photo, score in scores.items()],
    }


def main() -> None:
    """Rows first, flushed; then ``<out>.done`` with one line."""
    folder, file, out, runs = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
    try:
        row = measure(folder, file, runs)
        with out.open("a") as rows:
            rows.write(json.dumps(row) + "\n")
        verdict = "ok"
    except Exception as failed:  # whatever it was, it is said to the computer that waits
        verdict = f"{type(failed).__name__}: {failed}"
    out.with_name(f"{out.name}.done").write_text(f"{verdict}\n")


if __name__ == "__main__":
    main()
