"""Clothes on a figure. Lengths are in heads, see ``_body``."""

import numpy as np

from modanet_utils.datasets.synthetic.body import Figure, Limb
from modanet_utils.datasets.synthetic.drawing import Relief, ellipse, limb, path, spline

METAL = np.array((0.82, 0.74, 0.52))
THREAD = (0.72, 0.5, 0.3)
BOOTS = ("anklet", "laced", "tall")
LEG_EASE = {  # from the hip to the ankle
    "skinny": (0.012, 0.015, 0.02, 0.02, 0.025),
    "slim": (0.02, 0.03, 0.045, 0.05, 0.06),
    "straight": (0.025, 0.05, 0.10, 0.11, 0.15),
    "wide": (0.03, 0.10, 0.19, 0.22, 0.30),
    "flared": (0.02, 0.02, 0.03, 0.09, 0.24),
}
SKIRT_CUTS = {  # flare, number of folds, their depth
    "pencil": (-0.02, 1.5, 0.01),
    "line": (0.10, 4, 0.035),
    "pleated": (0.2, 13, 0.03),
    "full": (0.33, 7, 0.06),
}
NECKLINES = {  # from the side of the neck to the middle of the front
    "crew": path(".28 1.36, .2 1.47, .1 1.52, 0 1.535"),
    "v": path(".28 1.36, .2 1.58, .1 1.8, 0 2"),
    "scoop": path(".36 1.38, .31 1.62, .17 1.79, 0 1.83"),
    "boat": path(".47 1.44, .3 1.49, .15 1.51, 0 1.52"),
    "shirt": path(".24 1.33, .16 1.45, .08 1.6, 0 1.72"),
    "turtle": path(".26 1.34, .2 1.1, .14 1.14, .07 1.16, 0 1.165"),
    "straps": path(".38 1.88, .2 1.97, 0 2.02"),
}
OUTER_HEM = dict(coat=5.3, parka=4.5, blazer=4.0, denim=3.35, leather=3.2, bomber=3.35, cardigan=4.2, vest=3.7)
OUTER_CLOSES_AT = dict(coat=2.3, blazer=2.7, leather=2.1, cardigan=2.5)


# --- legs and what is below the waist -------------------------------------------------------------------


def legs(figure: Figure) -> None:
    """Bare legs and feet, or tights (which no class of ModaNet covers: they are background)."""
    outfit = figure.outfit
    for side in (figure.body.back, -figure.body.back):
        leg, brightness = figure.body.legs[side], figure.distance(side)
        parts = [leg.outline(), foot(figure, side, 1.0)]
        if outfit.tights is not None:
            figure.put(parts, outfit.tights, 0, 0.24, brightness=brightness)
            continue
        figure.put(parts, outfit.skin, figure.thing("skin"), 0.24, brightness=brightness)
        knee = ellipse(leg.bones[2] + (0, 0.1), (0.12, 0.07))
        figure.tint(knee, outfit.skin.colour * 0.6, 0.35, "skin", 0.05)


def foot(figure: Figure, side: int, size: float, drop: float = 0.0, start: float = 0.0) -> np.ndarray:
    """Outline of a foot that stands on its toes by ``drop`` and begins ``start`` below the ankle."""
    ankle = figure.body.legs[side].bones[-1]
    toe = figure.body.feet[side] * (1 - 0.25 * drop) + (0, 0.2 * drop)
    lengths = np.array([(0.0,), (0.05,), (0.55,), (1.0,)])
    heights = np.array([(0, start), (0, max(0.12, start + 0.03)), (0, 0.1), (0, 0.08)])
    return limb(ankle + heights + lengths * toe, np.array((0.11, 0.13, 0.13, 0.08)) * size)


def bottom(figure: Figure) -> None:
    """Pants, shorts or a skirt."""
    {"pants": _pants, "shorts": _shorts, "skirt": _skirt}[figure.outfit.bottom](figure)


