"""Faces, hair, glasses and hats of a figure. Lengths are in heads, see ``_body``."""

import numpy as np

from modanet_utils.datasets._body import NECK, Figure
from modanet_utils.datasets._drawing import Points, ellipse, limb, mirrored, rotated, spline
from modanet_utils.datasets._drawing import material as make_material

SIZE = 1.06  # a little larger than life: the camera is at the height of the head
PARTED = ("long", "waves", "bob", "bun", "ponytail", "fringe")
LOOSE = ("long", "waves", "fringe")


def place(figure: Figure, points: Points) -> np.ndarray:
    """Points of the upright head, turned by the head's tilt."""
    return rotated((np.asarray(points, float) - NECK) * SIZE, figure.body.head_tilt) + NECK + (figure.body.centre(1.0), 0)


def on_face(figure: Figure, points: Points) -> np.ndarray:
    """Points of a face seen from the front, on the turned and tilted head."""
    points = np.array(points, float)
    round_ = 0.42
    points[:, 0] = round_ * np.sin(np.arcsin(np.clip(points[:, 0] / round_, -1, 1)) * 0.95 + 0.6 * figure.body.yaw)
    return place(figure, points)


def head(figure: Figure) -> None:
    """Face, hair around it, glasses, hat."""
    _face(figure)
    _hair_in_front(figure)
    if figure.outfit.sunglasses:
        _sunglasses(figure)
    if figure.outfit.hat:
        _hat(figure)


# --- face -----------------------------------------------------------------------------------------------


def _face(figure: Figure) -> None:
    male, skin = figure.body.male, figure.outfit.skin
    jaw = 0.06 if male else 0.0
    right = [(0.0, 0.0), (0.17, 0.03), (0.3, 0.17), (0.35, 0.4), (0.335, 0.6), (0.275 + jaw, 0.8), (0.15 + jaw, 0.95), (0.06 + jaw, 1.0), (0.0, 1.01)]
    thing = figure.thing("skin")
    if figure.outfit.hair_style in ("short", "crop", "quiff", "bun", "ponytail"):
        ears = [ellipse(place(figure, [(s * 0.355 + 0.05 * figure.body.yaw, 0.56)])[0], (0.05, 0.1), -s * 0.15) for s in (-1, 1)]
        figure.put(ears, skin, thing, roundness=0.04, brightness=0.9)
    figure.put([spline(place(figure, mirrored(right)), closed=True, steps=3)], skin, thing, roundness=0.3, shadow=0.5)
    base = skin.colour
    blush = np.clip(base * (1.05, 0.82, 0.8), 0, 1)
    for side in (-1, 1):
        figure.tint([on_face(figure, ellipse((side * 0.2, 0.66), (0.09, 0.07)))], blush, 0.35, thing, 0.04)
        _eye(figure, side, thing)
    _nose_and_mouth(figure, thing)


def _eye(figure: Figure, side: int, thing: int) -> None:
    base, male = figure.outfit.skin.colour, figure.body.male
    x, y = side * 0.155, 0.505
    dark = np.array((0.1, 0.07, 0.06))

    def at(points: Points) -> np.ndarray:
        return on_face(figure, np.asarray(points, float) * (side, 1) + (x, y))

    figure.tint([at(ellipse((0, -0.01), (0.11, 0.06)))], base * 0.62, 0.45, thing, 0.03)
    almond = spline([(-0.078, 0.012), (-0.03, -0.03), (0.03, -0.036), (0.082, -0.008), (0.03, 0.026), (-0.035, 0.028)], closed=True, steps=3)
    figure.tint([at(almond)], (0.93, 0.92, 0.9), 0.95, thing)
    iris = (0.26, 0.17, 0.1) if base.mean() < 0.62 or figure.outfit.hair.colour.mean() < 0.2 else (0.32, 0.42, 0.46)
    figure.tint([at(ellipse((0.0, -0.003), (0.032, 0.034)))], iris, 1.0, thing)
    figure.tint([at(ellipse((0.0, -0.003), (0.016, 0.017)))], dark * 0.5, 1.0, thing)
    figure.tint([at(ellipse((-0.012, -0.014), (0.008, 0.008)))], (1, 1, 1), 0.9, thing)
    lid = at([(-0.08, 0.012), (-0.035, -0.032), (0.03, -0.04), (0.088, -0.012)])
    figure.line(lid, 0.016 if male else 0.024, dark, 0.85, thing)
    brow = at([(-0.085, -0.085), (0.0, -0.115), (0.1, -0.085)])
    hair = np.clip(figure.outfit.hair.colour * 0.7, 0.05, 0.5)
    figure.tint([limb(brow, (0.022, 0.019, 0.007) if male else (0.016, 0.014, 0.006))], hair, 0.85, thing, 0.006)


