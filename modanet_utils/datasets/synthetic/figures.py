"""Drawn people: the order in which a person is put together, and what of the body stays bare."""

import numpy as np

from modanet_utils.datasets.synthetic.accessories import backpack, bag_at_body, bag_in_hand, scarf, shoes, tie
from modanet_utils.datasets.synthetic.body import Figure, pose
from modanet_utils.datasets.synthetic.drawing import Canvas, Points, ellipse, fold_tile, limb, path
from modanet_utils.datasets.synthetic.garments import (
    belt,
    bottom,
    dress,
    legs,
    outer,
    outer_inside,
    sleeve_end,
    sleeves,
    top,
)
from modanet_utils.datasets.synthetic.heads import hair_behind, head
from modanet_utils.datasets.synthetic.wardrobe import Outfit


def draw_person(canvas: Canvas, outfit: Outfit, foot: Points, unit: float, rng: np.random.Generator) -> None:
    """Draw a person who stands at ``foot`` (pixels) with heads of ``unit`` pixels."""
    canvas.fold_tile = fold_tile(rng)
    figure = Figure(canvas, pose(outfit, rng), outfit, foot, unit, rng)
    hair_behind(figure)
    backpack(figure)
    outer_inside(figure)
    legs(figure)
    shoes(figure, tall=False)
    torso(figure)
    if outfit.bottom != "dress" and outfit.tucked:
        top(figure)
    if outfit.bottom != "dress":
        bottom(figure)
    shoes(figure, tall=True)
    if outfit.bottom == "dress":
        dress(figure)
    elif not outfit.tucked:
        top(figure)
    belt(figure)
    tie(figure)
    outer(figure)
    bag_at_body(figure)
    for side in (-1, 1):
        arm(figure, side)
    scarf(figure)
    head(figure)


def torso(figure: Figure) -> None:
    """Bare neck, shoulders and trunk; what stays bare is seen."""
    body, skin, thing = figure.body, figure.outfit.skin, figure.thing("skin")
    levels = np.linspace(0.8, 3.9, 17)
    trunk = np.concatenate([body.edge(-1, levels), body.edge(1, levels)[::-1]])
    beyond = [arm.outline() for arm in body.arms.values()]
    figure.put([trunk, *(arm.upper() for arm in body.arms.values())], skin, thing, 0.28, beyond=beyond)
    for side in (-1, 1):
        collar_bone = body.draped(side, path(".06 1.5, .25 1.46, .48 1.43"))
        figure.line(collar_bone, 0.035, skin.colour * 0.55, 0.4, thing, 0.02)
    chin_shadow = ellipse(body.front(0, 1.17), (0.24, 0.16))
    figure.tint(chin_shadow, skin.colour * 0.55, 0.7, thing, 0.06)


def arm(figure: Figure, side: int) -> None:
    """Bare arm, sleeves over it, hand and what it carries."""
    bones, skin, covered = figure.body.arms[side], figure.outfit.skin, sleeve_end(figure)
    if covered < 0.9:
        bare = bones if covered == 0 else bones.part(1.0, covered - 0.08)
        figure.put(bare.outline("end"), skin, figure.thing("skin"), 0.15, fade=bones.melt)
    sleeves(figure, side)
    if figure.body.hands[side] != "hidden":
        if side == 1:
            bag_in_hand(figure)
        hand(figure, side)


def hand(figure: Figure, side: int) -> None:
    """Fingers that hang, or a fist."""
    body, skin, thing = figure.body, figure.outfit.skin, figure.thing("skin")
    wrist, before = body.arms[side].bones[-1], body.arms[side].bones[-2]
    along = (wrist - before) / np.linalg.norm(wrist - before)
    across = np.array([along[1], -along[0]]) * side
    size = 1.12 if body.male else 0.95

    def at(points: Points) -> np.ndarray:
        """From the hand's own directions: across (away from the thumb) and along."""
        return wrist + np.asarray(points, float) @ (across, along)

    parts = [limb(at(path("0 -.06, 0 .14, 0 .27")), np.array((0.078, 0.12, 0.115)) * size)]
    if body.hands[side] in ("hang", "hip"):
        bend = -0.35 if body.hands[side] == "hang" else -0.1
        for k in range(4):
            root = np.array(((0.09 - 0.06 * k) * size, 0.24))
            tip = root + np.array((bend * (0.5 + 0.2 * k), 1)) * (0.3 - 0.03 * abs(k - 1.3)) * size
            parts.append(limb(at([root, (root + tip) / 2 + (0.015, 0), tip]), (0.036, 0.035, 0.026)))
        parts.append(limb(at(path("-.09 .08, -.16 .21, -.14 .33")), (0.045, 0.042, 0.03)))
    else:
        parts += [ellipse(at((0.09 - 0.045 * k, 0.2 + 0.035 * k)), (0.06, 0.05)) for k in range(4)]
        parts.append(limb(at(path("-.08 .1, -.1 .26")), (0.045, 0.035)))
    figure.put(parts, skin, thing, 0.06, shadow=0.4)
    for k in range(3):
        gap = at(path("0 .24, -.063 .42") + ((0.06 - 0.06 * k) * size, 0))
        figure.line(gap, 0.016, skin.colour * 0.5, 0.45, thing)
