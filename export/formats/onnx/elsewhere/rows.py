"""The runtimes that ONNX files are tried in, their exact packages, and what each must be asked for."""

from __future__ import annotations

from pathlib import Path

from export.formats.other_runtime import OtherRuntime, OtherRuntimes, Way

HERE = Path(__file__).parent
NUMPY = "numpy==2.4.6"

OTHER_RUNTIMES = OtherRuntimes(
    yardstick=OtherRuntime("onnxruntime", "ONNX Runtime", HERE / "run_onnxruntime.py"),
    others=(
        OtherRuntime(
            "openvino",
            "OpenVINO",
            HERE / "run_openvino.py",
            "python",
            ("openvino==2026.4.1", NUMPY),  # without openvino-telemetry, which it runs without and which reports
            (
                Way("INFERENCE_PRECISION_HINT=f32", {"INFERENCE_PRECISION_HINT": "f32"}),
                # On processors with bfloat16 instructions it computes in bfloat16 if nobody asks.
                Way("its defaults", judged=False),
            ),
        ),
        OtherRuntime("opencv", "OpenCV", HERE / "run_opencv.py", "python", ("opencv-python-headless==5.0.0.93", NUMPY)),
        OtherRuntime("mnn", "MNN", HERE / "run_mnn.py", "python", ("MNN==3.6.1", NUMPY)),
        OtherRuntime("tract", "tract", HERE / "run_tract.py", "python", ("tract==0.23.9", NUMPY)),
        OtherRuntime(
            "onnxruntime-web",
            "ONNX Runtime Web",
            HERE / "run_onnxruntime_web.cjs",
            "node",
            ("onnxruntime-web@1.30.0",),
        ),
        OtherRuntime(
            "ncnn",
            "ncnn",
            HERE / "run_ncnn.py",
            "python",
            (
                "ncnn==1.0.20261020",
                "pnnx==20261020",  # without torch, which only its Python interface needs
                "onnx==1.23.2",
                "protobuf==7.36.2",
                "ml_dtypes==0.6.0",
                "typing_extensions==4.12.2",
                NUMPY,
            ),
            (Way("opset 17, fp16 off", {"fp16": "off"}), Way("opset 17", judged=False)),
            of_all=False,  # it reads `tensors` files of `--memory naive` alone
        ),
        OtherRuntime("reference", "onnx's ReferenceEvaluator", HERE / "run_reference.py"),
    ),
)
