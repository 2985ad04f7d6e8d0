"""Drawn people: the order in which a person is put together, and what of the body stays bare."""

import numpy as np

from modanet_utils.datasets import _garments, _heads
from modanet_utils.datasets._body import Figure, Limb, pose
from modanet_utils.datasets._drawing import Canvas, Points, ellipse, fold_tile, limb
from modanet_utils.datasets._wardrobe import Outfit


def draw_person(canvas: Canvas, outfit: Outfit, foot: Points, unit: float, rng: np.random.Generator) -> None:
    """Draw a person who stands at ``foot`` (pixels) with heads of ``unit`` pixels."""
    canvas.fold_tile = fold_tile(rng)
    figure = Figure(canvas, pose(outfit, rng), outfit, foot, unit, rng)
    _heads.hair_behind(figure)
    _garments.behind_body(figure)
    _garments.legs(figure)
    _garments.shoes(figure, tall=False)
    torso(figure)
    if outfit.bottom == "dress":
        _garments.shoes(figure, tall=True)
        _garments.dress(figure)
    elif outfit.tucked:
        _garments.top(figure)
        _garments.bottom(figure)
        _garments.shoes(figure, tall=True)
    else:
        _garments.bottom(figure)
        _garments.shoes(figure, tall=True)
        _garments.top(figure)
    _garments.belt(figure)
    _garments.tie(figure)
    _garments.outer(figure)
    _garments.bag_at_body(figure)
    for side in (-1, 1):
        arm(figure, side)
    _garments.scarf(figure)
    _heads.head(figure)


def torso(figure: Figure) -> None:
    """Bare neck, shoulders and trunk; what stays bare is seen."""
    body, skin = figure.body, figure.thing("skin")
    levels = np.linspace(1.0, 3.9, 16)
    trunk = np.concatenate([body.edge(-1, levels), body.edge(1, levels)[::-1]])
    figure.put([trunk, *(body.arms[side].upper() for side in (-1, 1))], figure.outfit.skin, skin, roundness=0.28, beyond=[a.outline() for a in body.arms.values()])
    shade = figure.outfit.skin.colour * 0.55
    for side in (-1, 1):  # collar bones
        figure.line([body.front(side * 0.06, 1.5), body.front(side * 0.25, 1.46), body.front(side * 0.48, 1.43)], 0.035, shade, 0.4, skin, 0.02)
    figure.tint([ellipse(body.front(0, 1.17), (0.24, 0.16))], shade, 0.7, skin, 0.06)  # the chin's shadow


def arm(figure: Figure, side: int) -> None:
    """Bare arm, sleeves over it, hand and what it carries."""
    body, outfit = figure.body, figure.outfit
    limb_ = body.arms[side]
    covered = _garments.sleeve_end(figure)
    if covered < 0.9:
        bare = limb_.outline("end") if covered == 0 else limb_.part(1.0, covered - 0.08).outline("end")
        figure.put([bare], outfit.skin, figure.thing("skin"), roundness=0.15, fade=limb_.melt)
    _garments.sleeves(figure, side)
    if body.hands[side] != "hidden":
        if side == 1:
            _garments.bag_in_hand(figure)
        hand(figure, side)


def hand(figure: Figure, side: int) -> None:
    """Fingers that hang, or a fist."""
    body, skin = figure.body, figure.thing("skin")
    bones = body.arms[side].bones
    wrist = bones[-1]
    direction = (wrist - bones[-2]) / np.linalg.norm(wrist - bones[-2])
    across = np.array([direction[1], -direction[0]]) * side
    size = 1.12 if body.male else 0.95
    palm = Limb(np.array([wrist - direction * 0.06, wrist + direction * 0.14, wrist + direction * 0.27]), np.array([0.078, 0.12, 0.115]) * size)
    parts = [palm.outline()]
    if body.hands[side] in ("hang", "hip"):
        bend = -0.35 if body.hands[side] == "hang" else -0.1
        for k in range(4):
            root = wrist + direction * 0.24 + across * (0.09 - 0.06 * k) * size
            tip = root + (direction + across * bend * (0.5 + 0.2 * k)) * (0.3 - 0.03 * abs(k - 1.3)) * size
            parts.append(limb([root, (root + tip) / 2 + across * 0.015, tip], [0.036, 0.035, 0.026]))
        thumb = wrist + direction * 0.08 - across * 0.09
        parts.append(limb([thumb, thumb + direction * 0.13 - across * 0.07, thumb + direction * 0.25 - across * 0.05], [0.045, 0.042, 0.03]))
    else:
        for k in range(4):
            parts.append(ellipse(wrist + direction * (0.2 + 0.035 * k) + across * (0.09 - 0.045 * k), (0.06, 0.05)))
        parts.append(limb([wrist + direction * 0.1 - across * 0.08, wrist + direction * 0.26 - across * 0.1], [0.045, 0.035]))
    figure.put(parts, figure.outfit.skin, skin, roundness=0.06, shadow=0.4)
    for k in range(3):
        gap = wrist + across * (0.06 - 0.06 * k) * size
        figure.line([gap + direction * 0.24, gap + direction * 0.42 + across * 0.18 * -0.35], 0.016, figure.outfit.skin.colour * 0.5, 0.45, skin)
