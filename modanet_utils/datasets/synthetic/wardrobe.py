"""What a drawn person looks like and wears, drawn by lot with ModaNet's frequencies."""

from dataclasses import dataclass

import numpy as np

from modanet_utils.datasets.synthetic.drawing import TILE, Material, material, path

SKIN = path(".96 .81 .71, .91 .73 .61, .87 .68 .54, .78 .58 .44, .64 .45 .33, .45 .3 .22, .34 .22 .17")
HAIR = path(
    ".07 .06 .06, .14 .1 .08, .24 .16 .11, .36 .24 .15, .48 .34 .21, .68 .53 .34, .82 .7 .5,.47 .2 .11, .6 .58 .56"
)
HAIR_SHARE = (0.14, 0.18, 0.19, 0.15, 0.10, 0.09, 0.06, 0.05, 0.04)
NEUTRAL = path(
    ".1 .1 .11, .13 .13 .14, .91 .9 .87, .95 .94 .92, .55 .55 .56, .32 .33 .35, .14 .18 .3, .78 .7 .57,"
    ".68 .52 .35, .36 .25 .18"
)
BRIGHT = path(
    ".72 .13 .14, .45 .1 .16, .86 .64 .2, .85 .52 .54, .93 .78 .76, .16 .42 .44, .22 .36 .6, .58 .72 .84,"
    ".38 .41 .26, .16 .34 .24, .82 .38 .18, .45 .32 .52"
)
DENIM = path(".16 .21 .32, .25 .34 .48, .38 .49 .64, .55 .65 .76, .13 .14 .17")
LEATHER = path(".09 .08 .08, .15 .12 .11, .33 .19 .11, .52 .32 .18, .66 .47 .3, .42 .1 .12, .8 .72 .62, .2 .24 .33")

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


def _shares(text: str) -> dict[str, float]:
    """Names and their weights from "name weight, name weight, ..."."""
    weights = {name: float(weight) for name, weight in (entry.split() for entry in text.split(","))}
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


BOTTOMS = {"dress": 0.265, "pants": 0.65, "skirt": 0.865, "shorts": 1.0}  # cumulative shares
PATTERN_SHARES = {
    "top": _shares("plain 50, knit 12, stripes 15, plaid 10, dots 5, floral 8"),
    "skirt": _shares("plain 46, stripes 10, plaid 8, dots 9, floral 18, animal 4, knit 5"),
    "pants": _shares("plain 82, stripes 5, plaid 7, floral 6"),
    "outer": _shares("plain 78, plaid 12, fleece 7, stripes 3"),
    "scarf": _shares("plain 25, knit 25, plaid 25, stripes 10, floral 10, fleece 5"),
    "bag": _shares("plain 1, stripes 1, plaid 1, floral 1, animal 1"),
    "hat": _shares("plain 55, knit 35, fleece 10"),
}
FEMALE = {
    "hair": _shares("long 28, waves 20, bob 13, bun 12, ponytail 8, fringe 10, curly 6, crop 3"),
    "neckline": _shares("crew 24, v 20, scoop 18, boat 10, shirt 12, turtle 6, straps 10"),
    "sleeves": _shares("0 32, 0.36 30, 0.75 12, 0.96 26"),
    "outer": _shares("coat 20, blazer 16, denim 13, leather 13, bomber 6, cardigan 20, parka 7, vest 5"),
    "pants": _shares("slim 1, skinny 1, straight 1, wide 1, flared 1"),
    "shorts": _shares("tight 1, wide 1"),
    "skirt": _shares("pencil 1, line 2, pleated 1, full 1"),
    "bag": _shares("shoulder 1, cross 1, tote 1, hand 1, crook 1, clutch 1, backpack 1"),
    "shoes": _shares("sneaker 25, pump 34, flat 19, sandal 10, oxford 12"),
    "boots": _shares("anklet 40, laced 22, tall 38"),
    "hat": _shares("beanie 25, brim 28, cap 15, beret 17, straw 15"),
    "scarf": _shares("loop 1, tails 1, blanket 1"),
}
MALE = {
    "hair": _shares("short 40, crop 25, quiff 20, curly 10, long 5"),
    "neckline": _shares("crew 60, shirt 40"),
    "sleeves": _shares("0.36 50, 0.75 10, 0.96 40"),
    "outer": _shares("coat 15, blazer 22, denim 15, leather 13, bomber 12, cardigan 5, parka 13, vest 5"),
    "pants": _shares("straight 1, slim 1, wide 1"),
    "shorts": _shares("straight 1, wide 1"),
    "bag": _shares("cross 1, tote 1, backpack 1, hand 1"),
    "shoes": _shares("sneaker 55, oxford 30, loafer 15"),
    "boots": _shares("anklet 1, laced 1"),
    "hat": _shares("beanie 40, cap 35, brim 25"),
    "scarf": _shares("tie 3, loop 1, tails 1, blanket 1"),
}
GLASSES = _shares("square 1, round 1, aviator 1, large 1")
UNDER_A_HAT = {"quiff": "short", "bun": "ponytail", "curly": "bob"}
UNUSED = Material(np.zeros((TILE, TILE, 3), np.float32))


