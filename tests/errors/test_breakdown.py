"""Errors broken down, against pictures and counts worked out by hand."""

import numpy as np
import pytest
from error_samples import image

from modanet_utils import metrics
from modanet_utils.classes import CLASSES, HAIR, IGNORE, SKIN
from modanet_utils.errors.places import kind_counts, of_the_shapes, on_the_body
from modanet_utils.errors.tables import (
    fineness,
    growth_of,
    kind_table,
    outline_table,
    size_counts,
    size_table,
    small_missed,
)
from modanet_utils.thresholds import SMALL_SHARE

TOP, PANTS, BELT = (CLASSES.index(name) for name in ("top", "pants", "belt"))


def blank(height: int = 40, width: int = 30) -> np.ndarray:
    return np.zeros((height, width), np.uint8)


def test_a_look_at_the_body_counts_the_prediction_and_what_resolution_allows() -> None:
    truth, prediction, limit = blank(50), blank(50), blank(50)
    truth[10:40, 10:20], truth[10:40, 10] = TOP, SKIN
    prediction[10:13, 10], limit[10, 10] = TOP, TOP
    found = on_the_body(truth, prediction, limit, 2.0)
    assert found["depth"][:, 1].sum() == 3 and found["limit_depth"][:, 1].sum() == 1
    assert found["depth"].sum() == found["coarse"].sum() == (truth == SKIN).sum()
    np.testing.assert_array_equal(found["limit"], metrics.confusion_counts(truth, limit))


def boundary_counts(truth: np.ndarray, prediction: np.ndarray) -> tuple[int, int]:
    """Pixels in both, and in either, of the bands two pixels wide inside two masks."""
    first, second = (metrics.inner_band(mask, 2) for mask in (truth, prediction))
    return int((first & second).sum()), int((first | second).sum())


def test_outlines_are_those_of_the_boundary_metric() -> None:
    rng = np.random.default_rng(0)
    truth, prediction, limit = blank(60, 50), blank(60, 50), blank(60, 50)
    truth[5:40, 0:30], truth[30:60, 20:50] = TOP, PANTS  # both touch the picture's edge
    prediction[8:41, 2:33], limit[4:40, 0:31] = TOP, TOP
    prediction[rng.random((60, 50)) < 0.03] = PANTS
    truth[0:6, 0:10] = IGNORE
    found = of_the_shapes(truth, prediction, limit, 3.0)["outlines"]
    clean = np.where(truth == IGNORE, 0, truth).astype(np.uint8)
    for label in (TOP, PANTS):
        for at, other in ((0, prediction), (1, limit)):
            other = np.where(truth == IGNORE, 0, other).astype(np.uint8)
            both, either = boundary_counts(clean == label, other == label)
            np.testing.assert_array_equal(found[label - 1, at], [both, either - both])
        for at, shift in ((2, 1), (3, 3)):
            both = either = 0
            for axis in (0, 1):
                moved = np.roll(clean == label, shift, axis)
                moved[(slice(None),) * axis + (slice(0, shift),)] = False
                counts = boundary_counts(clean == label, moved)
                both, either = both + counts[0], either + counts[1]
            np.testing.assert_array_equal(found[label - 1, at], [both, either - both])
    assert not found[BELT - 1].any()


def test_wrong_pixels_are_whole_segments_boundary_or_extent() -> None:
    truth, prediction = blank(60, 60), blank(60, 60)
    truth[10:30, 10:30] = 1  # found, drawn too large: 2 rows of boundary, 3 of extent
    prediction[10:35, 10:30] = 1
    truth[40:44, 40:44] = 1  # not found
    prediction[50:55, 0:5] = 1  # nothing there
    row = kind_counts(truth, prediction, 2.0)
    np.testing.assert_array_equal(row, [400, 0, 0, 16, 2 * 20, 3 * 20, 25])
    # The other way round missed and false change places, but distance is still from the true outline.
    row = kind_counts(prediction, truth, 2.0)
    assert row[0] == 400 and row[1:4].sum() == 100 + 25 and row[3] == 25 and row[6] == 16
    assert row[1] == 5 * 20 - 3 * 16  # of five rows, three are deeper than 2 pixels, except near the sides


