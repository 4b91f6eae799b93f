"""MNN: converted by its module, then run by its session-free module API.

Not by its command ``mnnconvert``, which reports its arguments to a log service and installs packages for that.
"""


def open_model(model, threads, options, folder):
    """See ``export.other_runtimes.child``."""
    import os

    import _tools  # of the package MNN
    import MNN
    import numpy as np

    converted = os.path.join(folder, "converted.mnn")
    if os.path.exists(converted):
        os.remove(converted)
    words = ["mnnconvert", "-f", "ONNX", "--modelFile", model, "--MNNModel", converted, "--bizCode", "none"]
    _tools.mnnconvert(words)
    if not os.path.exists(converted):
        raise RuntimeError("mnnconvert wrote no file; its output says why")
    config = {"backend": "CPU", "numThread": threads, "precision": "high", "memory": "normal", "power": "high"}
    manager = MNN.nn.create_runtime_manager((config,))
    kinds = {np.dtype("uint8"): MNN.expr.uint8, np.dtype("float32"): MNN.expr.float}
    modules = []

    def run(inputs):
        if not modules:  # it is opened for the names of the inputs
            module = MNN.nn.load_module_from_file(
                converted, list(inputs), ["score"], runtime_manager=manager, shape_mutable=True
            )
            modules.append(module)
        layout = MNN.expr.NCHW  # its word for "as in the file"
        given = [MNN.expr.const(value, list(value.shape), layout, kinds[value.dtype]) for value in inputs.values()]
        return np.array(modules[0].onForward(given)[0].read())

    return MNN.version(), threads, run
