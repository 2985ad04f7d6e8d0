"""Drawing primitives of the synthetic dataset: outlines, coverage, cloth, light.

Coordinates are pixels, x to the right and y down; colours are float RGB in 0..1; an outline is an (N, 2)
array of points. A canvas keeps, beside the colours, which drawn thing every pixel shows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import cv2
import numpy as np

Points = np.ndarray | Sequence[Sequence[float]]
Relief = Callable[[np.ndarray, np.ndarray], np.ndarray]

MARGIN = 8  # pixels around a piece that its contact shadow may reach
TILE = 128  # pixels; cloth patterns repeat after this length


@dataclass(frozen=True)
class Material:
    """What a surface looks like: a periodic pattern, its shine and how deeply it folds."""

    tile: np.ndarray = field(repr=False)
    gloss: float = 0.0
    folds: float = 1.0

    @cached_property
    def colour(self) -> np.ndarray:
        """Average colour, (3,)."""
        return self.tile.mean(axis=(0, 1))


class Canvas:
    """A picture under construction.

    Attributes:
        rgb: (H, W, 3) float32.
        instances: (H, W) int16, 0 = background, k = k-th thing.
        labels: label of each thing; entry k - 1 belongs to thing k.
        covered: (H, W) float32, how much of a pixel the figures hide of the background.
        light: unit vector towards the light (x right, y down, z to the viewer).
        ambient: share of the light that comes from everywhere.
    """

    def __init__(self, width: int, height: int, coloured: bool = True) -> None:
        self.coloured = coloured  # False: only which thing is seen is worked out
        self.detailed = coloured  # False leaves out what a blur would swallow
        self.rgb = np.zeros((height, width, 3), np.float32)
        self.instances = np.zeros((height, width), np.int16)
        self.covered = np.zeros((height, width), np.float32)
        self.labels: list[int] = []
        self.light = np.array([-0.4, -0.5, 0.77])
        self.ambient = 0.5
        self.fold_tile = np.zeros((2 * TILE, 2 * TILE), np.float32)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.instances.shape[1], self.instances.shape[0]

    def add(self, label: int) -> int:
        """Number of a new thing with this label."""
        self.labels.append(label)
        return len(self.labels)

    def blend(self, alpha: np.ndarray, corner: tuple[int, int], colour: np.ndarray | float) -> None:
        """Blend ``colour`` ((3,), (h, w, 3) or a scalar) over a window; the things stay as they are."""
        x, y = corner
        rgb = self.rgb[y : y + alpha.shape[0], x : x + alpha.shape[1]]
        rgb += alpha[..., None] * (np.asarray(colour, np.float32) - rgb)

    def mark(
        self,
        outlines: Sequence[np.ndarray],
        colour: np.ndarray | float,
        opacity: float = 1.0,
        only: int | None = None,
        soft: float = 0.0,
    ) -> None:
        """Colour an area without changing which thing is seen; ``only`` restricts it to one thing."""
        found = coverage(outlines, *self.size, margin=int(3 * soft) + 1)
        if found is not None:
            self._tint(*found, colour, opacity, only, soft)

    def _tint(
        self,
        alpha: np.ndarray,
        corner: tuple[int, int],
        colour: np.ndarray | float,
        opacity: float,
        only: int | None,
        soft: float,
    ) -> None:
        x, y = corner
        if soft:
            alpha = cv2.GaussianBlur(alpha, (0, 0), soft)
        if only is not None:
            alpha = alpha * (self.instances[y : y + alpha.shape[0], x : x + alpha.shape[1]] == only)
        self.blend(alpha * opacity, (x, y), colour)

    def stroke(
        self,
        points: np.ndarray,
        width: float,
        colour: np.ndarray | float,
        opacity: float,
        only: int | None,
        soft: float,
    ) -> None:
        """Colour a line of ``width`` pixels without changing which thing is seen, as ``mark`` does."""
        margin = int(3 * soft + width) + 2
        window = _window([points], *self.size, margin)
        if window is None:
            return
        x0, y0 = window[:2]
        fine, factor = _magnified(window)
        cv2.polylines(fine, [_fixed(points, x0, y0, factor)], False, 255, max(1, round(width * factor)), cv2.LINE_8, 4)
        self._tint(_reduced(fine, factor), (x0, y0), colour, opacity, only, soft)

    def piece(
        self,
        outlines: Sequence[np.ndarray],
        material: Material,
        thing: int,
        *,
        shadow: float = 0.45,
        fade: tuple[np.ndarray, float] | None = None,
        scale: float = 1.0,
        **look: Any,
    ) -> None:
        """Paint a lit piece of material; its pixels become part of ``thing``.

        Args:
            shadow: darkness of the shadow that the piece throws on the figures below it.
            fade: centre and radius where the piece melts into what is below it (a seam that must not show).
            scale: size of pattern, folds and shadows.
            look: see ``_surface``.
        """
        found = coverage(outlines, *self.size, margin=MARGIN)
        if found is None:
            return
        alpha, (x, y) = found
        window = (slice(y, y + alpha.shape[0]), slice(x, x + alpha.shape[1]))
        visible, distance = alpha, None
        if fade is not None:
            dx = np.arange(window[1].start, window[1].stop, dtype=np.float32) - float(fade[0][0])
            dy = np.arange(window[0].start, window[0].stop, dtype=np.float32) - float(fade[0][1])
            distance = np.hypot(dx[None, :], dy[:, None]) / np.float32(fade[1])
            visible = alpha * np.clip((distance - 0.45) / 0.55, 0, 1)
        if self.coloured:
            if shadow:
                reach = cv2.GaussianBlur(visible, (0, 0), 2.2 * max(scale, 0.4))
                shift = np.float32([[1, 0, -2.0 * scale * self.light[0]], [0, 1, 2.0 * scale]])
                reach = cv2.warpAffine(reach, shift, reach.shape[::-1]) * self.covered[window]
                if distance is not None:
                    reach *= np.clip(distance * 1.4 - 0.9, 0, 1)
                self.rgb[window] *= (1 - shadow * reach)[..., None]
            self.blend(visible, (x, y), self._surface(alpha, (x, y), material, scale, **look))
        self.instances[window][visible >= 0.5] = thing
        np.maximum(self.covered[window], alpha, out=self.covered[window])

    def _surface(
        self,
        alpha: np.ndarray,
        corner: tuple[int, int],
        material: Material,
        scale: float,
        *,
        anchor: Points = (0.0, 0.0),
        angle: float = 0.0,
        roundness: float = 12.0,
        relief: Relief | None = None,
        brightness: float = 1.0,
        beyond: Sequence[np.ndarray] = (),
    ) -> np.ndarray:
        """Colours of a lit piece of material with this coverage, (h, w, 3) float32.

        Args:
            anchor, angle: origin and direction (radians) of the pattern.
            roundness: pixels from the edge within which the surface bends away.
            relief: height in pixels over the picture's coordinates (x, y), e.g. pleats.
            beyond: where the surface continues unseen: towards it (a hem, a neckline) the piece stays flat.
        """
        grid_x = np.arange(corner[0], corner[0] + alpha.shape[1], dtype=np.float32)[None, :]
        grid_y = np.arange(corner[1], corner[1] + alpha.shape[0], dtype=np.float32)[:, None]
        dx, dy = grid_x - float(anchor[0]), grid_y - float(anchor[1])
        c, s = np.float32(np.cos(angle) / scale), np.float32(np.sin(angle) / scale)
        u, v = dx * c + dy * s, dy * c - dx * s

        inside = (alpha > 0.5).astype(np.uint8)
        for outline in beyond:
            cv2.fillPoly(inside, [np.round(outline - corner).astype(np.int32)], 1)
        height = _cushion(inside, roundness)
        if material.folds:
            folds = cv2.remap(self.fold_tile, *wrapped(u + 0.35 * v, v * 0.6, 2 * TILE), cv2.INTER_LINEAR)
            height += folds * np.float32(material.folds * 3.2 * scale)
        if relief is not None:
            height += relief(grid_x, grid_y)
        shade, slope_x, slope_y = self._shade(height, material.gloss)
        bulge = np.float32(2.5)  # the pattern follows the surface
        u, v = wrapped(u + slope_x * bulge, v + slope_y * bulge, TILE)
        return cv2.remap(material.tile, u, v, cv2.INTER_LINEAR) * (shade * np.float32(brightness))[..., None]

    def streaks(self, curves: np.ndarray, brightness: np.ndarray, thing: int) -> None:
        """Multiply thin lines (N, points, 2) onto a thing, as the strands of its hair."""
        window = _window(list(curves), *self.size, 1) if self.detailed else None
        if window is None:
            return
        x0, y0, x1, y1 = window
        gain = np.full((y1 - y0, x1 - x0), 128, np.uint8)
        fixed = _fixed(curves, x0, y0, 1)
        levels = np.clip(brightness * 16, 0, 31).astype(int) * 8
        for level in np.unique(levels).tolist():  # one call a level: calls are slow
            cv2.polylines(gain, list(fixed[levels == level]), False, level, 1, cv2.LINE_AA, 4)
        factor = np.where(self.instances[y0:y1, x0:x1] == thing, gain * np.float32(1 / 128), np.float32(1))
        self.rgb[y0:y1, x0:x1] *= factor[..., None]

    def _shade(self, height: np.ndarray, gloss: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Brightness of a surface of the given height (Lambert and Blinn), and its slopes."""
        slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
        slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
        length = np.sqrt(slope_x**2 + slope_y**2 + 1)
        lx, ly, lz = (np.float32(c) for c in self.light)
        lambert = np.maximum((lz - lx * slope_x - ly * slope_y) / length, 0) / lz
        shade = np.float32(self.ambient) + np.float32(1 - self.ambient) * lambert
        if gloss:
            half = np.array([lx, ly, lz + 1]) / np.linalg.norm([lx, ly, lz + 1])
            facing = (half[2] - half[0] * slope_x - half[1] * slope_y) / length
            facing = np.maximum(facing, 0).astype(np.float32)
            for _ in range(4):  # to the power of 16: np.power is slow
                facing *= facing
            shade += np.float32(gloss) * facing
        return shade, slope_x, slope_y


