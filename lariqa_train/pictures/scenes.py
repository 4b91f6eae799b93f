"""Procedural scenes: synthetic photographs to distort where there are no real ones. Same seed, same scene.

Dead leaves (A. Matheron 1968; Lee, Mumford & Huang 2001): opaque shapes with sizes r ~ r^-3 that hide each other give
the edges and the 1/f spectrum of photographs. Each leaf has a colour, a light gradient and a texture of its own; a part
of the scenes has a soft background behind a sharp subject, as a lens gives it. Drawn at twice the size and averaged
down, so that edges are as sharp as a good lens makes them; then stretched to the whole range of brightness, so that
a scene is well exposed until it is distorted.
"""

from __future__ import annotations

import cv2
import numpy as np

SMALLEST_PX, LARGEST_SHARE = 3, 0.45  # radii of the leaves: in pixels, and as a share of the scene's side
TEXTURE_PX = 256


def render_scene(seed: int, height: int, width: int, oversampling: int = 2) -> np.ndarray:
    """One scene: (height, width, 3) uint8 RGB; at ``oversampling`` 1 its edges have steps, in a quarter of the time."""
    random = np.random.default_rng([seed, 0x5CE9E])
    large = (oversampling * height, oversampling * width)
    palette = _palette(random)
    zoom = float(np.exp(random.uniform(0, np.log(4))))  # how near the camera is: how large things are in pixels
    grain = float(random.uniform(0, 0.25) if random.random() < 0.7 else 0)  # smooth worlds and rough ones
    sky = _sky(random, large, palette)
    if random.random() < 0.7:
        background = _leaves(random, large, palette, _some(random, 5, 200), sky, grain, zoom)
        background = cv2.GaussianBlur(background, (0, 0), float(np.exp(random.uniform(np.log(3), np.log(40)))))
        scene = _leaves(random, large, palette, _some(random, 2, 250), background, grain, zoom, cluster=True)
    else:
        scene = _leaves(random, large, palette, _some(random, 8, 600), sky, grain, zoom)
    if random.random() < 0.25:
        _strokes(random, scene)
    scene = cv2.resize(scene, (width, height), interpolation=cv2.INTER_AREA)
    if random.random() < 0.5:  # lenses and sensors differ
        scene = cv2.GaussianBlur(scene, (0, 0), float(random.uniform(0.3, 0.8)))
    return _well_exposed(random, scene)


def _palette(random: np.random.Generator) -> np.ndarray:
    """(n, 3) colours that go together, 0..1: around a few hues, from dark to light."""
    hues = random.uniform(0, 180, size=random.integers(2, 5))
    n = 24
    hsv = np.stack(
        [
            (random.choice(hues, n) + random.normal(0, 8, n)) % 180,
            255 * random.beta(1.2, 3, n),
            255 * random.uniform(0.05, 1, n),
        ],
        axis=-1,
    )
    return cv2.cvtColor(hsv.astype(np.uint8)[None], cv2.COLOR_HSV2RGB)[0].astype(np.float32) / 255


