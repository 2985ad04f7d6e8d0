"""Clothes, shoes and bags on a figure. Lengths are in heads, see ``_body``."""

import numpy as np

from modanet_utils.datasets._body import Figure, Limb
from modanet_utils.datasets._drawing import Points, Relief, ellipse, limb, rotated, spline

METAL = np.array((0.82, 0.74, 0.52))
LEG_EASE = {
    "skinny": (0.012, 0.015, 0.02, 0.02, 0.025),
    "slim": (0.02, 0.03, 0.045, 0.05, 0.06),
    "straight": (0.025, 0.05, 0.10, 0.11, 0.15),
    "wide": (0.03, 0.10, 0.19, 0.22, 0.30),
    "flared": (0.02, 0.02, 0.03, 0.09, 0.24),
}
OUTER_HEM = {"coat": 5.3, "parka": 4.5, "blazer": 4.0, "denim": 3.35, "leather": 3.2, "bomber": 3.35, "cardigan": 4.2, "vest": 3.7}
NECKLINES = {  # from the side of the neck to the middle, (x, y) of the front
    "crew": [(0.28, 1.36), (0.2, 1.47), (0.1, 1.52), (0.0, 1.535)],
    "v": [(0.28, 1.36), (0.2, 1.58), (0.1, 1.8), (0.0, 2.0)],
    "scoop": [(0.36, 1.38), (0.31, 1.62), (0.17, 1.79), (0.0, 1.83)],
    "boat": [(0.47, 1.44), (0.3, 1.49), (0.15, 1.51), (0.0, 1.52)],
    "shirt": [(0.24, 1.33), (0.16, 1.45), (0.08, 1.6), (0.0, 1.72)],
    "turtle": [(0.2, 1.10), (0.14, 1.14), (0.07, 1.16), (0.0, 1.165)],
}
BOOTS = ("ankle boot", "combat boot", "knee boot")


# --- legs and what is below the waist -------------------------------------------------------------------


def legs(figure: Figure) -> None:
    """Bare legs and feet, or tights (which no class of ModaNet covers: they are background)."""
    outfit = figure.outfit
    for side in (figure.body.back, -figure.body.back):
        leg = figure.body.legs[side]
        parts = [leg.outline(), _foot(figure, side, 1.0)]
        brightness = 0.9 if side == figure.body.back else 1.0
        if outfit.tights is None:
            figure.put(parts, outfit.skin, figure.thing("skin"), roundness=0.24, brightness=brightness)
            knee = leg.bones[2]
            figure.tint([ellipse(knee + (0, 0.1), (0.12, 0.07))], outfit.skin.colour * 0.6, 0.35, "skin", 0.05)
        else:
            figure.put(parts, outfit.tights, 0, roundness=0.24, brightness=brightness)


def _foot(figure: Figure, side: int, size: float, drop: float = 0.0) -> np.ndarray:
    ankle = figure.body.legs[side].bones[-1]
    toe = figure.body.feet[side] * (1 - 0.25 * drop) + (0, 0.2 * drop)
    return limb(
        [ankle, ankle + (0, 0.12) + 0.05 * toe, ankle + (0, 0.1) + 0.55 * toe, ankle + (0, 0.08) + toe],
        np.array([0.11, 0.13, 0.13, 0.08]) * size,
    )


def bottom(figure: Figure) -> None:
    """Pants, shorts or a skirt."""
    {"pants": _pants, "shorts": _shorts, "skirt": _skirt}[figure.outfit.bottom](figure)


def waist_height(figure: Figure) -> float:
    """Upper edge of pants, shorts and skirts."""
    return 3.08 if figure.body.male else 2.86


def _hips(figure: Figure, ease: float) -> np.ndarray:
    levels = np.linspace(waist_height(figure), 3.8, 7)
    crotch = figure.body.front([0.16, 0.0, -0.16], [4.02, 4.1, 4.02])
    return np.concatenate([figure.body.edge(-1, levels, ease), crotch[::-1], figure.body.edge(1, levels, ease)[::-1]])