def _cushion(inside: np.ndarray, roundness: float) -> np.ndarray:
    """Height in pixels of a padded surface with this mask, (h, w) uint8."""
    rim = 1 - np.minimum(cv2.distanceTransform(inside, cv2.DIST_L2, 3) / np.float32(roundness), 1)
    height = np.float32(roundness) * np.sqrt(1 - rim * rim)
    return cv2.GaussianBlur(height, (0, 0), max(0.8, 0.16 * roundness))


def wrapped(u: np.ndarray, v: np.ndarray, period: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates within a periodic tile; ten times as fast as ``np.mod``."""
    period = np.float32(period - 1)
    return u - period * np.floor(u / period), v - period * np.floor(v / period)


def coverage(
    outlines: Sequence[np.ndarray], width: int, height: int, margin: int = 1
) -> tuple[np.ndarray, tuple[int, int]] | None:
    """Antialiased union of outlines: (h, w) float32 in 0..1 and the corner (x, y) of its window."""
    window = _window(outlines, width, height, margin)
    if window is None:
        return None
    x0, y0 = window[:2]
    fine, factor = _magnified(window)
    for outline in outlines:
        cv2.fillPoly(fine, [_fixed(outline, x0, y0, factor)], 255, shift=4)
    return _reduced(fine, factor), (x0, y0)


def _magnified(window: tuple[int, int, int, int]) -> tuple[np.ndarray, int]:
    """An empty mask of a window and how many times larger it is: small things need the finer edges."""
    w, h = window[2] - window[0], window[3] - window[1]
    factor = 4 if w * h < 10_000 else 2
    return np.zeros((h * factor, w * factor), np.uint8), factor


def _window(outlines: Sequence[np.ndarray], width: int, height: int, margin: int) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of what the outlines take of a picture; None if nothing."""
    points = np.concatenate(outlines) if len(outlines) > 1 else outlines[0]
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    x0, y0 = max(int(left) - margin, 0), max(int(top) - margin, 0)
    x1, y1 = min(int(right) + 1 + margin, width), min(int(bottom) + 1 + margin, height)
    return (x0, y0, x1, y1) if x1 - x0 >= 2 and y1 - y0 >= 2 else None


def _fixed(points: np.ndarray, x0: int, y0: int, factor: int) -> np.ndarray:
    """Points on the magnified window as OpenCV takes them, with 4 fractional bits."""
    # -0.5 because whole numbers are pixel centres for OpenCV
    return np.round(((points - (x0, y0)) * factor - 0.5) * 16).astype(np.int32)


def _reduced(fine: np.ndarray, factor: int) -> np.ndarray:
    small = (fine.shape[1] // factor, fine.shape[0] // factor)
    return cv2.resize(fine, small, interpolation=cv2.INTER_AREA).astype(np.float32) * np.float32(1 / 255)


def softened(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur; a strong one is done at half the size."""
    if sigma < 2.0:
        return cv2.GaussianBlur(picture, (0, 0), sigma)
    h, w = picture.shape[:2]
    small = cv2.resize(picture, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(softened(small, sigma / 2), (w, h), interpolation=cv2.INTER_LINEAR)


# --- outlines -------------------------------------------------------------------------------------------


@cache
def _parsed(text: str) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(number) for number in point.split()) for point in text.split(","))


def path(text: str) -> np.ndarray:
    """Points (N, D) from "x y, x y, ...": an outline stays readable in a few lines."""
    return np.array(_parsed(text))


def _basis(steps: int) -> np.ndarray:
    """Catmull-Rom weights of four neighbouring points, (steps, 4)."""
    t = np.arange(steps) / steps
    weights = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3)
    return 0.5 * np.stack(weights, axis=1)


_BASES = {steps: _basis(steps) for steps in range(1, 9)}


def spline(points: Points, closed: bool = False, steps: int = 6) -> np.ndarray:
    """Catmull-Rom curve through points (N, D), ``steps`` (at most 8) points a segment."""
    p = np.asarray(points, np.float64)
    n = len(p)
    before, after = 2 * p[:1] - p[1:2], 2 * p[-1:] - p[-2:-1]
    p = p[np.arange(-1, n + 2) % n] if closed else np.concatenate([before, p, after])
    neighbours = p[np.arange(len(p) - 3)[:, None] + np.arange(4)]  # (segments, 4, D)
    curve = (_BASES[steps] @ neighbours).reshape(-1, p.shape[1])
    return curve if closed else np.concatenate([curve, p[-2:-1]])


def limb(bones: Points, radii: Sequence[float], caps: str = "both") -> np.ndarray:
    """Outline of a tube with ``radii`` (N,) around the smooth curve through ``bones`` (N, 2).

    Args:
        caps: which ends are round: "both", "start", "end" or "none".
    """
    curve = spline(np.column_stack([np.asarray(bones, np.float64), radii]))
    curve, r = curve[:, :2], np.maximum(curve[:, 2:], 0.01)
    tangent = np.concatenate([curve[1:2] - curve[:1], curve[2:] - curve[:-2], curve[-1:] - curve[-2:-1]])
    tangent /= np.sqrt((tangent**2).sum(axis=1, keepdims=True)) + 1e-9
    normal = tangent[:, ::-1] * (-1, 1)
    pieces = [curve + normal * r]
    if caps in ("both", "end"):
        pieces.append(curve[-1] + r[-1] * (_CAP @ (normal[-1], tangent[-1])))
    pieces.append((curve - normal * r)[::-1])
    if caps in ("both", "start"):
        pieces.append(curve[0] - r[0] * (_CAP @ (normal[0], tangent[0])))
    return np.concatenate(pieces)


_CAP = np.stack([f(np.linspace(0, np.pi, 9)[1:-1]) for f in (np.cos, np.sin)], axis=1)


def part_of_limb(
    bones: Points, radii: Sequence[float], end: float, start: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Bones and radii of the part between the fractions ``start`` and ``end`` of a limb's length."""
    curve = spline(np.column_stack([np.asarray(bones, np.float64), radii]), steps=8)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve[:, :2], axis=0), axis=1))])
    at = np.linspace(start, end, 7) * length[-1]
    part = np.column_stack([np.interp(at, length, curve[:, k]) for k in range(3)])
    return part[:, :2], part[:, 2]


