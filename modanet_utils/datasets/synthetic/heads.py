"""Faces, hair, glasses and hats of a figure. Lengths are in heads, see ``_body``."""

import numpy as np

from modanet_utils.datasets.synthetic.body import NECK, Figure
from modanet_utils.datasets.synthetic.drawing import Points, ellipse, limb, material, mirrored, path, rotated, spline

SIZE = 1.06  # a little larger than life: the camera is at the height of the head
PARTED = ("long", "waves", "bob", "bun", "ponytail", "fringe")
LOOSE = ("long", "waves", "fringe")
LENSES = {
    "square": path("-.13 -.085, .14 -.095, .145 0, .1 .09, -.08 .09, -.125 .02"),
    "round": ellipse((0, 0), (0.128, 0.12), points=14),
    "aviator": path("-.12 -.09, 0 -.1, .14 -.08, .13 .03, .05 .11, -.05 .1, -.12 .03"),
    "large": path("-.14 -.11, 0 -.12, .155 -.12, .16 .02, .1 .12, -.08 .125, -.14 .03"),
}


def place(figure: Figure, points: Points) -> np.ndarray:
    """Points of the upright head, turned by the head's tilt."""
    turned = rotated((np.asarray(points, float) - NECK) * SIZE, figure.body.head_tilt)
    return turned + NECK + (figure.body.centre(1.0), 0)


def on_face(figure: Figure, points: Points) -> np.ndarray:
    """Points of a face seen from the front, on the turned and tilted head."""
    points, radius = np.array(points, float), 0.42
    longitude = np.arcsin(np.clip(points[:, 0] / radius, -1, 1))
    points[:, 0] = radius * np.sin(longitude * 0.95 + 0.6 * figure.body.yaw)
    return place(figure, points)


def head(figure: Figure) -> None:
    """Face, hair around it, glasses, hat."""
    _face(figure)
    _hair_in_front(figure)
    if figure.outfit.sunglasses:
        _sunglasses(figure)
    if figure.outfit.hat:
        _HATS[figure.outfit.hat](figure)


# --- face ---------------------------------------------------------------------------------------------


def _face(figure: Figure) -> None:
    skin, thing, yaw = figure.outfit.skin, figure.thing("skin"), figure.body.yaw
    if figure.outfit.hair_style in ("short", "crop", "quiff", "bun", "ponytail"):
        for side in (-1, 1):
            ear = ellipse(place(figure, (side * 0.355 + 0.05 * yaw, 0.56)), (0.05, 0.1), -side * 0.15)
            figure.put(ear, skin, thing, 0.04, brightness=0.9)
    half = path("0 0, .17 .03, .3 .17, .35 .4, .335 .6, .275 .8, .15 .95, .06 1, 0 1.01")
    if figure.body.male:
        half = half + 0.035 * path("0 0, 0 0, 0 0, 0 0, 0 0, 1 0, 1 0, 1 0, 0 0")  # a broader jaw
    figure.put(spline(place(figure, mirrored(half)), closed=True, steps=3), skin, thing, 0.3, shadow=0.5)
    blush = np.clip(skin.colour * (1.05, 0.82, 0.8), 0, 1)
    for side in (-1, 1):
        figure.tint(on_face(figure, ellipse((side * 0.2, 0.66), (0.09, 0.07))), blush, 0.35, thing, 0.04)
        _eye(figure, side, thing)
    _nose(figure, thing)
    _mouth(figure, thing)


def _eye(figure: Figure, side: int, thing: int) -> None:
    base, hair, male = figure.outfit.skin.colour, figure.outfit.hair.colour, figure.body.male
    dark = np.array((0.1, 0.07, 0.06))

    def at(points: Points) -> np.ndarray:
        return on_face(figure, np.asarray(points, float) * (side, 1) + (side * 0.155, 0.505))

    figure.tint(at(ellipse((0, -0.01), (0.11, 0.06))), base * 0.62, 0.45, thing, 0.03)
    almond = path("-.078 .012, -.03 -.03, .03 -.036, .082 -.008, .03 .026, -.035 .028")
    figure.tint(at(spline(almond, closed=True, steps=3)), (0.93, 0.92, 0.9), 0.95, thing)
    brown = base.mean() < 0.62 or hair.mean() < 0.2
    figure.tint(at(ellipse((0, 0), (0.032, 0.034))), (0.26, 0.17, 0.1) if brown else (0.32, 0.42, 0.46), 1.0, thing)
    figure.tint(at(ellipse((0, 0), (0.016, 0.017))), dark * 0.5, 1.0, thing)
    figure.tint(at(ellipse((-0.012, -0.012), (0.008, 0.008))), (1, 1, 1), 0.9, thing)
    figure.line(at(path("-.08 .012, -.035 -.032, .03 -.04, .088 -.012")), 0.016 if male else 0.024, dark, 0.85, thing)
    brow = limb(at(path("-.085 -.085, 0 -.115, .1 -.085")), (0.022, 0.019, 0.007) if male else (0.016, 0.014, 0.006))
    figure.tint(brow, np.clip(hair * 0.7, 0.05, 0.5), 0.85, thing, 0.006)


