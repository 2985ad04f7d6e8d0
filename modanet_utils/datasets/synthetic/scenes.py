"""The light, the ground, shadows, and the camera that takes the picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from modanet_utils.datasets.synthetic.drawing import TILE, Canvas, Points, noise, periodic_noise, softened, wrapped
from modanet_utils.datasets.synthetic.places import GREEN, PLACES, box, polygon, things_at_the_wall, traffic

PAVINGS = {  # colour, size of a stone in pixels of the tile (0: none), roughness
    "grass": (GREEN * 1.2, (0, 0), 0.10),
    "gravel": (np.array((0.66, 0.60, 0.50)), (0, 0), 0.10),
    "asphalt": (np.array((0.36, 0.36, 0.37)), (0, 0), 0.045),
    "slabs": (np.array((0.62, 0.61, 0.58)), (64, 64), 0.045),
    "cobbles": (np.array((0.62, 0.61, 0.58)), (16, 16), 0.045),
    "bricks": (np.array((0.55, 0.38, 0.31)), (32, 16), 0.045),
}


@dataclass
class Scene:
    """Where a picture is taken.

    Attributes:
        ground: y in pixels where the ground begins.
        sun: strength of the direct light, 0 overcast .. 1 sunny.
        shadow: direction of the shadows on the ground, pixels (x, up) for a pixel of height.
        warmth: colour of the light, (3,) gains.
    """

    ground: int
    sun: float
    shadow: tuple[float, float]
    warmth: np.ndarray


def draw_background(canvas: Canvas, rng: np.random.Generator) -> Scene:
    """Paint the street on an empty canvas and set its light."""
    sun = float(rng.choice([rng.uniform(0, 0.25), rng.uniform(0.5, 1)]))
    side = float(rng.uniform(-0.75, 0.75))
    light = np.array([side, -0.45 - 0.2 * sun, 0.75])
    canvas.light, canvas.ambient = light / np.linalg.norm(light), 0.62 - 0.27 * sun
    warmth = rng.normal(0, 0.03) * np.array([1.0, 0.1, -1.0]) + sun * rng.uniform(0, 0.06) * np.array([1.2, 0.3, -1.0])
    place = str(rng.choice(list(PLACES), p=[0.2, 0.13, 0.18, 0.09, 0.2, 0.12, 0.08]))
    far = place in ("street", "park")
    w, h = canvas.size
    ground = int(h * (rng.uniform(0.55, 0.68) if far else rng.uniform(0.74, 0.9)))
    rgb = np.full((h, w, 3), 0.6, np.float32)
    PLACES[place](rgb, ground, rng)
    _ground(rgb, ground, place, rng)
    (traffic if far else things_at_the_wall)(rgb, ground, rng)
    blur = rng.uniform(1.5, 4.0) if far else rng.uniform(0.6, 2.2)
    # far things are out of focus, the pavement comes into focus towards the feet
    canvas.rgb[:] = softened(rgb, blur)
    sharp = np.linspace(0, 0.8, h - ground, dtype=np.float32)[:, None, None]
    canvas.rgb[ground:] += sharp * (rgb[ground:] - canvas.rgb[ground:])
    across = np.linspace(1, -1, w, dtype=np.float32)[None, :, None]
    canvas.rgb *= np.float32(rng.uniform(0.75, 1.1)) * (1 + np.float32(0.10 * side) * across)
    return Scene(ground, sun, (-side * rng.uniform(0.3, 0.9), rng.uniform(0.1, 0.3)), 1 + warmth)


def cast_shadow(canvas: Canvas, scene: Scene, figure: np.ndarray, foot: Points, unit: float) -> None:
    """Darken the ground where a figure blocks the light.

    Args:
        figure: its coverage, (H, W) float32.
        foot, unit: where it stands and the height of its head, pixels.
    """
    kx, ky = scene.shadow
    w, h = canvas.size
    top = scene.ground
    lie = np.float32([[1, -kx, kx * foot[1]], [0, ky, (1 - ky) * foot[1] - 0.04 * unit - top]])
    shadow = softened(cv2.warpAffine(figure, lie, (w, h - top)), 0.04 * unit + 5 * (1 - scene.sun))
    under = np.zeros_like(shadow)
    middle, size = (int(foot[0]), int(foot[1] - 0.05 * unit) - top), (int(0.85 * unit), int(0.17 * unit))
    cv2.ellipse(under, middle, size, 0, 0, 360, 1.0, cv2.FILLED)
    under = softened(under, 0.14 * unit)
    fade = np.clip(np.arange(h - top, dtype=np.float32) / 6, 0, 1)[:, None]  # the wall takes no shadow
    dark = np.maximum(shadow * np.float32(0.15 + 0.4 * scene.sun), 0.5 * under)
    dark *= fade * (1 - canvas.covered[top:])
    canvas.rgb[top:] *= (1 - dark)[..., None]


def photograph(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """The picture that a camera takes: colour cast, exposure, vignette, blur, noise; (H, W, 3) uint8."""
    w, h = canvas.size
    # exposure, saturation, contrast and the light's colour are one matrix
    saturation, contrast, black = rng.uniform(0.8, 1.15), rng.uniform(0.95, 1.15), rng.normal(0, 0.015)
    grade = saturation * np.eye(3) + (1 - saturation) / 3
    grade = contrast * grade @ np.diag(scene.warmth * rng.uniform(0.86, 1.15))
    shift = np.full((3, 1), 0.45 * (1 - contrast) + black)
    rgb = cv2.transform(canvas.rgb, np.hstack([grade, shift]).astype(np.float32))
    rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.35, 0.75))
    x, y = np.linspace(-1, 1, w, dtype=np.float32)[None, :], np.linspace(-1, 1, h, dtype=np.float32)[:, None]
    vignette = 1 - np.float32(rng.uniform(0, 0.22)) * (x * x + y * y) / 2
    strength = np.float32(rng.uniform(0.004, 0.013))
    fine = strength * rng.standard_normal((h, w), np.float32)
    coarse = cv2.resize(strength * rng.standard_normal((h // 3, w // 3, 3), np.float32), (w, h))
    rgb = rgb * vignette[..., None] + fine[..., None] + coarse
    return cv2.convertScaleAbs(np.clip(rgb, 0, 1), alpha=255)


def _ground(rgb: np.ndarray, ground: int, place: str, rng: np.random.Generator) -> None:
    """Pavement, asphalt or grass in perspective below ``ground``."""
    h, w = rgb.shape[:2]
    city = rng.choice(["slabs", "cobbles", "asphalt", "bricks"], p=[0.4, 0.2, 0.25, 0.15])
    kind = str(rng.choice(["grass", "gravel"])) if place == "park" else str(city)
    horizon = np.float32(min(ground - 25, h * rng.uniform(0.3, 0.5)))
    nearness = (np.arange(ground, h, dtype=np.float32)[:, None] - horizon) / (np.float32(0.96 * h) - horizon)
    across = (np.arange(w, dtype=np.float32)[None, :] - np.float32(rng.uniform(0.3, 0.7) * w)) / nearness
    away = np.float32(rng.uniform(900, 1300)) / nearness
    turn = np.float32(rng.choice([0, 0, 0.4, 0.785]))
    c, s = np.cos(turn), np.sin(turn)
    u, v = wrapped(across * c + away * s, away * c - across * s, TILE)
    floor = cv2.remap(_paving(kind, rng), u, v, cv2.INTER_LINEAR)
    rgb[ground:] = floor * (1 + 0.06 * noise(rng, h - ground, w, 60, 14))[..., None]
    if place not in ("park", "street") and rng.random() < 0.5:
        rgb[ground : ground + 5] *= 0.6  # dirt at the foot of the wall
    if kind == "asphalt" and rng.random() < 0.5:  # a painted line
        y, slope = rng.uniform(ground + 12, h - 10), rng.uniform(-0.12, 0.12)
        wide = 4 + (y - ground) * 0.06
        line = [(0, y), (w, y + slope * w), (w, y + slope * w + wide), (0, y + wide)]
        polygon(rgb, line, (0.8, 0.78, 0.7))


def _paving(kind: str, rng: np.random.Generator) -> np.ndarray:
    """A periodic tile of paving, (TILE, TILE, 3) float32."""
    colour, (wide, deep), rough = PAVINGS[kind]
    colour = colour * rng.uniform(0.75, 1.2)
    tile = np.empty((TILE, TILE, 3), np.float32)
    tile[:] = colour * (0.62 if wide else 1.0)
    for row in range(TILE // deep if deep else 0):
        for column in range(-1, TILE // wide):
            x, y = column * wide + (row % 2) * wide // 2, row * deep
            box(tile, x + 1, y + 1, x + wide - 1, y + deep - 1, colour * rng.uniform(0.9, 1.1))
    tile *= (1 + rough * (periodic_noise(rng, 50, 50) + periodic_noise(rng, 14, 10)))[..., None]
    return cv2.GaussianBlur(tile, (0, 0), 0.8)
