"""ONNX Runtime on the CPU."""

LEVELS = {  # as manifests name them; this file runs where the toolkit is not
    "disabled": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}


def open_model(model, threads, options, folder):
    """See ``export.other_runtimes.child``; options: of the session, as the manifest has them."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3  # errors only
    settings.intra_op_num_threads = threads
    # Its threads wait for the next run by spinning; beside another runtime that would be at the other's cost.
    settings.add_session_config_entry("session.force_spinning_stop", "1")
    for name, value in options.items():
        if name == "graph_optimization_level":
            value = getattr(onnxruntime.GraphOptimizationLevel, LEVELS[value])
        setattr(settings, name, value)
    session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
    return onnxruntime.__version__, threads, lambda inputs: session.run(["score"], inputs)[0]
