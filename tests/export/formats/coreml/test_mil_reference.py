"""The MIL reference evaluator against oracles that are not itself.

Small programs come from coremltools' builder; their oracle is coremltools' own numpy value inference where an
operation has one, else numpy by hand. Networks come from PyTorch; their oracle is the original module.
"""

import gc
import json
import shutil
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from export.formats.coreml import mil_ops
from export.formats.coreml.mil_reference import MilProgram, TensorSpec
from lariqa.errors import Refusal

ct = pytest.importorskip("coremltools", reason="coremltools writes the packages that these tests read")

import coremltools.optimize.coreml as cto  # noqa: E402
from coremltools.converters.mil import Builder as mb  # noqa: E402
from coremltools.converters.mil.mil import types  # noqa: E402
from coremltools.proto.MIL_pb2 import DataType  # noqa: E402
from coremltools.proto.Model_pb2 import Model  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:Function _TORCH_OPS_REGISTRY:DeprecationWarning")  # coremltools's own

# float32 numpy against float32 torch: a few roundings of values around 1
CLOSE = {"rtol": 2e-6, "atol": 2e-6}


@pytest.fixture(autouse=True, scope="module")
def quick():
    """One thread, and a small heap for the garbage collection of each conversion: 6 ms instead of 0.2 s."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    gc.freeze()
    yield
    gc.unfreeze()
    torch.set_num_threads(threads)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def positive(*shape: int) -> np.ndarray:
    return np.abs(normal(*shape)) + np.float32(0.1)


def built(
    folder: Path,
    body: Callable,
    *shapes: tuple[int, ...],
    dtype: type = types.fp32,
    target: object = ct.target.iOS16,
    precision: object = ct.precision.FLOAT32,
) -> Path:
    """A package with the operations of ``body`` and no other: the converter's optimisations are off."""
    specs = [mb.TensorSpec(shape=shape, dtype=dtype) for shape in shapes]
    program = mb.program(input_specs=specs, opset_version=target)(body)
    pipeline = ct.PassPipeline.EMPTY if precision == ct.precision.FLOAT32 else ct.PassPipeline.DEFAULT
    model = ct.convert(
        program,
        convert_to="mlprogram",
        compute_precision=precision,
        minimum_deployment_target=target,
        pass_pipeline=pipeline,
        skip_model_load=True,
    )
    return saved(model, folder)


def converted(folder: Path, module: torch.nn.Module, *inputs: torch.Tensor, **options: object) -> Path:
    """A package of a PyTorch module: inputs x, x1, ..., all float32, one output y."""
    # torch.jit.trace would do for most, but coremltools 9.0 fails on traced shape arithmetic with numpy >= 2.4.
    program = torch.export.export(module.eval(), inputs).run_decompositions({})
    names = ["x", *(f"x{n}" for n in range(1, len(inputs)))]
    options.setdefault(
        "inputs", [ct.TensorType(name=n, shape=x.shape, dtype=np.float32) for n, x in zip(names, inputs, strict=True)]
    )
    options = {"compute_precision": ct.precision.FLOAT32, "minimum_deployment_target": ct.target.iOS16} | options
    outputs = [ct.TensorType(name="y", dtype=np.float32)]
    return saved(ct.convert(program, outputs=outputs, skip_model_load=True, **options), folder)


def saved(model: object, folder: Path) -> Path:
    package = folder / "model.mlpackage"
    model.save(str(package))
    return package


def edited(package: Path, change: Callable[[Model], None]) -> Path:
    """The same package after ``change`` to its protobuf."""
    path = package / "Data" / "com.apple.CoreML" / "model.mlmodel"
    model = Model()
    model.ParseFromString(path.read_bytes())
    change(model)
    path.write_bytes(model.SerializeToString())
    return package


def block(model: Model):
    (function,) = model.mlProgram.functions.values()
    return function.block_specializations[function.opset]


def without_defaults(package: Path, op_type: str, written: dict) -> Path:
    """The same package without the optional arguments that the builder filled in."""

    def change(model):
        for op in block(model).operations:
            for name in set(op.inputs) - {"x", "y", "values", *written}:
                if op.type == op_type:
                    del op.inputs[name]

    return edited(package, change)


def only(outputs: dict[str, np.ndarray]) -> np.ndarray:
    (output,) = outputs.values()
    return output


def doubled(folder: Path) -> Path:
    """y = 2 * x for x of the shape (2, 3): the package of the tests that are not about numbers."""
    return built(folder, lambda x: mb.mul(x=x, y=np.float32(2), name="y"), (2, 3))


# --- operations with value inference ----------------------------------------------------------------------------------

