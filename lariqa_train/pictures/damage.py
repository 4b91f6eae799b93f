"""Known damage to a photo, by kind and severity: what the demo, the parity proof and generated data compare.

Every function takes (H, W, 3) uint8 and a severity in 0..1 and returns a new image of the same shape; 0 is harmless,
1 is obvious. The same input gives the same output on every run.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from lariqa.photos.photo import open_photo

BUNDLED_PHOTO = Path(__file__).parents[1] / "bundled" / "dandelions_3840x2160.jpg"


def blur(image: np.ndarray, severity: float) -> np.ndarray:
    """Gaussian, standard deviation up to 8 px."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(8 * severity)))


def noise(image: np.ndarray, severity: float, seed: int = 0) -> np.ndarray:
    """White Gaussian per channel, standard deviation up to 50 levels."""
    grain = np.random.default_rng(seed).standard_normal(image.shape, dtype=np.float32)
    return np.clip(np.rint(image + 50 * severity * grain), 0, 255).astype(np.uint8)


def recompress(image: np.ndarray, severity: float) -> np.ndarray:
    """JPEG, quality 95 down to 5."""
    return jpeg_of_quality(image, round(95 - 90 * severity))


def jpeg_of_quality(image: np.ndarray, quality: int) -> np.ndarray:
    """Through a JPEG file of that quality and back, as Pillow writes it."""
    encoded = io.BytesIO()
    Image.fromarray(image).save(encoded, "JPEG", quality=quality)
    return np.asarray(Image.open(encoded))


def darken(image: np.ndarray, severity: float) -> np.ndarray:
    """Under-exposure, up to three stops on display values."""
    return np.rint(image * 2.0 ** (-3 * severity)).astype(np.uint8)


DISTORTIONS = {"blurred": blur, "noisy": noise, "recompressed": recompress, "dark": darken}


def versions(
    image: np.ndarray, severity: float = 0.5, kinds: tuple[str, ...] = tuple(DISTORTIONS)
) -> dict[str, np.ndarray]:
    """The photo itself as "original", and one damaged version of each kind."""
    return {"original": image, **{kind: DISTORTIONS[kind](image, severity) for kind in kinds}}


def bundled_photo() -> np.ndarray:
    """The CC0 photograph that comes with the toolkit: (2160, 3840, 3) uint8; credit in bundled/README.md."""
    return open_photo(BUNDLED_PHOTO)
