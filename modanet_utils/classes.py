"""The labels: 13 ModaNet classes, background, and the two body labels.

A label map is ``(H, W) uint8``: 0 background, 1-13 clothing (numbered as in ModaNet), 14 hair,
15 skin, 255 ignore. The network predicts the first 14; hair and skin are truth only and count as
background when a prediction is scored.
"""

CLASSES: tuple[str, ...] = (
    "background",
    "bag",
    "belt",
    "boots",
    "footwear",
    "outer",
    "dress",
    "sunglasses",
    "pants",
    "top",
    "shorts",
    "skirt",
    "headwear",
    "scarf & tie",
)
"""The 14 outputs of the network, index = label."""

BODY: tuple[str, ...] = ("hair", "skin")
LABELS: tuple[str, ...] = CLASSES + BODY
"""The 16 labels of a truth map, index = label."""

CLOTHING: tuple[str, ...] = CLASSES[1:]
HEADWEAR: int = CLASSES.index("headwear")
HAIR: int = LABELS.index("hair")
SKIN: int = LABELS.index("skin")
IGNORE: int = 255

COLORS: dict[str, str] = {
    "background": "#f2f2ef",
    "bag": "#a24d1c",
    "belt": "#000000",
    "boots": "#7f3c8d",
    "footwear": "#e377c2",
    "outer": "#1b6ca8",
    "dress": "#e43434",
    "sunglasses": "#3d3d3d",
    "pants": "#56b4e9",
    "top": "#1faa81",
    "shorts": "#a6d854",
    "skirt": "#f0a30a",
    "headwear": "#ffe521",
    "scarf & tie": "#6a5acd",
    "hair": "#867462",
    "skin": "#f3c9ac",
}
"""One colour a label, the same in every figure."""
