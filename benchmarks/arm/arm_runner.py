"""Runs on the emulated ARM processor: model file + inputs -> scores. Knows numpy and one runtime, nothing of ours.

    arm_runner.py MODEL INPUTS THREADS RUNTIME    prints {"machine", "runtime", "scores": {photo: score}} on one line

RUNTIME is the module that runs the model. INPUTS is a folder: PHOTO/NAME.npy for each photo and input. Started by
``arm_arithmetic``.
"""

import importlib.metadata
import json
import platform
import sys
from pathlib import Path

import numpy as np


def onnx_scorer(model: str, threads: int):
    """(name and version, function from inputs to a score)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.enable_mem_pattern = False
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return f"ONNX Runtime {onnxruntime.__version__}", lambda inputs: session.run(["score"], inputs)[0].item()


def tflite_scorer(model: str, threads: int):
    """(name and version, function from inputs to a score)."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=model, num_threads=threads)
    interpreter.allocate_tensors()
    places = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}
    output = interpreter.get_output_details()[0]["index"]

    def score(inputs: dict) -> float:
        for name, value in inputs.items():
            interpreter.set_tensor(places[name], value)
        interpreter.invoke()
        return interpreter.get_tensor(output).item()

    return f"LiteRT {importlib.metadata.version('ai-edge-litert')}", score


SCORERS = {"onnxruntime": onnx_scorer, "ai_edge_litert.interpreter": tflite_scorer}


def main() -> None:
    """One model, all photos, in one process; a line on stderr after each photo."""
    model, folder, threads, module = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    runtime, score = SCORERS[module](model, threads)
    scores = {}
    for photo in sorted(folder.iterdir()):
        scores[photo.name] = float(score({file.stem: np.load(file) for file in photo.iterdir()}))
        print(photo.name, file=sys.stderr, flush=True)
    print(json.dumps({"machine": platform.machine(), "runtime": runtime, "scores": scores}))


if __name__ == "__main__":
    main()
