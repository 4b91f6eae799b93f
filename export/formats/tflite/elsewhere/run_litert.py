"""LiteRT on the CPU, by the Interpreter."""


def open_model(model, threads, options, folder):
    """See ``export.other_runtimes.child``; options: of the session, as the manifest has them, which are not used."""
    import importlib.metadata

    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=model, num_threads=threads)
    interpreter.allocate_tensors()
    output = interpreter.get_output_details()[0]["index"]
    index_of = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}

    def run(inputs):
        for name, value in inputs.items():
            interpreter.set_tensor(index_of[name], value)
        interpreter.invoke()
        return interpreter.get_tensor(output)

    return importlib.metadata.version("ai-edge-litert"), threads, run
