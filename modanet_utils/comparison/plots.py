"""Figures of notebooks 02 and 03."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from modanet_utils.classes import CLOTHING
from modanet_utils.plots import dots, ends_of, offsets, rows, title_above_legend, titled
from modanet_utils.thresholds import FOUND
from modanet_utils.trials import color_of, label_of

ADJUSTED = label_of("cross_entropy_adjusted")


def _class_panels(title: str, x: str, y: str) -> tuple[Figure, list[Axes]]:
    """Fourteen panels: one a clothing class, and one more."""
    figure, axes = plt.subplots(2, 7, figsize=(14, 4.8), sharex=True, sharey=True, layout="constrained")
    figure.supxlabel(x, fontsize=11)
    figure.supylabel(y, fontsize=11)
    return titled(figure, title), list(axes.flat)


def _whisker(axis: Axes, row: float, ends: Sequence[float], color: str, **options: Any) -> None:
    value, low, high = ends
    axis.plot([low, high], [row, row], color=color, lw=2.5, alpha=0.45)
    axis.plot(value, row, "o", color=color, **options)


def learning_curves(curves: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Validation IoU against the epoch, a panel a clothing class, a line a trial, from its label's `Run.curves()`."""
    figure, axes = _class_panels(title, "epoch", "IoU on the validation part")
    known = sum(any(frame[name].notna().any() for frame in curves.values()) for name in CLOTHING)
    for axis, name in zip(axes, [*CLOTHING, "mean"], strict=True):
        ends = {label: frame[name].iloc[-1] for label, frame in curves.items()}
        for label, frame in curves.items():
            axis.plot(frame.index, frame[name], color=color_of(label), lw=2, label=label)
            if np.isnan(ends[label]):  # a class that these data do not have
                continue
            below = len(ends) > 1 and ends[label] < max(ends.values()) and ends[label] > 0.15
            style = {"color": color_of(label), "fontsize": 9, "ha": "right", "textcoords": "offset points"}
            place = frame.index[-1], ends[label]
            axis.annotate(f"{ends[label]:.2f}", place, xytext=(0, -13 if below else 4), **style)
        axis.set_title(f"mean of the {known}" if name == "mean" else name, fontsize=11)
        axis.set(ylim=(-0.04, 1), yticks=[0, 0.5, 1])  # a line at 0 is not to hide behind the frame
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    if len(curves) > 1:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="upper right", ncols=2, frameon=False)
    return figure


def class_dots(tests: Mapping[str, dict], order: Sequence[str], title: str) -> Figure:
    """IoU of the clothing classes in this order, with 95% intervals, a dot a trial (label to its "test" part)."""
    figure, axis = plt.subplots(figsize=(8, 5), layout="constrained")
    order = [one for one in order if any(test["classes"][one]["iou"] is not None for test in tests.values())]
    for offset, (label, test) in zip(offsets(len(tests), 0.22), tests.items(), strict=True):
        found = [test["classes"][name] for name in order]
        ends = [(one["iou"], *(one["iou_interval"] or [one["iou"]] * 2)) for one in found]
        table = pd.DataFrame(ends, columns=["iou", "iou_low", "iou_high"], dtype=float)
        dots(axis, table, "iou", offset, color_of(label), label)
    images = next(iter(tests.values()))["classes"]
    rows(axis, [f"{name}  ({images[name]['images']})" for name in order])
    axis.set(xlim=(-0.02, 1), xlabel="IoU on the test part, with 95% interval over images")
    title_above_legend(axis, title)
    return figure


def opening(results: Mapping[str, Any], *names: str) -> tuple[Figure, str] | None:
    """The picture at the top of notebooks 02 and 03, with its alternative text: IoU per class of recorded trials."""
    tests = {label_of(name): results["trials"][name]["test"] for name in names if name in results.get("trials", {})}
    if len(tests) < len(names) or "dataset" not in results:
        return None
    share = results["dataset"]["class_share"]
    order = sorted((name for name in CLOTHING if share[name]), key=lambda name: -share[name])
    iou = [[test["classes"][name]["iou"] or 0 for name in order] for test in tests.values()]
    if len(tests) > 1:
        ahead = sum(max(one) == one[-1] > 0 for one in zip(*iou, strict=True))
        title = f"The {list(tests)[-1]} has the highest IoU in {ahead} of {len(order)} classes"
    else:
        zero = sum(value < FOUND for value in iou[0])
        title = f"{zero} of {len(order)} classes stay at zero, the rarest first of all"
    means = ", ".join(f"{test['mean_iou']:.3f} for {label}" for label, test in tests.items())
    alt = f"IoU per class of clothing, the commonest on top, with 95% intervals; mean IoU {means}."
    return class_dots(tests, order, title), alt