def _texture(random: np.random.Generator) -> np.ndarray:
    """(TEXTURE_PX, TEXTURE_PX) of mean 0: noise with a power-law spectrum, in one direction more than in another."""
    frequency = np.fft.fftfreq(TEXTURE_PX)
    fy, fx = frequency[:, None], frequency[None, : TEXTURE_PX // 2 + 1]
    angle, stretch = random.uniform(0, np.pi), random.uniform(1, 4)
    along, across = np.cos(angle) * fx + np.sin(angle) * fy, np.cos(angle) * fy - np.sin(angle) * fx
    radius = np.hypot(along * stretch, across) + 1 / TEXTURE_PX
    spectrum = radius ** -random.uniform(0.8, 2.0) * np.exp(2j * np.pi * random.random(radius.shape))
    texture = np.fft.irfft2(spectrum, (TEXTURE_PX, TEXTURE_PX)).astype(np.float32)
    return texture / texture.std()


def _some(random: np.random.Generator, fewest: int, most: int) -> int:
    """A number between, equally often in each octave: calm scenes are as frequent as busy ones."""
    return int(np.exp(random.uniform(np.log(fewest), np.log(most))))


def _sky(random: np.random.Generator, size: tuple[int, int], palette: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32: a slow change between four colours, as skies, walls and waters have it."""
    corners = palette[random.integers(len(palette), size=4)].reshape(2, 2, 3)
    return cv2.resize(corners, size[::-1], interpolation=cv2.INTER_LINEAR)


def _leaves(
    random: np.random.Generator,
    size: tuple[int, int],
    palette: np.ndarray,
    count: int,
    canvas: np.ndarray,
    grain: float,
    zoom: float,
    cluster: bool = False,
) -> np.ndarray:
    """Draw ``count`` leaves, large ones first, on a copy of a canvas (H, W, 3) float32 in 0..1.

    At ``zoom`` 2 the world is twice as wide as the canvas, and most of it lies outside.
    """
    height, width = size
    canvas = canvas.copy()
    textures = [_texture(random) for _ in range(4)]
    uniform, largest = random.random(count), LARGEST_SHARE * min(size) * zoom
    radii = SMALLEST_PX / np.sqrt(1 - uniform * (1 - (SMALLEST_PX / largest) ** 2))  # density ~ r^-3
    radii = np.sort(np.maximum(radii, largest * random.random(count) ** 4))[::-1]
    centre = random.uniform(0.3, 0.7, 2)
    for radius in radii:
        at = centre + random.normal(0, 0.18, 2) if cluster else random.uniform(0, 1, 2)
        at = (0.5 + zoom * (at - 0.5)) * (width, height)
        left, top = (int(max(0, at[axis] - radius - 1)) for axis in (0, 1))
        right, bottom = int(min(width, at[0] + radius + 2)), int(min(height, at[1] + radius + 2))
        if right - left < 2 or bottom - top < 2:
            continue
        mask = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillPoly(mask, [np.int32(_outline(random, radius) + at - (left, top))], 1)
        cv2.copyTo(_surface(random, mask.shape, palette, textures, grain), mask, canvas[top:bottom, left:right])
    return canvas


def _outline(random: np.random.Generator, radius: float) -> np.ndarray:
    """(n, 2) points around the origin: a disk, a squeezed one, a polygon, or a wavy leaf."""
    kind = random.integers(4)
    points = int(random.integers(3, 8)) if kind == 2 else 40
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False) + random.uniform(0, 2 * np.pi)
    reach = np.full(points, radius)
    if kind == 3:
        reach *= 0.75 + 0.25 * np.sin(int(random.integers(2, 9)) * angles)
    outline = np.stack([reach * np.cos(angles), reach * np.sin(angles)], axis=-1)
    if kind == 1:
        turn = random.uniform(0, np.pi)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        outline = outline * (1, random.uniform(0.08, 0.8)) @ rotation
    return outline


def _surface(
    random: np.random.Generator, shape: tuple[int, int], palette: np.ndarray, textures: list, grain: float
) -> np.ndarray:
    """(h, w, 3) float32: a colour, a gradient of light over it, a texture in it."""
    height, width = shape
    colour = palette[random.integers(len(palette))]
    slope = random.normal(0, 0.25, 2)
    along, across = (np.linspace(-s, s, n, dtype=np.float32) for s, n in zip(slope, shape, strict=True))
    light = 1 + along[:, None] + across[None]
    if grain and random.random() < 0.75:
        texture, zoom = textures[random.integers(len(textures))], float(random.uniform(0.5, 3))
        oy, ox = random.integers(TEXTURE_PX, size=2)
        rows = (np.arange(height) / zoom + oy).astype(int) % TEXTURE_PX
        columns = (np.arange(width) / zoom + ox).astype(int) % TEXTURE_PX
        light += np.float32(random.uniform(0.2, 1.2) * grain) * texture[rows][:, columns]
    return colour * light[..., None]


def _strokes(random: np.random.Generator, scene: np.ndarray) -> None:
    """Thin lines and letters over the scene: wires, twigs, signs."""
    height, width = scene.shape[:2]
    for _ in range(int(random.integers(5, 40))):
        start, end = (random.uniform(0, 1, 2) * (width, height) for _ in range(2))
        colour = tuple(float(c) for c in random.random() * random.uniform(0.5, 1, 3))
        if random.random() < 0.7:
            cv2.line(scene, np.int32(start).tolist(), np.int32(end).tolist(), colour, int(random.integers(1, 6)))
        else:
            word = "".join(random.choice(list("AEHKMNRSTXZ258"), int(random.integers(2, 7))))
            letters = np.zeros((height, width), np.uint8)  # OpenCV 5 writes on bytes only
            cv2.putText(letters, word, np.int32(start).tolist(), 0, float(random.uniform(0.6, 3)), 255, 2)
            scene[letters > 0] = colour


def _well_exposed(random: np.random.Generator, scene: np.ndarray) -> np.ndarray:
    low, high = np.percentile(scene[::4, ::4], (0.5, 99.5))
    scene = np.clip((scene - low) / max(high - low, 1e-3), 0, 1)
    middle = np.median(scene)
    wanted = random.uniform(0.3, 0.6)
    gamma = np.clip(np.log(wanted) / np.log(np.clip(middle, 0.02, 0.98)), 0.5, 2)
    return np.rint(255 * scene**gamma).astype(np.uint8)


def as_photographed(image: np.ndarray, seed: int) -> np.ndarray:
    """The small faults that every good photograph has: (H, W, 3) uint8 -> the same, none of them counted as damage.

    Without them a model learns that anything softer than a drawing is damaged, and rates every real photo low.
    """
    random = np.random.default_rng([seed, 0xF070])
    picture = image.astype(np.float32)
    if random.random() < 0.6:  # the lens, and the sampling of colours
        picture = cv2.GaussianBlur(picture, (0, 0), float(random.uniform(0.3, 1.2)))
    middle = picture.mean()
    picture = middle + (picture - middle) * np.float32(random.uniform(0.7, 1.05))
    picture = 255 * (np.clip(picture, 0, 255) / 255) ** np.float32(random.uniform(0.75, 1.3))
    if random.random() < 0.6:  # the sensor at low sensitivity
        grain = random.standard_normal((*image.shape[:2], 1 if random.random() < 0.5 else 3), dtype=np.float32)
        picture += float(random.uniform(0.3, 2.2)) * grain
    taken = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    if random.random() < 0.5:  # the camera's own file
        quality = int(random.integers(90, 99))
        encoded = cv2.imencode(".jpg", taken[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        taken = np.ascontiguousarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1])
    return taken
