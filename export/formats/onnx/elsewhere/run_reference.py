"""The onnx package's own evaluator: the standard, in NumPy."""


def open_model(model, threads, options, folder):
    """See ``export.other_runtimes.child``."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(model)
    return onnx.__version__, threads, lambda inputs: evaluator.run(["score"], inputs)[0]