def _trousers(figure: Figure, label: str, end: float, ease: Points) -> None:
    outfit, body = figure.outfit, figure.body
    thing = figure.thing(label)
    tubes = {side: body.legs[side].part(end, ease=ease) for side in (-1, 1)}
    far, near = tubes[body.back], tubes[-body.back]
    further = {side: body.legs[side].part(min(end + 0.12, 1.0), end - 0.05, ease=ease[-1]).outline() for side in (-1, 1)}
    figure.put([far.outline("start")], outfit.bottom_material, thing, roundness=0.27, brightness=0.9, angle=far.angle,
               beyond=[further[body.back]])
    melt = (far.bones[0] + (0, 0.1), 0.42)
    figure.put([near.outline("start"), _hips(figure, ease[0] + 0.015)], outfit.bottom_material, thing, roundness=0.27, fade=melt,
               beyond=[further[-body.back], body.between(waist_height(figure) - 0.5, waist_height(figure) + 0.1, 0.03)])
    top, dark = waist_height(figure), outfit.bottom_material.colour * 0.5
    for side in (-1, 1):
        pocket = [body.front(side * 0.3, top + 0.12), body.front(side * 0.42, top + 0.32), body.at(side * 0.95, top + 0.42)]
        figure.line(pocket, 0.025, dark, 0.5, thing)
        tube = tubes[side]
        hem = tube.part(1.0, 0.95)
        figure.line([hem.bones[0] - (hem.radii[0], 0), hem.bones[0] + (hem.radii[0], 0)], 0.02, dark, 0.35, thing)
    figure.line([body.front(0, top), body.front(0.01, 3.6), body.front(0, 4.0)], 0.025, dark, 0.55, thing)
    band = np.linspace(-1, 1, 7)
    figure.line(body.at(band, top + 0.15 + 0.05 * (1 - band**2)), 0.02, dark, 0.5, thing)


def _pants(figure: Figure) -> None:
    length = 1.0 if figure.outfit.bottom_length > 0.3 or figure.outfit.shoes in BOOTS else 0.87
    _trousers(figure, "pants", length, LEG_EASE[figure.outfit.bottom_cut])


def _shorts(figure: Figure) -> None:
    loose = 0.12 if figure.outfit.bottom_cut in ("wide", "straight") else 0.04
    longest = 0.46 if figure.body.male else 0.3
    _trousers(figure, "shorts", 0.17 + (longest - 0.17) * figure.outfit.bottom_length, (0.02, loose * 0.6, loose))


def _skirt_shape(figure: Figure, top: float) -> tuple[np.ndarray, Relief]:
    """Outline from the waist down and the height of its folds."""
    body, outfit = figure.body, figure.outfit
    hem = 4.5 + 2.0 * outfit.bottom_length**1.5
    flare = {"pencil": -0.02, "line": 0.10, "pleated": 0.2, "full": 0.33}[outfit.bottom_cut]
    levels = np.linspace(top, hem, 12)
    sides = {}
    for side in (-1, 1):
        below = np.clip(levels - 3.2, 0, None)
        edge = body.edge(side, levels, 0.035) + np.column_stack([side * flare * below / (1 + 0.25 * below), 0 * below])
        reach = [_widest(leg, side, levels) for leg in body.legs.values()]
        edge[:, 0] = side * np.maximum.reduce([side * edge[:, 0], *(side * r + 0.04 for r in reach)])
        sides[side] = np.column_stack([np.convolve(np.pad(edge[:, 0], 1, mode="edge"), (0.25, 0.5, 0.25), "valid"), edge[:, 1]])
    t = np.linspace(0, np.pi, 9)[1:-1]
    left, right = sides[-1][-1], sides[1][-1]
    waves = 0.025 * np.sin(np.linspace(0, 9, len(t))) * (flare > 0.05)
    hem_line = left + (right - left) * (0.5 - 0.5 * np.cos(t))[:, None]
    hem_line[:, 1] += 0.10 * np.sin(t) + waves
    outline = np.concatenate([sides[-1], hem_line, sides[1][::-1]])
    return outline, _pleats(figure, top, hem, sides)


def _widest(leg: Limb, side: int, levels: np.ndarray) -> np.ndarray:
    """How far a leg reaches to one side at the given heights; nothing above the hip."""
    curve = spline(np.column_stack([leg.bones, leg.radii]))
    x = np.interp(levels, curve[:, 1], curve[:, 0] + side * curve[:, 2])
    return np.where(levels < 4.0, -side * 9.0, x)


def _below(outline: np.ndarray) -> np.ndarray:
    """What would continue a skirt beyond its hem."""
    low = outline[outline[:, 1] > outline[:, 1].max() - 0.4]
    left, right = low[:, 0].min(), low[:, 0].max()
    top, end = low[:, 1].min(), low[:, 1].max() + 0.5
    return np.array([(left, top), (right, top), (right, end), (left, end)])