def differences(table: pd.DataFrame, order: Sequence[str], title: str) -> Figure:
    """Change of IoU, precision and recall of `statistics.compare_trials`, the classes in this order, three panels."""
    figure, axes = plt.subplots(1, 3, figsize=(12, 5), sharey=True, layout="constrained")
    order = [name for name in order if np.isfinite(table["iou"][name])]
    for axis, score in zip(axes, ("iou", "precision", "recall"), strict=True):
        rows(axis, order)
        for row, (value, low, high) in enumerate(zip(*ends_of(table.loc[list(order)], score), strict=True)):
            clear = low > 0 or high < 0
            color = "#555555" if not clear else "#009e73" if value > 0 else "#cc3311"
            if np.isnan(value):
                axis.text(0.05, row, "undefined before", va="center", fontsize=8, color="#777777")
            else:
                _whisker(axis, row, (value, low, high), color, mfc=color if clear else "white")
        axis.axvline(0, color="black", lw=1)
        axis.set(xlabel=f"change in {'IoU' if score == 'iou' else score}", xlim=(-1, 1))
    return titled(figure, title)


def trade_offs(
    curve: Mapping[str, NDArray], chosen: int, taus: Sequence[float], points: Mapping[str, dict], title: str
) -> Figure:
    """Precision against recall of every clothing class under logit adjustment, with other trials as points.

    Args:
        curve: "precision" and "recall", each ``(taus, 14)``, as `Adjusted.curve` gives them.
        chosen: Position of the tau that validation chose.
        points: Trial's label to the "test" part of its results.
    """
    figure, axes = _class_panels(title, "recall on the test part", "precision on the test part")
    for axis, (label, name) in zip(axes, enumerate(CLOTHING, 1), strict=False):
        recall, precision = curve["recall"][:, label], curve["precision"][:, label]
        axis.plot(recall, precision, "-", color="#999999", lw=2)
        axis.plot(recall[chosen], precision[chosen], "s", color=color_of(ADJUSTED), ms=7)
        for trial, test in points.items():
            scores = test["classes"][name]
            if not scores["support"]:
                axis.text(0.5, 0.5, "not in the\ntest part", ha="center", va="center", fontsize=9, color="#777777")
            elif scores["precision"] is None:  # never predicted
                axis.plot(0, 0, "x", color=color_of(trial), ms=8, mew=2, clip_on=False, zorder=5)
            else:
                axis.plot(scores["recall"], scores["precision"], "o", color=color_of(trial), ms=7)
        axis.set_title(name, fontsize=11)
        axis.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    marks = {f"tau from {taus[0]:g} to {taus[-1]:g}": ("#999999", "-", ""), ADJUSTED: (color_of(ADJUSTED), "", "s")}
    marks |= {trial: (color_of(trial), "", "o") for trial in points} | {"never predicted": ("#555555", "", "x")}
    for label, (color, line, marker) in marks.items():
        axes[-1].plot([], [], color=color, ls=line, marker=marker, ms=7, mew=2 if marker == "x" else 1, label=label)
    axes[-1].axis("off")
    axes[-1].legend(loc="center", frameon=False, fontsize=9)
    return figure


def trial_dots(table: pd.DataFrame, title: str, reference: str = "combined") -> Figure:
    """Mean IoU of trials with intervals, and paired difference from the reference, of `tables.compared`, two panels."""
    labels = [label_of(name) for name in table.index]
    figure, axes = plt.subplots(1, 2, figsize=(11, 1.2 + 0.4 * len(table)), sharey=True, layout="constrained")
    for axis, column in zip(axes, ("mean_iou", "change"), strict=True):
        rows(axis, labels)
        for row, (label, *ends) in enumerate(zip(labels, *ends_of(table, column), strict=True)):
            _whisker(axis, row, ends, color_of(label))
        axis.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axes[0].set(xlim=(0, None), xlabel="mean IoU of the classes, test part")
    axes[1].axvline(0, color="black", lw=1)
    axes[1].set(xlabel=f"difference from the {label_of(reference)}, same photos")
    return titled(figure, title)


def loss_terms(history: pd.DataFrame, terms: Sequence[str], title: str) -> Figure:
    """Value of each loss term, and its share of their sum, from a row an epoch with a column a term and "epoch"."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    colors = dict(zip(terms, ("#009e73", "#0072b2", "#cc79a7"), strict=False))
    sizes, epochs = history[list(terms)], history["epoch"]
    shares = sizes.div(sizes.sum(axis=1), axis=0)
    for axis, values, label in zip(axes, (sizes, shares), ("mean value in training", "share of the sum"), strict=True):
        ends = values.iloc[-1].sort_values()
        gaps = 0.06 * values.to_numpy().max() * np.arange(len(ends))  # names are not to touch
        heights = np.maximum.accumulate(ends.to_numpy() - gaps) + gaps
        for name, height in zip(ends.index, heights, strict=True):
            axis.plot(epochs, values[name], color=colors[name], lw=2)
            axis.annotate(f" {name}", (epochs.iloc[-1], height), color=colors[name], va="center")
        axis.set(xlabel="epoch", ylabel=label, xlim=(1, epochs.max() * 1.18), ylim=(0, None))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    return titled(figure, title)
