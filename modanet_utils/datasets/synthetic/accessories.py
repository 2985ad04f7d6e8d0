"""Shoes, bags, scarves and ties of a figure. Lengths are in heads, see ``_body``."""

import numpy as np

from modanet_utils.datasets.synthetic.body import Figure, Limb
from modanet_utils.datasets.synthetic.drawing import Points, ellipse, limb, material, path, rotated, spline
from modanet_utils.datasets.synthetic.garments import BOOTS, METAL, foot

# --- shoes ----------------------------------------------------------------------------------------------


def shoes(figure: Figure, tall: bool) -> None:
    """Two shoes or boots, an annotation each. ``tall``: those that go over the trouser leg."""
    outfit = figure.outfit
    over = outfit.shoes in BOOTS and (outfit.bottom != "pants" or outfit.bottom_cut in ("skinny", "slim"))
    if over != tall:
        return
    for side in (figure.body.back, -figure.body.back):
        (_boot if outfit.shoes in BOOTS else _sandal if outfit.shoes == "sandal" else _shoe)(figure, side)


def _sole(figure: Figure, shape: np.ndarray, colour: Points, thing: int, side: int) -> None:
    """What the upper, drawn a little higher, leaves to be seen."""
    rubber = material(figure.rng, "smooth", colour, folds=0.0)
    figure.put(shape, rubber, thing, 0.05, brightness=figure.distance(side))


def _boot(figure: Figure, side: int) -> None:
    kind, leather, leg, thing = (
        figure.outfit.shoes,
        figure.outfit.shoe_material,
        figure.body.legs[side],
        figure.thing("boots", side),
    )
    start = {"tall": 0.56, "laced": 0.75, "anklet": 0.83}[kind]
    shaft = leg.part(1.0, start, ease=(0.06, 0.055, 0.05)).outline("end")
    above = leg.part(start + 0.03, start - 0.06, ease=0.05).outline()
    shape = foot(figure, side, 1.28)
    _sole(figure, shape, (0.08, 0.07, 0.07), thing, side)
    options = {"brightness": figure.distance(side), "beyond": [above], "shadow": 0.2}
    figure.put([shaft, shape - (0, 0.035)], leather, thing, 0.15, **options)
    ankle, toe, light = leg.bones[-1], figure.body.feet[side], leather.colour * 0.4 + 0.2
    if kind == "laced":
        for k in np.linspace(-0.42, 0.16, 7):
            middle = ankle + (0, k) + toe * max(0.0, k)
            figure.line(middle + path("-.06 0, .06 .01"), 0.02, light, 0.9, thing)
    else:
        figure.line(ankle + path("-.05 -.28, -.05 .1"), 0.018, light, 0.6, thing)


def _sandal(figure: Figure, side: int) -> None:
    thing, leather = figure.thing("footwear", side), figure.outfit.shoe_material
    ankle, toe = figure.body.legs[side].bones[-1], figure.body.feet[side]
    for t in (0.05, 0.5, 0.85):
        strap = ankle + (0, 0.1) + t * toe + path("-.14 .02, 0 -.02, .14 .02")
        figure.put(limb(strap, (0.045, 0.05, 0.045)), leather, thing, 0.04)
    sole = ankle + path("0 .26, 0 .23, 0 .17") + np.array([(-0.1, 0), (0.5, 0.5), (1, 1)]) * toe
    figure.put(limb(sole, (0.055, 0.06, 0.05)), leather, thing, 0.05)


