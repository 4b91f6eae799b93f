"""Every product that feeds a hard swish is 4-D in both of Apple's formats, seen in the written files.

A matrix product of two dimensions that feeds one is .199 off on the Neural Engine; as 1 x 1 x m x n it is not
(coreai-torch issue 51; coremltools issue 2625 is the same network in Core ML).
"""

import re

import torch
from coremltools.proto import Model_pb2

from export.formats import FORMATS
from export.formats.coreai.convert import save
from export.formats.coreai.read_program import Program
from export.rewrite.export_ready import ExportRequest, make_export_ready

BETWEEN = ("add", "sub", "mul", "reshape", "expand_dims")  # a bias, a scale, another shape
COREAI_HALVES, COREAI_PRODUCTS = ("hard_sigmoid",), ("conv2d", "batch_matmul")
COREML_HALVES, COREML_PRODUCTS = ("sigmoid_hard", "thresholded_relu"), ("conv", "linear", "matmul")


def ranks_before(graph: dict, halves: tuple, products: tuple) -> list[int]:
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


def coreai_graph(path) -> dict:
    graph, program = {}, Program(path)  # its operations live no longer than it
    for op in program.graphs()["main"]:
        name = op.name.rsplit(".", 1)[-1].removeprefix("broadcasting_")
        if name == "invoke":
            name = re.search(r"@(\w+)_\w+", str(op.attributes["callee"]))[1]
        for result in op.results:
            graph[result.get_name()] = name, [value.get_name() for value in op.operands], len(result.type.shape)
    return graph


def coreml_graph(path) -> dict:
    (model_file,) = path.rglob("*.mlmodel")
    model = Model_pb2.Model.FromString(model_file.read_bytes())
    (function,) = model.mlProgram.functions.values()
    graph = {}
    for op in function.block_specializations[function.opset].operations:
        bound = [] if op.type == "const" else [op.inputs[key] for key in ("x", "y") if key in op.inputs]
        read = [binding.name for argument in bound for binding in argument.arguments]
        for result in op.outputs:
            graph[result.name] = op.type, read, len(result.type.tensorType.dimensions)
    return graph


def test_core_ai(asset):
    ranks = ranks_before(coreai_graph(asset), COREAI_HALVES, COREAI_PRODUCTS)
    assert len(ranks) > 20 and set(ranks) == {4}


def test_core_ml(tiny_model, tmp_path):
    path = tmp_path / "a.mlpackage"
    FORMATS["coreml"].convert(make_export_ready(tiny_model, ExportRequest(memory="naive")), path, "{}")
    ranks = ranks_before(coreml_graph(path), COREML_HALVES, COREML_PRODUCTS)
    assert len(ranks) > 20 and set(ranks) == {4}


def test_a_product_of_two_dimensions_is_seen(tmp_path):
    import coreai.authoring  # noqa: F401 - first, or coreai.runtime is a circular import
    import coreai_torch

    plain = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Hardswish()).eval()
    program = torch.export.export(plain, (torch.rand(1, 4),)).run_decompositions(coreai_torch.get_decomp_table())
    converter = coreai_torch.TorchConverter(mode=coreai_torch.TorchConverter.Mode.RELEASE)
    path = tmp_path / "plain.aimodel"
    save(converter.add_exported_program(program).to_coreai(), path, "{}")
    assert ranks_before(coreai_graph(path), COREAI_HALVES, COREAI_PRODUCTS) == [2]
