"""Figures of trials: titles that follow from the numbers, and classes that are missing."""

import copy
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from modanet_utils import statistics
from modanet_utils.classes import CLOTHING
from modanet_utils.comparison.plots import (
    class_dots,
    effect_dots,
    learning_curves,
    opening_combined,
    opening_cross_entropy,
    trade_offs,
    trial_dots,
)
from modanet_utils.results.compared import compared
from modanet_utils.trials import TrialConfig


def counts() -> np.ndarray:
    """Bags are found, belts missed, boots made up, all else absent from the truth."""
    stack = np.zeros((5, 16, 14), np.int64)
    stack[:, 0, 0], stack[:, 0, 3] = 80, 4
    stack[:, 1, 1], stack[:, 1, 0] = 8, 2
    stack[:, 2, 0] = 6
    return stack


def closed(drawn: Any) -> str:
    """The title, which the alternative text ends with; the figure is drawn and closed."""
    figure, alt = drawn
    figure.canvas.draw()
    plt.close(figure)
    title = figure.get_suptitle().replace("\n", " ") or figure.axes[0].get_title(loc="left")
    assert alt.endswith(f"{title}.")
    return title


def results_of(*trials: str, hits: int = 8) -> dict[str, Any]:
    """Recorded trials: belts are at zero and bags are found; in those named with "combined" belts are found, too."""
    found = {}
    for name in trials:
        own = counts()
        if "combined" in name:
            own[:, 2, 2], own[:, 2, 0] = hits, 6
        found[name] = {"test": statistics.test_summary(own), "epochs": 45 if "long" in name else 15}
    return {"trials": found, "dataset": {"class_share": {name: 0.01 for name in CLOTHING}}}


def test_curves_name_what_is_found_late_and_what_never_is() -> None:
    curves = pd.DataFrame({name: [0.0, 0.0, 0.0] for name in CLOTHING}, index=[1, 2, 3])
    curves["bag"], curves["top"] = [0.2, 0.3, 0.4], [0.1, 0.0, 0.3]
    other = curves.assign(belt=[0.0, 0.1, 0.1])
    drawn = learning_curves([curves, other])
    said = [text.get_text() for text in drawn[0].axes[0].texts]
    assert said[:3] == ["belt (thin)", "top", "bag"], "what another training finds is named, too"
    assert said[3].startswith("at zero at the end of this training: belt, boots")
    assert closed(drawn) == "Top is found for good only after epoch 2; 11 of 13 classes end at zero in this training"
    assert "(thin)" not in learning_curves([curves, curves])[0].axes[0].texts[0].get_text()
    curves[:], curves["belt"] = 0.5, 0.0
    assert closed(learning_curves([curves])) == "1 of 13 classes ends at zero in this training"
    curves[:] = 0.5
    assert closed(learning_curves([curves])) == "0 of 13 classes end at zero in this training"


def test_the_picture_of_cross_entropy_counts_zeros_over_trainings_and_lengths() -> None:
    results = results_of("cross_entropy", "cross_entropy-seed1", "cross_entropy_long")
    assert (
        closed(opening_cross_entropy(results))
        == "Cross-entropy: 1 of 13 classes is at zero after 15 epochs, 1 after 45"
    )
    results["trials"]["cross_entropy-seed1"]["test"]["classes"]["belt"]["iou"] = 0.5
    del results["trials"]["cross_entropy_long"]
    drawn = opening_cross_entropy(results)
    (ticks,) = [line for line in drawn[0].axes[0].lines if line.get_marker() == "|"]
    assert 0.5 in ticks.get_xdata() and "ticks: further trainings" in drawn[0].axes[0].get_xlabel()
    assert closed(drawn) == "Cross-entropy: 0 or 1 of 13 classes are at zero after 15 epochs"


def test_the_picture_of_the_combined_loss_names_what_comes_back() -> None:
    results = results_of("cross_entropy", "combined")
    title = "The combined loss brings back 1 of 1 classes at zero, 1 with the whole interval above 0.01"
    drawn = opening_combined(results)
    assert "back are belt, clearly belt." in drawn[1] and closed(drawn) == title
    results["trials"]["combined"]["test"]["classes"]["belt"]["iou_interval"] = [0.01, 0.9]
    assert closed(opening_combined(results)) == title.replace("1 with", "0 with")
    none = opening_combined(results_of("cross_entropy", "combined", hits=0))
    assert closed(none) == "The combined loss brings back 0 of 1 classes at zero"
    assert opening_combined(results_of("cross_entropy")) is None
    results = results_of("cross_entropy", "own_loss", "combined")
    results["trials"]["own_loss"]["config"] = TrialConfig(loss="focal").plain()
    assert "your loss" not in opening_combined(results)[1], "recorded earlier, and not compared now"
    results["comparison"] = {"trials": {"own_loss": {}}}
    drawn = opening_combined(results)
    assert "0.267 for cross-entropy, 0.267 for your loss, 0.457 for combined loss" in drawn[1]
    assert closed(drawn) == title


