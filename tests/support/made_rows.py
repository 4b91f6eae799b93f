"""Rows as a benchmark would write them, made up with a seed: for tests of what is derived from rows.

``python tests/made_rows.py FOLDER`` writes the report of all of them, to be looked at.
"""

import sys
from pathlib import Path

import numpy as np

from benchmarks.measure.measurement import (
    Conditions,
    Latency,
    Machine,
    MachineLimit,
    Measurement,
    Memory,
    Profile,
    Score,
    Setting,
    Subject,
    Work,
)

HOST = Machine(model="AMD EPYC 9B14", system="Linux 6.1 x86_64", cores=2, memory_mib=24_000, governor="performance")
PHONE = Machine(kind="phone", model="Pixel 8", system="Android 15", cores=9, memory_mib=7_600)
EMULATED = Machine(kind="emulated", model="Neoverse N1 (qemu 7.2)", system="Linux 6.1 aarch64", cores=2)
LIMIT = MachineLimit(matmul_gmacs_per_s=104.2, convolution_gmacs_per_s=97.6, copy_gb_per_s=11.3)
RUNTIMES = {
    "onnx": "ONNX Runtime 1.32.0",
    "tflite": "LiteRT 2.3.0",
    "coreml": "MIL reference evaluator",
    "torch": "PyTorch 2.14.1",
}
GMACS = {"crop": 7.66, "full": 35.92, "": 5.4}
OPERATORS = {"Conv": 124, "Mul": 61, "HardSigmoid": 42, "Relu": 40, "ReduceMean": 22, "Gemm": 9, "Add": 26, "Concat": 3}
STAGES = {"conv_stem": 0.06, "blocks.0": 0.05, "blocks.1": 0.2, "blocks.2": 0.18, "blocks.3": 0.19, "blocks.4": 0.16,
          "blocks.5": 0.1, "blocks.6": 0.04, "conv_head": 0.015, "reducer": 0.005}  # fmt: skip
PHOTOS = [f"photo_{number:02}.jpg" for number in range(24)]


def made_row(
    name: str,
    median_ms: float | None = 500.0,
    *,
    seed: int = 1,
    runs: int = 30,
    noise: float = 0.04,
    format: str = "onnx",
    view: str = "crop",
    error: float = 4e-7,
    peak_mib: float = 900.0,
    machine: Machine = HOST,
    report: str = "run-1",
    spread: float = 0.5,
    **given,
) -> Measurement:
    """A row with every part filled in; ``given`` replaces whole fields, and of ``subject`` single ones.

    Args:
        median_ms: of the inference; None: no latency at all.
        noise: relative; the machine's own drift is the same for all rows of one report.
        error: standard deviation of the score differences.
        spread: of the reference scores.
    """
    rng = np.random.default_rng([seed, len(name), sum(name.encode())])
    drift = 1 + 0.1 * np.sin(np.arange(runs) / 4)  # the machine's, so shared by all that take turns
    role = given.get("subject", {}).get("role", "artifact")
    subject = {
        "name": name,
        "file": name,
        "bytes": 81_000_000,
        "format": format,
        "input": "pixels" if role == "artifact" else "tensors",
        "synthetic_view": view,
        "photo_width_px": 3840,
        "photo_height_px": 2160,
        "trained": False,
        **given.pop("subject", {}),
    }
    latency = made_latency(rng, median_ms * drift, noise) if median_ms else None
    macs = int(GMACS[view] * 1e9)
    parts = made_parts(macs)
    reference = 0.5 + spread * np.random.default_rng(7).uniform(-0.5, 0.5, len(PHOTOS))
    fields = {
        "report": report,
        "measured_at": "2026-11-24T16:00:00+00:00",
        "measured_by": "lariqa 0.1.0",
        "machine": machine,
        "setting": Setting(runtime=RUNTIMES.get(format, format), threads=2),
        "latency": latency,
        "memory": made_memory(rng, peak_mib, runs * (median_ms or 500) / 1000),
        "conditions": Conditions(load_average=0.4, other_load_cores=0.05, frequency_mhz=[3100, 3050]),
        "scores": [
            Score(photo=photo, score=score + error * rng.standard_normal(), reference=score)
            for photo, score in zip(PHOTOS, reference, strict=True)
        ],
        "work": Work(macs=macs, parameters=20_191_280, weight_bytes=80_765_120, parts=parts, operators=OPERATORS),
        "limit": LIMIT,
        "profile": Profile(
            tool="ONNX Runtime's profiler",
            parts_ms={name: median_ms * part["macs"] / macs * rng.uniform(0.6, 1.4) for name, part in parts.items()},
        )
        if median_ms and format == "onnx"
        else Profile(tool="this runtime has no profiler here"),
        **given,
    }
    return Measurement(subject=Subject(**subject), **fields)


def made_latency(rng, medians: np.ndarray, noise: float) -> Latency:
    def jittered(values):
        return [float(value) for value in values * (1 + noise * rng.gamma(1.5, 1, len(values)) - noise)]

    inference = jittered(medians)
    decode = jittered(np.full(len(medians), 92.0))
    whole = [sum(run) for run in zip(decode, inference, strict=True)]
    return Latency(
        load_ms=float(380 * rng.uniform(0.8, 1.3)),
        load_was_cold=True,
        first_ms=1.4 * inference[0],
        decode_ms=decode,
        preprocess_ms=[0.02] * len(medians),
        inference_ms=inference,
        post_ms=[0.01] * len(medians),
        cpu_ms=[1.8 * time for time in whole],
        started_s=[float(start) for start in np.cumsum([0, *whole[:-1]]) / 1000],
    )