def _nose_and_mouth(figure: Figure, thing: int) -> None:
    base, rng, male = figure.outfit.skin.colour, figure.rng, figure.body.male
    shade = base * 0.62
    away = 1 if figure.body.yaw > 0 else -1
    figure.line(on_face(figure, [(away * 0.045, 0.46), (away * 0.035, 0.58), (away * 0.055, 0.68)]), 0.035, shade, 0.5, thing, 0.015)
    figure.line(on_face(figure, [(0.0, 0.48), (0.0, 0.62)]), 0.03, np.clip(base * 1.25, 0, 1), 0.45, thing, 0.012)
    figure.tint([on_face(figure, ellipse((0, 0.7), (0.065, 0.018)))], shade, 0.7, thing, 0.01)
    for side in (-1, 1):
        figure.tint([on_face(figure, ellipse((side * 0.035, 0.695), (0.016, 0.01)))], base * 0.35, 0.8, thing)
    lips = np.clip(base * (0.92, 0.62, 0.6), 0, 1)
    if not male and rng.random() < 0.4:
        lips = np.array((0.62, 0.12, 0.16)) if rng.random() < 0.5 else np.array((0.72, 0.3, 0.33))
    smile = rng.uniform(-0.005, 0.03)
    w = 0.115
    upper = [(-w, 0.815 - smile), (-0.04, 0.79), (0, 0.798), (0.04, 0.79), (w, 0.815 - smile), (0, 0.822)]
    lower = [(-w, 0.815 - smile), (0, 0.82), (w, 0.815 - smile), (0.05, 0.86), (-0.05, 0.86)]
    figure.tint([on_face(figure, upper)], lips * 0.85, 0.85, thing)
    figure.tint([on_face(figure, lower)], lips, 0.85, thing)
    figure.line(on_face(figure, [(-w, 0.815 - smile), (0, 0.822), (w, 0.815 - smile)]), 0.012, base * 0.3, 0.8, thing)
    figure.tint([on_face(figure, ellipse((0, 0.9), (0.07, 0.02)))], shade, 0.5, thing, 0.02)
    if male and rng.random() < 0.5:
        beard = mirrored([(0.0, 0.76), (0.13, 0.77), (0.3, 0.62), (0.33, 0.75), (0.22, 0.95), (0.0, 1.0)])
        figure.tint([on_face(figure, beard)], np.clip(figure.outfit.hair.colour * 0.8, 0, 0.4), rng.uniform(0.2, 0.6), thing, 0.03)


# --- hair -----------------------------------------------------------------------------------------------


def _lock(figure: Figure, first: Points, last: Points, brightness: float = 1.0, outline: np.ndarray | None = None) -> None:
    """Hair that flows between two curves of as many points."""
    first, last = spline(place(figure, first)), spline(place(figure, last))
    shape = np.concatenate([first, last[::-1]]) if outline is None else outline
    thing, rng, unit = figure.thing("hair"), figure.rng, figure.unit
    figure.put([shape], figure.outfit.hair, thing, roundness=0.2, brightness=brightness, shadow=0.5)
    width = np.linalg.norm(first - last, axis=1).max() * unit
    curves = []
    for t in np.sort(rng.random(int(width * 1.1) + 6)):
        wiggle = 0.012 * np.sin(np.linspace(0, rng.uniform(3, 9), len(first)) + rng.uniform(0, 6))
        curves.append(figure.px(first * (1 - t) + last * t + wiggle[:, None]))
    figure.canvas.streaks(curves, rng.normal(1.0, 0.28, len(curves)), thing)


