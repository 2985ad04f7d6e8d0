"""What a drawn person looks like and wears, drawn by lot with ModaNet's frequencies."""

from dataclasses import dataclass

import numpy as np

from modanet_utils.datasets._drawing import TILE, Material, material

SKIN = np.array(
    [(0.96, 0.81, 0.71), (0.91, 0.73, 0.61), (0.87, 0.68, 0.54), (0.78, 0.58, 0.44), (0.64, 0.45, 0.33), (0.45, 0.30, 0.22), (0.34, 0.22, 0.17)]
)  # fmt: skip
HAIR = np.array(
    [(0.07, 0.06, 0.06), (0.14, 0.10, 0.08), (0.24, 0.16, 0.11), (0.36, 0.24, 0.15), (0.48, 0.34, 0.21),
     (0.68, 0.53, 0.34), (0.82, 0.70, 0.50), (0.47, 0.20, 0.11), (0.60, 0.58, 0.56)]
)  # fmt: skip
HAIR_SHARE = (0.14, 0.18, 0.19, 0.15, 0.10, 0.09, 0.06, 0.05, 0.04)
NEUTRAL = np.array(
    [(0.10, 0.10, 0.11), (0.13, 0.13, 0.14), (0.91, 0.90, 0.87), (0.95, 0.94, 0.92), (0.55, 0.55, 0.56),
     (0.32, 0.33, 0.35), (0.14, 0.18, 0.30), (0.78, 0.70, 0.57), (0.68, 0.52, 0.35), (0.36, 0.25, 0.18)]
)  # fmt: skip
BRIGHT = np.array(
    [(0.72, 0.13, 0.14), (0.45, 0.10, 0.16), (0.86, 0.64, 0.20), (0.85, 0.52, 0.54), (0.93, 0.78, 0.76), (0.16, 0.42, 0.44),
     (0.22, 0.36, 0.60), (0.58, 0.72, 0.84), (0.38, 0.41, 0.26), (0.16, 0.34, 0.24), (0.82, 0.38, 0.18), (0.45, 0.32, 0.52)]
)  # fmt: skip
DENIM = np.array([(0.16, 0.21, 0.32), (0.25, 0.34, 0.48), (0.38, 0.49, 0.64), (0.55, 0.65, 0.76), (0.13, 0.14, 0.17)])
LEATHER = np.array(
    [(0.09, 0.08, 0.08), (0.15, 0.12, 0.11), (0.33, 0.19, 0.11), (0.52, 0.32, 0.18), (0.66, 0.47, 0.30), (0.42, 0.10, 0.12),
     (0.80, 0.72, 0.62), (0.20, 0.24, 0.33)]
)  # fmt: skip

DRAWS = 10  # evenly spread random numbers per image, see ``even_draws``


@dataclass
class Outfit:
    """One person's looks and clothes; None means not worn."""

    male: bool
    skin: Material
    hair: Material
    hair_style: str
    bottom: str  # dress, pants, skirt or shorts
    bottom_cut: str
    bottom_length: float  # 0 short .. 1 long
    bottom_material: Material
    neckline: str
    sleeves: float  # 0 none .. 1 to the wrist
    tucked: bool
    top_material: Material
    tights: Material | None
    outer: str | None
    outer_material: Material
    belt: Material | None
    bag: str | None
    bag_material: Material
    shoes: str
    shoe_material: Material
    hat: str | None
    hat_material: Material
    sunglasses: str | None
    scarf: str | None
    scarf_material: Material


def even_draws(seed: int, index: int) -> np.ndarray:
    """Numbers in 0..1, (DRAWS,), that are spread evenly over consecutive images.

    An additive recurrence with the generalised golden ratio: a class worn by 10% of people is then in
    close to 10% of any run of images, without any image knowing of the others.
    """
    ratio = 1.0
    for _ in range(50):
        ratio = (1 + ratio) ** (1 / (DRAWS + 1))
    start = np.random.default_rng([seed, 0x5EED]).random(DRAWS)
    return (start + (index + 1) * ratio ** -np.arange(1.0, DRAWS + 1)) % 1