def choose_outfit(draws: np.ndarray, rng: np.random.Generator) -> Outfit:
    """An outfit; the first eight ``draws`` decide which classes are worn, ``rng`` everything else."""
    bottom = next(name for name, until in BOTTOMS.items() if draws[0] < until)
    male = bottom in ("pants", "shorts") and rng.random() < 0.42
    habits = MALE if male else FEMALE
    skin = SKIN[rng.integers(len(SKIN))] * rng.uniform(0.94, 1.04)
    hair = _hair_colour(skin, rng)
    hair_style = _lot(rng, habits["hair"])
    boots, belt = draws[4] < 0.145, draws[3] < 0.29
    outer = _lot(rng, habits["outer"]) if draws[1] < 0.42 else None
    bag = _lot(rng, habits["bag"]) if draws[2] < 0.41 else None
    hat = _lot(rng, habits["hat"]) if draws[5] < 0.112 else None
    scarf = _lot(rng, habits["scarf"]) if draws[7] < 0.125 else None
    neckline = "shirt" if scarf == "tie" else _lot(rng, habits["neckline"])
    sleeves = float(_lot(rng, habits["sleeves"]))
    return Outfit(
        male=male,
        skin=material(rng, "smooth", skin, folds=0.0, gloss=0.05),
        hair=material(rng, "plain", hair, folds=0.0, gloss=0.12),
        hair_style=UNDER_A_HAT.get(hair_style, hair_style) if hat else hair_style,
        bottom=bottom,
        bottom_cut=_lot(rng, habits["skirt" if bottom == "dress" else bottom]),
        bottom_length=float(rng.beta(1.6, 1.4)),
        bottom_material=_bottom_material(bottom, skin, rng),
        neckline=neckline,
        sleeves=0.0 if neckline == "straps" else sleeves,
        tucked=bool(belt or rng.random() < (0.25 if male else 0.5)),
        top_material=UNUSED if bottom == "dress" else _cloth(rng, skin, "top"),
        tights=_tights(rng) if not male and bottom != "pants" and rng.random() < 0.22 else None,
        outer=outer,
        outer_material=_outer_material(outer, rng) if outer else UNUSED,
        belt=_leather(rng, 0.25) if belt else None,
        bag=bag,
        bag_material=_bag_material(rng) if bag else UNUSED,
        shoes=_lot(rng, habits["boots" if boots else "shoes"]),
        shoe_material=_shoe_material(boots, rng),
        hat=hat,
        hat_material=_hat_material(hat, hair, rng) if hat else UNUSED,
        sunglasses=_lot(rng, GLASSES) if draws[6] < 0.165 else None,
        scarf=scarf,
        scarf_material=_cloth(rng, skin, "scarf") if scarf else UNUSED,
    )


def _lot(rng: np.random.Generator, shares: dict[str, float]) -> str:
    return str(rng.choice(list(shares), p=list(shares.values())))


def _colour(rng: np.random.Generator, neutral: float = 0.55) -> np.ndarray:
    palette = NEUTRAL if rng.random() < neutral else BRIGHT
    return np.clip(palette[rng.integers(len(palette))] * rng.uniform(0.85, 1.12) + rng.normal(0, 0.015, 3), 0.03, 0.97)


