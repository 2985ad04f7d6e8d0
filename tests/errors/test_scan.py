"""What depends on the place: distances, resolution, and counts made again."""

import numpy as np
import pytest
from error_samples import counts_after, scan_of

from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, HAIR, IGNORE, SKIN
from modanet_utils.errors.places import depth_counts
from modanet_utils.errors.scan import resolution_limit

TOP = CLASSES.index("top")
DRESS = CLASSES.index("dress")


def test_skin_is_counted_by_distance() -> None:
    truth = np.full((1, 12), SKIN, np.uint8)
    truth[0, 0] = TOP
    prediction = np.zeros((1, 12), np.uint8)
    prediction[0, [1, 5]] = TOP  # at distances 1 and 5
    # Distances 1 to 11: two up to 2, two up to 4, four up to 8, three beyond.
    np.testing.assert_array_equal(depth_counts(truth, prediction, (2, 4, 8)), [[1, 1], [2, 0], [3, 1], [3, 0]])


def test_distance_is_straight_and_hair_or_ignored_pixels_are_no_clothing() -> None:
    truth = np.full((5, 5), SKIN, np.uint8)
    truth[0, 0], truth[4, 4], truth[4, 3] = DRESS, HAIR, IGNORE
    called = np.full((5, 5), TOP, np.uint8)
    counts = depth_counts(truth, called, (2, np.sqrt(8)))
    # Up to 2: (0,1), (0,2), (1,0), (2,0), (1,1); up to the diagonal: (1,2), (2,1), (2,2).
    np.testing.assert_array_equal(counts[:, 1], [5, 3, 22 - 8])


def test_without_clothing_all_skin_is_far_away() -> None:
    truth = np.full((2, 3), SKIN, np.uint8)
    np.testing.assert_array_equal(depth_counts(truth, truth * 0, (2,)), [[0, 0], [6, 0]])


def test_resolution_keeps_what_is_large_and_loses_what_is_small() -> None:
    truth = np.zeros((64, 64), np.uint8)
    truth[:, 32:], truth[10, 10], truth[40:, :16] = TOP, DRESS, HAIR
    limit = resolution_limit(truth, Letterbox(32, 32))
    assert limit.shape == truth.shape and limit.dtype == np.uint8
    assert set(np.unique(limit)) <= {0, TOP, DRESS}
    assert (limit[:, 34:] == TOP).all() and (limit[20:, :30] == 0).all()
    whole = np.where(truth < len(CLASSES), truth, 0)
    np.testing.assert_array_equal(resolution_limit(truth, Letterbox(64, 64)), whole)


def test_a_scan_that_counts_otherwise_says_by_how_much() -> None:
    after = counts_after()
    seen, other = scan_of(after, 5), after.copy()
    assert seen.changed(after) == 0
    other[0, 0, 0] -= 300
    other[0, 0, TOP] += 300
    assert seen.changed(other) == pytest.approx(0.01)
