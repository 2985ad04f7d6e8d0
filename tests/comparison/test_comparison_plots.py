"""Figures of trials where classes are missing, which small data sets of one's own bring along."""

import copy

import matplotlib.pyplot as plt
import numpy as np

from modanet_utils import statistics
from modanet_utils.classes import CLOTHING
from modanet_utils.comparison.plots import class_dots, differences, trade_offs, trial_dots
from modanet_utils.results.compared import compared


def counts() -> np.ndarray:
    """Bags are found, belts missed, boots made up, all else absent from the truth."""
    stack = np.zeros((5, 16, 14), np.int64)
    stack[:, 0, 0], stack[:, 0, 3] = 80, 4
    stack[:, 1, 1], stack[:, 1, 0] = 8, 2
    stack[:, 2, 0] = 6
    return stack


def texts(axis: plt.Axes) -> list[str]:
    return [text.get_text() for text in axis.texts]


def test_trade_offs_say_which_classes_the_test_part_lacks() -> None:
    test = statistics.test_summary(counts())
    curve = {name: np.full((3, 14), np.nan) for name in ("precision", "recall")}
    figure = trade_offs(curve, 1, (0.0, 0.5, 1.0), {"cross-entropy": test}, "title")
    axes = dict(zip(CLOTHING, figure.axes, strict=False))
    assert texts(axes["boots"]) == texts(axes["shorts"]) == ["not in the\ntest part"]
    assert texts(axes["bag"]) == texts(axes["belt"]) == []
    (legend,) = [axis.get_legend() for axis in figure.axes if axis.get_legend()]
    named = [text.get_text() for text in legend.get_texts()]
    assert named == ["tau from 0 to 1", "adjusted cross-entropy", "cross-entropy", "never predicted"]
    plt.close(figure)


def test_figures_of_trials_take_undefined_scores() -> None:
    test = statistics.test_summary(counts())
    figures = [
        class_dots({"cross-entropy": test, "combined loss": copy.deepcopy(test)}, CLOTHING, "title"),
        differences(statistics.compare_trials(counts(), counts()), CLOTHING, "title"),
        trial_dots(compared({"combined": counts()}), "title"),
    ]
    for figure in figures:
        figure.canvas.draw()
        plt.close(figure)
