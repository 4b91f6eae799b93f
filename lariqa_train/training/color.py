"""RGB in other colour spaces, for the colour-space loss: in the 8-bit convention of OpenCV, which the authors used.

    yuv   Y = 0.299 R + 0.587 G + 0.114 B,  U = 0.492 (B - Y) + 128,  V = 0.877 (R - Y) + 128
    lab   CIE L*a*b* of sRGB under D65, stored as L * 255/100, a + 128, b + 128
    hsv   H in half degrees (0..179), S and V in 0..255

In and out: (B, 3, H, W), levels 0..255, every value rounded and clipped as a byte would be; whole batches at once, on
any device. Source: paper Section 3.5, OpenCV's documentation of cvtColor; tests compare it with OpenCV,
within one level.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from lariqa.errors import Refusal

_XYZ_FROM_RGB = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
_WHITE = (0.950456, 1.0, 1.088754)  # D65
_LINEAR_STEPS = 255 * 8  # OpenCV's table of linear light
_LAB_LINEAR_BELOW = 0.008856  # (6/29)^3: where the cube root gives way to a line


def to_color_space(pixels: torch.Tensor, space: str) -> torch.Tensor:
    """(B, 3, H, W) RGB levels -> (B, 3, H, W) float32 levels of another space.

    Args:
        pixels: uint8, or floating levels 0..255.
        space: one of ``COLOR_SPACES``.

    Raises:
        Refusal: an unknown space, or not three channels.
    """
    if space not in COLOR_SPACES:
        raise Refusal(f"no colour space {space!r}; there are {', '.join(COLOR_SPACES)}")
    if pixels.ndim != 4 or pixels.shape[1] != 3:
        raise Refusal(f"expected RGB as (batch, 3, height, width), got {tuple(pixels.shape)}")
    return COLOR_SPACES[space](pixels.to(torch.float32)).round().clamp(0, 255)


def image_in_space(image: np.ndarray, space: str) -> np.ndarray:
    """One decoded photo, (H, W, 3) uint8 RGB, shown in another space; raises as :func:`to_color_space`."""
    if space == "rgb":
        return image
    planes = to_color_space(torch.from_numpy(image).permute(2, 0, 1)[None], space)
    return planes[0].permute(1, 2, 0).to(torch.uint8).numpy()


def _rgb(pixels: torch.Tensor) -> torch.Tensor:
    return pixels


def _yuv(pixels: torch.Tensor) -> torch.Tensor:
    red, green, blue = pixels.unbind(1)
    luma = (0.299 * red + 0.587 * green + 0.114 * blue).round()  # OpenCV takes the differences from the byte
    return torch.stack([luma, 0.492 * (blue - luma) + 128, 0.877 * (red - luma) + 128], dim=1)


def _lab(pixels: torch.Tensor) -> torch.Tensor:
    # OpenCV looks bytes up in tables of whole numbers: dark colours move by up to 3 levels if their steps are left out.
    display = pixels / 255
    linear = torch.where(display > 0.04045, ((display + 0.055) / 1.055) ** 2.4, display / 12.92)  # IEC 61966-2-1
    linear = (_LINEAR_STEPS * linear).round()
    rows = [
        (linear.new_tensor(row) / white * 4096).round() / 4096 for row, white in zip(_XYZ_FROM_RGB, _WHITE, strict=True)
    ]
    xyz = (torch.einsum("ij,bjhw->bihw", torch.stack(rows), linear) + 0.5).floor() / _LINEAR_STEPS
    curve = torch.where(xyz > _LAB_LINEAR_BELOW, xyz.clamp_min(1e-8) ** (1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = ((32768 * curve).round() / 32768).unbind(1)
    # (116 y - 16) * 255/100, with the slope as a whole number
    return torch.stack([296 * y - 40.8, 500 * (x - y) + 128, 200 * (y - z) + 128], dim=1)


def _hsv(pixels: torch.Tensor) -> torch.Tensor:
    red, green, blue = pixels.unbind(1)
    value = pixels.amax(1)
    range_ = value - pixels.amin(1)
    safe = range_.clamp_min(1)
    sector = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    half_degrees = torch.where(range_ > 0, (30 * sector) % 180, 0.0).round() % 180
    return torch.stack([half_degrees, 255 * range_ / value.clamp_min(1), value], dim=1)


COLOR_SPACES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"rgb": _rgb, "yuv": _yuv, "lab": _lab, "hsv": _hsv}
