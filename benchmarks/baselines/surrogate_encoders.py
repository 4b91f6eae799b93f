"""Encoders of the paper's competitors (Table 7): their architecture alone, from timm, with random weights.

Time, memory and MACs can be compared; scores cannot. A stand-in has the encoder and none of what the method does
around it, so it is a lower bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import timm
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.baselines.torchvision_reference import PeerScorer


class StandInRunner:
    """A network with random weights, in PyTorch."""

    executes_artifact = False

    def __init__(self, network: nn.Module) -> None:
        self.network, self.runtime = network.eval(), f"PyTorch {torch.__version__}"

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """The mean of what comes out, to have a number."""
        with torch.inference_mode():
            return self.network(*map(torch.from_numpy, inputs.values())).mean().item()


def open_stand_in(make: Callable[[], nn.Module], prepare, size_px: tuple[int, int], threads: int) -> PeerScorer:
    """One of :data:`STAND_INS`."""
    return PeerScorer(StandInRunner(make()), prepare, size_px)


class TwoScaleResNet50(nn.Module):
    """(1, 3, h, w) -> (1, 4096): the encoder on every pixel and on the picture at half size, as both methods do."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = timm.create_model("resnet50", pretrained=False, num_classes=0)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.encoder(image), self.encoder(F.avg_pool2d(image, 2))], dim=1)


def whole_photo(image: np.ndarray) -> dict[str, np.ndarray]:
    """All pixels, 0..1."""
    return {"image": np.ascontiguousarray(image.transpose(2, 0, 1)[None], dtype=np.float32) / 255}


STAND_INS = (("ResNet-50, full and half size (ARNIQA, CONTRIQUE: 855 G)", TwoScaleResNet50, whole_photo),)