def ellipse(centre: Points, radii: tuple[float, float], angle: float = 0.0, points: int = 32) -> np.ndarray:
    """Outline of an ellipse, turned by ``angle`` radians."""
    return rotated(_circle(points) * radii, angle) + np.asarray(centre)


@cache
def _circle(points: int) -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def rotated(points: Points, angle: float) -> np.ndarray:
    """Points turned around the origin, clockwise as seen."""
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(points, np.float64) @ np.array([[c, s], [-s, c]])


def mirrored(points: Points) -> np.ndarray:
    """A closed outline from its right half (x >= 0, listed from top to bottom)."""
    right = np.asarray(points, np.float64)
    left = right[::-1] * (-1, 1)
    return np.concatenate([right, left[np.abs(left[:, 0]) > 1e-9]])


# --- materials ------------------------------------------------------------------------------------------


def noise(rng: np.random.Generator, height: int, width: int, cell_x: float, cell_y: float) -> np.ndarray:
    """Smooth noise in about -1..1, (height, width) float32, with the given cell size in pixels."""
    shape = (int(np.ceil(height / cell_y)) + 2, int(np.ceil(width / cell_x)) + 2)
    return cv2.resize(rng.uniform(-1, 1, shape).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)


def periodic_noise(rng: np.random.Generator, cells_x: int, cells_y: int, size: int = TILE) -> np.ndarray:
    """Smooth noise in about -1..1, (size, size) float32, that continues across the borders."""
    coarse = np.pad(rng.uniform(-1, 1, (cells_y, cells_x)).astype(np.float32), 2, mode="wrap")
    step = (size / cells_x, size / cells_y)
    shape = (round((cells_x + 4) * step[0]), round((cells_y + 4) * step[1]))
    large = cv2.resize(coarse, shape, interpolation=cv2.INTER_CUBIC)
    x, y = round(2 * step[0]), round(2 * step[1])
    return large[y : y + size, x : x + size]


