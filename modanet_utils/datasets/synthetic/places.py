"""Walls, shops, streets and parks behind the figures, and the things that stand there.

Each place paints ``rgb`` (H, W, 3) float32 down to the row ``ground`` and may go on below it.
"""

from collections.abc import Callable

import cv2
import numpy as np

from modanet_utils.datasets.synthetic.drawing import Points, noise, path, softened

Place = Callable[[np.ndarray, int, np.random.Generator], None]

WALLS = path(
    ".62 .34 .26, .7 .5 .4, .8 .76 .68, .86 .84 .8, .55 .56 .57, .72 .66 .5, .45 .52 .56, .78 .6 .55,"
    ".35 .42 .4, .88 .78 .62"
)
PAINT = path(".14 .2 .32, .55 .12 .12, .1 .1 .11, .85 .85 .84, .2 .34 .26, .7 .55 .2, .4 .26 .18, .3 .42 .55, .6 .6 .6")
GREEN = np.array((0.24, 0.36, 0.14))
SIGNS = ("CAFE", "BOOKS", "SHOES", "BAKERY", "No 12", "FLOWERS", "VINTAGE", "BAR", "OPTIK", "MARKET")
WOOD, GLASS = np.array((0.66, 0.50, 0.32)), np.array((0.30, 0.36, 0.42))