def hair_behind(figure: Figure) -> None:
    """Hair that falls behind the shoulders, or stands around the head."""
    style, rng = figure.outfit.hair_style, figure.rng
    end = {"long": rng.uniform(1.5, 2.5), "waves": rng.uniform(1.5, 2.3), "fringe": rng.uniform(1.3, 2.2), "bob": 1.12, "ponytail": 1.9}.get(style)
    if style == "curly":
        _curls(figure, 0.5 if figure.body.male else rng.uniform(0.56, 0.72))
    elif style == "bun":
        _bun(figure)
    elif style == "ponytail":
        side = 1 if figure.body.yaw < 0 else -1
        _lock(figure, [(side * 0.2, 0.1), (side * 0.42, 0.5), (side * 0.5, 1.1), (side * 0.4, end)], [(side * 0.1, 0.2), (side * 0.2, 0.6), (side * 0.22, 1.2), (side * 0.34, end)])
    elif end is not None:
        wide = 0.5 if style != "waves" else 0.58
        left = [(-0.3, 0.0), (-0.44, 0.3), (-wide, 0.8), (-wide, (0.8 + end) / 2), (-0.38, end)]
        right = [(-x, y + rng.uniform(-0.05, 0.1) * (y > 1)) for x, y in left]
        _lock(figure, left, right, brightness=0.7)


def _curls(figure: Figure, size: float) -> None:
    rng, thing = figure.rng, figure.thing("hair")
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = size * (1 + 0.05 * rng.standard_normal(40))
    shape = spline(place(figure, np.column_stack([radius * np.cos(t), 0.38 + radius * np.sin(t)])), closed=True, steps=3)
    figure.put([shape], figure.outfit.hair, thing, roundness=0.3)
    _curl_streaks(figure, (0, 0.38), size)


def _curl_streaks(figure: Figure, centre: Points, size: float) -> None:
    rng = figure.rng
    curves = []
    for _ in range(220):
        at = np.asarray(centre) + rotated([(np.sqrt(rng.random()) * size, 0)], rng.uniform(0, 6.3))[0]
        curves.append(figure.px(place(figure, ellipse(at, (rng.uniform(0.02, 0.06),) * 2, points=9)[: rng.integers(5, 9)])))
    figure.canvas.streaks(curves, rng.normal(1.0, 0.35, len(curves)), figure.thing("hair"))


def _bun(figure: Figure) -> None:
    high = figure.rng.random() < 0.6
    x, y, r = figure.rng.uniform(-0.08, 0.08), (-0.15 if high else 0.2), figure.rng.uniform(0.17, 0.24)
    if not high:
        x = 0.4 if figure.body.yaw < 0 else -0.4
    t = np.linspace(0.3, 2.8, 5)
    _lock(figure, np.column_stack([x - r * np.cos(t), y - r * np.sin(t)]), np.column_stack([x - r * np.cos(t), y + r * np.sin(t)]),
          outline=ellipse(place(figure, [(x, y)])[0], (r, r * 0.92)))  # fmt: skip


def _hair_in_front(figure: Figure) -> None:
    style = figure.outfit.hair_style
    if style in PARTED:
        part = float(figure.rng.uniform(-0.16, 0.16))
        for side in (-1, 1):
            _side_of_parting(figure, side, part)
        if style == "fringe":
            _fringe(figure)
    else:
        _short(figure)