F32 = np.float32
HALVES = np.array([[-2.5, -1.5, -0.5, 0.0], [0.5, 1.5, 2.5, 1e-3]], F32)  # where rounding rules and >= differ from >
# operation, the inputs that are given at run time, the arguments that stand in the file
INFERRED = [
    ("identity", {"x": normal(2, 3)}, {}),
    ("cast", {"x": HALVES}, {"dtype": "int32"}),
    ("cast", {"x": HALVES}, {"dtype": "bool"}),
    ("cast", {"x": HALVES}, {"dtype": "fp32"}),
    ("abs", {"x": normal(2, 3)}, {}),
    ("ceil", {"x": HALVES}, {}),
    ("clip", {"x": HALVES}, {"alpha": F32(-0.5), "beta": F32(1.25)}),
    ("erf", {"x": normal(2, 3)}, {}),
    ("exp", {"x": normal(2, 3)}, {}),
    ("floor", {"x": HALVES}, {}),
    ("gelu", {"x": normal(2, 3)}, {}),
    ("gelu", {"x": normal(2, 3)}, {"mode": "EXACT"}),
    ("gelu", {"x": normal(2, 3)}, {"mode": "TANH_APPROXIMATION"}),
    ("gelu", {"x": normal(2, 3)}, {"mode": "SIGMOID_APPROXIMATION"}),
    ("inverse", {"x": positive(2, 3)}, {}),
    ("inverse", {"x": positive(2, 3)}, {"epsilon": F32(0.5)}),
    ("log", {"x": positive(2, 3)}, {}),
    ("log", {"x": positive(2, 3)}, {"epsilon": F32(0.5)}),
    ("relu", {"x": HALVES}, {}),
    ("relu6", {"x": 4 * HALVES}, {}),
    ("round", {"x": HALVES}, {}),
    ("rsqrt", {"x": positive(2, 3)}, {}),
    ("rsqrt", {"x": positive(2, 3)}, {"epsilon": F32(0.5)}),
    ("sigmoid", {"x": normal(2, 3)}, {}),
    ("sigmoid_hard", {"x": 3 * HALVES}, {"alpha": F32(1 / 6), "beta": F32(0.5)}),
    ("sqrt", {"x": positive(2, 3)}, {}),
    ("square", {"x": normal(2, 3)}, {}),
    ("tanh", {"x": normal(2, 3)}, {}),
    ("thresholded_relu", {"x": HALVES}, {"alpha": F32(0.5)}),
    ("add", {"x": normal(2, 3), "y": normal(3, seed=1)}, {}),
    ("add", {"x": normal(2, 3)}, {"y": F32(0.5)}),
    ("maximum", {"x": normal(2, 3), "y": normal(2, 1, seed=1)}, {}),
    ("minimum", {"x": normal(2, 3)}, {"y": F32(0.1)}),
    ("mul", {"x": normal(2, 3), "y": normal(2, 3, seed=1)}, {}),
    ("pow", {"x": positive(2, 3), "y": normal(3, seed=1)}, {}),
    ("real_div", {"x": normal(2, 3), "y": positive(3)}, {}),
    ("sub", {"x": normal(2, 3), "y": normal(3, seed=1)}, {}),
    ("linear", {"x": normal(2, 5, 3)}, {"weight": normal(4, 3, seed=1), "bias": normal(4, seed=2)}),
    ("linear", {"x": normal(2, 3)}, {"weight": normal(4, 3, seed=1)}),
    ("matmul", {"x": normal(2, 5, 3), "y": normal(3, 4, seed=1)}, {}),
    ("matmul", {"x": normal(2, 3, 5), "y": normal(2, 4, 3, seed=1)}, {"transpose_x": True, "transpose_y": True}),
    ("reduce_max", {"x": normal(2, 3, 4)}, {"axes": [1], "keep_dims": False}),
    ("reduce_mean", {"x": normal(2, 3, 4)}, {"axes": [-2, -1], "keep_dims": True}),
    ("reduce_mean", {"x": normal(2, 3, 4)}, {"axes": [0, 2]}),
    ("reduce_min", {"x": normal(2, 3, 4)}, {"axes": [0], "keep_dims": True}),
    ("reduce_sum", {"x": normal(2, 3, 4)}, {"axes": [1, -1], "keep_dims": False}),
    ("softmax", {"x": normal(2, 3, 4)}, {}),
    ("softmax", {"x": normal(2, 3, 4)}, {"axis": 1}),
    ("layer_norm", {"x": normal(2, 3, 4)}, {"axes": [-1], "gamma": normal(4, seed=1), "beta": normal(4, seed=2)}),
    ("layer_norm", {"x": normal(2, 3, 4)}, {"axes": [1, 2], "epsilon": F32(0.1), "gamma": normal(3, 4, seed=1)}),
    ("layer_norm", {"x": normal(2, 3, 4)}, {"axes": [1], "epsilon": F32(1e-3)}),
    ("concat", {"values": (normal(2, 3, 4), normal(2, 1, 4))}, {"axis": 1}),
    ("concat", {"values": (normal(2, 3),)}, {"axis": -1, "interleave": False}),
    ("stack", {"values": (normal(2, 3), normal(2, 3, seed=1))}, {"axis": -1}),
    ("expand_dims", {"x": normal(2, 3)}, {"axes": [0, -1, 2]}),
    ("squeeze", {"x": normal(1, 2, 1, 3)}, {"axes": [-2]}),
    ("squeeze", {"x": normal(1, 2, 1, 3)}, {}),
    ("reshape", {"x": normal(2, 3, 4)}, {"shape": [0, -1, 2]}),
    ("transpose", {"x": normal(2, 3, 4)}, {"perm": [2, 0, -2]}),
    ("tile", {"x": normal(2, 3)}, {"reps": [2, 1]}),
    ("split", {"x": normal(2, 6)}, {"num_splits": 3, "axis": -1}),
    ("split", {"x": normal(5, 2)}, {"split_sizes": [1, 4], "axis": 0}),
    ("pad", {"x": normal(2, 3, 4)}, {"pad": [1, 2, 3, 0]}),
    ("pad", {"x": normal(2, 3, 4)}, {"pad": [0, 1], "mode": "constant", "constant_val": F32(0.25)}),
    ("pad", {"x": normal(2, 3, 4)}, {"pad": [0, 0, 2, 1, 3, 2], "mode": "reflect"}),
    ("pad", {"x": normal(2, 3, 4)}, {"pad": [2, 0, 1, 4], "mode": "replicate"}),
    ("slice_by_size", {"x": normal(4, 5)}, {"begin": [-3, 1], "size": [2, -1]}),
    ("slice_by_index", {"x": normal(4, 5)}, {"begin": [1, 0], "end": [3, 5]}),
    ("slice_by_index", {"x": normal(4, 5)}, {"begin": [0, -4], "end": [-1, 5], "stride": [2, 3]}),
    (
        "slice_by_index",
        {"x": normal(4, 5)},
        {"begin": [3, 4], "end": [0, 1], "stride": [-2, -1], "begin_mask": [True, False], "end_mask": [True, False]},
    ),
    (
        "slice_by_index",
        {"x": normal(4, 5, 6)},
        {"begin": [0, -2, 5], "end": [4, 0, 2], "stride": [1, 1, -1], "squeeze_mask": [False, True, False]},
    ),
]