def _pleats(figure: Figure, top: float, hem: float, sides: dict[int, np.ndarray]) -> Relief:
    cut, rng, unit = figure.outfit.bottom_cut, figure.rng, figure.unit
    count = {"pencil": 1.5, "line": 4, "pleated": 13, "full": 7}[cut]
    depth = {"pencil": 0.01, "line": 0.035, "pleated": 0.03, "full": 0.06}[cut] * unit
    phase, bend = rng.uniform(0, 6.3, 2)

    def relief(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        level = (y - figure.origin[1]) / unit
        left = figure.origin[0] + unit * np.interp(level, sides[-1][:, 1], sides[-1][:, 0])
        right = figure.origin[0] + unit * np.interp(level, sides[1][:, 1], sides[1][:, 0])
        across = (x - left) / (right - left)
        fall = np.clip((level - top) / (hem - top), 0, 1)
        wander = 0.7 * np.sin(3 * across + bend)
        return depth * np.sqrt(fall) * np.cos(2 * np.pi * count * across + phase + wander)

    return relief


def _skirt(figure: Figure) -> None:
    outline, relief = _skirt_shape(figure, waist_height(figure))
    thing = figure.thing("skirt")
    above = figure.body.between(waist_height(figure) - 0.5, waist_height(figure) + 0.1, 0.03)
    figure.put([outline], figure.outfit.bottom_material, thing, roundness=0.4, relief=relief, beyond=[above, _below(outline)])
    band = np.linspace(-1, 1, 7)
    seam = figure.body.at(band, waist_height(figure) + 0.14 + 0.05 * (1 - band**2), 0.03)
    figure.line(seam, 0.02, figure.outfit.bottom_material.colour * 0.5, 0.5, thing)


# --- the upper body -------------------------------------------------------------------------------------


def _bodice(figure: Figure, hem: float, ease: float, neckline: str, armless: bool) -> list[np.ndarray]:
    """Outlines of what covers the trunk down to ``hem``; sleeves are drawn with the arms."""
    body = figure.body
    levels = np.linspace(1.98, hem, 9)
    widen = ease * np.interp(levels, (1.98, 2.4), (0.3, 1))
    halves = {}
    for side in (-1, 1):
        if neckline == "straps":
            start = [body.front(side * x, y) for x, y in ((0.0, 2.02), (0.2, 1.97), (0.38, 1.88))]
        else:
            start = [body.front(side * x, y) for x, y in reversed(NECKLINES[neckline])]
            if neckline != "turtle":
                start[-1] = body.collar(side, NECKLINES[neckline][0][0]) + (0, -0.015)
            ball = body.shoulder(side)
            if neckline == "turtle":
                start.append(body.front(side * 0.26, 1.34))
            if armless:
                start += [*body.edge(side, (1.38, 1.43), 0.02), body.at(side * 0.80, 1.7), body.at(side * 0.88, 1.88)]
            else:
                start += [*body.edge(side, (1.4, 1.46), 0.02), ball + (-side * 0.04, -body.arms[side].radii[0] - 0.02)]
        halves[side] = np.concatenate([np.array(start), body.edge(side, levels, widen)])
    middle = np.linspace(-1, 1, 7)[1:-1]
    bottom_edge = body.at(middle, hem + 0.06 * (1 - middle**2), ease)
    outlines = [np.concatenate([halves[-1], bottom_edge, halves[1][::-1]])]
    if neckline == "straps":
        outlines += [limb([body.front(s * 0.4, 1.45), body.front(s * 0.37, 1.7), body.front(s * 0.33, 1.95)], (0.035, 0.035, 0.05), "none") for s in (-1, 1)]  # fmt: skip
    elif not armless:
        outlines += [body.arms[s].upper(0.03) for s in (-1, 1)]
    return outlines


def top(figure: Figure) -> None:
    """Shirt, blouse, t-shirt or pullover."""
    outfit, body = figure.outfit, figure.body
    thing = figure.thing("top")
    hem = waist_height(figure) + 0.25 if outfit.tucked else (3.95 if body.male else 3.55)
    ease = 0.02 if outfit.tucked else 0.06
    armless = outfit.sleeves == 0
    figure.put(_bodice(figure, hem, ease, outfit.neckline, armless), outfit.top_material, thing, roundness=0.3,
               beyond=[body.between(1.1, 1.6, -0.1), body.between(hem - 0.1, hem + 0.6, ease), *_arms(figure)])
    _trim(figure, thing, outfit.neckline)
    if not outfit.tucked:
        band = np.linspace(-1, 1, 7)
        figure.line(body.at(band, hem - 0.1 + 0.06 * (1 - band**2), ease), 0.02, outfit.top_material.colour * 0.55, 0.4, thing)


def _arms(figure: Figure) -> list[np.ndarray]:
    """Where cloth goes on into the sleeves; nothing if it ends at the shoulders."""
    if sleeve_end(figure) == 0:
        return []
    return [arm.part(0.6, 0.1, ease=0.03).outline() for arm in figure.body.arms.values()]


def _trim(figure: Figure, thing: int, neckline: str) -> None:
    """Collar, button placket or neckband."""
    body, material = figure.body, figure.outfit.top_material if figure.outfit.bottom != "dress" else figure.outfit.bottom_material
    dark = material.colour * 0.5
    if neckline == "shirt":
        figure.line([body.front(0.0, 1.72), body.front(0.0, 2.8), body.front(0.0, 3.8)], 0.02, dark, 0.6, thing)
        for y in np.arange(1.9, 3.8, 0.32):
            figure.tint([ellipse(body.front(0.035, y), (0.022, 0.022))], material.colour * 0.3 + 0.5, 0.9, thing)
        for side in (-1, 1):
            collar = [body.front(side * x, y) for x, y in ((0.22, 1.27), (0.3, 1.4), (0.22, 1.68), (0.02, 1.66), (0.1, 1.5))]
            figure.put([np.array(collar)], material, thing, roundness=0.06, shadow=0.5, brightness=1.06)
    elif neckline != "straps":
        edge = [body.front(side * x, y + 0.045) for side, points in ((-1, NECKLINES[neckline]), (1, NECKLINES[neckline][-2::-1])) for x, y in points]  # fmt: skip
        figure.line(edge, 0.022, dark, 0.45, thing)


def dress(figure: Figure) -> None:
    """Bodice and skirt in one."""
    outfit = figure.outfit
    thing = figure.thing("dress")
    waist = 2.8
    outline, relief = _skirt_shape(figure, waist)
    bodice = _bodice(figure, waist + 0.15, 0.02, outfit.neckline, outfit.sleeves == 0)
    figure.put([*bodice, outline], outfit.bottom_material, thing, roundness=0.35, relief=relief,
               beyond=[figure.body.between(1.1, 1.6, -0.1), _below(outline), *_arms(figure)])
    _trim(figure, thing, outfit.neckline if outfit.neckline != "shirt" else "v")
    band = np.linspace(-1, 1, 7)
    seam = figure.body.at(band, waist + 0.06 + 0.05 * (1 - band**2), 0.03)
    figure.line(seam, 0.02, outfit.bottom_material.colour * 0.5, 0.5, thing)


def belt(figure: Figure) -> None:
    """A band around the waist with a buckle."""
    body, outfit = figure.body, figure.outfit
    if outfit.belt is None:
        return
    thing = figure.thing("belt")
    wide = figure.rng.uniform(0.15, 0.21) if outfit.bottom in ("pants", "shorts") else figure.rng.uniform(0.17, 0.32)
    upper = (waist_height(figure) if outfit.bottom != "dress" else 2.8) - 0.02
    s = np.linspace(-1, 1, 9)
    sag = 0.05 * (1 - s**2)
    band = np.concatenate([body.at(s, upper + sag, 0.045), body.at(s, upper + wide + sag, 0.05)[::-1]])
    figure.put([band], outfit.belt, thing, roundness=0.07, shadow=0.5)
    high, middle = wide * 0.62, upper + wide / 2 + 0.05
    for size, colour in ((1.0, METAL * figure.rng.uniform(0.7, 1.1)), (0.6, outfit.belt.colour * 0.8)):
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (high * 0.75 * size, high * size)
        figure.tint([body.front(corners[:, 0], middle + corners[:, 1])], colour, 1.0, thing)


def tie(figure: Figure) -> None:
    """Knot and blade."""
    body, outfit = figure.body, figure.outfit
    if outfit.scarf != "tie":
        return
    thing = figure.thing("scarf & tie")
    blade = [(-0.07, 1.66), (0.07, 1.66), (0.15, 2.9), (0.0, 3.1), (-0.15, 2.9)]
    knot = [(-0.11, 1.5), (0.11, 1.5), (0.07, 1.7), (-0.07, 1.7)]
    for shape in (blade, knot):
        figure.put([body.front(*np.transpose(shape))], outfit.scarf_material, thing, roundness=0.08, angle=0.6, shadow=0.5)


# --- outerwear ------------------------------------------------------------------------------------------


def behind_body(figure: Figure) -> None:
    """What hangs behind: the inside of a long coat, a backpack."""
    body, outfit = figure.body, figure.outfit
    if outfit.bag == "backpack":
        levels = np.linspace(1.6, 3.4, 7)
        shape = np.concatenate([body.edge(-1, levels, 0.16), body.edge(1, levels, 0.16)[::-1]])
        figure.put([spline(shape[::2], closed=True)], outfit.bag_material, figure.thing("bag"), roundness=0.2, brightness=0.8)
    if outfit.outer and OUTER_HEM[outfit.outer] > 3.9:
        levels = np.linspace(3.0, _outer_hem(figure) - 0.12, 6)
        inside = np.concatenate([body.edge(-1, levels, 0.06), body.edge(1, levels, 0.06)[::-1]])
        figure.put([inside], outfit.outer_material, figure.thing("outer"), roundness=0.1, brightness=0.45)


def _outer_hem(figure: Figure) -> float:
    return OUTER_HEM[figure.outfit.outer or ""] + 0.5 * (figure.outfit.bottom_length - 0.5)


def outer(figure: Figure) -> None:
    """Coat, jacket or cardigan: two panels over what is worn below, open or closed."""
    outfit, body = figure.outfit, figure.body
    if outfit.outer is None:
        return
    thing, rng = figure.thing("outer"), figure.rng
    closed = outfit.outer in ("coat", "parka", "bomber", "blazer") and outfit.scarf != "tie" and rng.random() < 0.35
    gap = -0.06 if closed else rng.uniform(0.14, 0.36)
    hem = _outer_hem(figure)
    collar = {"coat": 2.3, "blazer": 2.7, "leather": 2.1, "cardigan": 2.5}.get(outfit.outer, 1.6)
    for side in (-1, 1):
        panel, inner = _panel(figure, side, hem, gap, collar)
        outlines = [panel] if outfit.outer == "vest" else [panel, body.arms[side].upper(0.06)]
        across = np.concatenate([inner, np.column_stack([body.centre(inner[:, 1]) - side * body.half(inner[:, 1]), inner[:, 1]])[::-1]])
        figure.put(outlines, outfit.outer_material, thing, roundness=0.28, shadow=0.6, beyond=[across, _below(panel), *_arms(figure)])
        _outer_details(figure, thing, side, hem, inner, closed, collar)


def _panel(figure: Figure, side: int, hem: float, gap: float, collar: float) -> tuple[np.ndarray, np.ndarray]:
    """Outline of one front panel, and its inner edge from the neck to the hem."""
    body = figure.body
    levels = np.linspace(1.95, hem, 9)
    loose = 0.06 + 0.035 * np.clip(levels - 2.6, 0, None)
    shoulder = body.shoulder(side) + (-side * 0.03, -body.arms[side].radii[0] - 0.05)
    tip = [body.collar(side, 0.24) - (0, 0.04), *body.edge(side, (1.38, 1.46), 0.05), shoulder]
    if figure.outfit.outer == "vest":
        tip = [body.collar(side, 0.24) - (0, 0.04), body.front(side * 0.56, 1.46), body.at(side * 0.9, 1.8)]
    down = np.array([1.27, 1.5, collar, 2.9, 3.6, hem])
    down = np.unique(np.clip(down, 1.27, hem))
    open_by = np.interp(down, (1.27, collar, 2.9, hem), (0.2, gap, gap, gap + (0.1 if gap > 0 else 0)))
    inner = body.front(side * open_by, down)
    limit = side * (body.at(float(side), down, 0.03)[:, 0] - side * 0.06)
    inner[:, 0] = side * np.minimum(side * inner[:, 0], limit)  # a turned body hides most of one panel
    return np.concatenate([np.array(tip), body.edge(side, levels, loose), inner[::-1]]), inner


def _outer_details(figure: Figure, thing: int, side: int, hem: float, inner: np.ndarray, closed: bool, collar: float) -> None:
    body, outfit = figure.body, figure.outfit
    material = outfit.outer_material
    dark = material.colour * 0.45
    if outfit.outer in ("coat", "blazer", "leather"):
        reach = float(np.abs(inner[2, 0] - body.front(0, collar)[0]))
        lapel = [body.front(side * x, y) for x, y in ((0.17, 1.22), (0.33, 1.3), (0.44, 1.62), (0.36, 1.66), (0.5, 1.8))]
        lapel += [body.front(side * reach * 0.8 + side * 0.08, collar + 0.1), inner[2]]
        figure.put([np.array(lapel)], material, thing, roundness=0.05, shadow=0.55, brightness=1.08)
    elif outfit.outer in ("denim", "bomber", "parka"):
        neck = [body.front(side * x, y) for x, y in ((0.16, 1.2), (0.3, 1.27), (0.4, 1.5), (0.24, 1.62), (0.18, 1.45))]
        figure.put([np.array(neck)], material, thing, roundness=0.07, shadow=0.5, brightness=1.06)
    figure.line(inner + (side * 0.06, 0), 0.02, dark, 0.5, thing)
    if outfit.outer == "leather":
        figure.line(inner + (side * 0.02, 0), 0.025, METAL, 0.9, thing)
    if outfit.outer == "denim":
        figure.line([body.front(side * 0.2, 1.95), body.at(side * 0.95, 1.9)], 0.02, (0.72, 0.5, 0.3), 0.7, thing)
        figure.line([body.front(side * 0.45, 1.95), body.front(side * 0.4, hem)], 0.018, (0.72, 0.5, 0.3), 0.6, thing)
    if outfit.outer in ("bomber", "denim"):
        figure.line([inner[-1] - (0, 0.16), body.at(side, hem - 0.16, 0.1)[()]], 0.02, dark, 0.7, thing)
    elif hem > 3.1:
        figure.line([body.front(side * 0.4, 3.25), body.front(side * 0.68, 3.2)], 0.045, dark, 0.6, thing)
    if outfit.outer in ("coat", "blazer", "cardigan") and side == 1:
        for y in np.arange(collar + 0.1, min(hem, 4.1), 0.42):
            at = np.array([np.interp(y, inner[:, 1], inner[:, 0]) + 0.1, y])
            figure.tint([ellipse(at, (0.035, 0.035))], material.colour * 0.4 if material.colour.mean() > 0.2 else 0.4, 0.9, thing)
    if closed and side == 1 and outfit.belt is None and outfit.outer == "coat" and figure.rng.random() < 0.5:
        s = np.linspace(-1, 1, 7)
        figure.line(body.at(s, 2.9 + 0.05 * (1 - s**2), 0.05), 0.16, dark, 0.5, thing)


def sleeve_end(figure: Figure) -> float:
    """How far down the arm is covered: 0 bare, 1 to the wrist."""
    long = 0.96 if figure.outfit.outer not in (None, "vest") else 0.0
    return max(figure.outfit.sleeves, long)


def sleeves(figure: Figure, side: int) -> None:
    """Sleeves of the top or dress and of the outer garment."""
    outfit, arm = figure.outfit, figure.body.arms[side]
    worn = []
    hidden = outfit.outer not in (None, "vest")
    label = "dress" if outfit.bottom == "dress" else "top"
    own = outfit.bottom_material if label == "dress" else outfit.top_material
    if outfit.sleeves and not hidden:
        worn.append((label, own, outfit.sleeves, (0.025, 0.035, 0.05 if outfit.sleeves < 0.9 else 0.03)))
    if hidden:
        if outfit.sleeves > 0.9:
            worn.append((label, own, 0.99, (0.0, 0.02, 0.02)))
        worn.append(("outer", outfit.outer_material, 0.95, (0.06, 0.065, 0.07)))
    for name, material, end, ease in worn:
        tube = arm.part(end, ease=ease)
        further = arm.part(min(end + 0.15, 1.0), end - 0.05, ease=ease[-1]).outline()
        figure.put([tube.outline("start")], material, figure.thing(name), roundness=0.16, angle=tube.angle, fade=arm.melt, beyond=[further])
        cuff = tube.part(1.0, 0.93)
        across = np.array([np.cos(tube.angle), np.sin(tube.angle)]) * cuff.radii[0]
        figure.line([cuff.bones[0] - across, cuff.bones[0] + across], 0.018, material.colour * 0.5, 0.5, name)


# --- shoes ----------------------------------------------------------------------------------------------


def shoes(figure: Figure, tall: bool) -> None:
    """Two shoes or boots, an annotation each. ``tall``: those that go over the trouser leg."""
    outfit = figure.outfit
    over = outfit.shoes in BOOTS and (outfit.bottom != "pants" or outfit.bottom_cut in ("skinny", "slim"))
    if over != tall:
        return
    for side in (figure.body.back, -figure.body.back):
        (_boot if outfit.shoes in BOOTS else _shoe)(figure, side)


def _boot(figure: Figure, side: int) -> None:
    outfit, leg = figure.outfit, figure.body.legs[side]
    thing = figure.thing("boots", side)
    start = {"knee boot": 0.58, "combat boot": 0.78, "ankle boot": 0.86}[outfit.shoes]
    shaft = leg.part(1.0, start, ease=(0.05, 0.05, 0.045))
    brightness = 0.9 if side == figure.body.back else 1.0
    figure.put([shaft.outline("end"), _foot(figure, side, 1.22)], outfit.shoe_material, thing, roundness=0.15, brightness=brightness)
    _sole(figure, side, thing, (0.07, 0.06, 0.06), 0.045)
    ankle, toe = leg.bones[-1], figure.body.feet[side]
    if outfit.shoes == "combat boot":
        for k in np.linspace(-0.35, 0.16, 6):
            middle = ankle + (0, k) + toe * max(0.0, k)
            figure.line([middle - (0.06, 0), middle + (0.06, 0.01)], 0.02, outfit.shoe_material.colour * 0.4 + 0.2, 0.9, thing)
    else:
        figure.line([ankle + (-0.05, -0.28), ankle + (-0.05, 0.1)], 0.018, outfit.shoe_material.colour * 0.5 + 0.15, 0.6, thing)


def _sole(figure: Figure, side: int, thing: int, colour: Points, height: float) -> None:
    ankle, toe = figure.body.legs[side].bones[-1], figure.body.feet[side]
    line = np.array([ankle + (0, 0.25) - 0.15 * toe * (1, 0), ankle + (0, 0.22) + 0.5 * toe, ankle + (0, 0.16) + 1.02 * toe])
    figure.tint([limb(line, (height, height * 1.1, height))], np.asarray(colour), 1.0, thing)


def _shoe(figure: Figure, side: int) -> None:
    outfit = figure.outfit
    thing, material, kind = figure.thing("footwear", side), outfit.shoe_material, outfit.shoes
    ankle, toe = figure.body.legs[side].bones[-1], figure.body.feet[side]
    brightness = 0.88 if side == figure.body.back else 1.0
    dark = material.colour * 0.45
    if kind == "sandal":
        for t in (0.12, 0.5, 0.85):
            at = ankle + (0, 0.1) + t * toe
            figure.put([limb([at - (0.13, -0.02), at - (0, 0.02), at + (0.13, 0.02)], (0.035, 0.04, 0.035))], material, thing, roundness=0.04)
        base = [ankle + (0, 0.25) - 0.1 * toe * (1, 0), ankle + (0, 0.21) + 0.5 * toe, ankle + (0, 0.16) + 1.0 * toe]
        figure.put([limb(base, (0.05, 0.05, 0.045))], material, thing, roundness=0.05)
        return
    drop = 0.8 if kind == "pump" else 0.0
    shape = [_foot(figure, side, {"sneaker": 1.3, "pump": 1.05, "flat": 1.12}.get(kind, 1.22), drop)]
    if kind == "pump":
        back = ankle + (-0.25 * toe[0], 0.12)
        shape.append(limb([back, back + (0, 0.26)], (0.06, 0.028)))
    figure.put(shape, material, thing, roundness=0.13, brightness=brightness)
    if kind in ("pump", "flat", "loafer"):
        opening = ankle + (0, 0.06) + 0.32 * (toe + (0, 0.16 * drop))
        bare = (outfit.skin, figure.thing("skin")) if outfit.tights is None else (outfit.tights, 0)
        angle = np.arctan2(-toe[0], toe[1] + 0.1)
        cover = [ellipse(opening, (0.085, 0.15), angle), ellipse(ankle + (0, 0.02), (0.1, 0.1))]
        figure.put(cover, *bare, roundness=0.1, shadow=0.0)
    else:
        figure.tint([ellipse(ankle + (0, 0.0), (0.1, 0.035))], dark, 0.8, thing)
        for k in range(4):
            at = ankle + (0, 0.08) + toe * (0.14 + 0.13 * k)
            figure.line([at - (0.06, 0.0), at + (0.06, 0.02)], 0.02, (0.93, 0.93, 0.9) if kind == "sneaker" else dark, 0.85, thing)
    if kind == "sneaker":
        _sole(figure, side, thing, (0.92, 0.91, 0.88), 0.06)
    elif kind in ("oxford", "loafer", "flat"):
        _sole(figure, side, thing, dark * 0.6, 0.03)


# --- bags and scarves -----------------------------------------------------------------------------------


def bag_at_body(figure: Figure) -> None:
    """Bags that hang from a shoulder."""
    body, outfit, rng = figure.body, figure.outfit, figure.rng
    strap = np.clip(outfit.bag_material.colour * 0.75, 0, 1)
    if outfit.bag == "backpack":
        for side in (-1, 1):
            line = [body.front(side * 0.45, 1.43), body.front(side * 0.5, 1.75), body.at(side * 0.95, 2.3)]
            figure.put([limb(line, (0.075, 0.075, 0.06), "none")], outfit.bag_material, figure.thing("bag"), roundness=0.06)
    elif outfit.bag in ("shoulder", "tote"):
        size = (rng.uniform(1.0, 1.3), rng.uniform(0.85, 1.2))
        y = rng.uniform(2.7, 3.1) if outfit.bag == "tote" else rng.uniform(3.3, 3.7)
        corner = body.at(0.8, 1.5)
        centre = np.array([body.at(1, y)[0] + 0.18, y + size[1] / 2])
        for dx in (-0.3, 0.3):
            figure.put([limb([corner, centre + (dx, -size[1] / 2 + 0.06)], (0.035, 0.035), "none")], outfit.bag_material, figure.thing("bag"), roundness=0.04)  # fmt: skip
        _bag_body(figure, centre, size, rng.normal(0.03, 0.04), strap)
    elif outfit.bag == "cross":
        size = (rng.uniform(0.9, 1.25), rng.uniform(0.75, 1.0))
        centre = body.at(0.75, 3.75) + (0.1, 0)
        line = [body.front(-0.42, 1.41), body.front(-0.1, 2.1), body.front(0.3, 2.9), centre - (0.1, size[1] / 2 - 0.08)]
        figure.put([limb(line, (0.045,) * 4, "none")], outfit.bag_material, figure.thing("bag"), roundness=0.04, brightness=0.85)
        _bag_body(figure, centre, size, rng.normal(0.05, 0.04), strap)


def bag_in_hand(figure: Figure) -> None:
    """Bags that the right hand or forearm carries."""
    outfit, rng = figure.outfit, figure.rng
    if outfit.bag not in ("hand", "crook", "clutch"):
        return
    bones = figure.body.arms[1].bones
    held = bones[-2] * 0.4 + bones[-3] * 0.6 if outfit.bag == "crook" else bones[-1] + (0, 0.22)
    size = (rng.uniform(1.05, 1.4), rng.uniform(0.8, 1.05)) if outfit.bag != "clutch" else (rng.uniform(0.85, 1.05), 0.55)
    if outfit.bag == "clutch":
        _bag_body(figure, held + (0.05, 0.02), size, rng.normal(0, 0.15), outfit.bag_material.colour * 0.7)
        return
    hang = rng.uniform(0.22, 0.42)
    centre = held + (0, hang + size[1] / 2)
    for lift in (0.0, -0.06):
        handle = [centre + (-0.3, -size[1] / 2 + 0.08), held + (-0.13, 0.06 + lift), held + (0.13, 0.06 + lift), centre + (0.3, -size[1] / 2 + 0.08)]
        figure.put([limb(handle, (0.032,) * 4)], outfit.bag_material, figure.thing("bag"), roundness=0.04, brightness=0.85 + lift)
    _bag_body(figure, centre, size, rng.normal(0, 0.05), outfit.bag_material.colour * 0.7)


def _bag_body(figure: Figure, centre: Points, size: tuple[float, float], angle: float, dark: np.ndarray) -> None:
    w, h = size[0] / 2, size[1] / 2
    thing, rng = figure.thing("bag"), figure.rng
    narrow = rng.uniform(0.82, 1.0)

    def place(points: Points) -> np.ndarray:
        return rotated(points, angle) + np.asarray(centre)

    rim = [(-w * narrow, -h), (0, -h * 0.97), (w * narrow, -h), (w * 1.0, -h * 0.3), (w * 0.98, h * 0.8), (w * 0.85, h), (0, h * 1.03),
           (-w * 0.85, h), (-w * 0.98, h * 0.8), (-w * 1.0, -h * 0.3)]  # fmt: skip
    figure.put([spline(place(rim), closed=True, steps=4)], figure.outfit.bag_material, thing, roundness=0.16, shadow=0.6)
    style = rng.integers(3)
    if style == 0:  # a flap
        flap = place([(-w * narrow, -h), (-w * 0.9, h * 0.05), (-w * 0.6, h * 0.25), (w * 0.6, h * 0.25), (w * 0.9, h * 0.05), (w * narrow, -h)])
        figure.put([flap], figure.outfit.bag_material, thing, roundness=0.06, shadow=0.6, brightness=1.05)
        figure.tint([place(np.array([(-0.06, -0.05), (0.06, -0.05), (0.06, 0.05), (-0.06, 0.05)]) + (0, h * 0.2))], METAL, 1.0, thing)
    elif style == 1:  # a zip and a pocket
        figure.line(place([(-w * 0.8, -h * 0.8), (w * 0.8, -h * 0.8)]), 0.03, METAL * 0.8, 0.8, thing)
        pocket = place([(-w * 0.6, -h * 0.2), (w * 0.6, -h * 0.2), (w * 0.58, h * 0.7), (-w * 0.58, h * 0.7), (-w * 0.6, -h * 0.2)])
        for k in range(4):
            figure.line(pocket[k : k + 2], 0.022, dark * 0.7, 0.6, thing)
    else:  # bands
        for x in (-0.5, 0.5):
            figure.line(place([(x * w, -h), (x * w, h)]), 0.06, dark * 0.8, 0.7, thing)
        figure.line(place([(-w, -h * 0.75), (w, -h * 0.75)]), 0.03, dark * 0.6, 0.6, thing)


def scarf(figure: Figure) -> None:
    """A scarf: wound around the neck, with ends that hang, or a large one over the shoulders."""
    outfit, body, rng = figure.outfit, figure.body, figure.rng
    if outfit.scarf in (None, "tie"):
        return
    thing, material = figure.thing("scarf & tie"), outfit.scarf_material
    if outfit.scarf == "blanket":
        cape = [(-0.6, 1.35), (0.6, 1.35), (0.78, 1.75), (0.45, 2.3), (0.05, 2.75), (-0.4, 2.3), (-0.78, 1.75)]
        figure.put([spline(body.front(*np.transpose(cape)), closed=True)], material, thing, roundness=0.25, angle=0.5, shadow=0.6)
    if outfit.scarf == "tails":
        for side in (-1, 1):
            end = rng.uniform(2.6, 3.7)
            bones = [body.front(side * 0.16, 1.55), body.front(side * 0.24, 2.1), body.front(side * rng.uniform(0.2, 0.36), end)]
            tail = Limb(np.array(bones), np.array([0.15, 0.17, 0.2]))
            figure.put([tail.outline("none")], material, thing, roundness=0.12, shadow=0.6)
            for x in np.linspace(-0.17, 0.17, 9):
                figure.put([limb([bones[-1] + (x, -0.02), bones[-1] + (x * 1.1, 0.13)], (0.013, 0.01))], material, thing, roundness=0.02, shadow=0)
    grow = rng.uniform(0.95, 1.25)
    for x, y, rx, ry, tilt in ((0.0, 1.36, 0.46, 0.25, 0.0), (0.06, 1.52, 0.4, 0.2, -0.16), (-0.07, 1.62, 0.33, 0.15, 0.24)):
        ring = ellipse(body.front(x, y), (rx * grow, ry * grow), tilt)
        figure.put([ring], material, thing, roundness=0.13, angle=tilt + 0.4, shadow=0.55)


