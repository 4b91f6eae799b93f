"""Each stored weight is found again as a layer's, by its numbers."""

import numpy as np

from export.formats import FORMATS
from export.quantize.weight_matching import in_order, match_weights


def test_every_layer_of_the_model_is_found_in_every_file(float32_files, layers):
    for name, path in float32_files.items():
        stored = FORMATS[name].weights(path)
        found = match_weights(stored, layers)
        assert {layer for layer, _ in found.values()} == set(layers), name
        for label, (layer, order) in found.items():
            assert np.allclose(in_order(layers[layer], order), stored[label].reshape(-1), rtol=1e-3, atol=1e-5)


def test_a_strangers_weights_are_not_taken_for_a_layers(layers):
    stored = {name: weight + 0.1 * np.abs(weight).max() for name, weight in layers.items()}
    assert not match_weights(stored, layers)
