"""The labels' colours: told apart by every reader."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from modanet_utils.classes import COLORS, LABELS

# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB.
SIGHT = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
WHITE = [0.95047, 1, 1.08883]  # D65


def lab(colour: str, sight: str = "normal") -> np.ndarray:
    """CIE Lab of an sRGB colour as such eyes see it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.array(XYZ) @ np.clip(np.array(SIGHT[sight]) @ linear, 0, 1) / WHITE
    fx, fy, fz = (np.cbrt(t) if t > (6 / 29) ** 3 else (t * (29 / 3) ** 3 + 16) / 116 for t in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def test_the_distance_is_that_of_the_literature() -> None:
    assert lab("#ff0000") == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    # What made the colours change: those of hair and top before.
    assert np.linalg.norm(lab("#8c7b6b", "deuteranopia") - lab("#009e73", "deuteranopia")) == pytest.approx(
        3.5, abs=0.1
    )


@pytest.mark.parametrize("sight", SIGHT)
def test_every_reader_tells_the_labels_apart(sight: str) -> None:
    assert tuple(COLORS) == LABELS
    seen = {name: lab(colour, sight) for name, colour in COLORS.items()}
    near = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in combinations(LABELS, 2)}
    assert min(near.values()) >= 10, min(near, key=near.__getitem__)


def test_hair_is_brownish_and_skin_is_light() -> None:
    lightness, red, yellow = lab(COLORS["hair"])
    assert lightness < 55 and red > 2 and yellow > 10
    assert lab(COLORS["skin"])[0] > 80