def choose_outfit(draws: np.ndarray, rng: np.random.Generator) -> Outfit:
    """An outfit; the first eight ``draws`` decide which classes are worn, ``rng`` everything else."""
    bottom = str(np.array(["dress", "pants", "skirt", "shorts"])[np.searchsorted([0.265, 0.65, 0.865], draws[0])])
    male = bottom in ("pants", "shorts") and rng.random() < 0.42
    boots, belt = draws[4] < 0.145, draws[3] < 0.32
    skin = SKIN[rng.integers(len(SKIN))] * rng.uniform(0.94, 1.04)
    hair = BRIGHT[rng.integers(len(BRIGHT))] if rng.random() < 0.02 else HAIR[rng.choice(len(HAIR), p=HAIR_SHARE)]
    hair = hair * rng.uniform(0.85, 1.15)
    outer = _outer(draws[1], male, rng)
    bag = _bag(draws[2], male, rng)
    hat = _lot(rng, _HATS[male]) if draws[5] < 0.112 else None
    scarf = ("tie" if male and rng.random() < 0.5 else _lot(rng, _SCARVES)) if draws[7] < 0.125 else None
    return Outfit(
        male=male,
        skin=material(rng, "smooth", skin, folds=0.0, gloss=0.05),
        hair=material(rng, "plain", hair, folds=0.0, gloss=0.12),
        hair_style=_lot(rng, _HAIR_STYLES[male]),
        bottom=bottom,
        bottom_cut=_cut(bottom, male, rng),
        bottom_length=float(rng.beta(1.6, 1.4)),
        bottom_material=_bottom_material(bottom, skin, rng),
        neckline="shirt" if scarf == "tie" else _lot(rng, _NECKLINES[male]),
        sleeves=float(rng.choice([0, 0.36, 0.75, 0.96], p=[0.0, 0.5, 0.1, 0.4] if male else [0.32, 0.3, 0.12, 0.26])),
        tucked=bool(belt or rng.random() < (0.25 if male else 0.5)),
        top_material=UNUSED if bottom == "dress" else _cloth(rng, skin, _TOPS),
        tights=_tights(bottom, male, rng),
        outer=outer,
        outer_material=_outer_material(outer, rng) if outer else UNUSED,
        belt=_leather(rng, 0.25) if belt else None,
        bag=bag,
        bag_material=_bag_material(rng) if bag else UNUSED,
        shoes=_shoes(boots, male, rng),
        shoe_material=_shoe_material(boots, rng),
        hat=hat,
        hat_material=_hat_material(hat, hair, rng) if hat else UNUSED,
        sunglasses=_lot(rng, _SUNGLASSES) if draws[6] < 0.165 else None,
        scarf=scarf,
        scarf_material=_cloth(rng, skin, _SCARF_CLOTHS) if scarf else UNUSED,
    )


UNUSED = Material(np.zeros((TILE, TILE, 3), np.float32))
_TOPS = {"plain": 0.5, "knit": 0.12, "stripes": 0.15, "plaid": 0.1, "dots": 0.05, "floral": 0.08}
_SKIRTS = {"plain": 0.46, "stripes": 0.1, "plaid": 0.08, "dots": 0.09, "floral": 0.18, "animal": 0.04, "knit": 0.05}
_PANTS = {"plain": 0.82, "stripes": 0.05, "plaid": 0.07, "floral": 0.06}
_SCARF_CLOTHS = {"plain": 0.25, "knit": 0.25, "plaid": 0.25, "stripes": 0.1, "floral": 0.1, "fleece": 0.05}
_SCARVES = {"loop": 0.33, "tails": 0.33, "blanket": 0.34}
_SUNGLASSES = {"square": 0.25, "round": 0.25, "aviator": 0.25, "large": 0.25}
_HATS = {
    True: {"beanie": 0.4, "cap": 0.35, "brim": 0.25},
    False: {"beanie": 0.25, "brim": 0.28, "cap": 0.15, "beret": 0.17, "straw": 0.15},
}
_HAIR_STYLES = {
    True: {"short": 0.4, "crop": 0.25, "quiff": 0.2, "curly": 0.1, "long": 0.05},
    False: {"long": 0.28, "waves": 0.2, "bob": 0.13, "bun": 0.12, "ponytail": 0.08, "fringe": 0.1, "curly": 0.06, "crop": 0.03},
}
_NECKLINES = {
    True: {"crew": 0.6, "shirt": 0.4},
    False: {"crew": 0.24, "v": 0.2, "scoop": 0.18, "boat": 0.1, "shirt": 0.12, "turtle": 0.06, "straps": 0.1},
}
_OUTERS = {
    True: {"coat": 0.15, "blazer": 0.22, "denim": 0.15, "leather": 0.13, "bomber": 0.12, "cardigan": 0.05, "parka": 0.13, "vest": 0.05},
    False: {"coat": 0.2, "blazer": 0.16, "denim": 0.13, "leather": 0.13, "bomber": 0.06, "cardigan": 0.2, "parka": 0.07, "vest": 0.05},
}
_CUTS = {
    "pants": {True: ("straight", "slim", "wide"), False: ("slim", "skinny", "straight", "wide", "flared")},
    "shorts": {True: ("straight", "wide"), False: ("tight", "wide")},
    "skirt": {False: ("pencil", "line", "line", "pleated", "full")},
    "dress": {False: ("pencil", "line", "line", "pleated", "full")},
}
_BAGS = {
    True: ("cross", "tote", "backpack", "hand"),
    False: ("shoulder", "cross", "tote", "hand", "crook", "clutch", "backpack"),
}
_SHOES = {
    True: {"sneaker": 0.55, "oxford": 0.3, "loafer": 0.15},
    False: {"sneaker": 0.25, "pump": 0.34, "flat": 0.19, "sandal": 0.1, "oxford": 0.12},
}
_BOOTS = {
    True: {"ankle boot": 0.5, "combat boot": 0.5},
    False: {"ankle boot": 0.4, "combat boot": 0.22, "knee boot": 0.38},
}


