"""tract, by its Python package; it has one thread."""


def open_model(model, threads, options, folder):
    """See ``export.other_runtimes.child``."""
    import tract

    inference = tract.onnx().load(model)
    names = [inference.input_name(number) for number in range(inference.input_count())]
    runnable = inference.into_model().into_runnable()
    return tract.version(), 1, lambda inputs: runnable.run([inputs[name] for name in names])[0].to_numpy()