def _side_of_parting(figure: Figure, side: int, part: float) -> None:
    style, rng = figure.outfit.hair_style, figure.rng
    look = 0.09 * figure.body.yaw  # the face moves under the hair when the head turns
    outer = [(part, -0.075), (part * 0.4 + side * 0.24, -0.05), (side * 0.41, 0.15), (side * 0.445, 0.42)]
    inner = [(part + look, 0.16), (look + part * 0.5 + side * 0.17, 0.2), (look + side * 0.29, 0.33), (look + side * 0.335, 0.5)]
    if style in LOOSE:
        end = rng.uniform(1.3, 2.3)
        forward = rng.uniform(0.2, 0.34)
        outer += [(side * 0.49, 0.8), (side * 0.53, 1.2), (side * 0.5, (1.2 + end) / 2 + 0.05), (side * 0.42, end)]
        inner += [(look + side * 0.335, 0.75), (side * 0.31, 1.0), (side * forward, (1.1 + end) / 2), (side * (forward + 0.06), end + 0.06)]
    elif style == "bob":
        outer += [(side * 0.5, 0.75), (side * 0.49, 1.0), (side * 0.36, 1.16)]
        inner += [(look + side * 0.33, 0.7), (side * 0.31, 0.92), (side * 0.26, 1.1)]
    else:  # combed back behind the ear
        outer += [(side * 0.41, 0.56)]
        inner += [(side * 0.36, 0.56)]
    outer, inner = np.array(outer), np.array(inner)
    if style == "waves":
        wave = np.where(outer[:, 1] > 0.5, 0.045 * np.sin(outer[:, 1] * 7 + side), 0)
        outer[:, 0] += wave + side * 0.04 * (outer[:, 1] > 0.6)
        inner[:, 0] += wave
    _lock(figure, outer, inner, brightness=1.0)


def _fringe(figure: Figure) -> None:
    look = 0.06 * figure.body.yaw
    left = [(-0.12, -0.06), (-0.28 + look, 0.12), (-0.33 + look, 0.42)]
    right = [(0.12, -0.06), (0.28 + look, 0.12), (0.33 + look, 0.42)]
    ragged = np.linspace(-0.33, 0.33, 15)
    bottom = np.column_stack([ragged + look, 0.40 + 0.03 * figure.rng.random(15) + 0.06 * (ragged / 0.33) ** 2])
    shape = np.concatenate([spline(left), bottom, spline(right)[::-1]])
    _lock(figure, left, right, outline=place(figure, shape))


def _short(figure: Figure) -> None:
    """A cap of hair around the face, combed up or sideways."""
    style, rng, look = figure.outfit.hair_style, figure.rng, 0.07 * figure.body.yaw
    lift = {"short": 0.03, "crop": 0.0, "quiff": 0.15, "curly": 0.08}.get(style, 0.03)
    lean = rng.uniform(-0.08, 0.08)
    outer = np.array([(-0.365, 0.56), (-0.4, 0.36), (-0.4, 0.1), (-0.27 + lean, -0.06 - lift * 0.6), (lean, -0.075 - lift), (0.27 + lean, -0.06 - lift * 0.6),
                      (0.4, 0.1), (0.4, 0.36), (0.365, 0.56)])  # fmt: skip
    line = 0.2 if style != "crop" else 0.17
    inner = np.array([(-0.335, 0.56), (-0.325, 0.36), (-0.29, line + 0.07), (-0.16, line), (0.0, line - 0.015), (0.16, line), (0.29, line + 0.07),
                      (0.325, 0.36), (0.335, 0.56)]) + (look, 0)  # fmt: skip
    outer_curve, inner_curve = spline(place(figure, outer)), spline(place(figure, inner))
    thing = figure.thing("hair")
    figure.put([np.concatenate([outer_curve, inner_curve[::-1]])], figure.outfit.hair, thing, roundness=0.14, shadow=0.4)
    if style == "curly":
        _curl_streaks(figure, (0, 0.1), 0.42)
        return
    sweep = int(rng.integers(-9, 10))
    curves = []
    for k in np.sort(rng.uniform(0, len(outer_curve) - 1, 90)):
        a, b = inner_curve[int(k)], outer_curve[int(np.clip(k + sweep + rng.integers(-3, 4), 0, len(outer_curve) - 1))]
        curves.append(figure.px([a, (a + b) / 2 + rng.normal(0, 0.015, 2), b]))
    figure.canvas.streaks(curves, rng.normal(1.0, 0.3, len(curves)), thing)