def _pick(palette: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    colour = palette[rng.integers(len(palette))] * rng.uniform(0.8, 1.12) + rng.normal(0, 0.02, 3)
    return np.clip(colour, 0.02, 0.95)


def box(rgb: np.ndarray, x0: float, y0: float, x1: float, y1: float, colour: Points | float) -> None:
    """Fill an upright rectangle, cut off at the borders."""
    h, w = rgb.shape[:2]
    rgb[max(int(y0), 0) : min(max(int(y1), 0), h), max(int(x0), 0) : min(max(int(x1), 0), w)] = colour


def polygon(rgb: np.ndarray, points: Points, colour: Points) -> None:
    """Fill a polygon; its edges are not smooth, the background is blurred afterwards."""
    cv2.fillPoly(rgb, [np.round(np.asarray(points)).astype(np.int32)], np.asarray(colour, float).tolist())


def _weather(rgb: np.ndarray, amount: float, rng: np.random.Generator) -> None:
    h, w = rgb.shape[:2]
    stain = noise(rng, h, w, 60, 90) + 0.6 * noise(rng, h, w, 9, 9) + 0.4 * noise(rng, h, w, 2, 2)
    rgb *= (1 + amount * stain)[..., None]


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
            box(rgb[:ground], x + 1, y + 1, x + width - 1, y + height - 1, brick * rng.uniform(0.82, 1.15))
    _weather(rgb[:ground], 0.06, rng)
    if rng.random() < 0.5:
        _window(rgb, rng)


def _plaster(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    colour = _pick(WALLS, rng)
    rgb[:ground] = colour
    if rng.random() < 0.5:
        box(rgb, 0, ground - rng.uniform(30, 110), rgb.shape[1], ground, colour * rng.uniform(0.55, 0.85))
    if rng.random() < 0.4:  # concrete panels
        for x in np.arange(rng.uniform(20, 120), 400, rng.uniform(120, 180)):
            box(rgb, x, 0, x + 2, ground, colour * 0.6)
        for y in np.arange(rng.uniform(20, 120), ground, 170):
            box(rgb, 0, y, 400, y + 2, colour * 0.6)
    _weather(rgb[:ground], 0.08, rng)
    for _ in range(rng.integers(0, 4)):  # posters, now and then in the colours of clothes
        x, y, w = rng.uniform(0, 380), rng.uniform(60, 300), rng.uniform(30, 70)
        box(rgb, x, y, x + w, y + w * 1.4, _pick(PAINT, rng))
        box(rgb, x + w * 0.15, y + w * 0.15, x + w * 0.85, y + w * 0.8, _pick(WALLS, rng))
    if rng.random() < 0.35:
        _window(rgb, rng)
    elif rng.random() < 0.5:
        _door(rgb, rng.uniform(-30, 320), ground, rng)


def _window(rgb: np.ndarray, rng: np.random.Generator) -> None:
    x, y, w, h = rng.uniform((-40, -60, 90, 140), (330, 70, 140, 220)).astype(int).tolist()
    frame = _pick(PAINT, rng)
    box(rgb, x - 6, y - 6, x + w + 6, y + h + 8, frame)
    for row in range(h):  # darker towards the floor inside
        box(rgb, x, y + row, x + w, y + row + 1, GLASS * (1.5 - row / h))
    box(rgb, x + w / 2 - 3, y, x + w / 2 + 3, y + h, frame)
    box(rgb, x, y + h * 0.4, x + w, y + h * 0.4 + 5, frame)
    box(rgb, x - 12, y + h + 6, x + w + 12, y + h + 16, _pick(WALLS, rng) * 0.9)


def _door(rgb: np.ndarray, x: float, ground: int, rng: np.random.Generator) -> None:
    colour = _pick(PAINT, rng)
    box(rgb, x - 8, ground - 360, x + 128, ground, colour * 0.6)
    box(rgb, x, ground - 350, x + 120, ground, colour)
    for row in range(3):
        for column in range(2):
            left, top = x + 12 + 54 * column, ground - 335 + 112 * row
            box(rgb, left, top, left + 42, top + 92, colour * 0.78)
            box(rgb, left + 4, top + 4, left + 42, top + 92, colour * 1.08)
    box(rgb, x + 106, ground - 170, x + 113, ground - 150, (0.75, 0.65, 0.35))


def _shop(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    w, sign = rgb.shape[1], int(rng.uniform(30, 90))
    rgb[:ground] = _pick(PAINT, rng)
    edges = np.cumsum([rng.uniform(-60, 10), *rng.uniform(110, 190, 4)]).astype(int)
    for left, right in zip(edges[:-1], edges[1:], strict=True):
        pane = rgb[sign + 14 : ground - int(rng.uniform(12, 70)), max(left + 7, 0) : max(min(right - 7, w), 0)]
        if pane.shape[1] > 6:
            _display(pane, rng)
    name = np.zeros((sign, w), np.uint8)
    at = (int(rng.uniform(10, 200)), sign - 12)
    cv2.putText(name, str(rng.choice(SIGNS)), at, cv2.FONT_HERSHEY_DUPLEX, sign / 50, 255, 3)
    rgb[:sign] = _pick(PAINT, rng)
    rgb[:sign][name > 127] = (0.95, 0.92, 0.85) if rgb[0, 0].mean() < 0.5 else (0.1, 0.1, 0.1)
    if rng.random() < 0.35:  # an awning
        stripes = (_pick(PAINT, rng), np.array((0.9, 0.89, 0.85)))
        for k in range(20):
            polygon(rgb, path("-10 0, 12 0, 6 52, -18 52") + (k * 22, sign), stripes[k % 2])
    _weather(rgb[:ground], 0.03, rng)


def _display(pane: np.ndarray, rng: np.random.Generator) -> None:
    """Goods, lamps and people behind glass that reflects the sky."""
    h, w = pane.shape[:2]
    inside = np.empty((h, w, 3), np.float32)
    inside[:] = _pick(WALLS, rng) * rng.uniform(0.15, 0.4)
    for _ in range(rng.integers(6, 18)):
        at, size = rng.integers(0, (w, h)).tolist(), rng.integers((4, 4), (26, 50)).tolist()
        colour = _pick(np.concatenate([PAINT, WALLS]), rng).tolist()
        cv2.ellipse(inside, at, size, 0, 0, 360, colour, cv2.FILLED)
    slant = np.arange(w)[None, :] + 0.5 * np.arange(h)[:, None]
    gleam = np.clip(np.sin(slant / rng.uniform(40, 80) + rng.uniform(0, 6)) - 0.3, 0, 1)
    gleam = (rng.uniform(0.05, 0.3) * gleam)[..., None]
    pane[:] = softened(inside, 5) * (1 - gleam) + np.array((0.75, 0.8, 0.85)) * gleam


def _shutter(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    colour, wall = _pick(WALLS if rng.random() < 0.5 else PAINT, rng), rgb[:ground]
    wave = 0.14 * np.sin(np.arange(600, dtype=np.float32) * (2 * np.pi / rng.uniform(9, 20)))
    lies = rng.random() < 0.6
    wall[:] = colour * (1 + (wave[:ground, None, None] if lies else wave[None, : wall.shape[1], None]))
    if rng.random() < 0.6:  # a tag sprayed on it
        walk = np.cumsum(rng.normal(0, 38, (9, 2)), axis=0) + rng.uniform((60, 120), (340, 320))
        cv2.polylines(wall, [walk.astype(np.int32)], False, _pick(PAINT, rng).tolist(), int(rng.integers(4, 10)))
    _weather(wall, 0.05, rng)


def _street(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    """A street that runs away from the camera between two rows of houses."""
    h, w = rgb.shape[:2]
    sky = np.array((0.80, 0.88, 0.97)) * rng.uniform(0.85, 1.1)
    rgb[:] = sky * np.linspace(0.9, 1.08, h, dtype=np.float32)[:, None, None]
    vanish_x, vanish_y = rng.uniform(0.3, 0.7) * w, ground - 12
    for near, far, light in ((-60, vanish_x - 22, 0.8), (w + 60, vanish_x + 22, 1.0)):
        corners = np.float32([(near, -220), (far, vanish_y - 90), (far, vanish_y + 6), (near, ground + 70)])
        warp = cv2.getPerspectiveTransform(np.float32([(0, 0), (600, 0), (600, 300), (0, 300)]), corners)
        mask = np.zeros((h, w), np.uint8)
        cv2.fillPoly(mask, [corners.astype(np.int32)], 1)
        cv2.copyTo(cv2.warpPerspective(_houses(rng) * np.float32(light), warp, (w, h)), mask, rgb)


def _houses(rng: np.random.Generator) -> np.ndarray:
    """A row of house fronts, (300, 600, 3) float32."""
    row, x = np.empty((300, 600, 3), np.float32), 0
    while x < 600:
        end, storey = x + int(rng.uniform(90, 190)), int(rng.uniform(44, 64))
        row[:, x:end] = _pick(WALLS, rng) * 0.9
        for left in range(x + 12, min(end, 600) - 22, 38):
            for top in range(14, 240, storey):
                box(row, left, top, left + 20, top + storey * 0.6, GLASS * rng.uniform(0.5, 1.4))
        box(row, x, 244, end, 300, _pick(PAINT, rng))
        box(row, x + 10, 256, end - 12, 292, GLASS * rng.uniform(0.4, 1.4))
        x = end
    return row


def _park(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    """Trees and leaves, at half the size because they are far out of focus."""
    h, w = rgb.shape[0] // 2, rgb.shape[1] // 2
    trees = np.empty((h, w, 3), np.float32)
    trees[:] = np.array((0.78, 0.86, 0.92)) * rng.uniform(0.85, 1.1)
    season = GREEN * rng.uniform(0.8, 1.5) + (rng.random() < 0.25) * np.array((0.35, 0.05, 0.0))
    for depth in range(4):
        cell = 35 - 7 * depth
        leaf = noise(rng, h, w, cell, cell * 0.8) + 0.8 * noise(rng, h, w, cell / 4, cell / 4)
        leaf += 0.5 * noise(rng, h, w, 3, 3)
        ends = (0.5, -0.4 - 0.2 * depth) if depth < 3 else (1.1, -1.4)
        height = np.linspace(*ends, h, dtype=np.float32)[:, None]
        inside = np.clip((leaf + 0.35 - np.abs(height) * 0.4) * 4, 0, 1)[..., None]
        shade = (1 + 0.5 * noise(rng, h, w, 3.5, 3))[..., None]
        trees += inside * ((season * (1.25 - 0.2 * depth)).astype(np.float32) * shade - trees)
    rgb[:] = cv2.resize(trees, (rgb.shape[1], rgb.shape[0]))
    bark = np.array((0.25, 0.19, 0.14)) * rng.uniform(0.7, 1.4)
    for _ in range(rng.integers(1, 5)):
        trunk = path("-.7 0, .7 0, 1 1, -1 1") * (rng.uniform(8, 26), ground + 12) + (
            rng.uniform(0, 2 * w),
            0,
        )
        polygon(rgb, trunk, bark * rng.uniform(0.8, 1.2))


def _hedge(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    h, w = rgb.shape[:2]
    leaf = 0.45 * noise(rng, h, w, 5, 5) + 0.3 * noise(rng, h, w, 2.5, 2.5) + 0.25 * noise(rng, h, w, 40, 30)
    rgb[:] = GREEN * rng.uniform(0.7, 1.3)
    rgb *= np.clip(1 + 1.1 * leaf, 0.2, 2.2)[..., None]
    if rng.random() < 0.5:
        for _ in range(rng.integers(20, 70)):
            at = rng.integers(0, (w, ground)).tolist()
            cv2.circle(rgb, at, int(rng.integers(2, 6)), _pick(PAINT[[1, 3, 5]], rng).tolist(), cv2.FILLED)
    if rng.random() < 0.4:
        for x in np.arange(rng.uniform(0, 20), w, 26):
            box(rgb, x, ground - 190, x + 15, ground, (0.85, 0.84, 0.8))
        box(rgb, 0, ground - 150, w, ground - 138, (0.8, 0.79, 0.75))


PLACES: dict[str, Place] = {
    "brick": _brick,
    "plaster": _plaster,
    "shop": _shop,
    "shutter": _shutter,
    "street": _street,
    "park": _park,
    "hedge": _hedge,
}


# --- things that stand there ------------------------------------------------------------------------------


def traffic(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    """Cars in the distance."""
    for _ in range(rng.integers(0, 3)):
        _car(rgb, rng.uniform(0, rgb.shape[1]), ground + rng.uniform(2, 25), rng.uniform(0.35, 0.7), rng)


def things_at_the_wall(rgb: np.ndarray, ground: int, rng: np.random.Generator) -> None:
    """Poles, bins, pots, crates, boards, parked cars."""
    for _ in range(rng.integers(0, 4)):
        x = rng.choice([rng.uniform(-10, 110), rng.uniform(290, 410)])
        thing = (_pole, _bin, _plant, _crates, _board, _parked_car)[rng.integers(6)]
        thing(rgb, x, ground + rng.uniform(4, 22), rng)


def _pole(rgb: np.ndarray, x: float, foot: float, rng: np.random.Generator) -> None:
    colour, half = _pick(PAINT, rng), rng.uniform(3, 8)
    box(rgb, x - half, 0, x + half, foot, colour * 0.8)
    box(rgb, x - half, 0, x - half * 0.3, foot, colour * 1.15)


def _bin(rgb: np.ndarray, x: float, foot: float, rng: np.random.Generator) -> None:
    colour = _pick(PAINT, rng)
    polygon(rgb, path("-30 -95, 30 -95, 25 0, -25 0") + (x, foot), colour)
    box(rgb, x - 33, foot - 103, x + 33, foot - 92, colour * 0.7)


def _plant(rgb: np.ndarray, x: float, foot: float, rng: np.random.Generator) -> None:
    for _ in range(60):
        at = rng.normal((x, foot - 95), (26, 34)).astype(int).tolist()
        colour = (GREEN * rng.uniform(0.6, 1.6)).tolist()
        cv2.ellipse(rgb, at, (int(rng.integers(4, 13)), 4), rng.uniform(0, 180), 0, 360, colour, cv2.FILLED)
    polygon(rgb, path("-26 -55, 26 -55, 18 0, -18 0") + (x, foot), (0.62, 0.36, 0.25))


def _crates(rgb: np.ndarray, x: float, foot: float, rng: np.random.Generator) -> None:
    for k in range(rng.integers(1, 4)):
        box(rgb, x - 38, foot - 42 * (k + 1), x + 38, foot - 42 * k - 2, WOOD * rng.uniform(0.8, 1.1))
        box(rgb, x - 38, foot - 42 * k - 24, x + 38, foot - 42 * k - 20, WOOD * 0.5)


def _board(rgb: np.ndarray, x: float, foot: float, rng: np.random.Generator) -> None:
    polygon(rgb, path("-30 -120, 30 -120, 36 0, -36 0") + (x, foot), WOOD * 0.7)
    polygon(rgb, path("-25 -112, 25 -112, 29 -16, -29 -16") + (x, foot), (0.12, 0.14, 0.14))
    for k in range(5):
        y = foot - 100 + 16 * k
        box(rgb, x - 18, y, x - 18 + rng.uniform(15, 38), y + 4, (0.8, 0.8, 0.75))


def _parked_car(rgb: np.ndarray, x: float, foot: float, rng: np.random.Generator) -> None:
    _car(rgb, 0 if x < rgb.shape[1] / 2 else rgb.shape[1], foot + 10, rng.uniform(0.8, 1.1), rng)


def _car(rgb: np.ndarray, x: float, y: float, size: float, rng: np.random.Generator) -> None:
    colour = _pick(PAINT, rng)
    for outline, shade in (
        ("-140 -8, 140 -8, 150 2, -150 2", np.full(3, 0.12)),
        ("-150 -30, -145 -70, -95 -80, -55 -122, 50 -124, 95 -82, 145 -68, 150 -28", colour),
        ("-148 -66, 148 -66, 149 -58, -149 -58", np.clip(colour * 1.3 + 0.05, 0, 1)),
        ("-78 -82, -48 -114, 44 -116, 76 -84", GLASS * 0.6),
        ("-4 -118, 4 -118, 5 -80, -5 -80", colour),
    ):
        polygon(rgb, path(outline) * size + (x, y), shade)
    for dx in (-92, 92):
        for radius, grey in ((29, 0.07), (16, 0.55), (5, 0.2)):
            cv2.circle(rgb, (int(x + dx * size), int(y - 24 * size)), int(radius * size), (grey,) * 3, cv2.FILLED)
