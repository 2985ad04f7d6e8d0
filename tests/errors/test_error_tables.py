"""Confusions, shares, alarms and distances as tables, against counts worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from error_samples import image

from modanet_utils.classes import HEADWEAR, LABELS
from modanet_utils.errors.tables import (
    QUESTIONS,
    alarms,
    answers,
    deeper_share,
    depth_table,
    hatless,
    origins,
    wrong_pixels,
)
from modanet_utils.thresholds import ALARM_SHARE


def test_wrong_pixels_leave_out_what_is_right(after: np.ndarray) -> None:
    """Hair and skin are rightly called background."""
    wrong = wrong_pixels(after.sum(axis=0))
    assert wrong.sum() == 40 + 32 + 30 + 20 + 12
    assert wrong[LABELS.index("hair"), HEADWEAR] == 32 and wrong[LABELS.index("hair"), 0] == 0
    assert not wrong_pixels(image(top_top=5, skin_background=3)).any()


def test_origins_are_shares_of_the_false_positives(before: np.ndarray, after: np.ndarray) -> None:
    table = origins(after.sum(axis=0))
    assert "headwear" not in table.index
    assert table.loc["hair", "false"] == pytest.approx(32 / 44)
    assert table.loc["background", "false"] == pytest.approx(12 / 44)
    assert table.loc["hair", "all"] == pytest.approx(400 / 29_900)
    assert origins(before.sum(axis=0))["false"].isna().all()


def test_images_with_headwear_are_emptied_but_stay(after: np.ndarray) -> None:
    kept = hatless(after)
    assert kept.shape == after.shape
    assert kept[1].sum() == 0
    np.testing.assert_array_equal(kept[[0, 2]], after[[0, 2]])


def test_alarms_count_images(after: np.ndarray) -> None:
    # 30 of 10,000 pixels are an alarm, 4 are none; 60 of 100 pixels are found.
    np.testing.assert_array_equal(alarms(after), [[[0, 1], [0, 0]], [[0, 0], [0, 1]], [[1, 0], [0, 0]]])


def test_an_alarm_and_a_find_begin_at_their_thresholds() -> None:
    at = round(ALARM_SHARE * 10_000)
    for pixels, alarmed in ((at - 1, 0), (at, 1)):
        counts = image(background_background=10_000 - pixels, background_headwear=pixels)[None]
        assert alarms(counts)[0, 0].argmax() == alarmed
    for pixels, found in ((9, 0), (10, 1)):
        counts = image(headwear_headwear=pixels, headwear_background=100 - pixels)[None]
        assert alarms(counts)[0, 1].argmax() == found


def test_questions_are_answered_for_both_trials(before: np.ndarray, after: np.ndarray) -> None:
    table = answers(before, after, before)
    assert list(table.index) == list(QUESTIONS)
    expected = {
        "hair_as_headwear": (0, 32 / 400),
        "hair_as_headwear_hatless": (0, 22 / 250),
        "hair_as_clothing": (0, 32 / 400),
        "headwear_false_positives_on_hair": (np.nan, 32 / 44),
        "headwear_missed": (1, 0.4),
        "headwear_unseen": (1, 0),
        "headwear_alarms": (0, 0.5),
        "skin_as_clothing": (10 / 200, 30 / 200),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(table.loc[name, ["before", "after"]].astype(float), values, err_msg=name)
        np.testing.assert_allclose(table.loc[name, "difference"], values[1] - values[0], err_msg=name)
    np.testing.assert_allclose(table["limit"], table["before"])


def test_without_hair_in_the_truth_nothing_is_said_of_it() -> None:
    counts = np.stack([image(background_background=90, background_headwear=10)] * 3)
    table = answers(counts, counts, counts)
    hair = [name for name in QUESTIONS if "hair" in name]
    assert table.loc[hair, ["before", "after", "difference"]].isna().all(axis=None)


def test_the_table_of_distances() -> None:
    depth = np.zeros((3, 3, 2), np.int64)
    depth[:, 0], depth[:, 1] = (6, 4), (9, 1)
    table = depth_table(depth, (2, 4))
    assert list(table.index) == ["0 to 2", "2 to 4", "over 4"]
    np.testing.assert_allclose(table["skin"], [0.5, 0.5, 0])
    np.testing.assert_allclose(table["called"], [0.8, 0.2, 0])
    np.testing.assert_allclose(table["rate"], [0.4, 0.1, np.nan])
    assert deeper_share(depth.sum(axis=0)) == pytest.approx(0.2)
    assert np.isnan(deeper_share(0 * depth[0]))


def test_skin_beyond_an_edge(table: pd.DataFrame) -> None:
    for name in ("skin_deeper", "skin_deeper_coarse"):
        assert table.loc[name, "before"] == 0
        assert table.loc[name, "after"] == pytest.approx(0.5)
        assert table.loc[name, "difference"] == pytest.approx(0.5)
        assert np.isnan(table.loc[name, "limit"])  # nothing is called clothing at all
