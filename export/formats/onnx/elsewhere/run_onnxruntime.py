"""ONNX Runtime on the CPU."""


def open_model(model, threads, options, folder):
    """See ``export.other_runtimes.child``; options: of the session, as the manifest has them."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3  # errors only
    settings.intra_op_num_threads = threads
    # Its threads wait for the next run by spinning; beside another runtime that would be at the other's cost.
    settings.add_session_config_entry("session.force_spinning_stop", "1")
    for name, value in options.items():
        setattr(settings, name, value)
    session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
    return onnxruntime.__version__, threads, lambda inputs: session.run(["score"], inputs)[0]