def waist_height(figure: Figure) -> float:
    """Upper edge of pants, shorts and skirts."""
    return 3.08 if figure.body.male else 2.86


def _pants(figure: Figure) -> None:
    full = figure.outfit.bottom_length > 0.3 or figure.outfit.shoes in BOOTS
    _trousers(figure, "pants", 1.0 if full else 0.87, LEG_EASE[figure.outfit.bottom_cut])


def _shorts(figure: Figure) -> None:
    loose = 0.04 if figure.outfit.bottom_cut == "tight" else 0.12
    longest = 0.46 if figure.body.male else 0.3
    length = 0.17 + (longest - 0.17) * figure.outfit.bottom_length
    _trousers(figure, "shorts", length, (0.02, loose * 0.6, loose))


def _trousers(figure: Figure, label: str, end: float, ease: tuple[float, ...]) -> None:
    """The far leg, then the near one together with the hips."""
    body, cloth, thing, waist = (
        figure.body,
        figure.outfit.bottom_material,
        figure.thing(label),
        waist_height(figure),
    )
    far, near = (body.legs[side].part(end, ease=ease) for side in (body.back, -body.back))
    below = [
        body.legs[s].part(min(end + 0.12, 1), end - 0.05, ease=ease[-1]).outline() for s in (body.back, -body.back)
    ]
    figure.put(far.outline("start"), cloth, thing, 0.27, brightness=0.9, angle=far.angle, beyond=below[:1])

    levels = np.linspace(waist, 3.8, 7)
    left, right = (body.edge(side, levels, ease[0] + 0.015) for side in (-1, 1))
    hips = np.concatenate([left, body.front([-0.16, 0.0, 0.16], [4.02, 4.1, 4.02]), right[::-1]])
    melt = (far.bones[0] + (0, 0.1), 0.42)
    above = body.between(waist - 0.5, waist + 0.1, 0.03)
    figure.put([near.outline("start"), hips], cloth, thing, 0.27, fade=melt, beyond=[below[1], above])
    _trouser_seams(figure, thing, [far, near], waist)


def _trouser_seams(figure: Figure, thing: int, tubes: list[Limb], waist: float) -> None:
    body, dark = figure.body, figure.outfit.bottom_material.colour * 0.5
    for side in (-1, 1):
        pocket = [
            *body.front([side * 0.3, side * 0.42], [waist + 0.12, waist + 0.32]),
            body.at(side * 0.95, waist + 0.42),
        ]
        figure.line(pocket, 0.025, dark, 0.5, thing)
    for tube in tubes:
        hem = tube.part(1.0, 0.95)
        figure.line(hem.bones[0] + hem.radii[0] * path("-1 0, 1 0"), 0.02, dark, 0.35, thing)
    figure.line(body.front([0, 0.01, 0], [waist, 3.6, 4.0]), 0.025, dark, 0.55, thing)
    figure.line(body.around(waist + 0.15), 0.02, dark, 0.5, thing)


def _skirt(figure: Figure) -> None:
    waist, cloth, thing = waist_height(figure), figure.outfit.bottom_material, figure.thing("skirt")
    outline, relief = _skirt_shape(figure, waist)
    beyond = [figure.body.between(waist - 0.5, waist + 0.1, 0.03), _below(outline)]
    figure.put(outline, cloth, thing, 0.4, relief=relief, beyond=beyond)
    figure.line(figure.body.around(waist + 0.14, 0.03), 0.02, cloth.colour * 0.5, 0.5, thing)