def _shoe(figure: Figure, side: int) -> None:
    outfit, kind, leather, thing = (
        figure.outfit,
        figure.outfit.shoes,
        figure.outfit.shoe_material,
        figure.thing("footwear", side),
    )
    ankle, toe = figure.body.legs[side].bones[-1], figure.body.feet[side]
    low, drop, dark = kind in ("pump", "flat", "loafer"), 0.7 * (kind == "pump"), leather.colour * 0.45
    size = {"sneaker": 1.38, "pump": 1.15, "flat": 1.2}.get(kind, 1.3)
    shape = foot(figure, side, size, drop, start=0.12 if low else 0.0)
    if kind == "pump":
        heel = ankle + (-0.25 * toe[0], 0) + path("0 .14, 0 .4")
        figure.put(limb(heel, (0.065, 0.03)), leather, thing, 0.05, brightness=0.7)
    light = np.array((0.92, 0.91, 0.88))
    _sole(figure, shape, light if kind == "sneaker" else dark * 0.5, thing, side)
    upper = shape - (0, 0.06 if kind == "sneaker" else 0.025)
    figure.put(upper, leather, thing, 0.13, brightness=figure.distance(side), shadow=0.2)
    if low:
        opening = ellipse(
            ankle + (0, 0.05) + 0.22 * (toe + (0, 0.2 * drop)),
            (0.085, 0.19),
            -np.arctan2(toe[0], toe[1] + 0.1),
        )
        bare = (outfit.skin, figure.thing("skin")) if outfit.tights is None else (outfit.tights, 0)
        figure.put(opening, *bare, 0.1, shadow=0.0)
        return
    figure.tint(ellipse(ankle, (0.11, 0.04)), dark, 0.8, thing)
    for k in range(4):
        lace = ankle + (0, 0.06) + toe * (0.14 + 0.13 * k) + path("-.06 0, .06 .02")
        figure.line(lace, 0.02, light if kind == "sneaker" else dark, 0.85, thing)


# --- bags -----------------------------------------------------------------------------------------------


def backpack(figure: Figure) -> None:
    """What of a backpack is seen beside the body; its straps are drawn with the other bags."""
    if figure.outfit.bag == "backpack":
        shape = spline(figure.body.between(1.6, 3.4, 0.16), closed=True)
        figure.put(shape, figure.outfit.bag_material, figure.thing("bag"), 0.2, brightness=0.8)


def bag_at_body(figure: Figure) -> None:
    """Bags that hang from a shoulder."""
    body, kind, rng = figure.body, figure.outfit.bag, figure.rng
    if kind == "backpack":
        for side in (-1, 1):
            _strap(
                figure,
                [*body.front([side * 0.45, side * 0.5], [1.43, 1.75]), body.at(side * 0.95, 2.3)],
                0.07,
            )
    elif kind in ("shoulder", "tote"):
        size = (rng.uniform(1.0, 1.3), rng.uniform(0.85, 1.2))
        y = rng.uniform(2.7, 3.1) if kind == "tote" else rng.uniform(3.3, 3.7)
        centre = np.array([body.at(1, y)[0] + 0.18, y + size[1] / 2])
        for dx in (-0.3, 0.3):
            _strap(figure, [body.at(0.8, 1.5), centre + (dx, 0.06 - size[1] / 2)], 0.035)
        _bag_body(figure, centre, size, rng.normal(0.03, 0.04))
    elif kind == "cross":
        size = (rng.uniform(0.9, 1.25), rng.uniform(0.75, 1.0))
        centre = body.at(0.75, 3.75) + (0.1, 0)
        _strap(
            figure,
            [*body.draped(1, path("-.42 1.41, -.1 2.1, .3 2.9")), centre - (0.1, size[1] / 2 - 0.08)],
            0.045,
        )
        _bag_body(figure, centre, size, rng.normal(0.05, 0.04))


def bag_in_hand(figure: Figure) -> None:
    """Bags that the hand or forearm on the right carries."""
    kind, rng, bones = figure.outfit.bag, figure.rng, figure.body.arms[1].bones
    if kind == "clutch":
        _bag_body(figure, bones[-1] + (0.05, 0.24), (rng.uniform(0.85, 1.05), 0.55), rng.normal(0, 0.15))
    elif kind in ("hand", "crook"):
        held = bones[-2] * 0.4 + bones[-3] * 0.6 if kind == "crook" else bones[-1] + (0, 0.22)
        size = (rng.uniform(1.05, 1.4), rng.uniform(0.8, 1.05))
        centre = held + (0, rng.uniform(0.22, 0.42) + size[1] / 2)
        ends = centre + (0, 0.08 - size[1] / 2) + path("-.3 0, .3 0")
        for lift in (0.0, -0.06):
            grip = held + (0, 0.06 + lift) + path("-.13 0, .13 0")
            _strap(figure, [ends[0], *grip, ends[1]], 0.032, 0.85 + lift)
        _bag_body(figure, centre, size, rng.normal(0, 0.05))


def _strap(figure: Figure, points: Points, radius: float, brightness: float = 0.9) -> None:
    shape = limb(points, np.full(len(points), radius), "none")
    figure.put(shape, figure.outfit.bag_material, figure.thing("bag"), 0.04, brightness=brightness)


