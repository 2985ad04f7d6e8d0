"""Trials side by side, worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from modanet_utils import statistics
from modanet_utils.classes import CLOTHING
from modanet_utils.comparison.tables import (
    all_background,
    changes_texts,
    learned,
    seed_spread,
    spread_texts,
)
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
    assert table["recall"].tolist() == pytest.approx([0.5, 0.6, 0]), "over the one class that is there"
    assert table["precision"].tolist() == pytest.approx([1, 1, np.nan], nan_ok=True)
    texts = compared_texts(table)
    assert texts.loc["combined loss", "against the combined loss"] == "–"
    assert texts.loc["other", "mean IoU"].startswith("0.600")
    assert texts["classes found"].tolist() == ["1", "1", "0, never above background"]
    assert list(compared_texts(table.drop(columns=["headwear_recall", "hair_as_headwear"])).columns) == [
        *("validation", "mean IoU", "against the combined loss", "precision", "mean recall", "classes found")
    ]


def test_seeds_and_photos_are_held_apart() -> None:
    run, other = counts_of([5] * 6), counts_of([3] * 6)
    table = seed_spread({"combined": [run, other], "cross_entropy": [run]})
    row = table.loc["combined"]
    assert (row["lowest"], row["highest"], row["mean_iou"]) == pytest.approx((0.3, 0.5, 0.4))
    assert row["seeds"] == 2 and row["seed_sd"] == pytest.approx(np.std([0.3, 0.5], ddof=1))
    assert row["image_sd"] == 0  # all photos are alike
    assert table.loc["cross_entropy", ["lowest", "highest", "seed_sd"]].isna().all()
    texts = spread_texts(table)
    assert texts.loc["cross-entropy", ["lowest to highest seed", "SD between seeds"]].tolist() == ["–", "–"]
    assert texts.loc["combined loss", ["seeds", "lowest to highest seed"]].tolist() == ["2", "0.300 to 0.500"]


def test_changes_are_shown_with_their_intervals_and_undefined_ones_as_a_dash() -> None:
    table = statistics.compare_trials(counts_of([3, 4, 5] * 2), counts_of([4, 6, 5] * 2))
    texts = changes_texts(table)
    assert list(texts.columns) == ["change of IoU", "p, corrected", "change of precision", "change of recall"]
    assert texts.loc["bag", "change of IoU"].startswith("+0.100 [+0.") and texts.loc["bag", "p, corrected"] != "–"
    assert texts.index.tolist() == ["bag"], "the only class that is there"


@pytest.mark.parametrize(
    ("ious", "state"),
    [
        ([0.0, 0.009, 0.0], "at zero"),
        ([0.0, 0.02, 0.0], "lost"),
        ([0.1, 0.2, 0.25], "still climbing"),
        ([0.1, 0.2, 0.23], "level"),
        ([0.0, 0.0, 0.3], "still climbing"),
    ],
)
def test_states_of_a_class_over_the_epochs(ious: list[float], state: str) -> None:
    curves = pd.DataFrame({name: ious for name in CLOTHING}, index=[1, 2, 3])
    table = learned(curves)
    assert list(table.columns) == [1, 2, 3, "state"] and list(table.index) == list(CLOTHING)
    assert set(table["state"]) == {state}
    assert list(learned(curves.assign(belt=np.nan)).index) == [name for name in CLOTHING if name != "belt"]
