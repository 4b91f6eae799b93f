"""watching: see what modules are given and what they make, for as long as a block runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn


@contextmanager
def watching(
    modules: Mapping[str, nn.Module],
    *,
    before: Callable[[str, nn.Module, tuple, dict[str, Any]], None] | None = None,
    after: Callable[[str, nn.Module, Any], None] | None = None,
) -> Iterator[None]:
    """Forward hooks on these modules that are gone when the block ends, however it ends.

        sizes = {}
        with watching({"stem": model.conv_stem}, after=lambda name, module, made: sizes.update({name: made.shape})):
            model(photo)

    Args:
        modules: name -> module, for example ``dict(model.named_modules())``.
        before: called with name, module, arguments and keyword arguments before the module runs.
        after: called with name, module and result after it.
    """
    handles = []
    try:
        for name, module in modules.items():
            if before is not None:
                handles.append(module.register_forward_pre_hook(_pre(before, name), with_kwargs=True))
            if after is not None:
                handles.append(module.register_forward_hook(_post(after, name)))
        yield
    finally:
        for handle in handles:
            handle.remove()


# What a hook returns would take the place of the arguments or of the result: these return nothing.


def _pre(before: Callable, name: str) -> Callable:
    def hook(module: nn.Module, given: tuple, named: dict[str, Any]) -> None:
        before(name, module, given, named)

    return hook


def _post(after: Callable, name: str) -> Callable:
    def hook(module: nn.Module, given: tuple, made: Any) -> None:
        after(name, module, made)

    return hook