@pytest.mark.parametrize(("op", "given", "written"), INFERRED, ids=[case[0] for case in INFERRED])
def test_an_operation_agrees_with_coremltools_own_value_inference(op, given, written, tmp_path):
    arrays = given["values"] if "values" in given else tuple(given.values())
    inferred = []

    def apply(operands):
        named = {"values": operands} if "values" in given else dict(zip(given, operands, strict=True))
        return getattr(mb, op)(**named, **written)

    def both(*operands):
        # thresholded_relu's inference writes into its argument, so it gets a copy
        constant = apply([mb.const(val=array.copy()) for array in arrays])
        inferred.extend(constant if isinstance(constant, (tuple, list)) else [constant])
        return apply(operands)

    # the builder names the inputs after the parameters
    body = (lambda x: both(x)) if len(arrays) == 1 else (lambda x, y: both(x, y))
    package = built(tmp_path, body, *(array.shape for array in arrays))
    for program in [MilProgram(package), MilProgram(without_defaults(package, op, written))]:
        came = list(program.run(**dict(zip(program.inputs, arrays, strict=True))).values())
        assert len(came) == len(inferred)
        for got, expected in zip(came, inferred, strict=True):
            assert got.shape == expected.shape
            np.testing.assert_allclose(got, expected.val, **CLOSE)


# --- operations by hand -----------------------------------------------------------------------------------------------


def windows(x: np.ndarray, kernel, strides, padding, dilations, outside: float = 0.0) -> np.ndarray:
    """(N, C, H', W', kh, kw) of the zero-padded (N, C, H, W)."""
    x = np.pad(x, [(0, 0), (0, 0), *padding], constant_values=outside)
    extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    view = np.lib.stride_tricks.sliding_window_view(x, extent, axis=(2, 3))
    return view[:, :, :: strides[0], :: strides[1], :: dilations[0], :: dilations[1]]