def _lot(rng: np.random.Generator, shares: dict[str, float]) -> str:
    return str(rng.choice(list(shares), p=list(shares.values())))


def _colour(rng: np.random.Generator, neutral: float = 0.55) -> np.ndarray:
    palette = NEUTRAL if rng.random() < neutral else BRIGHT
    return np.clip(palette[rng.integers(len(palette))] * rng.uniform(0.85, 1.12) + rng.normal(0, 0.015, 3), 0.03, 0.97)


def _cloth(rng: np.random.Generator, skin: np.ndarray, patterns: dict[str, float]) -> Material:
    pattern = _lot(rng, patterns)
    colour = skin * rng.uniform(0.93, 1.05) if rng.random() < 0.06 else _colour(rng, 0.5)  # now and then like bare skin
    second = _colour(rng, 0.8)
    if np.abs(second - colour).sum() < 0.5:
        second = np.array([0.93, 0.92, 0.9]) if colour.mean() < 0.5 else np.array([0.12, 0.13, 0.17])
    return material(rng, pattern, colour, second, folds=0.6 if pattern in ("knit", "fleece") else 1.0)


def _leather(rng: np.random.Generator, folds: float, gloss: float = 0.35) -> Material:
    return material(rng, "smooth", LEATHER[rng.integers(len(LEATHER))] * rng.uniform(0.85, 1.15), gloss=gloss, folds=folds)


def _outer(draw: float, male: bool, rng: np.random.Generator) -> str | None:
    return _lot(rng, _OUTERS[male]) if draw < 0.42 else None


def _outer_material(outer: str, rng: np.random.Generator) -> Material:
    if outer == "denim":
        return material(rng, "denim", DENIM[rng.integers(1, 4)], folds=0.9)
    if outer == "leather":
        return material(rng, "smooth", LEATHER[rng.choice(3)], gloss=0.4, folds=1.1)
    if outer == "cardigan":
        return material(rng, "knit", _colour(rng), folds=0.6)
    pattern = _lot(rng, {"plain": 0.78, "plaid": 0.12, "fleece": 0.07, "stripes": 0.03})
    return material(rng, pattern, _colour(rng, 0.75), _colour(rng, 1.0), folds=0.8)


def _cut(bottom: str, male: bool, rng: np.random.Generator) -> str:
    return str(rng.choice(_CUTS[bottom][male]))


def _bottom_material(bottom: str, skin: np.ndarray, rng: np.random.Generator) -> Material:
    if bottom in ("skirt", "dress"):
        return _cloth(rng, skin, _SKIRTS)
    if rng.random() < 0.55:
        return material(rng, "denim", DENIM[rng.integers(len(DENIM))] * rng.uniform(0.9, 1.1), folds=1.0)
    if bottom == "pants" and rng.random() < 0.12:
        return material(rng, "smooth", LEATHER[rng.choice(2)], gloss=0.3, folds=1.2)
    return _cloth(rng, skin, _PANTS)


def _tights(bottom: str, male: bool, rng: np.random.Generator) -> Material | None:
    if male or bottom == "pants" or rng.random() > 0.22:
        return None
    colour = np.array([0.1, 0.09, 0.1]) if rng.random() < 0.75 else _colour(rng, 0.3)
    return material(rng, "smooth", colour, gloss=0.08, folds=0.0)


def _bag(draw: float, male: bool, rng: np.random.Generator) -> str | None:
    return str(rng.choice(_BAGS[male])) if draw < 0.41 else None


def _bag_material(rng: np.random.Generator) -> Material:
    if rng.random() < 0.75:
        return _leather(rng, 0.35)
    pattern = str(rng.choice(["plain", "stripes", "plaid", "floral", "animal"]))
    return material(rng, pattern, _colour(rng, 0.4), _colour(rng, 0.7), folds=0.5)


def _shoes(boots: bool, male: bool, rng: np.random.Generator) -> str:
    return _lot(rng, (_BOOTS if boots else _SHOES)[male])


def _shoe_material(boots: bool, rng: np.random.Generator) -> Material:
    if boots or rng.random() < 0.6:
        return _leather(rng, 0.3)
    return material(rng, "smooth", _colour(rng, 0.5), gloss=0.2, folds=0.2)


def _hat_material(hat: str, hair: np.ndarray, rng: np.random.Generator) -> Material:
    """Half of the hats have about the colour of the hair under them."""
    if hat == "straw":
        return material(rng, "knit", np.array((0.80, 0.67, 0.45)) * rng.uniform(0.8, 1.1), folds=0.2)
    colour = np.clip(hair * rng.uniform(0.8, 1.3), 0.04, 0.9) if rng.random() < 0.5 else _colour(rng, 0.6)
    return material(rng, _lot(rng, {"plain": 0.55, "knit": 0.35, "fleece": 0.1}), colour, folds=0.35)
