"""How many dimensions the products have that feed a hard swish, in the files of Apple's two formats."""

import re
from pathlib import Path

BETWEEN = ("add", "sub", "mul", "reshape", "expand_dims")  # a bias, a scale, another shape
COREAI_HALVES, COREAI_PRODUCTS = ("hard_sigmoid",), ("conv2d", "batch_matmul")
COREML_HALVES, COREML_PRODUCTS = ("sigmoid_hard", "thresholded_relu"), ("conv", "linear", "matmul")


def ranks_in_coreai(path: Path) -> list[int]:
    from export.formats.coreai.read_program import Program

    graph, program = {}, Program(path)  # its operations live no longer than it
    for op in program.graphs()["main"]:
        name = op.name.rsplit(".", 1)[-1].removeprefix("broadcasting_")
        if name == "invoke":
            name = re.search(r"@(\w+)_\w+", str(op.attributes["callee"]))[1]
        for result in op.results:
            graph[result.get_name()] = name, [value.get_name() for value in op.operands], len(result.type.shape)
    return _ranks_before(graph, COREAI_HALVES, COREAI_PRODUCTS)


def ranks_in_coreml(path: Path) -> list[int]:
    from coremltools.proto import Model_pb2

    (model_file,) = path.rglob("*.mlmodel")
    model = Model_pb2.Model.FromString(model_file.read_bytes())
    (function,) = model.mlProgram.functions.values()
    graph = {}
    for op in function.block_specializations[function.opset].operations:
        bound = [] if op.type == "const" else [op.inputs[key] for key in ("x", "y") if key in op.inputs]
        read = [binding.name for argument in bound for binding in argument.arguments]
        for result in op.outputs:
            graph[result.name] = op.type, read, len(result.type.tensorType.dimensions)
    return _ranks_before(graph, COREML_HALVES, COREML_PRODUCTS)


def _ranks_before(graph: dict, halves: tuple, products: tuple) -> list[int]:
    """Dimensions of each product that reaches a part of a hard swish through BETWEEN.

    ``graph``: result -> (operator, the results that it reads, dimensions).
    """
    found = []
    for operator, read, _ in graph.values():
        waiting = list(read[:1]) if operator in halves else []
        while waiting:
            before, further, rank = graph.get(waiting.pop(), ("", (), 0))
            if before in products:
                found.append(rank)
            elif before in BETWEEN:
                waiting += further
    return found