# what the file says for a kernel of 2 x 3, and the padding ((top, bottom), (left, right)) that it means for 7 x 8
PADDINGS = [
    ({"pad_type": "valid"}, ((0, 0), (0, 0))),
    ({"pad_type": "valid", "strides": [2, 2], "dilations": [2, 1]}, ((0, 0), (0, 0))),
    ({"pad_type": "custom", "pad": [2, 2, 1, 1]}, ((2, 2), (1, 1))),
    ({"pad_type": "custom", "pad": [0, 1, 2, 0], "strides": [2, 1]}, ((0, 1), (2, 0))),
    ({"pad_type": "same"}, ((0, 1), (1, 1))),
    ({"pad_type": "same_lower"}, ((1, 0), (1, 1))),
    ({"pad_type": "same", "strides": [2, 2]}, ((0, 1), (0, 1))),
    ({"pad_type": "same_lower", "strides": [2, 2]}, ((1, 0), (1, 0))),
]


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(("written", "padding"), PADDINGS)
def test_conv_is_the_sum_over_its_windows(written, padding, groups, tmp_path):
    x, weight, bias = normal(2, 4, 7, 8), normal(6, 4 // groups, 2, 3, seed=1), normal(6, seed=2)
    written = written | ({"weight": weight, "bias": bias, "groups": groups} if groups > 1 else {"weight": weight})
    package = without_defaults(built(tmp_path, lambda x: mb.conv(x=x, **written), x.shape), "conv", written)
    each = windows(x, (2, 3), written.get("strides", [1, 1]), padding, written.get("dilations", [1, 1]))
    parts = zip(np.split(each, groups, axis=1), np.split(weight, groups), strict=True)
    expected = np.concatenate([np.einsum("nchwkl,ockl->nohw", part, w) for part, w in parts], axis=1)
    expected += bias[:, None, None] if groups > 1 else 0
    np.testing.assert_allclose(only(MilProgram(package).run(x=x)), expected, rtol=1e-5, atol=1e-5)


def test_conv_pads_same_as_pytorch_does_for_an_even_kernel(tmp_path):
    module, x = torch.nn.Conv1d(3, 5, 4, padding="same"), torch.from_numpy(normal(1, 3, 9))
    y = MilProgram(converted(tmp_path, module, x)).run(x=x)["y"]
    np.testing.assert_allclose(y, module(x).detach(), **CLOSE)


@pytest.mark.parametrize(("written", "padding"), [case for case in PADDINGS if "dilations" not in case[0]])
def test_pools_are_the_mean_and_the_maximum_over_their_windows(written, padding, tmp_path):
    x = normal(1, 2, 7, 8)
    written = {"kernel_sizes": [2, 3], **written}
    package = built(tmp_path, lambda x: (mb.avg_pool(x=x, **written), mb.max_pool(x=x, **written)), x.shape)
    for op_type in ("avg_pool", "max_pool"):
        without_defaults(package, op_type, written)
    mean, maximum = MilProgram(package).run(x=x).values()
    strides = written.get("strides", [1, 1])
    np.testing.assert_allclose(mean, windows(x, (2, 3), strides, padding, (1, 1)).mean((-2, -1)), **CLOSE)
    np.testing.assert_array_equal(maximum, windows(x, (2, 3), strides, padding, (1, 1), -np.inf).max((-2, -1)))


class OpsWithoutInference(torch.nn.Module):
    """Each part keeps the shape (1, 4, 6, 8) or brings it back."""

    def __init__(self):
        super().__init__()
        self.batch = torch.nn.BatchNorm2d(4, eps=0.01)
        self.batch.running_mean, self.batch.running_var = torch.randn(4), torch.rand(4) + 0.5
        self.instance = torch.nn.InstanceNorm2d(4, affine=True)
        self.average = torch.nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.ceiled = torch.nn.MaxPool2d(3, 2, 1, ceil_mode=True)
        for affine in (self.batch, self.instance):
            torch.nn.init.normal_(affine.weight)
            torch.nn.init.normal_(affine.bias)

    def forward(self, x):
        x = self.average(torch.nn.functional.silu(x) + self.instance(x))
        x = self.batch(torch.relu(x))
        x = torch.nn.functional.interpolate(self.ceiled(x), (6, 8), mode="bilinear", align_corners=False)
        x = x + torch.nn.functional.interpolate(x[..., :4], (6, 8), mode="bilinear", align_corners=True)
        return torch.nn.functional.scaled_dot_product_attention(x, 2 * x, x + 1)


def test_operations_without_value_inference_agree_with_the_module_they_come_from(tmp_path):
    torch.manual_seed(0)
    module, x = OpsWithoutInference().eval(), torch.from_numpy(normal(1, 4, 6, 8))
    program = MilProgram(converted(tmp_path, module, x, minimum_deployment_target=ct.target.iOS18))
    expected = {"silu", "instance_norm", "avg_pool", "batch_norm", "max_pool", "upsample_bilinear"}
    assert expected | {"scaled_dot_product_attention"} <= program.op_types.keys()
    np.testing.assert_allclose(program.run(x=x)["y"], module(x).detach(), rtol=1e-5, atol=1e-5)


POOL = {"kernel_sizes": [2, 3], "pad_type": "custom", "pad": [0, 1, 1, 1]}


@pytest.mark.parametrize(
    ("op", "written", "sentence"),
    [
        ("avg_pool", POOL | {"exclude_padding_from_average": True}, "must be symmetric"),
        ("upsample_bilinear", {"align_corners": False, "half_pixel_centers": False}, "half_pixel_centers"),
    ],
)
def test_a_variant_of_an_operation_that_the_table_does_not_know_is_refused(op, written, sentence, tmp_path):
    program = MilProgram(built(tmp_path, lambda x: getattr(mb, op)(x=x, **written), (1, 2, 7, 8)))
    with pytest.raises(RuntimeError, match=f"MIL reference evaluator: {op} .*{sentence}"):
        program.run(x=normal(1, 2, 7, 8))


def test_concat_interleaves(tmp_path):
    x, y = np.array([[1, 2], [3, 4]], F32), np.array([[7, 8], [9, 10]], F32)
    package = built(tmp_path, lambda x, y: mb.concat(values=(x, y), axis=-2, interleave=True), (2, 2), (2, 2))
    assert only(MilProgram(package).run(x=x, y=y)).tolist() == [[1, 2], [7, 8], [3, 4], [9, 10]]


def test_every_operation_of_the_table_is_held_against_an_oracle():
    elsewhere = {"const", "conv", "avg_pool", "max_pool", "silu", "batch_norm", "instance_norm", "upsample_bilinear"}
    elsewhere |= {
        "constexpr_cast",
        "scaled_dot_product_attention",
        "constexpr_affine_dequantize",
        "constexpr_blockwise_shift_scale",
    }
    assert mil_ops.OPS.keys() == {case[0] for case in INFERRED} | elsewhere


@pytest.mark.parametrize(
    ("target", "options", "op"),
    [
        (ct.target.iOS16, {"mode": "linear_symmetric"}, "constexpr_affine_dequantize"),
        (ct.target.iOS16, {"mode": "linear", "dtype": "uint8"}, "constexpr_affine_dequantize"),
        (ct.target.iOS16, {"mode": "linear", "granularity": "per_tensor"}, "constexpr_affine_dequantize"),
        (ct.target.iOS18, {"mode": "linear_symmetric"}, "constexpr_blockwise_shift_scale"),
        (
            ct.target.iOS18,
            {"mode": "linear", "dtype": "int4", "granularity": "per_block", "block_size": 4},
            "constexpr_blockwise_shift_scale",
        ),
    ],
)
@pytest.mark.parametrize("precision", [ct.precision.FLOAT32, ct.precision.FLOAT16])
def test_compressed_weights_are_those_that_coremltools_decompresses(target, options, op, precision, tmp_path):
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Conv2d(8, 16, 3), torch.nn.ReLU(), torch.nn.Conv2d(16, 4, 3))
    x = normal(1, 8, 6, 6)
    plain = converted(
        tmp_path, module, torch.from_numpy(x), compute_precision=precision, minimum_deployment_target=target
    )
    config = cto.OptimizationConfig(cto.OpLinearQuantizerConfig(weight_threshold=0, **options))
    small = cto.linear_quantize_weights(ct.models.MLModel(str(plain), skip_model_load=True), config)
    (tmp_path / "large").mkdir()
    large = MilProgram(saved(cto.decompress_weights(small), tmp_path / "large"), "declared")
    program = MilProgram(saved(small, tmp_path), "declared")

    assert program.op_types[op] == 2
    assert op not in large.op_types
    y = program.run(x=x)["y"]
    assert np.abs(y - module(torch.from_numpy(x)).detach().numpy()).max() > 1e-4  # the weights did get coarser
    np.testing.assert_allclose(y, large.run(x=x)["y"], rtol=0, atol=1e-6)


