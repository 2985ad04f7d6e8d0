"""Class weights against numbers computed by hand, and what they imply against a numeric optimum."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from conftest import annotation, record, rectangle
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import brentq, minimize_scalar

from modanet_utils.classes import CLASSES, HAIR, SKIN
from modanet_utils.datasets.coco import Dataset
from modanet_utils.datasets.weights import SCHEMES, class_weights, image_pixels, posterior_threshold, rare_classes
from modanet_utils.thresholds import RARE_SHARE

# Two images of 100 pixels: shares 0.75, 0.15 and 0.1; the second class is in one image only.
PIXELS = np.array([[60, 30, 10], [90, 0, 10]])
ROOTS = [math.sqrt(4 / 3), math.sqrt(20 / 3), math.sqrt(10)]
BY_HAND = {
    "none": [1, 1, 1],
    "inverse": [2 / 9, 10 / 9, 15 / 9],  # 4/3, 20/3, 10 over their mean 6
    "inverse_sqrt": [3 * root / sum(ROOTS) for root in ROOTS],
    "median_frequency": [6 / 22, 15 / 22, 45 / 22],  # g = 150/200, 30/100, 20/200: 0.4, 1, 3 over 4.4/3
    "effective_number": [6 / 7, 9 / 7, 6 / 7],  # beta 0.5, n = 2, 1, 2: 2/3, 1, 2/3 over 7/9
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_known_weights(scheme: str) -> None:
    np.testing.assert_allclose(class_weights(PIXELS, scheme, beta=0.5), BY_HAND[scheme], rtol=1e-12)


def test_the_effective_number_counts_images_with_beta_0_999() -> None:
    pixels = np.ones((1000, 2), int)
    pixels[10:, 1] = 0
    ratio = np.divide(*class_weights(pixels, "effective_number"))
    assert ratio == pytest.approx((1 - 0.999**10) / (1 - 0.999**1000), rel=1e-12)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_absent_class_gets_the_largest_weight_of_the_others(scheme: str) -> None:
    absent = np.column_stack([PIXELS[:, :1], [0, 0], PIXELS[:, 1:], np.zeros((2, 3), int)])  # more than are there
    found = class_weights(absent, scheme, beta=0.5)
    expected = np.array(BY_HAND[scheme])
    expected = np.array([expected[0], expected.max(), *expected[1:], *[expected.max()] * 3])
    np.testing.assert_allclose(found, expected / expected.mean(), rtol=1e-12)


@given(
    hnp.arrays(np.int64, (4, len(CLASSES)), elements=st.integers(0, 10**6)).filter(lambda pixels: pixels.any()),
    st.sampled_from(SCHEMES),
)
def test_weights_are_finite_positive_and_of_mean_one(pixels: np.ndarray, scheme: str) -> None:
    before = pixels.copy()
    weights = class_weights(pixels, scheme)
    assert weights.shape == (len(CLASSES),)
    assert np.isfinite(weights).all() and (weights > 0).all()
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_allclose(class_weights(3 * pixels, scheme), weights, rtol=1e-9)
    np.testing.assert_allclose(class_weights(pixels[::-1], scheme), weights, rtol=1e-9)


def test_an_unknown_scheme_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"^class_weights 'inverse_root' is unknown: did you mean 'inverse_sqrt'\?"):
        class_weights(PIXELS, "inverse_root")


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((2, 14), int), np.ones(14, int), np.zeros((0, 14), int)],
    ids=["all zero", "one row", "no image"],
)
def test_without_pixels_there_are_no_weights(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="give pixels per image and class, not all zero"):
        class_weights(pixels, "inverse")


def test_hair_and_skin_are_counted_as_background(coco: Callable[..., Dataset]) -> None:
    dataset = coco(
        annotation(1, HAIR, [rectangle(0, 0, 5, 2)]),
        annotation(1, 9, [rectangle(10, 0, 4, 3)]),
        annotation(2, SKIN, [rectangle(0, 0, 6, 2)]),
        images=[record(1), record(2)],
    )
    pixels = image_pixels(dataset, [2, 1])
    expected = np.zeros((2, len(CLASSES)), int)
    expected[0, 0] = 20 * 30
    expected[1, [0, 9]] = 20 * 30 - 12, 12
    assert pixels.dtype == np.int64
    np.testing.assert_array_equal(pixels, expected)


# ---------------------------------------------------------------------------------------- meaning


def least_weighted_cross_entropy(posterior: float, weight: float, background: float) -> float:
    """The output for a class that minimises the expected weighted loss, found numerically."""

    def loss(q: float) -> float:
        return -weight * posterior * math.log(q) - background * (1 - posterior) * math.log(1 - q)

    return minimize_scalar(loss, bounds=(1e-9, 1 - 1e-9), method="bounded", options={"xatol": 1e-12}).x


@pytest.mark.parametrize("weights", [[1, 1], [0.3, 2.5], [0.02, 9], [2, 0.5]], ids=str)
def test_a_class_wins_above_the_threshold_of_the_least_weighted_loss(weights: list[float]) -> None:
    background, weight = weights
    numeric = brentq(lambda p: least_weighted_cross_entropy(p, weight, background) - 0.5, 1e-6, 1 - 1e-6)
    # A minimum is known to about the square root of the machine's precision, 1e-8.
    np.testing.assert_allclose(posterior_threshold(weights), [0.5, numeric], atol=1e-6)


def test_raw_inverse_frequency_wins_at_its_share() -> None:
    thresholds = posterior_threshold(class_weights(PIXELS, "inverse"))
    np.testing.assert_allclose(thresholds, [0.5, 0.15 / (0.75 + 0.15), 0.1 / (0.75 + 0.1)], rtol=1e-12)


def test_rare_classes_come_rarest_first_and_never_with_background() -> None:
    pixels = np.full((2, len(CLASSES)), 10_000)
    for name, share in {"belt": 0.002, "headwear": 0.001, "boots": RARE_SHARE, "scarf & tie": 0.0049}.items():
        pixels[:, CLASSES.index(name)] = share * 100_000
    pixels[:, 0] = 0
    pixels[:, CLASSES.index("top")] += 100_000 - pixels[0].sum()
    assert pixels.sum(1).tolist() == [100_000] * 2
    assert rare_classes(pixels) == ["headwear", "belt", "scarf & tie"]
