"""OpenVINO on the CPU."""


def open_model(model, threads, options, folder):
    """See ``export.other_runtimes.child``; options: properties of the compiled model."""
    import openvino

    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": threads, **options})
    request = compiled.create_infer_request()
    return openvino.__version__.partition("-")[0], threads, lambda inputs: request.infer(inputs)["score"]