def _nose(figure: Figure, thing: int) -> None:
    base = figure.outfit.skin.colour
    away = (1, 1) if figure.body.yaw > 0 else (-1, 1)
    figure.line(on_face(figure, path(".045 .46, .035 .58, .055 .68") * away), 0.035, base * 0.62, 0.5, thing, 0.015)
    figure.line(on_face(figure, path("0 .48, 0 .62")), 0.03, np.clip(base * 1.25, 0, 1), 0.45, thing, 0.012)
    figure.tint(on_face(figure, ellipse((0, 0.7), (0.065, 0.018))), base * 0.62, 0.7, thing, 0.01)
    for side in (-1, 1):
        figure.tint(on_face(figure, ellipse((side * 0.035, 0.695), (0.016, 0.01))), base * 0.35, 0.8, thing)


def _mouth(figure: Figure, thing: int) -> None:
    base, rng, male = figure.outfit.skin.colour, figure.rng, figure.body.male
    lips = np.clip(base * (0.92, 0.62, 0.6), 0, 1)
    if not male and rng.random() < 0.4:
        lips = np.array((0.62, 0.12, 0.16)) if rng.random() < 0.5 else np.array((0.72, 0.3, 0.33))
    smile = rng.uniform(-0.005, 0.03)  # how far the corners are up
    upper = path("-.115 .815, -.04 .79, 0 .798, .04 .79, .115 .815, 0 .822") - smile * path(
        "0 1, 0 0, 0 0, 0 0, 0 1, 0 0"
    )
    lower = path("-.115 .815, 0 .82, .115 .815, .05 .86, -.05 .86") - smile * path("0 1, 0 0, 0 1, 0 0, 0 0")
    figure.tint(on_face(figure, upper), lips * 0.85, 0.85, thing)
    figure.tint(on_face(figure, lower), lips, 0.85, thing)
    figure.line(on_face(figure, lower[:3]), 0.012, base * 0.3, 0.8, thing)
    figure.tint(on_face(figure, ellipse((0, 0.9), (0.07, 0.02))), base * 0.62, 0.5, thing, 0.02)
    if male and rng.random() < 0.5:
        beard = on_face(figure, mirrored(path("0 .76, .13 .77, .3 .62, .33 .75, .22 .95, 0 1")))
        figure.tint(beard, np.clip(figure.outfit.hair.colour * 0.8, 0, 0.4), rng.uniform(0.2, 0.6), thing, 0.03)


# --- hair ---------------------------------------------------------------------------------------------


def _lock(figure: Figure, first: Points, last: Points, brightness: float = 1.0, shape: Points | None = None) -> None:
    """Hair that flows between two curves of as many points; ``shape``: its outline if it is another."""
    first, last = spline(place(figure, first)), spline(place(figure, last))
    outline = np.concatenate([first, last[::-1]]) if shape is None else place(figure, shape)
    thing, rng = figure.thing("hair"), figure.rng
    figure.put(outline, figure.outfit.hair, thing, 0.2, brightness=brightness, shadow=0.5)
    count = int(1.1 * figure.unit * np.linalg.norm(first - last, axis=1).max()) + 6
    t = np.sort(rng.random(count))[:, None, None]
    along = np.linspace(0, 1, len(first)) * rng.uniform(3, 9, (count, 1)) + rng.uniform(0, 6, (count, 1))
    strands = first * (1 - t) + last * t + 0.012 * np.sin(along)[..., None]
    figure.canvas.streaks(figure.px(strands), rng.normal(1.0, 0.28, count), thing)