# --- glasses and hats -----------------------------------------------------------------------------------


def _sunglasses(figure: Figure) -> None:
    rng, kind, thing = figure.rng, figure.outfit.sunglasses, figure.thing("sunglasses")
    shapes = {
        "square": [(-0.13, -0.085), (0.14, -0.095), (0.145, 0.0), (0.1, 0.09), (-0.08, 0.09), (-0.125, 0.02)],
        "round": ellipse((0, 0), (0.128, 0.12), points=14),
        "aviator": [(-0.12, -0.09), (0.0, -0.1), (0.14, -0.08), (0.13, 0.03), (0.05, 0.11), (-0.05, 0.1), (-0.12, 0.03)],
        "large": [(-0.14, -0.11), (0.0, -0.12), (0.155, -0.12), (0.16, 0.02), (0.1, 0.12), (-0.08, 0.125), (-0.14, 0.03)],
    }
    lens = np.asarray(shapes[str(kind)], float)
    frame = np.array([(0.07, 0.06, 0.06), (0.07, 0.06, 0.06), (0.35, 0.22, 0.12), (0.6, 0.5, 0.3)])[rng.integers(4)]
    sides = [spline(on_face(figure, lens * (s * 1.08, 1.08) + (s * 0.17, 0.5)), closed=True, steps=3) for s in (-1, 1)]
    bridge = on_face(figure, [(-0.06, 0.44), (0, 0.425), (0.06, 0.44), (0.06, 0.475), (0, 0.455), (-0.06, 0.475)])
    arms = [limb(np.vstack([on_face(figure, [(s * 0.29, 0.45)]), place(figure, [(s * 0.37 + 0.04 * figure.body.yaw, 0.48)])]), (0.018, 0.016)) for s in (-1, 1)]
    figure.tint([sides[0] + (0, 0.04), sides[1] + (0, 0.04)], figure.outfit.skin.colour * 0.5, 0.5, "skin", 0.02)
    figure.put([*sides, bridge, *arms], make_material(rng, "smooth", frame, folds=0, gloss=0.3), thing, roundness=0.03, shadow=0.3)
    glass = np.array([(0.05, 0.05, 0.06), (0.16, 0.1, 0.06), (0.08, 0.12, 0.1), (0.25, 0.2, 0.22)])[rng.integers(4)]
    for s in (-1, 1):
        inner = on_face(figure, lens * (s * 0.86, 0.86) + (s * 0.17, 0.5))
        figure.tint([inner], glass, 0.95, thing)
        shine = on_face(figure, np.array([(-0.08, -0.05), (-0.02, -0.075), (-0.06, 0.02), (-0.09, 0.0)]) + (s * 0.17, 0.5))
        figure.tint([shine], np.clip(glass + 0.45, 0, 1), 0.55, thing, 0.012)


def _hat(figure: Figure) -> None:
    {"beanie": _beanie, "cap": _cap, "brim": _brim, "straw": _brim, "beret": _beret}[str(figure.outfit.hat)](figure)


def _dome(width: float, top: float, bottom: float, shift: float = 0.0) -> np.ndarray:
    t = np.linspace(np.pi, 2 * np.pi, 15)
    arch = np.column_stack([width * np.cos(t) + shift * np.sin(t) * -1, bottom + (bottom - top) * np.sin(t)])
    sag = np.linspace(0, np.pi, 9)[1:-1]
    return np.concatenate([arch, np.column_stack([width * np.cos(sag), bottom + 0.05 * np.sin(sag)])])


