"""Composed people: counts of a known network, and a table worked out by hand."""

import numpy as np
import pytest
from error_samples import make_stage

from modanet_utils.classes import CLASSES
from modanet_utils.errors.causes.pasting import OVERLAPS, crowd_counts, crowd_table
from modanet_utils.errors.causes.stage import Stage

TOP = CLASSES.index("top")


@pytest.fixture(scope="module")
def stage() -> Stage:
    return make_stage()


def test_composed_people_are_scored_on_their_own_pixels(stage: Stage) -> None:
    counts = crowd_counts(stage, 2, quiet=True)
    assert counts.shape == (2, 3, 5, 16, 14)
    pixels = counts.sum(axis=(3, 4))
    assert (pixels[:, :, 0] == pixels[:, :, 1]).all() and (pixels[:, :, 0] == pixels[:, :, 2]).all()
    assert (pixels[:, :, 3] == pixels[:, :, 4]).all()
    truths = counts.sum(axis=-1)
    np.testing.assert_array_equal(truths[:, :, 0], truths[:, :, 1])
    assert not truths[..., 0].any()  # no background
    assert (np.diff(pixels[:, :, 0], axis=1) < 0).all()  # less and less of the rear person is seen
    table = crowd_table(counts)
    assert list(table.index) == list(OVERLAPS)
    assert (table[["rear", "front", "both", "silhouette", "person"]] == 0).all(
        axis=None
    )  # a network that sees no context does not mind


def test_the_crowd_table_compares_the_same_pixels() -> None:
    counts = np.zeros((3, 3, 5, 16, 14), np.int64)
    counts[..., TOP, TOP] = np.array([80, 40, 60, 90, 90])
    counts[..., TOP, 0] = np.array([20, 60, 40, 10, 10])
    table = crowd_table(counts)
    row = table.iloc[0]
    assert row["alone"] == pytest.approx(170 / 200) and row["together"] == pytest.approx(130 / 200)
    assert row["rear"] == pytest.approx(-0.4) and row["front"] == 0
    assert row["silhouette"] == pytest.approx(-0.2) and row["person"] == pytest.approx(-0.2)
