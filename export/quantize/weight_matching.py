"""Which stored weight of a file is which layer's of the model: by its numbers, which every converter keeps.

Converters rename weights, turn them, leave layers out, let several layers share one, or reshape them for another
operator; the numbers stay, once batch norm is folded. So a stored weight belongs to the layer that has the same ones,
in one of the orders in which the formats store them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np

CLOSE = 1e-3  # of the layer's largest weight: converters fold batch norm in float32

ORDERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "out, in, height, width": lambda weight: weight,
    "out, height, width, in": lambda weight: weight.transpose(0, 2, 3, 1),  # TFLite
    "height, width, out": lambda weight: weight[:, 0].transpose(1, 2, 0),  # TFLite, depthwise
    "in, out": lambda weight: weight.T,
}


def match_weights(stored: Mapping[str, np.ndarray], layers: Mapping[str, np.ndarray]) -> dict[str, tuple[str, str]]:
    """Stored weight -> (layer, order in which it is stored); weights of no layer are left out.

    Args:
        stored: name in the file -> float32 numbers.
        layers: layer's name -> its weight as in PyTorch, batch norm folded.
    """
    of_size = defaultdict(list)
    for layer, weight in layers.items():
        for order in _orders(weight):
            of_size[weight.size].append((layer, order, in_order(weight, order)))
    found = {}
    for name, numbers in stored.items():
        flat, closest = numbers.reshape(-1), np.inf
        for layer, order, candidate in of_size.get(numbers.size, ()):
            distance = float(np.abs(flat - candidate).max()) / max(float(np.abs(candidate).max()), 1e-12)
            if distance < min(closest, CLOSE):
                closest, found[name] = distance, (layer, order)
    return found


def in_order(weight: np.ndarray, order: str) -> np.ndarray:
    """A layer's weight in an order of ORDERS, flat."""
    return np.ascontiguousarray(ORDERS[order](weight)).reshape(-1)


def _orders(weight: np.ndarray) -> list[str]:
    if weight.ndim == 2:
        return ["out, in, height, width", "in, out"]
    depthwise = ["height, width, out"] if weight.ndim == 4 and weight.shape[1] == 1 else []
    return ["out, in, height, width", *(["out, height, width, in"] if weight.ndim == 4 else []), *depthwise]