# --- the arithmetic ---------------------------------------------------------------------------------------------------


def test_declared_arithmetic_rounds_inputs_constants_and_each_result_to_float16(tmp_path):
    factor, x = F32(1.0009765625), normal(2, 3)  # 1 + 2**-10: exact in float16, products with it are not

    def body(x):
        return mb.sub(x=mb.mul(x=x, y=np.float16(factor)), y=np.float16(0.3))

    package = built(tmp_path, body, (2, 3), dtype=types.fp16)
    halves = x.astype(np.float16)
    expected = (halves * np.float16(factor) - np.float16(0.3)).astype(F32)
    smooth = x * factor - F32(np.float16(0.3))

    declared, plain = MilProgram(package, "declared"), MilProgram(package)
    assert declared.inputs == {"x": TensorSpec((2, 3), "float16")}
    np.testing.assert_array_equal(only(declared.run(x=x)), expected)
    np.testing.assert_array_equal(only(declared.run(x=halves)), expected)
    np.testing.assert_allclose(only(plain.run(x=x)), smooth, rtol=0, atol=1e-7)
    assert np.abs(expected - smooth).max() > 1e-4


def test_declared_arithmetic_overflows_where_float16_does(tmp_path):
    package = built(tmp_path, lambda x: mb.mul(x=x, y=F32(300)), (2, 3), precision=ct.precision.FLOAT16)
    x = np.full((2, 3), 300, F32)
    assert MilProgram(package).op_types == {"cast": 2, "mul": 1}
    assert np.isinf(only(MilProgram(package, "declared").run(x=x))).all()
    assert (only(MilProgram(package, "float32").run(x=x)) == 90000).all()


def test_an_arithmetic_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ValueError, match="arithmetic is one of"):
        MilProgram(doubled(tmp_path), "float16")


# --- the file is what is read -----------------------------------------------------------------------------------------


def test_one_changed_byte_of_the_weights_changes_the_result(tmp_path):
    weight, x = normal(4, 3), normal(2, 3)
    package = built(tmp_path, lambda x: mb.linear(x=x, weight=weight), (2, 3))
    before = only(MilProgram(package).run(x=x))
    np.testing.assert_allclose(before, x @ weight.T, **CLOSE)

    blob = package / "Data" / "com.apple.CoreML" / "weights" / "weight.bin"
    stored = blob.read_bytes()
    where = stored.index(weight.tobytes()) + 2  # the upper mantissa of weight[0, 0]
    blob.write_bytes(stored[:where] + bytes([stored[where] ^ 0x40]) + stored[where + 1 :])
    change = only(MilProgram(package).run(x=x)) - before
    assert (np.abs(change[:, 0]) > 1e-3).all()
    assert (change[:, 1:] == 0).all()


