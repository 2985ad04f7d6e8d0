"""Cases chosen by rule, and maps of what is wrong."""

import numpy as np
import pytest

from modanet_utils import metrics
from modanet_utils.classes import CLASSES, HAIR, HEADWEAR, IGNORE, SKIN
from modanet_utils.errors.cases import ERROR_KINDS, choose_cases, error_map
from modanet_utils.metrics import image_mean_iou

TOP = CLASSES.index("top")
DRESS = CLASSES.index("dress")


def test_every_kind_of_error_has_its_place() -> None:
    truth = np.array([[TOP, TOP, TOP, 0, HAIR, SKIN, IGNORE, SKIN]], np.uint8)
    prediction = np.array([[TOP, 0, DRESS, TOP, HEADWEAR, TOP, TOP, 0]], np.uint8)
    np.testing.assert_array_equal(error_map(truth, prediction), [[0, 1, 2, 3, 4, 5, 6, 0]])
    assert len(ERROR_KINDS) == 7


def test_an_image_is_judged_by_the_classes_it_shows(after: np.ndarray) -> None:
    scores = image_mean_iou(after)
    np.testing.assert_allclose(scores[:2], [180 / 230, 60 / 110])
    assert np.isnan(scores[2])
    assert np.nanmean(scores) == pytest.approx(metrics.mean_iou_per_image(after))


def test_cases_are_chosen_by_rule(before: np.ndarray, after: np.ndarray) -> None:
    cases = choose_cases([7, 5, 9], after, number=2, seed=3)
    assert cases.worst == [5, 7]
    assert cases.hair == [7, 5]
    assert len(set(cases.random)) == 2 and set(cases.random) <= {7, 5, 9}
    assert cases.all == choose_cases([7, 5, 9], after, number=2, seed=3).all
    assert cases.all == sorted({5, 7, *cases.random})
    assert choose_cases([7, 5, 9], before, number=5).hair == []
    assert choose_cases([7, 5, 9], after, number=5).worst == [5, 7]  # the third shows no clothing