def test_effects_count_the_classes_that_change_clearly() -> None:
    def factor(low: float, high: float) -> dict[str, dict[str, float]]:
        return {name: {"iou": (low + high) / 2, "iou_low": low, "iou_high": high} for name in CLOTHING}

    found = {"classes": {"loss": factor(0.1, 0.2), "weights": factor(-0.2, 0.1)}}
    title = "Of 13 classes the loss clearly raises 13 and lowers 0; the weights raise 0 and lower "
    assert closed(effect_dots(found, list(CLOTHING))) == f"{title}0"
    for name in ("dress", "belt"):
        found["classes"]["weights"][name]["iou_high"] = -0.1
    assert closed(effect_dots(found, list(CLOTHING))) == f"{title}2 (belt and dress)"


def test_trade_offs_show_what_moves_and_count_what_lies_beyond() -> None:
    test = statistics.test_summary(counts())
    curve = {"precision": np.full((3, 14), 0.5), "recall": np.full((3, 14), 0.5)}
    curve["recall"][:, [1, 3, 5, 7]] = [[0.1], [0.2], [0.9]]
    drawn = trade_offs(curve, 1, (0.0, 0.5, 1.0), {"cross-entropy": test})
    # The commonest in the truth on top: bags are there, the others are not.
    assert [axis.get_title(loc="left") for axis in drawn[0].axes] == ["bag", "boots", "outer", "sunglasses"]
    # Bags have a precision of 1; belts are never predicted, boots are nowhere in the truth.
    title = "In 1 of 2 classes the cross-entropy lies beyond what logit adjustment reaches"
    assert closed(drawn) == title
    own = counts()
    own[0, 1, 1], own[0, 1, 0], own[1, 0, 1] = 4, 6, 4  # recall 0.72, precision 0.9: both vary over the photos
    given = curve, 1, (0.0, 0.5, 1.0), {"cross-entropy": statistics.test_summary(own)}
    drawn = trade_offs(*given, {"cross-entropy": own})
    cross = next(line for line in drawn[0].axes[0].lines if len(line.get_xdata()) == 5)
    left, right, _, x, _ = cross.get_xdata()
    assert left < x < right and x == pytest.approx(0.72)
    assert closed(drawn) == f"{title}, in 1 with the lower ends of its intervals as well"
    curve["recall"][1:, 1], curve["precision"][1:, 1] = 0.7, 0.85  # reached by the lower ends, not by the point
    drawn = trade_offs(*given, {"cross-entropy": own})
    assert closed(drawn) == f"{title}, in 0 with the lower ends of its intervals as well"


def test_figures_of_trials_take_undefined_scores() -> None:
    test = statistics.test_summary(counts())
    figure = class_dots({"cross-entropy": [test], "combined loss": [copy.deepcopy(test)]}, CLOTHING, "title")
    figure.canvas.draw()
    plt.close(figure)
    seeds = {"combined": [counts(), counts()]}
    drawn = trial_dots(compared({"combined": counts()}), seeds)
    assert [len(line.get_xdata()) for line in drawn[0].axes[1].lines] == [1, 1]
    assert closed(drawn).startswith("The mean IoU goes from 0.")


def test_trials_say_which_term_matters_and_what_the_weights_cost() -> None:
    worse = counts()
    worse[:, 1, 1], worse[:, 1, 0], worse[:3, 0, 1], worse[:3, 0, 0] = 2, 8, 4, 76
    table = compared({"combined": counts(), "combined_unweighted": worse, "combined_without_dice": worse})
    drawn = trial_dots(table, {name: [worse] for name in table.index[1:]})
    by = -table.loc["combined_without_dice", "change"]
    precision = table.loc["combined", "precision"], table.loc["combined_unweighted", "precision"]
    said = "; precision is {:.2f} with class weights, {:.2f} without".format(*precision)
    bars = [bar for line in drawn[0].axes[1].collections for bar in line.get_segments() if np.isfinite(bar).all()]
    ends = [bar[:, 0] for bar in bars if len(bar)]
    assert len(ends) == 2 and ends[0][0] < precision[1] < ends[0][1], "where counts are given"
    assert drawn[0].axes[1].get_xlim()[1] > precision[0] * 1.05, "no point lies on the frame"
    assert closed(drawn) == f"Dice matters most: without it the mean IoU is {by:.2f} lower{said}"
    table.loc["combined_without_dice", "change_high"] = 0.01
    assert closed(trial_dots(table, {})).startswith("The mean IoU goes from ")
