"""Batch norm folded into the layer before it: none is left, and the score is the same."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from export.rewrite.export_ready import ExportRequest, make_export_ready

HEIGHT, WIDTH = 150, 200


def test_folding_leaves_no_batch_norm_and_the_same_score(tiny_model, folded, photos):
    ready = make_export_ready(tiny_model, ExportRequest("pixels", HEIGHT, WIDTH, memory="naive"))
    assert any(isinstance(module, nn.BatchNorm2d) for module in ready.modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    scores = []
    for photo in photos.values():
        image = torch.from_numpy(photo.copy())[None]
        scores.append(ready(image).item())
        assert folded(image).item() == pytest.approx(scores[-1], abs=5e-6)
    assert min(b - a for a, b in pairwise(sorted(scores))) > 1e-5
