"""ncnn, by its converter pnnx: `tensors` files of `--memory naive`, turned into opset 17 first.

pnnx loses the axis of a ReduceMean that is an input, as it is since opset 18; as an attribute it is read.
"""


def open_model(model, threads, options, folder):
    """See ``export.other_runtimes.child``; options: fp16, "off" or ncnn's own choice."""
    import importlib.metadata
    import importlib.util
    import os
    import subprocess

    import ncnn
    import numpy as np
    import onnx

    older = onnx.version_converter.convert_version(onnx.load(model), 17)
    for node in older.graph.node:
        if node.op_type == "ReduceMean":  # an attribute of opset 18 that the version converter leaves
            kept = [attribute for attribute in node.attribute if attribute.name != "noop_with_empty_axes"]
            del node.attribute[:]
            node.attribute.extend(kept)
    onnx.save(older, os.path.join(folder, "older.onnx"))
    inputs = {value.name: value.type.tensor_type for value in older.graph.input}
    kinds = {onnx.TensorProto.FLOAT: "f32", onnx.TensorProto.UINT8: "u8"}
    shapes = [
        f"[{','.join(str(side.dim_value) for side in kind.shape.dim)}]{kinds[kind.elem_type]}"
        for kind in inputs.values()
    ]
    pnnx = os.path.join(importlib.util.find_spec("pnnx").submodule_search_locations[0], "pnnx")
    words = [pnnx, "older.onnx", f"inputshape={','.join(shapes)}", "fp16=0"]
    subprocess.run(words, cwd=folder, stdout=2, check=True)
    net = ncnn.Net()
    if options.get("fp16") == "off":
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.num_threads = threads
    net.load_param(os.path.join(folder, "older.ncnn.param"))
    net.load_model(os.path.join(folder, "older.ncnn.bin"))
    if len(net.input_names()) != len(inputs) or not net.output_names():
        raise RuntimeError("pnnx left operators that ncnn does not have")

    def run(given):
        with net.create_extractor() as extractor:
            for theirs, ours in zip(net.input_names(), inputs, strict=True):  # in0, in1: in the order of the file
                value = np.ascontiguousarray(given[ours], np.float32)
                extractor.input(theirs, ncnn.Mat(value, batch_index=0).clone())
            status, score = extractor.extract(net.output_names()[0])
            if status:
                raise RuntimeError(f"extract returned {status}")
            return np.array(score.numpy(batch_index=0))

    return importlib.metadata.version("ncnn"), threads, run
