"""Errors: flows, leaks, alarms, distances and chosen cases, against counts and pictures worked out by hand."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.display import Markdown

from modanet_utils import errors, metrics, plots
from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, CLOTHING, HAIR, HEADWEAR, IGNORE, LABELS, SKIN
from modanet_utils.results import check_results, plain

TOP = CLASSES.index("top")
DRESS = CLASSES.index("dress")
EMPTY = np.zeros((len(LABELS), len(CLASSES)), np.int64)


def image(**flows: int) -> np.ndarray:
    """Counts of one image; ``hair_headwear=8`` are eight pixels of hair called headwear."""
    counts = EMPTY.copy()
    for flow, pixels in flows.items():
        truth, prediction = flow.split("_")
        counts[LABELS.index(truth), CLASSES.index(prediction)] = pixels
    return counts


@pytest.fixture
def before() -> np.ndarray:
    """Three images (10,000 pixels each) of a trial that never says headwear; the second shows some."""
    return np.stack(
        [
            image(background_background=9500, top_top=200, hair_background=200, skin_background=90, skin_top=10),
            image(background_background=9700, headwear_background=100, hair_background=150, skin_background=50),
            image(background_background=9900, hair_background=50, skin_background=50),
        ]
    )


@pytest.fixture
def after() -> np.ndarray:
    """The same images by a trial that says headwear too often."""
    return np.stack(
        [
            image(background_background=9490, background_headwear=10, top_top=180, top_dress=20)
            + image(hair_background=180, hair_headwear=20, skin_background=70, skin_top=30),
            image(background_background=9700, headwear_headwear=60, headwear_background=40)
            + image(hair_background=140, hair_headwear=10, skin_background=50),
            image(background_background=9898, background_headwear=2, hair_background=48, hair_headwear=2)
            + image(skin_background=50),
        ]
    )


@pytest.fixture
def trials(before: np.ndarray, after: np.ndarray) -> dict[str, np.ndarray]:
    return {"cross-entropy": before, "combined loss": after}


def scan_of(counts: np.ndarray, called: int) -> errors.Scan:
    """A scan of three images in which a tenth of the skin lies deep, and ``called`` of it is called clothing."""
    depth = np.zeros((3, len(errors.EDGES) + 1, 2), np.int64)
    depth[:, 0], depth[:, 5] = (80, 10), (10 - called, called)
    coarse = np.stack([depth[:, :5].sum(axis=1), depth[:, 5]], axis=1)
    nothing = np.stack([depth.sum(axis=2), 0 * depth.sum(axis=2)], axis=2)
    limit = errors.Places(counts, nothing, np.stack([coarse.sum(axis=2), 0 * coarse.sum(axis=2)], axis=2))
    return errors.Scan(errors.Places(counts, depth, coarse), limit, {})


# ------------------------------------------------------------------------------------------- flows


def test_flows_are_shares_of_the_true_label(after: np.ndarray) -> None:
    shares = errors.flow_shares(after, "truth")
    assert shares.loc["hair", "headwear"] == pytest.approx(32 / 400)
    assert shares.loc["headwear", "background"] == pytest.approx(0.4)
    assert shares.loc["boots"].isna().all()
    np.testing.assert_allclose(shares.sum(axis=1)[["background", "top", "headwear", "hair", "skin"]], 1)


def test_flows_are_shares_of_the_predicted_class(after: np.ndarray) -> None:
    shares = errors.flow_shares(after, "prediction")
    assert shares.loc["hair", "headwear"] == pytest.approx(32 / 104)
    assert shares["boots"].isna().all()
    assert shares["headwear"].sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="'truth' or 'prediction'"):
        errors.flow_shares(after, "row")


def test_the_largest_flows_come_first_and_what_is_right_is_none_of_them(after: np.ndarray) -> None:
    table = errors.largest_flows(after, 3)
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
    assert errors.largest_flows(np.stack([image(top_top=5, skin_background=3)] * 3)).empty


def test_origins_are_shares_of_the_false_positives(trials: dict[str, np.ndarray]) -> None:
    table = errors.origins(trials)
    assert "headwear" not in table.index
    assert table["cross-entropy"].isna().all()
    assert table.loc["hair", "combined loss"] == pytest.approx(32 / 44)
    assert table.loc["background", "combined loss"] == pytest.approx(12 / 44)
    assert table.loc["hair", "if spread evenly"] == pytest.approx(400 / 29_900)


def test_receivers_are_shares_of_all_skin(after: np.ndarray) -> None:
    table = errors.receivers(after)
    assert list(table.index) == list(CLOTHING)
    assert table.loc["top", "share"] == pytest.approx(30 / 200)
    assert table["share"].sum() == pytest.approx(30 / 200)


# ---------------------------------------------------------------------------------------- questions


def test_images_with_headwear_are_emptied_but_stay(after: np.ndarray) -> None:
    kept = errors.hatless(after)
    assert kept.shape == after.shape
    assert kept[1].sum() == 0
    np.testing.assert_array_equal(kept[[0, 2]], after[[0, 2]])


def test_alarms_count_images(after: np.ndarray) -> None:
    # 30 of 10,000 pixels are an alarm, 4 are none; 60 of 100 pixels are found.
    np.testing.assert_array_equal(errors.alarms(after), [[[0, 1], [0, 0]], [[0, 0], [0, 1]], [[1, 0], [0, 0]]])


def test_an_alarm_and_a_find_begin_at_their_thresholds() -> None:
    at = round(errors.ALARM_SHARE * 10_000)
    for pixels, alarmed in ((at - 1, 0), (at, 1)):
        counts = image(background_background=10_000 - pixels, background_headwear=pixels)[None]
        assert errors.alarms(counts)[0, 0].argmax() == alarmed
    for pixels, found in ((9, 0), (10, 1)):
        counts = image(headwear_headwear=pixels, headwear_background=100 - pixels)[None]
        assert errors.alarms(counts)[0, 1].argmax() == found


def test_questions_are_answered_for_both_trials(before: np.ndarray, after: np.ndarray) -> None:
    table = errors.answers(before, after, before)
    assert list(table.index) == list(errors.QUESTIONS)
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
    assert errors.answers(before, after)["limit"].isna().all()


def test_without_hair_in_the_truth_nothing_is_said_of_it() -> None:
    counts = np.stack([image(background_background=90, background_headwear=10)] * 3)
    table = errors.answers(counts, counts)
    hair = [name for name in errors.QUESTIONS if "hair" in name]
    assert table.loc[hair, ["before", "after", "difference"]].isna().all(axis=None)


# --------------------------------------------------------------------------------------- arithmetic


def test_the_ceiling_is_that_of_the_protocol() -> None:
    # Hair with 13 times the pixels, a recall of 0.6 and a leak of 1%.
    assert errors.precision_ceiling(0.01, 0.6, 13) == pytest.approx(0.6 / 0.73)
    assert errors.precision_ceiling(0, 0.6, 13) == 1
    assert np.isnan(errors.precision_ceiling(0, 0, 13))
    table = errors.ceiling_table(13, [0.01, 0.1], [0.6])
    np.testing.assert_allclose(table[0.6], [0.6 / 0.73, 0.6 / 1.9])


def test_precision_is_taken_apart(trials: dict[str, np.ndarray]) -> None:
    table = errors.arithmetic(trials)
    found = table.loc["combined loss"]
    assert found["times"] == 4
    assert found["recall"] == pytest.approx(0.6)
    assert found["leak"] == pytest.approx(0.08)
    assert found["ceiling"] == pytest.approx(60 / 92)
    assert found["precision"] == pytest.approx(60 / 104)
    assert found["without_hair"] == pytest.approx(60 / 72)
    assert table.loc["cross-entropy", ["ceiling", "precision", "without_hair"]].isna().all()


# ------------------------------------------------------------------------------------ where in the picture


def test_skin_is_counted_by_distance() -> None:
    truth = np.full((1, 12), SKIN, np.uint8)
    truth[0, 0] = TOP
    prediction = np.zeros((1, 12), np.uint8)
    prediction[0, [1, 5]] = TOP  # at distances 1 and 5
    # Distances 1 to 11: two up to 2, two up to 4, four up to 8, three beyond.
    np.testing.assert_array_equal(errors.depth_counts(truth, prediction, (2, 4, 8)), [[1, 1], [2, 0], [3, 1], [3, 0]])


def test_distance_is_straight_and_hair_or_ignored_pixels_are_no_clothing() -> None:
    truth = np.full((5, 5), SKIN, np.uint8)
    truth[0, 0], truth[4, 4], truth[4, 3] = DRESS, HAIR, IGNORE
    called = np.full((5, 5), TOP, np.uint8)
    counts = errors.depth_counts(truth, called, (2, np.sqrt(8)))
    # Up to 2: (0,1), (0,2), (1,0), (2,0), (1,1); up to the diagonal: (1,2), (2,1), (2,2).
    np.testing.assert_array_equal(counts[:, 1], [5, 3, 22 - 8])


def test_without_clothing_all_skin_is_far_away() -> None:
    truth = np.full((2, 3), SKIN, np.uint8)
    np.testing.assert_array_equal(errors.depth_counts(truth, truth * 0, (2,)), [[0, 0], [6, 0]])


def test_the_table_of_distances() -> None:
    depth = np.zeros((3, 3, 2), np.int64)
    depth[:, 0], depth[:, 1] = (6, 4), (9, 1)
    table = errors.depth_table(depth, (2, 4))
    assert list(table.index) == ["0 to 2", "2 to 4", "over 4"]
    np.testing.assert_allclose(table["skin"], [0.5, 0.5, 0])
    np.testing.assert_allclose(table["called"], [0.8, 0.2, 0])
    np.testing.assert_allclose(table["rate"], [0.4, 0.1, np.nan])
    assert errors.deeper_share(depth.sum(axis=0)) == pytest.approx(0.2)
    assert np.isnan(errors.deeper_share(0 * depth[0]))


def test_resolution_keeps_what_is_large_and_loses_what_is_small() -> None:
    truth = np.zeros((64, 64), np.uint8)
    truth[:, 32:], truth[10, 10], truth[40:, :16] = TOP, DRESS, HAIR
    limit = errors.resolution_limit(truth, Letterbox(32, 32))
    assert limit.shape == truth.shape and limit.dtype == np.uint8
    assert set(np.unique(limit)) <= {0, TOP, DRESS}
    assert (limit[:, 34:] == TOP).all() and (limit[20:, :30] == 0).all()
    whole = np.where(truth < len(CLASSES), truth, 0)
    np.testing.assert_array_equal(errors.resolution_limit(truth, Letterbox(64, 64)), whole)


def test_a_scan_that_counts_otherwise_says_by_how_much(after: np.ndarray) -> None:
    seen, other = scan_of(after, 5), after.copy()
    assert seen.changed(after) == 0
    other[0, 0, 0] -= 300
    other[0, 0, TOP] += 300
    assert seen.changed(other) == pytest.approx(0.01)


# -------------------------------------------------------------------------------------------- cases


def test_every_kind_of_error_has_its_place() -> None:
    truth = np.array([[TOP, TOP, TOP, 0, HAIR, SKIN, IGNORE, SKIN]], np.uint8)
    prediction = np.array([[TOP, 0, DRESS, TOP, HEADWEAR, TOP, TOP, 0]], np.uint8)
    np.testing.assert_array_equal(errors.error_map(truth, prediction), [[0, 1, 2, 3, 4, 5, 6, 0]])
    assert len(errors.ERROR_KINDS) == 7


def test_an_image_is_judged_by_the_classes_it_shows(after: np.ndarray) -> None:
    scores = errors.image_mean_iou(after)
    np.testing.assert_allclose(scores[:2], [180 / 230, 60 / 110])
    assert np.isnan(scores[2])
    assert np.nanmean(scores) == pytest.approx(metrics.mean_iou_per_image(after))


def test_cases_are_chosen_by_rule(before: np.ndarray, after: np.ndarray) -> None:
    cases = errors.choose_cases([7, 5, 9], after, number=2, seed=3)
    assert cases.worst == [5, 7]
    assert cases.hair == [7, 5]
    assert len(set(cases.random)) == 2 and set(cases.random) <= {7, 5, 9}
    assert cases.all == errors.choose_cases([7, 5, 9], after, number=2, seed=3).all
    assert cases.all == sorted({5, 7, *cases.random})
    assert errors.choose_cases([7, 5, 9], before, number=5).hair == []
    assert errors.choose_cases([7, 5, 9], after, number=5).worst == [5, 7]  # the third shows no clothing


# ------------------------------------------------------------------------------------------- report


@pytest.fixture
def table(before: np.ndarray, after: np.ndarray) -> pd.DataFrame:
    deeper = errors.skin_deeper(scan_of(before, 0), scan_of(after, 10))
    return pd.concat([errors.answers(before, after, before), deeper])


def test_skin_beyond_an_edge(table: pd.DataFrame) -> None:
    for name in ("skin_deeper", "skin_deeper_coarse"):
        assert table.loc[name, "before"] == 0
        assert table.loc[name, "after"] == pytest.approx(0.5)
        assert table.loc[name, "difference"] == pytest.approx(0.5)
        assert np.isnan(table.loc[name, "limit"])  # nothing is called clothing at all


def test_claims_get_their_verdict_from_the_interval(table: pd.DataFrame) -> None:
    for claim in errors.CLAIMS:
        table.loc[claim.row, [claim.column + end for end in ("", "_low", "_high")]] = claim.above + np.array([2, 1, 3])
    assert {claim["verdict"] for claim in errors.claims(table)} == {"supported"}
    table.loc["hair_as_headwear", ["after_low", "after_high"]] = 0.005, 0.02
    table.loc["skin_as_clothing", ["after_low", "after_high"]] = 0.01, 0.04
    table.loc["skin_deeper", ["after", "after_low", "after_high"]] = np.nan
    verdicts = {claim["id"]: claim["verdict"] for claim in errors.claims(table)}
    assert verdicts["hair-as-headwear"] == "inconclusive"
    assert verdicts["skin-as-clothing"] == "refuted"
    assert verdicts["skin-beyond-the-edge"] == "inconclusive"
    assert len(verdicts) == len(errors.CLAIMS)
    assert errors.THRESHOLDS.keys() < set(table.index)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0.0212, 0.0149, 0.0288), "2.1% [1.5, 2.9]"),
        ((0.5, None, None), "50.0%"),
        ((0.5, np.nan, np.nan), "50.0%"),
        ((-0.02, -0.03, 0.01, "+"), "-2.0% [-3.0, +1.0]"),
        ((np.nan, 0.1, 0.2), "–"),
        ((None,), "–"),
    ],
)
def test_percentages_are_texts(arguments: tuple, text: str) -> None:
    assert errors.percent(*arguments) == text


def test_what_is_recorded_is_read_as_it_was_written(trials: dict[str, np.ndarray], table: pd.DataFrame) -> None:
    named = dict(zip(("cross_entropy", "combined"), trials.values(), strict=True))
    depths = {name: scan_of(counts, 5).found.depth for name, counts in named.items()}
    found = plain(errors.summary(named, table, depths, number=3))
    assert found["counts"]["combined"][HAIR][HEADWEAR] == 32
    assert found["answers"]["headwear_false_positives_on_hair"]["before"] is None
    assert found["arithmetic"]["combined"]["times"] == 4
    assert found["skin_by_distance"]["combined"][0]["pixels from clothing"] == "0 to 2"
    dataset = {"name": "tiny", "images": 3, "fingerprint": "f", "split": {"train": 0, "val": 0, "test": 3}}
    dataset["class_share"] = dict.fromkeys(CLASSES, 1 / 14)
    results = {"dataset": dataset, "errors": found}
    check_results(results, complete=False)
    pd.testing.assert_frame_equal(errors.recorded_answers(results), errors.answers_texts(table))
    flows = errors.flows_texts(errors.largest_flows(named["combined"], 3))
    pd.testing.assert_frame_equal(errors.recorded_flows(results, "combined"), flows)
    text = errors.answer(results).data
    assert "8.0%" in text and "72.7%" in text and "3 test images" in text


def test_without_a_record_that_is_said() -> None:
    assert "nothing is recorded yet" in errors.answer({}).data
    for shown in (errors.recorded_answers({}), errors.recorded_flows({}, "combined")):
        assert isinstance(shown, Markdown) and shown.data.startswith("Nothing is recorded")


def test_figures_bear_what_is_undefined(trials: dict[str, np.ndarray], table: pd.DataFrame) -> None:
    """A trial without headwear, a label nobody shows, a choice of cases that is empty."""
    truth = np.full((6, 4), SKIN, np.uint8)
    nothing = {name: 0 * scan_of(counts, 0).found.depth for name, counts in trials.items()}
    figures = [
        plots.flow_maps({name: errors.flow_shares(c, "prediction") for name, c in trials.items()}, "flows"),
        plots.answer_dots(table, errors.THRESHOLDS, "answers"),
        plots.answer_dots(table.assign(before=np.nan, after=np.nan, limit=np.nan), {}, "no answers"),
        plots.origin_bars(errors.origins(trials), "origins"),
        plots.ceiling_curves(errors.arithmetic(trials), "ceilings"),
        plots.ceiling_curves(errors.arithmetic({"cross-entropy": trials["cross-entropy"]}), "no ceiling"),
        plots.skin_panels(
            {name: errors.receivers(c) for name, c in trials.items()},
            {name: errors.depth_table(d) for name, d in nothing.items()},
            "skin",
        ),
        plots.case_gallery({"worst": [1], "none": []}, {1: (None, truth, truth * 0)}, {1: 0.5}, "cases"),
        plots.case_gallery({"none": []}, {}, {}, "no cases"),
    ]
    for figure in figures:
        figure.canvas.draw()
        plt.close(figure)