def hair_behind(figure: Figure) -> None:
    """Hair that falls behind the shoulders, or stands around the head."""
    style, rng = figure.outfit.hair_style, figure.rng
    away = np.array((1, 1) if figure.body.yaw < 0 else (-1, 1))
    if style == "curly":
        _curly_crown(figure, 0.5 if figure.body.male else rng.uniform(0.56, 0.72))
    elif style == "bun":
        _bun(figure, away)
    elif style == "ponytail":
        outer, inner = path(".2 .1, .42 .5, .5 1.1, .4 1.9"), path(".1 .2, .2 .6, .22 1.2, .34 1.9")
        _lock(figure, outer * away, inner * away)
    elif style in LOOSE or style == "bob":
        end = 1.12 if style == "bob" else rng.uniform(1.4, 2.4)
        wide = 0.58 if style == "waves" else 0.5
        left = np.array([(-0.3, 0.0), (-0.44, 0.3), (-wide, 0.8), (-wide, (0.8 + end) / 2), (-0.38, end)])
        right = left * (-1, 1) + (left[:, 1:] > 1) * rng.uniform(-0.05, 0.1, (5, 1)) * (0, 1)
        _lock(figure, left, right, brightness=0.7)


def _curly_crown(figure: Figure, size: float) -> None:
    bumps = size * (1 + 0.05 * figure.rng.standard_normal((40, 1)))
    crown = spline(ellipse((0, 0), (1, 1), points=40) * bumps + (0, 0.38), closed=True, steps=3)
    figure.put(place(figure, crown), figure.outfit.hair, figure.thing("hair"), 0.3)
    _curls(figure, (0, 0.38), size)


def _curls(figure: Figure, centre: Points, size: float) -> None:
    rng, count = figure.rng, 220
    turn, reach = rng.uniform(0, 6.3, count), size * np.sqrt(rng.random(count))
    middle = np.asarray(centre) + np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=1)
    arc = rng.uniform(0, 6.3, (count, 1)) + np.linspace(0, 4, 7)
    bow = np.stack([np.cos(arc), np.sin(arc)], axis=-1)
    curls = middle[:, None] + rng.uniform(0.02, 0.06, (count, 1, 1)) * bow
    figure.canvas.streaks(figure.px(place(figure, curls)), rng.normal(1.0, 0.35, count), figure.thing("hair"))


def _bun(figure: Figure, away: np.ndarray) -> None:
    rng = figure.rng
    middle = (rng.uniform(-0.08, 0.08), -0.15) if rng.random() < 0.6 else (0.4, 0.2) * away
    size = rng.uniform(0.17, 0.24)
    upper = path("-.95 -.3, -.5 -.85, 0 -1, .5 -.85, .95 -.3") * size
    _lock(figure, upper + middle, upper * (1, -1) + middle, shape=ellipse(middle, (size, size * 0.92)))


def _hair_in_front(figure: Figure) -> None:
    if figure.outfit.hair_style not in PARTED:
        _short(figure)
        return
    part = float(figure.rng.uniform(-0.16, 0.16))
    for side in (-1, 1):
        _side_of_parting(figure, side, part)
    if figure.outfit.hair_style == "fringe":
        _fringe(figure)


def _side_of_parting(figure: Figure, side: int, part: float) -> None:
    style, rng = figure.outfit.hair_style, figure.rng
    look = np.array((0.09 * figure.body.yaw, 0))  # the face moves under the hair when the head turns
    outer = path("0 -.075, .24 -.05, .41 .15, .445 .42") * (side, 1) + part * path("1 0, .4 0, 0 0, 0 0")
    inner = path("0 .16, .17 .2, .29 .33, .335 .5") * (side, 1) + part * path("1 0, .5 0, 0 0, 0 0") + look
    if style in LOOSE:
        end, forward = rng.uniform(1.3, 2.3), rng.uniform(0.2, 0.34)
        below = [(0.49, 0.8), (0.53, 1.2), (0.5, 0.65 + end / 2), (0.42, end)]
        within = [(0.335, 0.75), (0.31, 1.0), (forward, 0.55 + end / 2), (forward + 0.06, end + 0.06)]
    elif style == "bob":
        below, within = path(".5 .75, .49 1, .36 1.16"), path(".33 .7, .31 .92, .26 1.1")
    else:  # combed back behind the ear
        below, within = path(".41 .56"), path(".36 .56")
    outer = np.concatenate([outer, np.asarray(below) * (side, 1)])
    inner = np.concatenate([inner, np.asarray(within) * (side, 1)])
    if style == "waves":
        wave = np.where(outer[:, 1] > 0.5, 0.045 * np.sin(outer[:, 1] * 7 + side), 0)
        outer[:, 0] += wave + side * 0.04 * (outer[:, 1] > 0.6)
        inner[:, 0] += wave
    _lock(figure, outer, inner)


