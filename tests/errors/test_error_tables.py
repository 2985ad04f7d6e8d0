"""Flows, leaks, alarms and distances as tables, against counts worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from error_samples import image

from modanet_utils.classes import CLOTHING
from modanet_utils.errors.tables import (
    QUESTIONS,
    alarms,
    answers,
    arithmetic,
    ceiling_table,
    deeper_share,
    depth_table,
    flow_shares,
    hatless,
    largest_flows,
    origins,
    precision_ceiling,
    receivers,
)
from modanet_utils.thresholds import ALARM_SHARE


def test_flows_are_shares_of_the_true_label(after: np.ndarray) -> None:
    shares = flow_shares(after, "truth")
    assert shares.loc["hair", "headwear"] == pytest.approx(32 / 400)
    assert shares.loc["headwear", "background"] == pytest.approx(0.4)
    assert shares.loc["boots"].isna().all()
    np.testing.assert_allclose(shares.sum(axis=1)[["background", "top", "headwear", "hair", "skin"]], 1)


def test_flows_are_shares_of_the_predicted_class(after: np.ndarray) -> None:
    shares = flow_shares(after, "prediction")
    assert shares.loc["hair", "headwear"] == pytest.approx(32 / 104)
    assert shares["boots"].isna().all()
    assert shares["headwear"].sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="'truth' or 'prediction'"):
        flow_shares(after, "row")


def test_the_largest_flows_come_first_and_what_is_right_is_none_of_them(after: np.ndarray) -> None:
    table = largest_flows(after, 3)
    assert list(zip(table["truth"], table["prediction"], strict=True)) == [
        ("headwear", "background"),
        ("hair", "headwear"),
        ("skin", "top"),
    ]
    wrong = 40 + 32 + 30 + 20 + 12
    np.testing.assert_allclose(table["errors"], [40 / wrong, 32 / wrong, 30 / wrong])
    np.testing.assert_allclose(table["of_truth"], [40 / 100, 32 / 400, 30 / 200])
    np.testing.assert_allclose(table["of_prediction"][1:], [32 / 104, 30 / 210])
    hair = table.iloc[1]
    assert hair["of_truth_low"] < hair["of_truth"] < hair["of_truth_high"]


def test_without_errors_there_are_no_flows() -> None:
    assert largest_flows(np.stack([image(top_top=5, skin_background=3)] * 3)).empty


def test_origins_are_shares_of_the_false_positives(trials: dict[str, np.ndarray]) -> None:
    table = origins(trials)
    assert "headwear" not in table.index
    assert table["cross-entropy"].isna().all()
    assert table.loc["hair", "combined loss"] == pytest.approx(32 / 44)
    assert table.loc["background", "combined loss"] == pytest.approx(12 / 44)
    assert table.loc["hair", "if spread evenly"] == pytest.approx(400 / 29_900)


def test_receivers_are_shares_of_all_skin(after: np.ndarray) -> None:
    table = receivers(after)
    assert list(table.index) == list(CLOTHING)
    assert table.loc["top", "share"] == pytest.approx(30 / 200)
    assert table["share"].sum() == pytest.approx(30 / 200)


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


def test_the_ceiling_is_that_of_the_protocol() -> None:
    # Hair with 13 times the pixels, a recall of 0.6 and a leak of 1%.
    assert precision_ceiling(0.01, 0.6, 13) == pytest.approx(0.6 / 0.73)
    assert precision_ceiling(0, 0.6, 13) == 1
    assert np.isnan(precision_ceiling(0, 0, 13))
    table = ceiling_table(13, [0.01, 0.1], [0.6])
    np.testing.assert_allclose(table[0.6], [0.6 / 0.73, 0.6 / 1.9])


def test_precision_is_taken_apart(trials: dict[str, np.ndarray]) -> None:
    table = arithmetic(trials)
    found = table.loc["combined loss"]
    assert found["times"] == 4
    assert found["recall"] == pytest.approx(0.6)
    assert found["leak"] == pytest.approx(0.08)
    assert found["ceiling"] == pytest.approx(60 / 92)
    assert found["precision"] == pytest.approx(60 / 104)
    assert found["without_hair"] == pytest.approx(60 / 72)
    assert table.loc["cross-entropy", ["ceiling", "precision", "without_hair"]].isna().all()


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