def test_a_changed_constant_changes_the_result(tmp_path):
    package, x = doubled(tmp_path), normal(2, 3)
    assert (MilProgram(package).run(x=x)["y"] == 2 * x).all()

    def triple(model):
        (constant,) = (op for op in block(model).operations if op.type == "const")
        constant.attributes["val"].immediateValue.tensor.floats.values[0] = 3

    assert (MilProgram(edited(package, triple)).run(x=x)["y"] == 3 * x).all()


def test_lists_of_strings_and_empty_tensors_are_constants_too(tmp_path):
    def add_constants(model):
        def constant(name):
            added = block(model).operations.add(type="const")
            return added.outputs.add(name=name).type, added.attributes["val"].immediateValue

        kind, value = constant("list")
        kind.listType.type.tensorType.dataType = DataType.STRING
        for word in ("a", "b"):
            item = value.list.values.add()
            item.type.tensorType.dataType = DataType.STRING
            item.immediateValue.tensor.strings.values.append(word)
        kind, value = constant("strings")
        kind.tensorType.dataType = DataType.STRING
        kind.tensorType.dimensions.add().constant.size = 2
        value.tensor.strings.values.extend(["a", "b"])
        kind, value = constant("empty")
        kind.tensorType.dataType = DataType.INT32
        for size in (0, 2):
            kind.tensorType.dimensions.add().constant.size = size
        value.tensor.ints.SetInParent()
        for added in block(model).operations[-2:]:  # the type of a tensor stands with its value, too
            added.attributes["val"].type.CopyFrom(added.outputs[0].type)

    program = MilProgram(edited(doubled(tmp_path), add_constants))
    assert program._constants["list"] == program._constants["strings"] == ["a", "b"]
    assert program._constants["empty"].shape == (0, 2)


def test_a_program_tells_its_inputs_outputs_operations_and_metadata(tmp_path):
    def add_metadata(model):
        model.description.metadata.userDefined["lariqa"] = json.dumps({"score": "y"})

    program = MilProgram(edited(doubled(tmp_path), add_metadata))
    assert program.inputs == {"x": TensorSpec((2, 3), "float32")}
    assert program.outputs == {"y": TensorSpec((2, 3), "float32")}
    assert program.op_types == {"mul": 1}
    assert json.loads(program.metadata["lariqa"]) == {"score": "y"}
    assert program.image_inputs == {}


def test_an_rgb_image_input_arrives_as_floats_from_0_to_255(tmp_path):
    module, x = torch.nn.Conv2d(3, 2, 1), torch.zeros(1, 3, 4, 6)
    image = ct.ImageType(name="photo", shape=x.shape, scale=1 / 255, color_layout=ct.colorlayout.RGB)
    program = MilProgram(converted(tmp_path, module, x, inputs=[image]))
    assert program.image_inputs == {"photo": (4, 6)}
    pixels = np.random.default_rng(0).integers(0, 256, x.shape).astype(F32)
    np.testing.assert_allclose(program.run(photo=pixels)["y"], module(torch.from_numpy(pixels) / 255).detach(), **CLOSE)


def test_an_image_of_a_range_of_sizes_is_evaluated_at_each_size_and_refused_outside_of_them(tmp_path):
    module, x = torch.nn.Conv2d(3, 2, 3, stride=2, padding=1), torch.zeros(1, 3, 8, 10)
    sides = [torch.export.Dim(name, min=4, max=64) for name in ("height", "width")]
    traced = torch.export.export(module, (x,), dynamic_shapes=({2: sides[0], 3: sides[1]},)).run_decompositions({})
    shape = ct.Shape((1, 3, ct.RangeDim(4, 64, default=8), ct.RangeDim(4, 32, default=10)))
    image = ct.ImageType(name="photo", shape=shape, color_layout=ct.colorlayout.RGB)
    options = {"compute_precision": ct.precision.FLOAT32, "minimum_deployment_target": ct.target.iOS16}
    package = saved(ct.convert(traced, inputs=[image], skip_model_load=True, **options), tmp_path)
    program = MilProgram(package)
    assert program.inputs == {"photo": TensorSpec((1, 3, None, None), "float32")}
    assert program.image_inputs == {"photo": (8, 10)}
    (name,) = program.outputs
    for height, width in ((8, 10), (4, 32), (64, 5), (7, 9)):
        pixels = np.random.default_rng(height).integers(0, 256, (1, 3, height, width)).astype(F32)
        expected = module(torch.from_numpy(pixels)).detach().numpy()
        np.testing.assert_allclose(program.run(photo=pixels)[name], expected, rtol=1e-5, atol=1e-3)
    for height, width, came in ((3, 8, 3), (8, 33, 33), (65, 8, 65)):
        with pytest.raises(Refusal, match=f"'photo' of model.mlpackage expects sides of 4 to .* px, got {came}"):
            program.run(photo=np.zeros((1, 3, height, width), F32))


