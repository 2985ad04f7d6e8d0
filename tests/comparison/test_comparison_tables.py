"""Trials side by side, worked out by hand."""

import numpy as np
import pytest

from modanet_utils import metrics, statistics
from modanet_utils.classes import CLOTHING
from modanet_utils.comparison.tables import (
    CELLS,
    all_background,
    baseline,
    seed_spread,
    two_by_two,
)
from modanet_utils.comparison.text import changed
from modanet_utils.results.compared import compared, compared_texts


def counts_of(hits: list[int]) -> np.ndarray:
    """Counts in which class 1 has these hits of 10 pixels, one number an image, the rest called background."""
    counts = np.zeros((len(hits), 16, 14), np.int64)
    counts[:, 0, 0] = 90
    counts[:, 1, 1] = hits
    counts[:, 1, 0] = 10 - np.array(hits)
    return counts


def test_trials_are_compared_on_the_same_images() -> None:
    counts = {"combined": counts_of([5] * 6), "other": counts_of([6, 6, 6, 6, 6, 6]), "none": counts_of([0] * 6)}
    table = compared(counts, {"other": 0.7})
    assert table.loc["other", "validation"] == 0.7 and np.isnan(table.loc["none", "validation"])
    assert np.array_equal(all_background(counts["other"]), counts["none"])
    assert table["mean_iou"].tolist() == pytest.approx([0.5, 0.6, 0.0])
    assert np.isnan(table.loc["combined", "change"])
    assert table.loc["other", "change"] == pytest.approx(0.1)
    assert table["found"].tolist() == [1, 1, 0]
    assert table["recall"].tolist() == pytest.approx([0.5, 0.6, 0])  # of the one class that is there
    assert table["precision"].tolist() == pytest.approx([1, 1, np.nan], nan_ok=True)
    texts = compared_texts(table)
    assert texts.loc["combined loss", "against the combined loss"] == "–"
    assert texts.loc["other", "mean IoU"].startswith("0.600")
    assert texts["classes found"].tolist() == ["1", "1", "0, never above background"]
    assert list(compared_texts(table.drop(columns=["hair_as_headwear"])).columns) == [
        *("mean IoU", "against the combined loss", "precision", "classes found")
    ]


def test_seeds_and_photos_are_held_apart() -> None:
    run, other = counts_of([5] * 6), counts_of([3] * 6)
    table = seed_spread({"combined": [run, other], "cross_entropy": [run]})
    row = table.loc["combined"]
    assert (row["lowest"], row["highest"], row["mean_iou"]) == pytest.approx((0.3, 0.5, 0.4))
    assert row["seeds"] == 2 and row["seed_sd"] == pytest.approx(np.std([0.3, 0.5], ddof=1))
    assert row["image_sd"] == 0  # all photos are alike
    assert table.loc["cross_entropy", ["lowest", "highest", "seed_sd"]].isna().all()


def test_loss_and_weights_are_averaged_over_each_other() -> None:
    counts = {name: counts_of([hits] * 6) for hits, name in zip((2, 3, 5, 4), CELLS.values(), strict=True)}
    found = two_by_two(counts)
    assert [cell["mean_iou"] for cell in found["cells"]] == pytest.approx([0.2, 0.3, 0.5, 0.4])
    assert found["effects"]["loss"]["mean_iou"] == pytest.approx((0.5 - 0.2 + 0.4 - 0.3) / 2)
    assert found["effects"]["weights"]["mean_iou"] == pytest.approx((0.3 - 0.2 + 0.4 - 0.5) / 2, abs=1e-12)
    assert found["classes"]["loss"]["bag"]["iou"] == pytest.approx(0.2) and set(found["classes"]["loss"]) == set(
        CLOTHING
    )
    assert two_by_two({"combined": counts["combined"]}) == {}


def test_classes_that_change_clearly_are_named() -> None:
    before, after = counts_of([3, 4, 5] * 4), counts_of([4, 6, 6] * 4)
    assert "clearly higher in: bag; clearly lower in: none." in changed(statistics.compare_trials(before, after)).data
    assert "clearly higher in: none; clearly lower in: bag." in changed(statistics.compare_trials(after, before)).data


def test_a_class_is_mostly_called_what_takes_most_of_its_pixels() -> None:
    counts = counts_of([0] * 6)
    counts[:, 2, 8], counts[:, 2, 2] = 3, 1
    test = statistics.test_summary(counts)
    shares = np.array([0.9, 0.01, 0.05, *[0.001] * 11])
    table = baseline(test, test, counts.sum(axis=0), shares)
    assert list(table.index[:2]) == ["belt (6)", "bag (6)"] and table.index[-1] == "mean"
    assert table.loc[["bag (6)", "belt (6)"], "mostly called instead"].tolist() == ["background (100%)", "pants (75%)"]
    assert not table.index.str.startswith("boots").any(), "neither there nor predicted"
    mean = f"{metrics.clothing_mean_iou(counts.sum(axis=0)):.3f}"
    assert table.loc["mean", "IoU after logit adjustment"] == mean and table.loc["belt (6)", "recall"] == "0.250"
