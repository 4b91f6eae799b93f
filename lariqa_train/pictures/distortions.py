"""Distortions of known kind and severity, for generated data.

Each takes (H, W, 3) uint8 RGB, a severity in 0..1 and a random generator, and gives a new image of the same shape.
A kind's physical strength p grows geometrically, p = mildest * (harshest / mildest)^severity, because equal ratios
look like equal steps (Weber): 0 is just visible at best, 1 is obvious. OpenCV and Pillow do the work.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

Distortion = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def strength(mildest: float, harshest: float, severity: float) -> float:
    """From ``mildest`` at severity 0 to ``harshest`` at 1, in equal ratios."""
    return mildest * (harshest / mildest) ** severity


def gaussian_blur(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """Standard deviation 0.5 to 8 px."""
    return cv2.GaussianBlur(image, (0, 0), strength(0.5, 8, severity))


def motion_blur(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """A straight line of 2 to 40 px, in a random direction."""
    length, angle = strength(2, 40, severity), random.uniform(0, np.pi)
    side = 2 * int(np.ceil(length / 2)) + 3
    kernel = np.zeros((side, side), np.float32)
    half = length / 2 * np.array([np.cos(angle), np.sin(angle)])
    ends = [np.int32(np.rint((side / 2 - 0.5 + sign * half) * 256)).tolist() for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, shift=8)
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)


def resample(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """Shrunk 1.3 to 10 times and enlarged again, bicubic or in blocks."""
    height, width = image.shape[:2]
    factor = strength(1.3, 10, severity)
    small = Image.fromarray(image).resize(
        (max(1, round(width / factor)), max(1, round(height / factor))), Image.Resampling.BOX
    )
    enlarge = Image.Resampling.BICUBIC if random.random() < 0.7 else Image.Resampling.NEAREST
    return np.array(small.resize((width, height), enlarge))


def white_noise(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """Gaussian per channel, standard deviation 3 to 60 levels."""
    grain = random.standard_normal(image.shape, dtype=np.float32)
    return _to_bytes(image + strength(3, 60, severity) * grain)


def sensor_noise(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """Grows with the light, as photons do, the same in all channels: standard deviation 3 to 60 levels at white."""
    grain = random.standard_normal((*image.shape[:2], 1), dtype=np.float32)
    return _to_bytes(image + strength(3, 60, severity) * np.sqrt((image + 8) / 263) * grain)


def impulse_noise(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """Black and white dots on 0.05 % to 12 % of the pixels."""
    dice = random.random(image.shape[:2], dtype=np.float32)[..., None]
    share = strength(0.0005, 0.12, severity)
    return np.where(dice < share / 2, np.uint8(0), np.where(dice > 1 - share / 2, np.uint8(255), image))


def jpeg(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """JPEG, quality 90 down to 4."""
    return _recoded(image, "JPEG", quality=round(strength(90, 4, severity)))


def webp(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """WebP, quality 80 down to 0."""
    return _recoded(image, "WEBP", quality=max(0, round(strength(81, 1, severity)) - 1), method=0)


def over_exposure(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """Light times 1.15 to 5 on display values; what passes white is lost."""
    return _to_bytes(image * np.float32(strength(1.15, 5, severity)))


def under_exposure(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """Light divided by 1.15 to 12 on display values, and rounded to whole levels there."""
    return _to_bytes(image / np.float32(strength(1.15, 12, severity)))


def low_contrast(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """Distance from the mean grey times 0.85 down to 0.1."""
    mean = np.float32(image.mean())
    return _to_bytes(mean + (image - mean) * np.float32(strength(0.85, 0.1, severity)))


def colour_shift(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """A tint: channels up and down by 5 to 90 levels."""
    tint = random.standard_normal(3).astype(np.float32)
    tint -= tint.mean()
    return _to_bytes(image + strength(5, 90, severity) * tint / np.abs(tint).max())


def banding(image: np.ndarray, severity: float, random: np.random.Generator) -> np.ndarray:
    """64 down to 3 levels per channel."""
    levels = round(strength(64, 3, severity)) - 1
    return _to_bytes(np.rint(image / 255 * np.float32(levels)) * (255 / levels))


DISTORTIONS: dict[str, Distortion] = {
    kind.__name__: kind
    for kind in (
        gaussian_blur,
        motion_blur,
        resample,
        white_noise,
        sensor_noise,
        impulse_noise,
        jpeg,
        webp,
        over_exposure,
        under_exposure,
        low_contrast,
        colour_shift,
        banding,
    )
}


def score_of(severity: float) -> float:
    """The score that generated data gives to a severity: 1 for an undistorted picture down to 0. Not a human rating."""
    return 1.0 - severity


def _recoded(image: np.ndarray, file_format: str, **options) -> np.ndarray:
    encoded = io.BytesIO()
    Image.fromarray(image).save(encoded, file_format, **options)
    return np.array(Image.open(encoded).convert("RGB"))


def _to_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
