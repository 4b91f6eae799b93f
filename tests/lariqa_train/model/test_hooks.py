"""watching: sees every run of the named modules, changes nothing, and leaves no hook behind."""

import pytest
import torch
from torch import nn

from lariqa_train.model.hooks import watching


def hooks_of(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def test_it_sees_what_goes_in_and_what_comes_out_under_the_names_given():
    model, seen = nn.Sequential(nn.Linear(3, 2), nn.ReLU()), []
    x = torch.randn(4, 3)
    expected = model(x)
    with watching(
        {"linear": model[0], "relu": model[1]},
        before=lambda name, module, given, named: seen.append((name, "in", given[0])) or "not an input",
        after=lambda name, module, made: seen.append((name, "out", made)) or "not a result",
    ):
        assert torch.equal(model(x), expected)
    assert [(name, way) for name, way, _ in seen] == [
        ("linear", "in"), ("linear", "out"), ("relu", "in"), ("relu", "out")
    ]  # fmt: skip
    assert torch.equal(seen[0][2], x) and torch.equal(seen[3][2], expected)
    model(x)
    assert len(seen) == 4 and hooks_of(model) == 0


def test_keyword_arguments_are_seen_too():
    linear, seen = nn.Linear(3, 2), []
    x = torch.randn(4, 3)
    with watching({"linear": linear}, before=lambda name, module, given, named: seen.append((given, named))):
        linear(input=x)
    ((given, named),) = seen
    assert given == () and named["input"] is x


def test_hooks_are_gone_after_an_error():
    model = nn.Sequential(nn.Linear(3, 2))
    with (
        pytest.raises(RuntimeError),
        watching(dict(model.named_modules()), before=do_nothing, after=lambda *given: None),
    ):
        assert hooks_of(model) == 4
        model(torch.randn(4, 5))
    assert hooks_of(model) == 0


def do_nothing(*given) -> None:
    pass