def fold_tile(rng: np.random.Generator) -> np.ndarray:
    """Creases of cloth, (2 TILE, 2 TILE) float32: ridges that run down and sideways."""
    return _shifted(_folds(), rng)


def _fold_tile(rng: np.random.Generator) -> np.ndarray:
    size = 2 * TILE
    ridges = 1 - np.abs(periodic_noise(rng, 9, 5, size)) * 2
    soft = periodic_noise(rng, 14, 7, size) + 0.6 * periodic_noise(rng, 5, 5, size)
    return cv2.GaussianBlur((ridges + soft).astype(np.float32), (0, 0), 2.0)


@cache
def _grains() -> np.ndarray:
    """Weave, (8, TILE, TILE) float32; drawn once because random numbers are slow, then shifted at random."""
    rng = np.random.default_rng(0)
    fine = rng.standard_normal((8, TILE, TILE)).astype(np.float32)
    return fine + np.stack([periodic_noise(rng, 12, 12) for _ in fine])


@cache
def _folds() -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.stack([_fold_tile(rng) for _ in range(12)])


def _shifted(bank: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    tile = bank[rng.integers(len(bank))]
    return np.roll(tile, rng.integers(0, len(tile), 2), axis=(0, 1))


def _plain(rng: np.random.Generator, colour: np.ndarray, grain: float = 0.02) -> np.ndarray:
    weave = 1 + np.float32(grain) * _shifted(_grains(), rng)
    return np.asarray(colour, np.float32) * weave[..., None]


def _denim(rng: np.random.Generator, colour: np.ndarray, _: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[:TILE, :TILE]
    twill = 0.06 * np.cos((x + y) * (2 * np.pi / 4)) + 0.07 * _shifted(_grains(), rng)
    wash = 0.12 * periodic_noise(rng, 4, 3) + 0.05 * periodic_noise(rng, 40, 8)
    return (colour * (1 + twill + wash)[..., None] + 0.04 * np.maximum(wash, 0)[..., None]).astype(np.float32)


def _knit(rng: np.random.Generator, colour: np.ndarray, _: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[:TILE, :TILE].astype(np.float32)
    rib = 8 if rng.random() < 0.5 else 4
    row = np.abs((x % rib) - rib / 2)
    stitch = 0.13 * np.cos((y + 1.2 * row) * (2 * np.pi / 4)) - 0.14 * (row > rib * 0.4)
    return np.float32(colour) * (1 + stitch + 0.04 * periodic_noise(rng, 20, 20))[..., None].astype(np.float32)


def _stripes(rng: np.random.Generator, colour: np.ndarray, second: np.ndarray) -> np.ndarray:
    period = int(rng.choice([8, 16, 16, 32]))
    band = (np.arange(TILE) % period) < period * rng.choice([0.25, 0.5, 0.5])
    across = np.broadcast_to(band[:, None], (TILE, TILE))
    if rng.random() < 0.3:
        across = across.T
    return _plain(rng, np.where(across[..., None], second, colour))


def _plaid(rng: np.random.Generator, colour: np.ndarray, second: np.ndarray) -> np.ndarray:
    period = int(rng.choice([32, 64]))
    at = np.arange(TILE) % period / period
    wide = ((at > 0.1) & (at < 0.5)).astype(np.float32)
    thin = ((at > 0.75) & (at < 0.8)).astype(np.float32)
    weight = 0.45 * (wide[None, :] + wide[:, None])
    tile = colour * (1 - weight[..., None]) + second * weight[..., None]
    line = np.maximum(thin[None, :], thin[:, None])[..., None] * 0.6
    return _plain(rng, tile * (1 - line) + (1 - second) * line)


def _scatter(rng: np.random.Generator, count: int, draw: Callable[[np.ndarray, float], None]) -> None:
    """Call ``draw`` at well-spread positions, repeated across the borders of a tile."""
    columns = int(np.ceil(np.sqrt(count)))
    for k in range(count):
        centre = (np.array([k % columns, k // columns]) + rng.uniform(0.2, 0.8, 2)) * TILE / columns
        turn = rng.uniform(0, 2 * np.pi)
        for dx in (-TILE, 0, TILE):
            for dy in (-TILE, 0, TILE):
                if np.all(np.abs(centre + (dx, dy) - TILE / 2) < TILE / 2 + 16):
                    draw(centre + (dx, dy), turn)


def _dots(rng: np.random.Generator, colour: np.ndarray, second: np.ndarray) -> np.ndarray:
    tile = _plain(rng, colour)
    step = int(rng.choice([8, 16, 16]))
    y, x = np.mgrid[:TILE, :TILE]
    odd = (y // step) % 2 * step / 2
    distance = np.hypot((x + odd) % step - step / 2, y % step - step / 2)
    inside = np.clip(step * 0.3 - distance + 0.5, 0, 1).astype(np.float32)[..., None]
    return tile * (1 - inside) + np.float32(second) * inside


def _floral(rng: np.random.Generator, colour: np.ndarray, second: np.ndarray) -> np.ndarray:
    tile = np.ascontiguousarray(_plain(rng, colour))
    third = np.clip(second * rng.uniform(0.5, 1.5, 3), 0, 1)
    leaf = np.array([0.2, 0.36, 0.2]) * rng.uniform(0.7, 1.4)
    size = rng.uniform(2.5, 5)

    def flower(centre: np.ndarray, turn: float) -> None:
        hue = second if turn < 4 else third
        for k in range(3):
            cv2.fillPoly(
                tile,
                [np.int32(ellipse(centre + rotated([(size * 2, 0)], turn + k)[0], (size, size / 3), turn))],
                leaf,
            )
        for k in range(5):
            at = centre + rotated([(size, 0)], turn + k * 2 * np.pi / 5)[0]
            cv2.circle(tile, (int(at[0]), int(at[1])), int(size * 0.75), hue.tolist(), cv2.FILLED)
        cv2.circle(tile, (int(centre[0]), int(centre[1])), int(size / 2), (0.95, 0.8, 0.35), cv2.FILLED)

    _scatter(rng, int(rng.integers(16, 36)), flower)
    return cv2.GaussianBlur(tile, (0, 0), 0.6)


def _animal(rng: np.random.Generator, colour: np.ndarray, second: np.ndarray) -> np.ndarray:
    spots = (np.abs(periodic_noise(rng, 20, 16)) > 0.42)[..., None]
    return cv2.GaussianBlur(_plain(rng, np.where(spots, second, colour)), (0, 0), 0.7)


def _fleece(rng: np.random.Generator, colour: np.ndarray, _: np.ndarray) -> np.ndarray:
    curls = 0.16 * periodic_noise(rng, 42, 42) + 0.1 * periodic_noise(rng, 18, 18)
    return np.float32(colour) * (1 + curls[..., None])


_PATTERNS: dict[str, Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]] = {
    "plain": lambda rng, colour, _: _plain(rng, colour),
    "smooth": lambda rng, colour, _: _plain(rng, colour, 0.012),
    "denim": _denim,
    "knit": _knit,
    "stripes": _stripes,
    "plaid": _plaid,
    "dots": _dots,
    "floral": _floral,
    "animal": _animal,
    "fleece": _fleece,
}
PATTERNS: tuple[str, ...] = tuple(_PATTERNS)


def material(
    rng: np.random.Generator,
    pattern: str,
    colour: Points,
    second: Points = (0.9, 0.9, 0.88),
    gloss: float = 0.0,
    folds: float = 1.0,
) -> Material:
    """A material with one of ``PATTERNS`` in the given colours."""
    tile = _PATTERNS[pattern](rng, np.asarray(colour, np.float64), np.asarray(second, np.float64))
    return Material(np.ascontiguousarray(tile, np.float32), gloss, folds)