def test_without_truth_everything_is_a_whole_segment_and_without_errors_nothing_is() -> None:
    square = blank()
    square[5:9, 5:9] = 1
    np.testing.assert_array_equal(kind_counts(blank(), square, 3.0), [0, 0, 0, 0, 0, 0, 16])
    np.testing.assert_array_equal(kind_counts(square, blank(), 3.0), [0, 0, 0, 16, 0, 0, 0])
    np.testing.assert_array_equal(kind_counts(square, square, 3.0), [16, 0, 0, 0, 0, 0, 0])


def test_a_picture_is_examined_whole_and_its_kinds_add_up_to_its_counts() -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat(np.repeat(rng.choice([0, TOP, PANTS, HAIR, SKIN], (6, 5)), 8, 0), 8, 1).astype(np.uint8)
    prediction = np.where(rng.random(truth.shape) < 0.2, BELT, np.where(truth < 14, truth, TOP)).astype(np.uint8)
    found = of_the_shapes(truth, prediction, prediction, 2.0)
    counts = metrics.fold_body(metrics.confusion_counts(truth, prediction))
    np.testing.assert_array_equal(found["kinds"][:, 0], np.diag(counts)[1:])
    np.testing.assert_array_equal(found["kinds"][:, :4].sum(axis=1), counts.sum(axis=1)[1:])
    np.testing.assert_array_equal(found["kinds"][:, 4:].sum(axis=1), (counts.sum(axis=0) - np.diag(counts))[1:])


def test_mending_a_kind_gives_what_it_says() -> None:
    kinds = np.zeros((3, 13, 7), np.int64)
    kinds[:, TOP - 1] = [50, 10, 0, 20, 5, 0, 15]
    table = kind_table(kinds)
    assert table.loc["top", "iou"] == pytest.approx(0.5)
    assert table.loc["top", "boundary"] == pytest.approx(60 / 95 - 0.5)
    assert table.loc["top", "extent"] == 0
    assert table.loc["top", "segment"] == pytest.approx(70 / 85 - 0.5)
    assert table.loc["mean", "iou"] == pytest.approx(0.5)  # the other classes are undefined
    assert np.isnan(table.loc["belt", "boundary"])
    assert table.loc["top", "missed_segment"] == pytest.approx(20 / 80)
    assert table.loc["top", "false_boundary"] == pytest.approx(5 / 80)


def test_segments_are_sorted_by_size() -> None:
    counts = np.stack(
        [
            image(background_background=9_000, belt_background=15, top_top=900, top_background=85),
            image(background_background=9_000, belt_belt=10, belt_background=5, background_top=985),
        ]
    )
    table = size_counts(counts, (0.01,))
    np.testing.assert_array_equal(table[0], [[0, 15, 0, 0, 1], [900, 85, 0, 1, 0]])
    np.testing.assert_array_equal(table[1], [[10, 5, 0, 1, 0], [0, 0, 0, 0, 0]])
    frame = size_table(counts)
    assert frame["segments"].sum() == 3
    assert frame.loc["0.1–0.2%", "missed"] == pytest.approx(0.5)
    assert frame.loc["0.1–0.2%", "recall"] == pytest.approx(10 / 30)
    assert np.isnan(frame.loc["0–0.1%", "iou"])
    assert small_missed(counts)[0] == pytest.approx(0.5)
    assert pytest.approx(256 / (288 * 192)) == SMALL_SHARE


def test_growth_is_predicted_over_true_area() -> None:
    grown = growth_of(image(top_top=80, top_background=20, skin_top=40, background_belt=5))
    assert grown[TOP - 1] == pytest.approx(1.2)
    assert np.isnan(grown[BELT - 1])
    assert grown[-1] == pytest.approx(1.25)


def test_fineness_pools_the_classes_and_subtracts() -> None:
    outlines = np.zeros((3, 13, 4, 2), np.int64)
    outlines[:, TOP - 1] = [[5, 5], [8, 2], [6, 4], [2, 8]]
    outlines[:, PANTS - 1] = [[15, 5], [8, 2], [6, 4], [2, 8]]
    value, low, high = fineness(outlines, ("top", "pants"), "pixel")
    assert value == low == high == pytest.approx(20 / 30 - 12 / 20)
    table = outline_table(outlines)
    assert table.loc["pants", "found"] == pytest.approx(0.75)
    assert np.isnan(table.loc["belt", "limit"])