def _bag_body(figure: Figure, centre: Points, size: tuple[float, float], angle: float) -> None:
    thing, rng, cloth = figure.thing("bag"), figure.rng, figure.outfit.bag_material
    narrow = (rng.uniform(0.82, 1.0), 1.0)
    dark = np.clip(cloth.colour * 0.5, 0, 1)

    def at(points: Points) -> np.ndarray:
        """From the bag's own units: -1 to 1 from left to right and from top to bottom."""
        return rotated(np.asarray(points, float) * size / 2, angle) + np.asarray(centre)

    top, rest = (
        path("-1 -1, 0 -.97, 1 -1") * narrow,
        path("1 -.3, .98 .8, .85 1, 0 1.03, -.85 1, -.98 .8, -1 -.3"),
    )
    figure.put(spline(at(np.concatenate([top, rest])), closed=True, steps=4), cloth, thing, 0.16, shadow=0.6)
    style = rng.integers(3)
    if style == 0:  # a flap with a clasp
        flap = np.concatenate([top[::2], path(".9 .05, .6 .25, -.6 .25, -.9 .05")])
        figure.put(at(flap), cloth, thing, 0.06, shadow=0.6, brightness=1.05)
        figure.tint(at(path("-.1 .1, .1 .1, .1 .3, -.1 .3")), METAL, 1.0, thing)
    elif style == 1:  # a zip and a pocket
        figure.line(at(path("-.8 -.8, .8 -.8")), 0.03, METAL * 0.8, 0.8, thing)
        pocket = at(path("-.6 -.2, .6 -.2, .58 .7, -.58 .7, -.6 -.2"))
        for k in range(4):
            figure.line(pocket[k : k + 2], 0.022, dark, 0.6, thing)
    else:  # bands
        for x in (-0.5, 0.5):
            figure.line(at([(x, -1), (x, 1)]), 0.06, dark, 0.7, thing)
        figure.line(at(path("-1 -.75, 1 -.75")), 0.03, dark, 0.6, thing)


# --- around the neck --------------------------------------------------------------------------------------


def tie(figure: Figure) -> None:
    """Knot and blade."""
    if figure.outfit.scarf == "tie":
        for shape in (
            path("-.07 1.66, .07 1.66, .15 2.9, 0 3.1, -.15 2.9"),
            path("-.11 1.5, .11 1.5, .07 1.7, -.07 1.7"),
        ):
            outline, thing = figure.body.draped(1, shape), figure.thing("scarf & tie")
            figure.put(outline, figure.outfit.scarf_material, thing, 0.08, angle=0.6, shadow=0.5)


def scarf(figure: Figure) -> None:
    """A scarf: wound around the neck, with ends that hang, or a large one over the shoulders."""
    outfit, body, rng = figure.outfit, figure.body, figure.rng
    if outfit.scarf in (None, "tie"):
        return
    thing, cloth = figure.thing("scarf & tie"), outfit.scarf_material
    if outfit.scarf == "blanket":
        cape = path("-.6 1.35, .6 1.35, .82 1.85, .5 2.45, .05 3, -.45 2.45, -.82 1.85")
        figure.put(spline(body.draped(1, cape), closed=True), cloth, thing, 0.25, angle=0.5, shadow=0.6)
    for side in (-1, 1) if outfit.scarf == "tails" else ():
        bones = body.front(side * np.array((0.16, 0.24, rng.uniform(0.2, 0.36))), (1.55, 2.1, rng.uniform(2.6, 3.7)))
        fringe = [limb(bones[-1] + path("1 -.02, 1.1 .13") * (x, 1), (0.013, 0.01)) for x in np.linspace(-0.2, 0.2, 10)]
        figure.put(fringe, cloth, thing, 0.02, shadow=0)
        figure.put(Limb(bones, np.array((0.17, 0.2, 0.23))).outline("none"), cloth, thing, 0.12, shadow=0.6)
    grow = rng.uniform(1.05, 1.35)
    for x, y, rx, ry, tilt in path("0 1.36 .46 .25 0, .06 1.52 .4 .2 -.16, -.07 1.62 .33 .15 .24"):
        loop = ellipse(body.front(x, y), (rx * grow, ry * grow), tilt)
        figure.put(loop, cloth, thing, 0.13, angle=tilt + 0.4, shadow=0.55)