# --- running ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({}, r"expects the inputs \['x'\], got \[\]"),
        ({"x": normal(2, 3), "z": normal(2, 3)}, r"expects the inputs \['x'\], got \['x', 'z'\]"),
        ({"x": normal(3, 2)}, r"'x' of model.mlpackage expects float32 \(2, 3\), got float32 \(3, 2\)"),
        ({"x": normal(2, 3).astype(np.float64)}, r"expects float32 \(2, 3\), got float64 \(2, 3\)"),
        ({"x": torch.zeros(2, 3, dtype=torch.uint8)}, r"expects float32 \(2, 3\), got uint8 \(2, 3\)"),
    ],
)
def test_inputs_that_are_not_the_declared_ones_are_refused(inputs, sentence, tmp_path):
    with pytest.raises(Refusal, match=sentence):
        MilProgram(doubled(tmp_path)).run(**inputs)


@pytest.mark.parametrize("locked", [False, True], ids=["shared memory", "read-only and reversed"])
def test_inputs_are_left_as_they_were(locked, tmp_path):
    x = normal(2, 3)[:, ::-1] if locked else normal(2, 3)
    x.flags.writeable = not locked
    before = x.copy()
    package = built(tmp_path, lambda x: mb.sigmoid_hard(x=mb.identity(x=x), alpha=F32(0.2), beta=F32(0.5)), (2, 3))
    y = only(MilProgram(package).run(x=x))
    np.testing.assert_allclose(y, np.clip(0.2 * before + 0.5, 0, 1), **CLOSE)
    assert (x == before).all()


def test_a_result_with_another_shape_than_declared_names_the_operation(tmp_path):
    def declare_wrongly(model):
        block(model).operations[-1].outputs[0].type.tensorType.dimensions[0].constant.size = 5

    program = MilProgram(edited(doubled(tmp_path), declare_wrongly))
    with pytest.raises(RuntimeError, match=r"mul 'y': .* declared as float32 \(5, 3\), computed as float32 \(2, 3\)"):
        program.run(x=normal(2, 3))


def test_a_result_with_another_dtype_than_declared_names_the_operation(tmp_path):
    def declare_wrongly(model):
        block(model).operations[-1].outputs[0].type.tensorType.dataType = DataType.INT32

    program = MilProgram(edited(doubled(tmp_path), declare_wrongly))
    with pytest.raises(RuntimeError, match=r"mul 'y': .* declared as int32 \(2, 3\), computed as float32"):
        program.run(x=normal(2, 3))


def test_an_operation_that_fails_is_named(tmp_path):
    def misspell(model):
        next(op for op in block(model).operations if op.type == "mul").inputs["y"].arguments[0].name = "nowhere"

    program = MilProgram(edited(doubled(tmp_path), misspell))
    with pytest.raises(RuntimeError, match="MIL reference evaluator: mul 'y': KeyError: 'nowhere'"):
        program.run(x=normal(2, 3))


def test_an_observer_sees_each_result_in_order(tmp_path):
    package = built(tmp_path, lambda x: mb.abs(x=mb.split(x=x, num_splits=2, axis=0, name="half")[1], name="y"), (4, 3))
    seen, x = {}, normal(4, 3)
    MilProgram(package).run(seen.__setitem__, x=x)
    assert list(seen) == ["half_0", "half_1", "y"]
    assert (seen["half_1"].numpy() == x[2:]).all()


def test_a_value_is_freed_after_its_last_use(tmp_path):
    def body(x):
        first = mb.abs(x=x, name="first")
        value = first
        for n in range(6):
            value = mb.relu(x=value, name=f"chain_{n}")
        late = mb.add(x=value, y=first, name="late")
        mb.exp(x=late, name="unused")
        return mb.square(x=late, name="y")

    alive, seen = {}, []

    def observe(name, value):
        alive[name] = weakref.ref(value)
        seen.append({name for name, reference in alive.items() if reference() is not None})

    MilProgram(built(tmp_path, body, (2, 3))).run(observe, x=normal(2, 3))
    chain = [{"first", "chain_0"}] + [{"first", f"chain_{n - 1}", f"chain_{n}"} for n in range(1, 6)]
    assert seen[:7] == [{"first"}, *chain]
    assert seen[7:] == [{"first", "chain_5", "late"}, {"late", "unused"}, {"late", "y"}]


def test_importing_the_evaluator_prints_nothing_and_leaves_coremltools_alone():
    code = "import sys, export.formats.coreml.mil_reference; assert 'coremltools' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_unknown_operations_are_refused_with_all_their_names(tmp_path):
    package = built(tmp_path, lambda x: mb.abs(x=mb.cumsum(x=mb.band_part(x=x), axis=0)), (2, 3))
    with pytest.raises(Refusal, match="MIL reference evaluator does not know: band_part, cumsum; add"):
        MilProgram(package)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda path: None, "expected an .mlpackage folder at .*, found nothing"),
        (lambda path: path.write_bytes(b"PK"), "expected an .mlpackage folder at .*, found a file"),
        (lambda path: path.mkdir(), "not a readable .mlpackage .FileNotFoundError.*Manifest.json"),
    ],
    ids=["nothing", "a file", "an empty folder"],
)
def test_what_is_no_package_is_refused(made, sentence, tmp_path):
    made(tmp_path / "model.mlpackage")
    with pytest.raises(Refusal, match=sentence):
        MilProgram(tmp_path / "model.mlpackage")