def _skirt_shape(figure: Figure, top: float) -> tuple[np.ndarray, Relief]:
    """Outline from the waist down and the height of its folds."""
    body, outfit = figure.body, figure.outfit
    hem, flare = 4.5 + 2.0 * outfit.bottom_length**1.5, SKIRT_CUTS[outfit.bottom_cut][0]
    levels = np.linspace(top, hem, 12)
    below = np.clip(levels - 3.2, 0, None)
    sides = {}
    for side in (-1, 1):
        edge = body.edge(side, levels, 0.035)
        reach = [side * edge[:, 0] + flare * below / (1 + 0.25 * below)]
        reach += [_reach(leg, side, levels) + 0.04 for leg in body.legs.values()]
        edge[:, 0] = side * np.convolve(np.pad(np.max(reach, axis=0), 1, mode="edge"), (0.25, 0.5, 0.25), "valid")
        sides[side] = edge
    t = np.linspace(0, np.pi, 9)[1:-1]
    left, right = sides[-1][-1], sides[1][-1]
    hem_line = left + (right - left) * (0.5 - 0.5 * np.cos(t))[:, None]
    hem_line[:, 1] += 0.10 * np.sin(t) + 0.025 * np.sin(np.linspace(0, 9, len(t))) * (flare > 0.05)
    return np.concatenate([sides[-1], hem_line, sides[1][::-1]]), _pleats(figure, top, hem, sides)


def _reach(leg: Limb, side: int, levels: np.ndarray) -> np.ndarray:
    """How far a leg reaches to one side at the given heights; nothing above the hip."""
    curve = spline(np.column_stack([leg.bones, leg.radii]))
    x = np.interp(levels, curve[:, 1], side * curve[:, 0] + curve[:, 2])
    return np.where(levels < 4.0, -9.0, x)


def _below(outline: np.ndarray) -> np.ndarray:
    """What would continue a garment beyond its hem."""
    low = outline[outline[:, 1] > outline[:, 1].max() - 0.4]
    left, right = low[:, 0].min(), low[:, 0].max()
    top, end = low[:, 1].min(), low[:, 1].max() + 0.5
    return np.array([(left, top), (right, top), (right, end), (left, end)])


