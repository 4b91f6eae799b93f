"""OpenCV's DNN module, its default engine."""


def open_model(model, threads, options, folder):
    """See ``export.other_runtimes.child``."""
    import cv2

    cv2.setNumThreads(threads)
    net = cv2.dnn.readNetFromONNX(model)

    def run(inputs):
        for name, value in inputs.items():
            net.setInput(value, name)
        return net.forward("score")

    return cv2.__version__, threads, run