def _fringe(figure: Figure) -> None:
    look = 0.06 * figure.body.yaw
    right = path(".12 -.06, .28 .12, .33 .42")
    left, right = right * (-1, 1) + path("0 0, 1 0, 1 0") * look, right + path("0 0, 1 0, 1 0") * look
    x = np.linspace(-0.33, 0.33, 15)
    ragged = np.column_stack([x + look, 0.40 + 0.03 * figure.rng.random(15) + 0.55 * x**2])
    _lock(figure, left, right, shape=np.concatenate([spline(left), ragged, spline(right)[::-1]]))


def _short(figure: Figure) -> None:
    """A cap of hair around the face, combed up or sideways."""
    style, rng, thing = figure.outfit.hair_style, figure.rng, figure.thing("hair")
    lift = {"quiff": 0.15, "curly": 0.08, "crop": 0.0}.get(style, 0.03)
    outer = path("-.365 .56, -.4 .36, -.4 .1, -.27 -.06, 0 -.075, .27 -.06, .4 .1, .4 .36, .365 .56")
    outer = outer + path("0 0, 0 0, 0 0, 0 -.6, 0 -1, 0 -.6, 0 0, 0 0, 0 0") * lift
    outer = outer + path("0 0, 0 0, 0 0, 1 0, 1 0, 1 0, 0 0, 0 0, 0 0") * rng.uniform(-0.08, 0.08)
    inner = path("-.335 .56, -.325 .36, -.29 .27, -.16 .2, 0 .185, .16 .2, .29 .27, .325 .36, .335 .56")
    inner = inner + (0.07 * figure.body.yaw, 0)
    outer, inner = spline(place(figure, outer)), spline(place(figure, inner))
    figure.put(np.concatenate([outer, inner[::-1]]), figure.outfit.hair, thing, 0.14, shadow=0.4)
    if style == "curly":
        _curls(figure, (0, 0.1), 0.42)
        return
    count, last = 90, len(outer) - 1
    root = np.sort(rng.integers(0, last + 1, count))
    tip = np.clip(root + rng.integers(-9, 10) + rng.integers(-3, 4, count), 0, last)  # combed to one side
    a, b = inner[root], outer[tip]
    strands = np.stack([a, (a + b) / 2 + rng.normal(0, 0.015, a.shape), b], axis=1)
    figure.canvas.streaks(figure.px(strands), rng.normal(1.0, 0.3, count), thing)


# --- glasses and hats -----------------------------------------------------------------------------------


def _sunglasses(figure: Figure) -> None:
    rng, thing = figure.rng, figure.thing("sunglasses")
    lens = LENSES[str(figure.outfit.sunglasses)]
    frame = path(".07 .06 .06, .07 .06 .06, .35 .22 .12, .6 .5 .3")[rng.integers(4)]
    glass = path(".05 .05 .06, .16 .1 .06, .08 .12 .1, .25 .2 .22")[rng.integers(4)]

    def at(side: int, points: np.ndarray, size: float = 1.0) -> np.ndarray:
        return on_face(figure, points * (side * size, size) + (side * 0.17, 0.5))

    pieces = [on_face(figure, path("-.06 .44, 0 .425, .06 .44, .06 .475, 0 .455, -.06 .475"))]
    for side in (-1, 1):
        rim = spline(at(side, lens, 1.08), closed=True, steps=3)
        figure.tint(rim + (0, 0.04), figure.outfit.skin.colour * 0.5, 0.5, "skin", 0.02)
        hinge, ear = (
            at(side, path(".12 -.05"))[0],
            place(figure, (side * 0.37 + 0.04 * figure.body.yaw, 0.48)),
        )
        pieces += [rim, limb([hinge, ear], (0.018, 0.016))]
    figure.put(pieces, material(rng, "smooth", frame, folds=0, gloss=0.3), thing, 0.03, shadow=0.3)
    for side in (-1, 1):
        figure.tint(at(side, lens, 0.86), glass, 0.95, thing)
        gleam = on_face(figure, path("-.08 -.05, -.02 -.075, -.06 .02, -.09 0") + (side * 0.17, 0.5))
        figure.tint(gleam, np.clip(glass + 0.45, 0, 1), 0.55, thing, 0.012)


