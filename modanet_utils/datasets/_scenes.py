"""Streets behind the figures, the light, and the camera that takes the picture."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from modanet_utils.datasets._drawing import TILE, Canvas, Points, noise, periodic_noise, softened, wrapped

WALLS = np.array(
    [(0.62, 0.34, 0.26), (0.70, 0.50, 0.40), (0.80, 0.76, 0.68), (0.86, 0.84, 0.80), (0.55, 0.56, 0.57), (0.72, 0.66, 0.50),
     (0.45, 0.52, 0.56), (0.78, 0.60, 0.55), (0.35, 0.42, 0.40), (0.88, 0.78, 0.62)]
)  # fmt: skip
PAINT = np.array(
    [(0.14, 0.20, 0.32), (0.55, 0.12, 0.12), (0.10, 0.10, 0.11), (0.85, 0.85, 0.84), (0.20, 0.34, 0.26), (0.70, 0.55, 0.20),
     (0.40, 0.26, 0.18), (0.30, 0.42, 0.55), (0.60, 0.60, 0.60)]
)  # fmt: skip
GREEN = np.array((0.24, 0.36, 0.14))
SIGNS = ("CAFE", "BOOKS", "SHOES", "BAKERY", "No 12", "FLOWERS", "VINTAGE", "BAR", "OPTIK", "MARKET")


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
    warmth = np.array([1.0, 1.0, 1.0]) + rng.normal(0, 0.03) * np.array([1.0, 0.1, -1.0]) + sun * rng.uniform(0, 0.06) * np.array([1.2, 0.3, -1.0])
    kind = str(rng.choice(list(_PLACES), p=[0.2, 0.13, 0.18, 0.09, 0.2, 0.12, 0.08]))
    w, h = canvas.size
    ground = int(h * (rng.uniform(0.55, 0.68) if kind in ("street", "park") else rng.uniform(0.74, 0.9)))
    rgb = np.full((h, w, 3), 0.6, np.float32)
    _PLACES[kind](rgb, ground, rng)
    _ground(rgb, ground, kind, rng)
    blur = rng.uniform(1.5, 4.0) if kind in ("street", "park") else rng.uniform(0.6, 2.2)
    if kind in ("street", "park"):
        for _ in range(rng.integers(0, 3)):
            _car(rgb, rng.uniform(0, w), ground + rng.uniform(2, 25), rng.uniform(0.35, 0.7), rng)
    else:
        _clutter(rgb, ground, rng)
    # far things are out of focus, the pavement comes into focus towards the feet
    soft = softened(rgb, blur)
    sharp = np.clip((np.arange(h, dtype=np.float32) - ground) / (h - ground), 0, 1)[:, None, None] * 0.8
    canvas.rgb[:] = soft * (1 - sharp) + cv2.GaussianBlur(rgb, (0, 0), 0.7) * sharp
    canvas.rgb *= (1 + 0.10 * side * np.linspace(1, -1, w, dtype=np.float32))[None, :, None]
    canvas.rgb *= np.float32(rng.uniform(0.75, 1.1))
    return Scene(ground, sun, (-side * rng.uniform(0.3, 0.9), rng.uniform(0.1, 0.3)), warmth)


def cast_shadow(canvas: Canvas, scene: Scene, before: np.ndarray, foot: Points, unit: float) -> None:
    """Darken the ground where the figure that was drawn since ``before`` (H, W) blocks the light."""
    new = canvas.covered - before
    kx, ky = scene.shadow
    lie = np.float32([[1, -kx, kx * foot[1]], [0, ky, (1 - ky) * foot[1] - 0.04 * unit]])
    shadow = softened(cv2.warpAffine(new, lie, canvas.size), 0.04 * unit + 5 * (1 - scene.sun))
    under = np.zeros_like(new)
    cv2.ellipse(under, (int(foot[0]), int(foot[1] - 0.05 * unit)), (int(0.85 * unit), int(0.17 * unit)), 0, 0, 360, 1.0, cv2.FILLED)
    under = softened(under, 0.14 * unit)
    rows = np.arange(canvas.size[1], dtype=np.float32)[:, None]
    on_ground = np.clip((rows - scene.ground) / 6, 0, 1)
    dark = np.maximum(shadow * (0.15 + 0.4 * scene.sun), 0.5 * under) * on_ground * (1 - canvas.covered)
    canvas.rgb *= (1 - dark)[..., None]


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


# --- places ---------------------------------------------------------------------------------------------


def _pick(palette: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.clip(palette[rng.integers(len(palette))] * rng.uniform(0.8, 1.12) + rng.normal(0, 0.02, 3), 0.02, 0.95)


def _box(rgb: np.ndarray, x0: float, y0: float, x1: float, y1: float, colour: Points | float) -> None:
    h, w = rgb.shape[:2]
    rgb[max(int(y0), 0) : min(max(int(y1), 0), h), max(int(x0), 0) : min(max(int(x1), 0), w)] = colour


def _polygon(rgb: np.ndarray, points: Points, colour: Points) -> None:
    cv2.fillPoly(rgb, [np.round(np.asarray(points)).astype(np.int32)], np.asarray(colour, float).tolist())


def _weather(rgb: np.ndarray, amount: float, rng: np.random.Generator) -> None:
    h, w = rgb.shape[:2]
    rgb *= (1 + amount * (noise(rng, h, w, 60, 90) + 0.6 * noise(rng, h, w, 9, 9) + 0.4 * noise(rng, h, w, 2, 2)))[..., None]


def _brick(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    brick, mortar = _pick(WALLS, rng), _pick(WALLS[2:5], rng) * 0.85
    if rng.random() < 0.5:
        brick = np.array((0.55, 0.30, 0.23)) * rng.uniform(0.7, 1.2)
    height, width = rng.uniform(11, 17), rng.uniform(34, 50)
    rgb[:ground] = mortar
    for row in range(int(ground / height) + 1):
        y = row * height
        for k in range(-1, int(rgb.shape[1] / width) + 1):
            x = (k + 0.5 * (row % 2)) * width
            _box(rgb[:ground], x + 1, y + 1, x + width - 1, y + height - 1, brick * rng.uniform(0.82, 1.15))
    _weather(rgb[:ground], 0.06, rng)
    if rng.random() < 0.5:
        _window(rgb, rng.uniform(-40, 330), rng.uniform(-60, 60), rng.uniform(90, 140), rng.uniform(150, 230), rng)


def _plaster(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    colour = _pick(WALLS, rng)
    rgb[:ground] = colour
    if rng.random() < 0.5:
        _box(rgb, 0, ground - rng.uniform(30, 110), rgb.shape[1], ground, colour * rng.uniform(0.55, 0.85))
    if rng.random() < 0.4:  # concrete panels
        for x in np.arange(rng.uniform(20, 120), 400, rng.uniform(120, 180)):
            _box(rgb, x, 0, x + 2, ground, colour * 0.6)
        for y in np.arange(rng.uniform(20, 120), ground, 170):
            _box(rgb, 0, y, 400, y + 2, colour * 0.6)
    _weather(rgb[:ground], 0.08, rng)
    for _ in range(rng.integers(0, 4)):  # posters, now and then in the colours of clothes
        x, y, w = rng.uniform(0, 380), rng.uniform(60, 300), rng.uniform(30, 70)
        _box(rgb, x, y, x + w, y + w * 1.4, _pick(PAINT, rng))
        _box(rgb, x + w * 0.15, y + w * 0.15, x + w * 0.85, y + w * 0.8, _pick(WALLS, rng))
    if rng.random() < 0.35:
        _window(rgb, rng.uniform(-40, 330), rng.uniform(-30, 80), rng.uniform(90, 130), rng.uniform(140, 210), rng)
    elif rng.random() < 0.5:
        _door(rgb, rng.uniform(-30, 320), ground, rng)


def _window(rgb: np.ndarray, x: float, y: float, w: float, h: float, rng: np.random.Generator) -> None:
    frame = _pick(PAINT, rng)
    _box(rgb, x - 6, y - 6, x + w + 6, y + h + 8, frame)
    top = np.array((0.5, 0.58, 0.64)) * rng.uniform(0.5, 1.1)
    x0, x1, y0, y1 = (int(np.clip(v, 0, lim)) for v, lim in ((x, 400), (x + w, 400), (y, 600), (y + h, 600)))
    if x1 > x0 and y1 > y0:
        rgb[y0:y1, x0:x1] = top * np.linspace(1, 0.35, y1 - y0)[:, None, None]
    _box(rgb, x + w / 2 - 3, y, x + w / 2 + 3, y + h, frame)
    _box(rgb, x, y + h * 0.4, x + w, y + h * 0.4 + 5, frame)
    _box(rgb, x - 12, y + h + 6, x + w + 12, y + h + 16, _pick(WALLS, rng) * 0.9)


def _door(rgb: np.ndarray, x: float, ground: int, rng: np.random.Generator) -> None:
    colour = _pick(PAINT, rng)
    _box(rgb, x - 8, ground - 360, x + 128, ground, colour * 0.6)
    _box(rgb, x, ground - 350, x + 120, ground, colour)
    for row in range(3):
        for column in range(2):
            left, top = x + 12 + 54 * column, ground - 335 + 112 * row
            _box(rgb, left, top, left + 42, top + 92, colour * 0.78)
            _box(rgb, left + 4, top + 4, left + 42, top + 92, colour * 1.08)
    _box(rgb, x + 106, ground - 170, x + 113, ground - 150, (0.75, 0.65, 0.35))


def _shop(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    frame = _pick(PAINT, rng)
    rgb[:ground] = frame
    w = rgb.shape[1]
    sign = int(rng.uniform(30, 90))
    edges = np.cumsum([rng.uniform(-60, 10), *rng.uniform(110, 190, 4)])
    for left, right in zip(edges[:-1], edges[1:], strict=True):
        x0, x1 = int(np.clip(left + 7, 0, w)), int(np.clip(right - 7, 0, w))
        y0, y1 = sign + 14, ground - int(rng.uniform(12, 70))
        if x1 - x0 < 6:
            continue
        inside = np.full((y1 - y0, x1 - x0, 3), _pick(WALLS, rng) * rng.uniform(0.15, 0.4), np.float32)
        for _ in range(rng.integers(6, 18)):  # goods, lamps and people behind the glass
            at = (int(rng.uniform(0, x1 - x0)), int(rng.uniform(0, y1 - y0)))
            size = (int(rng.uniform(4, 26)), int(rng.uniform(4, 50)))
            cv2.ellipse(inside, at, size, 0, 0, 360, _pick(np.concatenate([PAINT, WALLS]), rng).tolist(), cv2.FILLED)
        inside = softened(inside, 5)
        shift = np.arange(x1 - x0)[None, :] + 0.5 * np.arange(y1 - y0)[:, None]
        gleam = np.clip(np.sin(shift / rng.uniform(40, 80) + rng.uniform(0, 6)) - 0.3, 0, 1)[..., None] * rng.uniform(0.05, 0.3)
        rgb[y0:y1, x0:x1] = inside * (1 - gleam) + np.array((0.75, 0.8, 0.85)) * gleam
    _box(rgb, 0, 0, w, sign, _pick(PAINT, rng))
    ink = (0.95, 0.92, 0.85) if rgb[2, 2].mean() < 0.5 else (0.1, 0.1, 0.1)
    letters = np.zeros((sign, w), np.uint8)
    cv2.putText(letters, str(rng.choice(SIGNS)), (int(rng.uniform(10, 200)), sign - 12), cv2.FONT_HERSHEY_DUPLEX, sign / 50, 255, 3)
    rgb[:sign][letters > 127] = ink
    if rng.random() < 0.35:
        stripe, other = _pick(PAINT, rng), (0.9, 0.89, 0.85)
        for k in range(20):
            _polygon(rgb, [(k * 22 - 10, sign), (k * 22 + 12, sign), (k * 22 + 6, sign + 52), (k * 22 - 18, sign + 52)], stripe if k % 2 else other)
    _weather(rgb[:ground], 0.03, rng)


def _shutter(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    colour = _pick(WALLS if rng.random() < 0.5 else PAINT, rng)
    y = np.arange(ground, dtype=np.float32)[:, None, None]
    pitch = rng.uniform(9, 20)
    wave = np.sin(y * 2 * np.pi / pitch) if rng.random() < 0.6 else np.sin(np.arange(rgb.shape[1], dtype=np.float32)[None, :, None] * 2 * np.pi / pitch)
    rgb[:ground] = colour * (1 + 0.14 * wave)
    if rng.random() < 0.6:  # a tag sprayed on it
        spray = _pick(PAINT, rng).tolist()
        points = np.cumsum(rng.normal(0, 38, (9, 2)), axis=0) + (rng.uniform(60, 340), rng.uniform(120, 320))
        for a, b in zip(points[:-1], points[1:], strict=True):
            cv2.line(rgb[:ground], (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), spray, int(rng.integers(4, 10)))
    _weather(rgb[:ground], 0.05, rng)


def _street(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    """A street that runs away from the camera between two rows of houses."""
    h, w = rgb.shape[:2]
    sky = np.array((0.80, 0.88, 0.97)) * rng.uniform(0.85, 1.1)
    rgb[:] = sky * np.linspace(0.9, 1.08, h, dtype=np.float32)[:, None, None]
    vanish = (rng.uniform(0.3, 0.7) * w, ground - 12)
    for side in (0, 1):
        facade = np.empty((300, 600, 3), np.float32)
        x = 0
        while x < 600:
            house, broad, storey = _pick(WALLS, rng) * 0.9, int(rng.uniform(90, 190)), int(rng.uniform(44, 64))
            facade[:, x : x + broad] = house
            for wx in range(x + 12, min(x + broad, 600) - 22, 38):
                for wy in range(14, 240, storey):
                    _box(facade, wx, wy, wx + 20, wy + storey * 0.6, np.array((0.30, 0.36, 0.42)) * rng.uniform(0.5, 1.4))
            _box(facade, x, 244, x + broad, 300, _pick(PAINT, rng))
            _box(facade, x + 10, 256, x + broad - 12, 292, np.array((0.25, 0.26, 0.27)) * rng.uniform(0.6, 2))
            x += broad
        near, far = (-60, vanish[0] - 22) if side == 0 else (w + 60, vanish[0] + 22)
        corners = np.float32([(near, -220), (far, vanish[1] - 90), (far, vanish[1] + 6), (near, ground + 70)])
        warp = cv2.getPerspectiveTransform(np.float32([(0, 0), (600, 0), (600, 300), (0, 300)]), corners)
        mask = np.zeros((h, w), np.uint8)
        cv2.fillPoly(mask, [np.int32(corners)], 1)
        rgb[mask > 0] = cv2.warpPerspective(facade, warp, (w, h), flags=cv2.INTER_AREA)[mask > 0] * (0.8 + 0.2 * side)


def _park(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    h, w = rgb.shape[:2]
    rgb[:] = np.array((0.78, 0.86, 0.92)) * rng.uniform(0.85, 1.1)
    season = GREEN * rng.uniform(0.8, 1.5) + (rng.random() < 0.25) * np.array((0.35, 0.05, 0.0))
    for depth in range(4):
        cells = 70 - 14 * depth
        leaf = noise(rng, h, w, cells, cells * 0.8) + 0.8 * noise(rng, h, w, cells / 4, cells / 4) + 0.5 * noise(rng, h, w, 6, 6)
        height = np.linspace(0.5, -0.4 - 0.2 * depth, h, dtype=np.float32)[:, None] if depth < 3 else np.linspace(1.1, -1.4, h, dtype=np.float32)[:, None]
        inside = np.clip((leaf + 0.35 - np.abs(height) * 0.4) * 4, 0, 1)[..., None]
        shade = season * (1.25 - 0.2 * depth) * (1 + 0.5 * noise(rng, h, w, 7, 6))[..., None]
        rgb += inside * (shade.astype(np.float32) - rgb)
    bark = np.array((0.25, 0.19, 0.14)) * rng.uniform(0.7, 1.4)
    for _ in range(rng.integers(1, 5)):
        x, t = rng.uniform(0, w), rng.uniform(8, 26)
        _polygon(rgb, [(x - t * 0.7, 0), (x + t * 0.7, 0), (x + t, ground + 12), (x - t, ground + 12)], bark * rng.uniform(0.8, 1.2))


def _hedge(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    h, w = rgb.shape[:2]
    leaf = 0.45 * noise(rng, h, w, 5, 5) + 0.3 * noise(rng, h, w, 2.5, 2.5) + 0.25 * noise(rng, h, w, 40, 30)
    rgb[:] = GREEN * rng.uniform(0.7, 1.3)
    rgb *= np.clip(1 + 1.1 * leaf, 0.2, 2.2)[..., None]
    if rng.random() < 0.5:
        for k in range(rng.integers(20, 70)):
            at = (int(rng.uniform(0, w)), int(rng.uniform(0, ground)))
            cv2.circle(rgb, at, int(rng.integers(2, 6)), _pick(PAINT[[1, 3, 5]], rng).tolist(), cv2.FILLED)
    if rng.random() < 0.4:
        for x in np.arange(rng.uniform(0, 20), w, 26):
            _box(rgb, x, ground - 190, x + 15, ground, (0.85, 0.84, 0.8))
        _box(rgb, 0, ground - 150, w, ground - 138, (0.8, 0.79, 0.75))


_PLACES: dict[str, Callable[[np.ndarray, int, np.random.Generator], None]] = {
    "brick": _brick, "plaster": _plaster, "shop": _shop, "shutter": _shutter, "street": _street, "park": _park, "hedge": _hedge,
}  # fmt: skip


# --- ground and things that stand on it ------------------------------------------------------------------


def _ground(rgb: np.ndarray, ground: int, place: str, rng: np.random.Generator) -> None:
    """Pavement, asphalt or grass in perspective below ``ground``."""
    h, w = rgb.shape[:2]
    kind = str(rng.choice(["grass", "gravel"] if place == "park" else ["slabs", "cobbles", "asphalt", "bricks"], p=[0.5, 0.5] if place == "park" else [0.4, 0.2, 0.25, 0.15]))
    tile = _paving(kind, rng)
    horizon = min(ground - 25, h * rng.uniform(0.3, 0.5))
    rows = (np.arange(ground, h, dtype=np.float32)[:, None] - np.float32(horizon)) / np.float32(0.96 * h - horizon)
    columns = np.arange(w, dtype=np.float32)[None, :] - np.float32(rng.uniform(0.3, 0.7) * w)
    across = columns / rows
    away = np.float32(rng.uniform(900, 1300)) / rows + np.zeros_like(columns)
    turn = np.float32(rng.choice([0, 0, 0.4, 0.785]))
    c, s = np.cos(turn), np.sin(turn)
    floor = cv2.remap(tile, *wrapped(across * c + away * s, away * c - across * s, TILE), cv2.INTER_LINEAR)
    rgb[ground:] = floor * (1 + 0.06 * noise(rng, h - ground, w, 60, 14))[..., None]
    if place not in ("park", "street") and rng.random() < 0.5:
        rgb[ground : ground + 5] *= 0.6  # dirt at the foot of the wall
    if kind == "asphalt" and rng.random() < 0.5:
        y, slope = rng.uniform(ground + 12, h - 10), rng.uniform(-0.12, 0.12)
        t = 4 + (y - ground) * 0.06
        _polygon(rgb, [(0, y), (w, y + slope * w), (w, y + slope * w + t), (0, y + t)], (0.8, 0.78, 0.7))


def _paving(kind: str, rng: np.random.Generator) -> np.ndarray:
    colour = {"grass": GREEN * 1.2, "gravel": np.array((0.66, 0.60, 0.50)), "asphalt": np.array((0.36, 0.36, 0.37)), "bricks": np.array((0.55, 0.38, 0.31))}
    base = colour.get(kind, np.array((0.62, 0.61, 0.58))) * rng.uniform(0.75, 1.2)
    tile = np.empty((TILE, TILE, 3), np.float32)
    tile[:] = base
    step = {"slabs": (64, 64), "cobbles": (16, 16), "bricks": (32, 16)}.get(kind)
    if step:
        for row in range(TILE // step[1]):
            for column in range(-1, TILE // step[0]):
                x = column * step[0] + (row % 2) * step[0] // 2
                _box(tile, x, row * step[1], x + step[0], (row + 1) * step[1], base * 0.62)
                _box(tile, x + 1, row * step[1] + 1, x + step[0] - 1, (row + 1) * step[1] - 1, base * rng.uniform(0.9, 1.1))
    rough = 0.10 if kind in ("grass", "gravel") else 0.045
    tile *= (1 + rough * (periodic_noise(rng, 50, 50) + periodic_noise(rng, 14, 10)))[..., None]
    return cv2.GaussianBlur(tile, (0, 0), 0.8)


def _clutter(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    """Things at the wall: poles, bins, pots, crates, boards, parked cars."""
    w = rgb.shape[1]
    for _ in range(rng.integers(0, 4)):
        x = rng.choice([rng.uniform(-10, 110), rng.uniform(290, 410)])
        foot = ground + rng.uniform(4, 22)
        colour = _pick(PAINT, rng)
        kind = rng.integers(6)
        if kind == 0:  # pole or drain pipe
            t = rng.uniform(3, 8)
            _box(rgb, x - t, 0, x + t, foot, colour * 0.8)
            _box(rgb, x - t, 0, x - t * 0.3, foot, colour * 1.15)
        elif kind == 1:  # bin
            _polygon(rgb, [(x - 30, foot - 95), (x + 30, foot - 95), (x + 25, foot), (x - 25, foot)], colour)
            _box(rgb, x - 33, foot - 103, x + 33, foot - 92, colour * 0.7)
        elif kind == 2:  # plant in a pot
            for _ in range(60):
                at = (int(x + rng.normal(0, 26)), int(foot - 95 + rng.normal(0, 34)))
                cv2.ellipse(rgb, at, (int(rng.integers(4, 13)), 4), rng.uniform(0, 180), 0, 360, (GREEN * rng.uniform(0.6, 1.6)).tolist(), cv2.FILLED)
            _polygon(rgb, [(x - 26, foot - 55), (x + 26, foot - 55), (x + 18, foot), (x - 18, foot)], np.array((0.62, 0.36, 0.25)))
        elif kind == 3:  # crates
            for k in range(rng.integers(1, 4)):
                _box(rgb, x - 38, foot - 42 * (k + 1), x + 38, foot - 42 * k - 2, np.array((0.68, 0.52, 0.33)) * rng.uniform(0.8, 1.1))
                _box(rgb, x - 38, foot - 42 * k - 24, x + 38, foot - 42 * k - 20, (0.35, 0.26, 0.17))
        elif kind == 4:  # board
            _polygon(rgb, [(x - 30, foot - 120), (x + 30, foot - 120), (x + 36, foot), (x - 36, foot)], np.array((0.45, 0.32, 0.2)))
            _polygon(rgb, [(x - 25, foot - 112), (x + 25, foot - 112), (x + 29, foot - 16), (x - 29, foot - 16)], np.array((0.12, 0.14, 0.14)))
            for k in range(5):
                _box(rgb, x - 18, foot - 100 + 16 * k, x - 18 + rng.uniform(15, 38), foot - 96 + 16 * k, (0.8, 0.8, 0.75))
        else:
            _car(rgb, rng.choice([0, w]), foot + 10, rng.uniform(0.8, 1.1), rng)


def _car(rgb: np.ndarray, x: float, y: float, size: float, rng: np.random.Generator) -> None:
    colour = _pick(PAINT, rng)
    body = np.array([(-150, -30), (-145, -70), (-95, -80), (-55, -122), (50, -124), (95, -82), (145, -68), (150, -28)]) * size + (x, y)
    glass = np.array([(-78, -82), (-48, -114), (44, -116), (76, -84)]) * size + (x, y)
    _polygon(rgb, np.array([(-140, -8), (140, -8), (150, 2), (-150, 2)]) * size + (x, y), (0.12, 0.12, 0.12))
    _polygon(rgb, body, colour)
    _polygon(rgb, np.array([(-148, -66), (148, -66), (149, -58), (-149, -58)]) * size + (x, y), np.clip(colour * 1.3 + 0.05, 0, 1))
    _polygon(rgb, glass, np.array((0.18, 0.22, 0.26)))
    _polygon(rgb, np.array([(-4, -118), (4, -118), (5, -80), (-5, -80)]) * size + (x, y), colour)
    for dx in (-92, 92):
        for radius, shade in ((29, 0.07), (16, 0.55), (5, 0.2)):
            cv2.circle(rgb, (int(x + dx * size), int(y - 24 * size)), int(radius * size), (shade,) * 3, cv2.FILLED)