def _pleats(figure: Figure, top: float, hem: float, sides: dict[int, np.ndarray]) -> Relief:
    _, count, depth = SKIRT_CUTS[figure.outfit.bottom_cut]
    phase, bend = figure.rng.uniform(0, 6.3, 2).astype(np.float32)

    def relief(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        level = (y - figure.origin[1]) / figure.unit
        left, right = (
            (figure.origin[0] + figure.unit * np.interp(level, sides[s][:, 1], sides[s][:, 0])).astype(np.float32)
            for s in (-1, 1)
        )
        across = (x - left) / (right - left)
        wave = np.cos(np.float32(2 * np.pi * count) * across + phase + np.float32(0.7) * np.sin(3 * across + bend))
        fall = np.sqrt(np.clip((level - top) / (hem - top), 0, 1))
        return (depth * figure.unit * fall).astype(np.float32) * wave

    return relief


# --- the upper body -------------------------------------------------------------------------------------


def _bodice(figure: Figure, hem: float, ease: float, neckline: str) -> list[np.ndarray]:
    """Outlines of what covers the trunk down to ``hem``; sleeves are drawn with the arms."""
    body, armless = figure.body, figure.outfit.sleeves == 0
    levels = np.linspace(1.98, hem, 9)
    widen = ease * np.interp(levels, (1.98, 2.4), (0.3, 1))
    halves = []
    for side in (-1, 1):
        start = list(body.draped(side, NECKLINES[neckline]))[::-1]
        if neckline not in ("turtle", "straps"):
            start[-1] = body.collar(side, NECKLINES[neckline][0, 0]) - (0, 0.015)
        if armless and neckline != "straps":
            start += [
                *body.edge(side, (1.38, 1.43), 0.02),
                body.at(side * 0.80, 1.7),
                body.at(side * 0.88, 1.88),
            ]
        elif not armless:
            top_of_arm = body.shoulder(side) - (side * 0.04, body.arms[side].radii[0] + 0.02)
            start += [*body.edge(side, (1.4, 1.46), 0.02), top_of_arm]
        halves.append(np.concatenate([start, body.edge(side, levels, widen)]))
    outlines = [np.concatenate([halves[0], body.around(hem, ease)[1:-1], halves[1][::-1]])]
    if neckline == "straps":
        strap = path(".4 1.45, .37 1.7, .33 1.95")
        outlines += [limb(body.draped(side, strap), (0.035, 0.035, 0.05), "none") for side in (-1, 1)]
    elif not armless:
        outlines += [body.arms[side].upper(0.03) for side in (-1, 1)]
    return outlines


def _unseen(figure: Figure) -> list[np.ndarray]:
    """Where the cloth of the trunk goes on: at the neck, and into sleeves if there are any."""
    arms = figure.body.arms.values() if sleeve_end(figure) > 0 else ()
    return [figure.body.between(1.1, 1.6, -0.1), *(arm.part(0.6, 0.1, ease=0.03).outline() for arm in arms)]


def top(figure: Figure) -> None:
    """Shirt, blouse, t-shirt or pullover."""
    outfit, body, cloth, thing = figure.outfit, figure.body, figure.outfit.top_material, figure.thing("top")
    hem = waist_height(figure) + 0.25 if outfit.tucked else (3.95 if body.male else 3.55)
    ease = 0.02 if outfit.tucked else 0.06
    beyond = [body.between(hem - 0.1, hem + 0.6, ease), *_unseen(figure)]
    figure.put(_bodice(figure, hem, ease, outfit.neckline), cloth, thing, 0.3, beyond=beyond)
    _trim(figure, thing, outfit.neckline)
    if not outfit.tucked:
        figure.line(body.around(hem - 0.1, ease), 0.02, cloth.colour * 0.55, 0.4, thing)


def dress(figure: Figure) -> None:
    """Bodice and skirt in one."""
    outfit, cloth, thing = figure.outfit, figure.outfit.bottom_material, figure.thing("dress")
    waist, neckline = 2.8, "v" if outfit.neckline == "shirt" else outfit.neckline
    skirt, relief = _skirt_shape(figure, waist)
    shape = [*_bodice(figure, waist + 0.15, 0.02, neckline), skirt]
    figure.put(shape, cloth, thing, 0.35, relief=relief, beyond=[_below(skirt), *_unseen(figure)])
    _trim(figure, thing, neckline)
    figure.line(figure.body.around(waist + 0.06, 0.03), 0.02, cloth.colour * 0.5, 0.5, thing)


def _trim(figure: Figure, thing: int, neckline: str) -> None:
    """Collar, button placket or neckband."""
    body, outfit = figure.body, figure.outfit
    cloth = outfit.bottom_material if outfit.bottom == "dress" else outfit.top_material
    if neckline == "shirt":
        figure.line(body.front([0, 0, 0], [1.72, 2.8, 3.8]), 0.02, cloth.colour * 0.5, 0.6, thing)
        for y in np.arange(1.9, 3.8, 0.32):
            figure.tint(ellipse(body.front(0.035, y), (0.022, 0.022)), cloth.colour * 0.3 + 0.5, 0.9, thing)
        for side in (-1, 1):
            collar = body.draped(side, path(".22 1.27, .3 1.4, .22 1.68, .02 1.66, .1 1.5"))
            figure.put(collar, cloth, thing, 0.06, shadow=0.5, brightness=1.06)
    elif neckline != "straps":
        edge = NECKLINES[neckline] + (0, 0.045)
        line = np.concatenate([body.draped(-1, edge), body.draped(1, edge[-2::-1])])
        figure.line(line, 0.022, cloth.colour * 0.5, 0.45, thing)


def belt(figure: Figure) -> None:
    """A band around the waist with a buckle."""
    body, outfit, rng = figure.body, figure.outfit, figure.rng
    if outfit.belt is None:
        return
    thing = figure.thing("belt")
    wide = rng.uniform(0.15, 0.21) if outfit.bottom in ("pants", "shorts") else rng.uniform(0.17, 0.32)
    upper = (waist_height(figure) if outfit.bottom != "dress" else 2.8) - 0.02
    band = np.concatenate([body.around(upper, 0.045), body.around(upper + wide, 0.05)[::-1]])
    figure.put(band, outfit.belt, thing, 0.07, shadow=0.5)
    corners, middle = path("-.47 -.62, .47 -.62, .47 .62, -.47 .62") * wide, (0, upper + wide / 2 + 0.05)
    figure.tint(body.draped(1, corners + middle), METAL * rng.uniform(0.7, 1.1), 1.0, thing)
    figure.tint(body.draped(1, corners * 0.6 + middle), outfit.belt.colour * 0.8, 1.0, thing)


def sleeve_end(figure: Figure) -> float:
    """How far down the arm is covered: 0 bare, 1 to the wrist."""
    return max(figure.outfit.sleeves, 0.96 if figure.outfit.outer not in (None, "vest") else 0.0)


def sleeves(figure: Figure, side: int) -> None:
    """Sleeves of the top or dress and of the outer garment."""
    outfit, arm = figure.outfit, figure.body.arms[side]
    label = "dress" if outfit.bottom == "dress" else "top"
    own = outfit.bottom_material if label == "dress" else outfit.top_material
    if outfit.outer not in (None, "vest"):
        worn = [(label, own, 0.99, (0.0, 0.02, 0.02))] if outfit.sleeves > 0.9 else []  # its cuff shows
        worn.append(("outer", outfit.outer_material, 0.95, (0.06, 0.065, 0.07)))
    else:
        worn = (
            [(label, own, outfit.sleeves, (0.025, 0.035, 0.03 + 0.02 * (outfit.sleeves < 0.9)))]
            if outfit.sleeves
            else []
        )
    for name, cloth, end, ease in worn:
        tube = arm.part(end, ease=ease)
        further = arm.part(min(end + 0.15, 1.0), end - 0.05, ease=ease[-1]).outline()
        options = {"angle": tube.angle, "fade": arm.melt, "beyond": [further]}
        figure.put(tube.outline("start"), cloth, figure.thing(name), 0.16, **options)
        cuff = tube.part(1.0, 0.93)
        across = np.array([np.cos(tube.angle), np.sin(tube.angle)]) * cuff.radii[0]
        figure.line([cuff.bones[0] - across, cuff.bones[0] + across], 0.018, cloth.colour * 0.5, 0.5, name)


# --- outerwear ------------------------------------------------------------------------------------------


def _outer_hem(figure: Figure) -> float:
    return OUTER_HEM[str(figure.outfit.outer)] + 0.5 * (figure.outfit.bottom_length - 0.5)


def outer_inside(figure: Figure) -> None:
    """The inside of a long coat, which hangs behind the legs."""
    if figure.outfit.outer and OUTER_HEM[figure.outfit.outer] > 3.9:
        inside = figure.body.between(3.0, _outer_hem(figure) - 0.12, 0.06)
        figure.put(inside, figure.outfit.outer_material, figure.thing("outer"), 0.1, brightness=0.45)


def outer(figure: Figure) -> None:
    """Coat, jacket or cardigan: two panels over what is worn below, open or closed."""
    outfit, body, rng = figure.outfit, figure.body, figure.rng
    if outfit.outer is None:
        return
    closed = outfit.outer in ("coat", "parka", "bomber", "blazer") and outfit.scarf != "tie" and rng.random() < 0.35
    gap = -0.06 if closed else rng.uniform(0.14, 0.36)
    for side in (-1, 1):
        panel, inner = _panel(figure, side, gap)
        shape = [panel] if outfit.outer == "vest" else [panel, body.arms[side].upper(0.06)]
        opposite = np.column_stack([body.centre(inner[:, 1]) - side * body.half(inner[:, 1]), inner[:, 1]])
        beyond = [np.concatenate([inner, opposite[::-1]]), _below(panel), *_unseen(figure)[1:]]
        figure.put(shape, outfit.outer_material, figure.thing("outer"), 0.28, shadow=0.6, beyond=beyond)
        _collar(figure, side, inner)
        _outer_seams(figure, side, inner)


def _panel(figure: Figure, side: int, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Outline of one front panel, and its inner edge from the neck to the hem."""
    body, hem = figure.body, _outer_hem(figure)
    closes = OUTER_CLOSES_AT.get(str(figure.outfit.outer), 1.6)
    neck = body.collar(side, 0.24) - (0, 0.04)
    if figure.outfit.outer == "vest":
        tip = [neck, body.front(side * 0.56, 1.46), body.at(side * 0.9, 1.8)]
    else:
        top_of_arm = body.shoulder(side) - (side * 0.03, body.arms[side].radii[0] + 0.05)
        tip = [neck, *body.edge(side, (1.38, 1.46), 0.05), top_of_arm]
    down = np.unique(np.clip([1.27, 1.5, closes, 2.9, 3.6, hem], None, hem))
    inner = body.front(side * np.interp(down, (1.27, closes, hem), (0.2, gap, gap + 0.1 * (gap > 0))), down)
    limit = side * (body.edge(side, down, 0.03)[:, 0] - side * 0.06)
    inner[:, 0] = side * np.minimum(side * inner[:, 0], limit)  # a turned body hides most of one panel
    levels = np.linspace(1.95, hem, 9)
    outside = body.edge(side, levels, 0.06 + 0.035 * np.clip(levels - 2.6, 0, None))
    return np.concatenate([tip, outside, inner[::-1]]), inner


def _collar(figure: Figure, side: int, inner: np.ndarray) -> None:
    body, outfit, thing = figure.body, figure.outfit, figure.thing("outer")
    if outfit.outer in ("coat", "blazer", "leather"):
        closes = OUTER_CLOSES_AT[outfit.outer]
        reach = abs(inner[2, 0] - body.front(0, closes)[0])
        lapel = body.draped(side, path(".17 1.22, .33 1.3, .44 1.62, .36 1.66, .5 1.8"))
        tip = [body.front(side * (reach * 0.8 + 0.08), closes + 0.1), inner[2]]
        figure.put(np.concatenate([lapel, tip]), outfit.outer_material, thing, 0.05, shadow=0.55, brightness=1.08)
    elif outfit.outer in ("denim", "bomber", "parka"):
        shape = body.draped(side, path(".16 1.2, .3 1.27, .4 1.5, .24 1.62, .18 1.45"))
        figure.put(shape, outfit.outer_material, thing, 0.07, shadow=0.5, brightness=1.06)


def _outer_seams(figure: Figure, side: int, inner: np.ndarray) -> None:
    """Front edge, zip, pockets, waistband, buttons."""
    body, kind, hem, thing = figure.body, figure.outfit.outer, _outer_hem(figure), figure.thing("outer")
    colour = figure.outfit.outer_material.colour
    figure.line(inner + (side * 0.06, 0), 0.02, colour * 0.45, 0.5, thing)
    if kind == "leather":
        figure.line(inner + (side * 0.02, 0), 0.025, METAL, 0.9, thing)
    if kind == "denim":
        figure.line([body.front(side * 0.2, 1.95), body.at(side * 0.95, 1.9)], 0.02, THREAD, 0.7, thing)
        figure.line(body.front([side * 0.45, side * 0.4], [1.95, hem]), 0.018, THREAD, 0.6, thing)
    if kind in ("bomber", "denim"):
        figure.line([inner[-1] - (0, 0.16), body.at(side, hem - 0.16, 0.1)], 0.02, colour * 0.45, 0.7, thing)
    else:
        figure.line(body.front([side * 0.4, side * 0.68], [3.25, 3.2]), 0.045, colour * 0.45, 0.6, thing)
    if kind in ("coat", "blazer", "cardigan") and side == 1:
        button = colour * 0.4 if colour.mean() > 0.2 else np.full(3, 0.4)
        for y in np.arange(OUTER_CLOSES_AT[kind] + 0.1, min(hem, 4.1), 0.42):
            at = (np.interp(y, inner[:, 1], inner[:, 0]) + 0.1, y)
            figure.tint(ellipse(at, (0.035, 0.035)), button, 0.9, thing)