def _hair_colour(skin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.03:  # dyed
        return BRIGHT[rng.integers(len(BRIGHT))]
    share = np.array(HAIR_SHARE)
    if skin.mean() < 0.55 and rng.random() < 0.85:  # dark skin seldom has light hair
        share[3:] *= (0.3, 0.05, 0.02, 0.02, 0.0, 0.5)
    return HAIR[rng.choice(len(HAIR), p=share / share.sum())] * rng.uniform(0.85, 1.15)


def _cloth(rng: np.random.Generator, skin: np.ndarray, garment: str) -> Material:
    pattern = _lot(rng, PATTERN_SHARES[garment])
    colour = skin * rng.uniform(0.93, 1.05) if rng.random() < 0.06 else _colour(rng, 0.5)  # now and then like bare skin
    second = _colour(rng, 0.8)
    if np.abs(second - colour).sum() < 0.5:
        second = np.array([0.93, 0.92, 0.9]) if colour.mean() < 0.5 else np.array([0.12, 0.13, 0.17])
    return material(rng, pattern, colour, second, folds=0.6 if pattern in ("knit", "fleece") else 1.0)


def _leather(rng: np.random.Generator, folds: float, gloss: float = 0.35) -> Material:
    return material(
        rng, "smooth", LEATHER[rng.integers(len(LEATHER))] * rng.uniform(0.85, 1.15), gloss=gloss, folds=folds
    )


def _outer_material(outer: str, rng: np.random.Generator) -> Material:
    if outer == "denim":
        return material(rng, "denim", DENIM[rng.integers(1, 4)], folds=0.9)
    if outer == "leather":
        return material(rng, "smooth", LEATHER[rng.choice(3)], gloss=0.4, folds=1.1)
    if outer == "cardigan":
        return material(rng, "knit", _colour(rng), folds=0.6)
    pattern = _lot(rng, PATTERN_SHARES["outer"])
    return material(rng, pattern, _colour(rng, 0.75), _colour(rng, 1.0), folds=0.8)


def _bottom_material(bottom: str, skin: np.ndarray, rng: np.random.Generator) -> Material:
    if bottom in ("skirt", "dress"):
        return _cloth(rng, skin, "skirt")
    if rng.random() < 0.55:
        return material(rng, "denim", DENIM[rng.integers(len(DENIM))] * rng.uniform(0.9, 1.1), folds=1.0)
    if bottom == "pants" and rng.random() < 0.12:
        return material(rng, "smooth", LEATHER[rng.choice(2)], gloss=0.3, folds=1.2)
    return _cloth(rng, skin, "pants")


def _tights(rng: np.random.Generator) -> Material:
    colour = np.array([0.1, 0.09, 0.1]) if rng.random() < 0.75 else _colour(rng, 0.3)
    return material(rng, "smooth", colour, gloss=0.08, folds=0.0)


def _bag_material(rng: np.random.Generator) -> Material:
    if rng.random() < 0.75:
        return _leather(rng, 0.35)
    pattern = _lot(rng, PATTERN_SHARES["bag"])
    return material(rng, pattern, _colour(rng, 0.4), _colour(rng, 0.7), folds=0.5)


def _shoe_material(boots: bool, rng: np.random.Generator) -> Material:
    if boots or rng.random() < 0.6:
        return _leather(rng, 0.3)
    return material(rng, "smooth", _colour(rng, 0.5), gloss=0.2, folds=0.2)


def _hat_material(hat: str, hair: np.ndarray, rng: np.random.Generator) -> Material:
    """Half of the hats have about the colour of the hair under them."""
    if hat == "straw":
        return material(rng, "knit", np.array((0.80, 0.67, 0.45)) * rng.uniform(0.8, 1.1), folds=0.2)
    colour = np.clip(hair * rng.uniform(0.8, 1.3), 0.04, 0.9) if rng.random() < 0.5 else _colour(rng, 0.6)
    return material(rng, _lot(rng, PATTERN_SHARES["hat"]), colour, folds=0.35)