def _beanie(figure: Figure) -> None:
    rng, thing, material = figure.rng, figure.thing("headwear"), figure.outfit.hat_material
    slouch = rng.uniform(0.0, 0.16)
    figure.put([place(figure, _dome(0.43, -0.15 - slouch, 0.26, rng.normal(0, 0.08)))], material, thing, roundness=0.28, shadow=0.5)
    s = np.linspace(-1, 1, 9)
    upper, lower = np.column_stack([0.435 * s, 0.17 + 0.05 * (1 - s**2)]), np.column_stack([0.43 * s, 0.33 + 0.04 * (1 - s**2)])
    figure.put([place(figure, np.concatenate([upper, lower[::-1]]))], material, thing, roundness=0.07, shadow=0.5, brightness=1.05)
    if rng.random() < 0.25:
        figure.put([ellipse(place(figure, [(0, -0.2 - slouch)])[0], (0.13, 0.12))], material, thing, roundness=0.12)


def _cap(figure: Figure) -> None:
    thing, material, yaw = figure.thing("headwear"), figure.outfit.hat_material, figure.body.yaw
    figure.put([place(figure, _dome(0.415, -0.16, 0.24))], material, thing, roundness=0.3, shadow=0.5)
    for x in (-0.2, 0.0, 0.2):
        seam = place(figure, [(x * 0.3 + yaw * 0.1, -0.15), (x * 1.2 + yaw * 0.16, 0.0), (x * 1.4 + yaw * 0.2, 0.22)])
        figure.line(seam, 0.014, material.colour * 0.5, 0.5, thing)
    s = np.linspace(-1, 1, 11)
    bend = np.sqrt(1 - s**2)
    near = np.column_stack([0.38 * s + yaw * 0.05, 0.2 + 0.06 * bend])
    far = np.column_stack([0.4 * s + yaw * 0.32, 0.24 + (0.2 - 0.1 * abs(yaw)) * bend])
    figure.put([place(figure, np.concatenate([near, far[::-1]]))], material, thing, roundness=0.06, shadow=0.6, brightness=0.92)


def _brim(figure: Figure) -> None:
    rng, thing, material = figure.rng, figure.thing("headwear"), figure.outfit.hat_material
    wide, tilt = rng.uniform(0.62, 0.86), rng.normal(0, 0.06)
    brim = rotated(ellipse((0, 0), (wide, rng.uniform(0.13, 0.2)), points=28), tilt) + (0, 0.22)
    figure.put([place(figure, brim)], material, thing, roundness=0.12, shadow=0.65, brightness=0.93)
    crown = np.array([(-0.4, 0.2), (-0.385, 0.0), (-0.33, -0.2), (-0.18, -0.27), (0.0, -0.235), (0.18, -0.27), (0.33, -0.2), (0.385, 0.0), (0.4, 0.2), (0.2, 0.26), (-0.2, 0.26)])
    figure.put([spline(place(figure, rotated(crown - (0, 0.22), tilt) + (0, 0.22)), closed=True, steps=3)], material, thing, roundness=0.25, shadow=0.5)
    s = np.linspace(-1, 1, 9)
    band = np.concatenate([np.column_stack([0.392 * s, 0.07 + 0.05 * (1 - s**2)]), np.column_stack([0.4 * s, 0.18 + 0.06 * (1 - s**2)])[::-1]])
    figure.tint([place(figure, band)], material.colour * 0.4, 0.85, thing)


def _beret(figure: Figure) -> None:
    thing, material = figure.thing("headwear"), figure.outfit.hat_material
    lean = 1 if figure.rng.random() < 0.5 else -1
    cloth = spline([(-0.42, 0.2), (-0.45, 0.0), (-0.2, -0.17), (0.2, -0.2), (0.58, -0.06), (0.62, 0.12), (0.45, 0.24), (0.1, 0.16), (-0.2, 0.2)], closed=True, steps=4)
    figure.put([place(figure, cloth * (lean, 1))], material, thing, roundness=0.22, shadow=0.55)
    figure.line(place(figure, np.array([(-0.4, 0.19), (0.0, 0.17), (0.36, 0.22)]) * (lean, 1)), 0.045, material.colour * 0.6, 0.8, thing)