def made_memory(rng, peak_mib: float, seconds: float) -> Memory:
    base = 96.0
    moments = np.linspace(0, seconds, 80)
    pulse = 0.55 + 0.45 * np.abs(np.sin(np.arange(80) * 1.1)) * (np.arange(80) > 6)
    curve = np.clip(base + (peak_mib - base) * np.minimum(1, np.arange(80) / 5) * pulse, base, peak_mib)
    curve[40] = peak_mib
    return Memory(
        baseline_mib=base,
        loaded_mib=base + 150,
        peak_mib=peak_mib,
        weights_mib=77.0,
        input_mib=23.7,
        curve_s_mib=[(float(at), float(mib)) for at, mib in zip(moments, curve, strict=True)],
    )


def made_parts(macs: int) -> dict[str, dict[str, int]]:
    parts = {
        f"{branch} / {stage}": {"macs": int(macs * share * of), "weights": 540_000, "weight_bytes": 2_160_000}
        for branch, of in (("authentic", 0.08), ("synthetic", 0.92))
        for stage, share in STAGES.items()
    }
    return parts | {"head / regressor": {"macs": 9_216, "weights": 9_216, "weight_bytes": 36_864}}


def sustained(name: str, median_ms: float, seconds: float, slower: float, **given) -> Measurement:
    """Back to back for so long, becoming ``slower`` times as slow half-way: throttling."""
    runs = int(1000 * seconds / (median_ms + 92))
    row = made_row(name, median_ms, runs=runs, mode="sustained", **given)
    late = [time * (slower if run > runs / 2 else 1) for run, time in enumerate(row.latency.inference_ms)]
    latency = row.latency.model_copy(update={"inference_ms": late})
    return row.model_copy(update={"latency": latency})


def failed(name: str, why: str) -> Measurement:
    """A row of a process that died."""
    row = made_row(name, None, view="full", format="tflite", memory=None, scores=[], subject={"role": "baseline"})
    return row.model_copy(update={"error": why})


def old_row(name: str = "from an older writer") -> Measurement:
    """Only what schema 1 requires, and a few samples."""
    return Measurement(subject=Subject(name=name, format="onnx", synthetic_view="crop"), report="old",
                       latency=Latency(inference_ms=[612.0, 598.0, 640.0]))  # fmt: skip


def made_rows() -> list[Measurement]:
    """A whole report: both views, three formats, the reference, baselines, a phone, an emulator, failures, flags."""
    from benchmarks.baselines.quoted import quoted_rows

    sized = "3840x2160_fp32"
    return [
        made_row(f"lariqa_pixels_crop_{sized}.onnx", 190, peak_mib=470),
        made_row(f"lariqa_pixels_crop_{sized}.tflite", 188, format="tflite", peak_mib=520, error=9e-7),
        made_row(
            f"lariqa_pixels_crop_{sized}.mlpackage", None, format="coreml", error=2e-6, memory=None,
            flags=["the file was run by a reference evaluator, not by Core ML: its score counts, its time does not"],
        ),
        made_row(f"lariqa_pixels_full_{sized}.onnx", 760, view="full", peak_mib=612),
        made_row(f"lariqa_pixels_full_{sized}.tflite", 905, view="full", format="tflite", peak_mib=655, error=3e-6,
                 flags=["0.9 cores were taken by other programs during the measurement"]),
        made_row("lariqa_pixels_full_3840x2160_int8.onnx", 640, view="full", error=4e-3, peak_mib=480,
                 subject={"precision": "int8", "bytes": 24_000_000}),
        made_row("lariqa_pixels_full_3840x2160_fp32_wrong.onnx", 770, view="full", error=2e-3, peak_mib=610,
                 error_budget={"decode": 0.0, "resize": 0.0, "synthetic features": 3.1e-2, "score": 2.2e-2},
                 flags=["parity breaks at synthetic features: its error is 3.1e-02 of its range"]),
        made_row("PyTorch reference, crop", 690, format="torch", peak_mib=1180, subject={"role": "reference"}),
        made_row("PyTorch reference, full", 3400, view="full", format="torch", peak_mib=2950,
                 subject={"role": "reference"}),
        made_row("authors' way: PyTorch, preprocessing in Python", 3600, view="full", format="torch", peak_mib=3010,
                 subject={"role": "baseline"}),
        made_row("naive export, ONNX Runtime", 810, view="full", peak_mib=1705, subject={"role": "baseline"}),
        failed("naive export, LiteRT", "the process was killed (signal 9): most likely out of memory"),
        sustained(f"lariqa_pixels_crop_{sized}.onnx", 192, 180, 1.35, peak_mib=474,
                  flags=["throttled: the last third of the runs took 1.35 times as long as the first"]),
        made_row("phone: lariqa_pixels_crop.tflite", 61, machine=PHONE, format="tflite", report="phone-1",
                 peak_mib=410, limit=None, profile=None,
                 setting=Setting(runtime="LiteRT 2.3.0", threads=4, accelerator="gpu",
                                 placement={"gpu": 312, "cpu": 14}, fallback="14 operators ran on the CPU"),
                 conditions=Conditions(thermal_status="light", battery_percent=[81, 80], on_charger=False,
                                       temperature_c=[31, 38])),
        made_row("phone: lariqa_pixels_crop.onnx", 84, machine=PHONE, report="phone-1", peak_mib=455, limit=None,
                 profile=None, setting=Setting(runtime="ONNX Runtime 1.32.0", threads=4)),
        made_row("emulated: lariqa_tensors.onnx", 90_000, runs=3, machine=EMULATED, report="arm-1", memory=None,
                 limit=None, profile=None),
        old_row(),
        *quoted_rows("run-1"),
    ]  # fmt: skip


if __name__ == "__main__":
    from benchmarks.report.report import write_report

    print(write_report(Path(sys.argv[1]), made_rows(), command="lariqa bench run exported --baselines -o report"))