def _arc(width: float, y: float, sag: float) -> np.ndarray:
    """A line across the head that sags in the middle, (9, 2)."""
    s = np.linspace(-1, 1, 9)
    return np.column_stack([width * s, y + sag * (1 - s**2)])


def _dome(width: float, top: float, bottom: float, lean: float = 0.0) -> np.ndarray:
    t = np.linspace(np.pi, 2 * np.pi, 15)
    arch = np.column_stack([width * np.cos(t) - lean * np.sin(t), bottom + (bottom - top) * np.sin(t)])
    return np.concatenate([arch, _arc(width, bottom, 0.05)[::-1]])


def _beanie(figure: Figure) -> None:
    rng, thing, cloth = figure.rng, figure.thing("headwear"), figure.outfit.hat_material
    top = -0.15 - rng.uniform(0.0, 0.16)
    figure.put(place(figure, _dome(0.43, top, 0.26, rng.normal(0, 0.08))), cloth, thing, 0.28, shadow=0.5)
    cuff = np.concatenate([_arc(0.435, 0.17, 0.05), _arc(0.43, 0.33, 0.04)[::-1]])
    figure.put(place(figure, cuff), cloth, thing, 0.07, shadow=0.5, brightness=1.05)
    if rng.random() < 0.25:
        figure.put(ellipse(place(figure, (0, top - 0.05)), (0.13, 0.12)), cloth, thing, 0.12)


def _cap(figure: Figure) -> None:
    thing, cloth, yaw = figure.thing("headwear"), figure.outfit.hat_material, figure.body.yaw
    figure.put(place(figure, _dome(0.415, -0.16, 0.24)), cloth, thing, 0.3, shadow=0.5)
    for x in (-0.2, 0.0, 0.2):
        seam = path(".3 -.15, 1.2 0, 1.4 .22") * (x, 1) + path(".1 0, .16 0, .2 0") * yaw
        figure.line(place(figure, seam), 0.014, cloth.colour * 0.5, 0.5, thing)
    s = np.linspace(-1, 1, 11)
    bend = np.sqrt(1 - s**2)
    near = np.column_stack([0.38 * s + yaw * 0.05, 0.2 + 0.06 * bend])
    far = np.column_stack([0.4 * s + yaw * 0.32, 0.24 + (0.2 - 0.1 * abs(yaw)) * bend])
    visor = place(figure, np.concatenate([near, far[::-1]]))
    figure.put(visor, cloth, thing, 0.06, shadow=0.6, brightness=0.92)


def _brim(figure: Figure) -> None:
    rng, thing, cloth = figure.rng, figure.thing("headwear"), figure.outfit.hat_material
    tilt, middle = rng.normal(0, 0.06), np.array((0, 0.22))
    brim = ellipse((0, 0), (rng.uniform(0.62, 0.86), rng.uniform(0.13, 0.2)), tilt) + middle
    figure.put(place(figure, brim), cloth, thing, 0.12, shadow=0.65, brightness=0.93)
    crown = mirrored(path("0 -.455, .18 -.49, .33 -.42, .385 -.22, .4 -.02, .2 .04, 0 .05"))
    crown = spline(rotated(crown, tilt) + middle, closed=True, steps=3)
    figure.put(place(figure, crown), cloth, thing, 0.25, shadow=0.5)
    band = np.concatenate([_arc(0.392, -0.15, 0.05), _arc(0.4, -0.04, 0.06)[::-1]])
    figure.tint(place(figure, rotated(band, tilt) + middle), cloth.colour * 0.4, 0.85, thing)


def _beret(figure: Figure) -> None:
    thing, cloth = figure.thing("headwear"), figure.outfit.hat_material
    lean = (1, 1) if figure.rng.random() < 0.5 else (-1, 1)
    shape = path("-.42 .2, -.45 0, -.2 -.17, .2 -.2, .58 -.06, .62 .12, .45 .24, .1 .16, -.2 .2") * lean
    figure.put(place(figure, spline(shape, closed=True, steps=4)), cloth, thing, 0.22, shadow=0.55)
    figure.line(place(figure, path("-.4 .19, 0 .17, .36 .22") * lean), 0.045, cloth.colour * 0.6, 0.8, thing)


_HATS = {"beanie": _beanie, "cap": _cap, "brim": _brim, "straw": _brim, "beret": _beret}