@pytest.mark.parametrize("file", ["Manifest.json", "Data/com.apple.CoreML/model.mlmodel"])
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_truncated_package_is_refused(file, kept, tmp_path):
    path = doubled(tmp_path) / file
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(Refusal, match=r"not a readable .mlpackage|expected an ML Program"):
        MilProgram(tmp_path / "model.mlpackage")


@pytest.mark.parametrize("kept", [0.0, 0.05, 0.9])
def test_truncated_weights_are_refused(kept, tmp_path):
    package = built(tmp_path, lambda x: mb.linear(x=x, weight=normal(64, 3)), (2, 3))
    path = package / "Data" / "com.apple.CoreML" / "weights" / "weight.bin"
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(Refusal, match=r"cannot be read .*const 'linear_0_.*copy or export"):
        MilProgram(package)


def test_missing_weights_are_refused(tmp_path):
    package = built(tmp_path, lambda x: mb.linear(x=x, weight=normal(64, 3)), (2, 3))
    shutil.rmtree(package / "Data" / "com.apple.CoreML" / "weights")
    with pytest.raises(Refusal, match="cannot be read"):
        MilProgram(package)


def second_function(model):
    model.mlProgram.functions["second"].CopyFrom(model.mlProgram.functions["main"])


def open_number_of_sides(model):
    dimension = model.mlProgram.functions["main"].inputs[0].type.tensorType.dimensions[0]
    dimension.unknown.variadic = True


def neural_network(model):
    model.ClearField("mlProgram")
    model.neuralNetwork.layers.add(name="relu")


def other_opset(model):
    model.mlProgram.functions["main"].opset = "CoreML99"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (second_function, r"expected one function and no state .* found the functions \['main', 'second'\]"),
        (lambda model: model.description.state.add(name="cache"), r"the states \['cache'\]"),
        (open_number_of_sides, "leaves open how many sides 'x' has; export it with a fixed number"),
        (neural_network, "expected an ML Program in .*, found neuralNetwork; export it as mlprogram"),
        (lambda model: model.ClearField("mlProgram"), "expected an ML Program in .*, found no model"),
        (other_opset, "no program for its own opset 'CoreML99'"),
    ],
    ids=["two functions", "state", "open number of sides", "neural network", "no model", "other opset"],
)
def test_models_that_are_no_single_program_are_refused(change, sentence, tmp_path):
    with pytest.raises(Refusal, match=sentence):
        MilProgram(edited(doubled(tmp_path), change))


@pytest.mark.parametrize(
    ("layout", "channels"), [(ct.colorlayout.BGR, 3), (ct.colorlayout.GRAYSCALE, 1)], ids=["BGR", "grayscale"]
)
def test_image_inputs_that_are_not_rgb_are_refused(layout, channels, tmp_path):
    x = torch.zeros(1, channels, 4, 6)
    image = ct.ImageType(name="photo", shape=x.shape, color_layout=layout)
    package = converted(tmp_path, torch.nn.Conv2d(channels, 2, 1), x, inputs=[image])
    with pytest.raises(Refusal, match=f"image input 'photo' .* must be RGB .* it is {layout.value}"):
        MilProgram(package)


# --- backbones --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "mobilenetv3_large_100",
        "mobilevit_s",
        pytest.param("mobilenetv2_100", marks=pytest.mark.slow),
        pytest.param("fastvit_mci2", marks=pytest.mark.slow),
    ],
)
def test_a_backbone_gives_the_scores_of_its_pytorch_module(name, tmp_path):
    timm = pytest.importorskip("timm", reason="the backbones come from timm")
    torch.manual_seed(0)
    module, side_px = timm.create_model(name, pretrained=False, num_classes=10).train(), 96
    for layer in module.modules():
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
            layer.momentum = None  # plain average over the batches below, so that features do not collapse
            layer.reset_running_stats()
    with torch.no_grad():
        for _ in range(3):
            module(torch.randn(4, 3, side_px, side_px))
        images = torch.randn(1, 3, side_px, side_px), torch.rand(1, 3, side_px, side_px)
        program = MilProgram(converted(tmp_path, module.eval(), images[0]))
        exact = module.double()
        expected = [exact(image.double()).numpy() for image in images]
    scale = np.abs(expected).max()
    assert np.abs(expected[0] - expected[1]).max() > 0.1 * scale

    # These random networks amplify roundings: PyTorch's own float32 is up to 7e-6 of the scale from its float64.
    for image, scores in zip(images, expected, strict=True):
        assert np.abs(program.run(x=image)["y"] - scores).max() < 2e-5 * scale
