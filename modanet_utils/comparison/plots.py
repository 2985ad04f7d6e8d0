"""Figures of notebooks 02 and 03, with alternative texts where their titles are computed."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from modanet_utils import metrics
from modanet_utils.classes import CLOTHING, COLORS
from modanet_utils.comparison.text import losses_shown, zero_classes
from modanet_utils.plots import HALO, Drawn, dots, ends_of, offsets, rows, title_above_legend, titled
from modanet_utils.results.text import common_first, listed, trainings
from modanet_utils.thresholds import FOUND
from modanet_utils.trials import color_of, label_of

ADJUSTED = label_of("cross_entropy_adjusted")
EFFECTS = {"loss": ("what the loss brings", "#d55e00"), "weights": ("what the weights bring", "#0072b2")}


def learning_curves(curves: Sequence[pd.DataFrame]) -> Drawn:
    """Validation IoU against the epoch, a line a clothing class, from `Run.curves()` of a trial's trainings.

    Classes that are found (in the first training) are coloured and named, the others grey. Further trainings are thin.
    """
    (figure, axis), first = plt.subplots(figsize=(8.8, 4.6), layout="constrained"), curves[0]
    known = [name for name in CLOTHING if first[name].notna().any()]
    rising = first.loc[:, known].iloc[-1].sort_values()[lambda last: last >= FOUND]
    flat = [name for name in known if name not in rising]
    for frame in curves[::-1]:
        width = 2.2 if frame is first else 0.7
        for name in [*flat, *rising.index]:
            color = COLORS[name] if name in rising else "#9a9a9a"
            axis.plot(frame.index, frame[name], color=color, lw=width, alpha=1 if frame is first else 0.6)
    gaps = 0.035 * np.arange(len(rising))  # names are not to touch
    for name, height in zip(rising.index, np.maximum.accumulate(rising.to_numpy() - gaps) + gaps, strict=True):
        axis.text(first.index[-1] * 1.01, height, name, va="center", fontsize=10)
    style = {"va": "top", "fontsize": 9.5, "color": "#666666", "path_effects": HALO}
    axis.text(first.index[0], -0.03, f"at zero at the end: {listed(flat) or 'none'}", **style)
    axis.set(xlim=(first.index[0], first.index[-1] * 1.16), ylim=(-0.08, None))
    more = " (thin lines: further trainings)" if len(curves) > 1 else ""
    axis.set(xlabel=f"epoch{more}", ylabel="IoU on the validation part")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    late = {name: int((first[name] < FOUND)[::-1].idxmax()) for name in rising.index if (first[name] < FOUND).any()}
    are = "is" if len(flat) == 1 else "are"
    told = f"{len(flat)} of {len(known)} classes {are} at zero after {len(first)} epochs"
    if late:
        name = max(late, key=late.__getitem__)
        told = f"{name.capitalize()} is found for good only after epoch {late[name]}; {told}"
    return titled(figure, told), f"Validation IoU per class over the epochs of cross-entropy. {told}."


def class_dots(
    tests: Mapping[str, dict], order: Sequence[str], title: str, colors: Mapping[str, str] | None = None
) -> Figure:
    """IoU of the clothing classes in this order, with 95% intervals, a dot a trial (label to its "test" part)."""
    figure, axis = plt.subplots(figsize=(8.8, 4.8), layout="constrained")
    order = [one for one in order if any(test["classes"][one]["iou"] is not None for test in tests.values())]
    for offset, (label, test) in zip(offsets(len(tests), 0.22), tests.items(), strict=True):
        found = [test["classes"][name] for name in order]
        ends = [(one["iou"], *(one["iou_interval"] or [one["iou"]] * 2)) for one in found]
        table = pd.DataFrame(ends, columns=["iou", "iou_low", "iou_high"], dtype=float)
        dots(axis, table, "iou", offset, (colors or {}).get(label) or color_of(label), label)
    images = next(iter(tests.values()))["classes"]
    rows(axis, [f"{name}  ({images[name]['images']})" for name in order])
    about = "IoU on the test part, 95% interval over images (test images of a class in brackets)"
    axis.set(xlim=(-0.02, None), xlabel=about)
    title_above_legend(axis, title)
    return figure


def opening_cross_entropy(results: Mapping[str, Any]) -> Drawn | None:
    """The picture at the top of notebook 02: IoU per class of every training, and after a longer one."""
    short = trainings(results, "cross_entropy")
    if not short or "dataset" not in results:
        return None
    epochs, long = results["trials"]["cross_entropy"]["epochs"], results["trials"].get("cross_entropy_long")
    numbers, order = sorted({len(zero_classes(test)) for test in short}), common_first(results)
    are = "is" if numbers == [1] else "are"
    title = f"{' or '.join(map(str, numbers))} of {len(order)} classes {are} at zero after {epochs} epochs"
    own = f"{epochs} epochs" + " (bars: further trainings)" * (len(short) > 1)
    tests, colors = {own: short[0]}, {own: color_of("cross-entropy")}
    if long:
        tests[f"{long['epochs']} epochs"] = long["test"]
        colors[f"{long['epochs']} epochs"] = "#000000"
        title += f", {len(zero_classes(long['test']))} after {long['epochs']}"
    figure = class_dots(tests, order, title, colors)
    for test in short[1:]:
        values = [test["classes"][name]["iou"] or 0 for name in order]
        heights = np.arange(len(order)) + offsets(len(tests), 0.22)[0]
        figure.axes[0].plot(values, heights, "|", ms=9, color=color_of("cross-entropy"))
    return figure, f"IoU per class of clothing with 95% intervals under cross-entropy, the commonest on top. {title}."


def opening_combined(results: Mapping[str, Any]) -> Drawn | None:
    """The picture at the top of notebook 03: IoU per class without the loss, with it, and with its weights."""
    names = losses_shown(results)
    if not {"cross_entropy", "combined"} <= {*names} or "dataset" not in results:
        return None
    tests = {label_of(name): results["trials"][name]["test"] for name in names}
    order, (first, *_, last) = common_first(results), tests.values()
    zero = [name for name in order if name in zero_classes(first)]
    back = [name for name in zero if name not in zero_classes(last)]
    title = f"The combined loss brings back {len(back)} of {len(zero)} classes at zero{': ' * bool(back)}{listed(back)}"
    means = ", ".join(f"{test['mean_iou']:.3f} for {label}" for label, test in tests.items())
    return class_dots(tests, order, title), f"IoU per class of clothing with 95% intervals; mean IoU {means}. {title}."


def effect_dots(found: Mapping[str, Any], order: Sequence[str]) -> Drawn:
    """Change of each class's IoU by the loss and by the weights, with intervals, from `tables.two_by_two`."""
    figure, axis = plt.subplots(figsize=(8.8, 4.6), layout="constrained")
    clear, order = {}, [name for name in order if np.isfinite(found["classes"]["loss"][name]["iou"])]
    for offset, (factor, (label, color)) in zip(offsets(2, 0.17), EFFECTS.items(), strict=True):
        table = pd.DataFrame.from_dict(found["classes"][factor], orient="index").astype(float).loc[order]
        dots(axis, table, "iou", offset, color, label)
        clear[factor] = (table["iou_low"] > 0).sum(), (table["iou_high"] < 0).sum()
    rows(axis, order)
    axis.axvline(0, color="black", lw=1)
    axis.set(xlabel="change of the IoU on the test part, with 95% interval over images")
    told = "Of {} classes the loss clearly raises {} and lowers {}; the weights raise {} and lower {}"
    title = told.format(len(order), *clear["loss"], *clear["weights"])
    title_above_legend(axis, title)
    return figure, f"Change of each class's IoU by the loss and by the weights, with intervals. {title}."


def trade_offs(curve: Mapping[str, NDArray], chosen: int, taus: Sequence[float], points: Mapping[str, dict]) -> Drawn:
    """Precision against recall under logit adjustment, with other trials as points; the four classes that move most.

    Args:
        curve: "precision" and "recall", each ``(taus, 14)``, as `Adjusted.curve` gives them.
        chosen: Position of the tau that validation chose.
        points: Trial's label to the "test" part of its results; of the last it is said where it lies beyond the curves.
    """
    reach = np.nan_to_num(np.ptp(np.nan_to_num(curve["recall"][:, 1:]), axis=0))
    four = sorted(np.argsort(-reach, kind="stable")[:4] + 1)
    figure, axes = plt.subplots(2, 2, figsize=(8.8, 4.9), sharex=True, sharey=True, layout="constrained")
    for axis, label in zip(axes.flat, four, strict=True):
        recall, precision = curve["recall"][:, label], curve["precision"][:, label]
        style = {"color": "#999999", "lw": 2, "mfc": "white", "mew": 2, "markevery": [-1]}
        axis.plot(recall, precision, "-o", label=f"shifted, tau {taus[0]:g} to {taus[-1]:g} (ring)", **style)
        axis.plot(recall[chosen], precision[chosen], "s", color=color_of(ADJUSTED), ms=8, label=ADJUSTED)
        for trial, test in points.items():
            one = test["classes"][CLOTHING[label - 1]]
            known = None not in (one["recall"], one["precision"])
            place = (one["recall"], one["precision"]) if known else (0, 0)
            axis.plot(*place, "o" if known else "x", color=color_of(trial), ms=8, clip_on=False, label=trial)
        axis.set_title(CLOTHING[label - 1], fontsize=12)
        axis.set(xlim=(-0.03, 1), ylim=(-0.03, 1))
    plt.setp(axes[1], xlabel="recall on the test part")
    figure.supylabel("precision on the test part (cross: never predicted)", fontsize=11)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    trial, test = list(points.items())[-1]
    known = sum(bool(test["classes"][name]["support"]) for name in CLOTHING)
    beyond = sum(_beyond(curve, label, test["classes"][name]) for label, name in enumerate(CLOTHING, 1))
    title = f"In {beyond} of {known} classes the {trial} lies beyond what shifted outputs reach"
    return titled(figure, title), f"Precision against recall of four classes under logit adjustment. {title}."


def _beyond(curve: Mapping[str, NDArray], label: int, scores: Mapping[str, Any]) -> bool:
    """Whether no shift has at least a trial's recall at its precision or more."""
    if scores["precision"] is None or not scores["recall"]:
        return False
    recall, precision = (np.nan_to_num(curve[name][:, label]) for name in ("recall", "precision"))
    return not ((recall >= scores["recall"]) & (precision >= scores["precision"])).any()


def trial_dots(table: pd.DataFrame, seeds: Mapping[str, Sequence[NDArray]]) -> Drawn:
    """Mean IoU, with intervals, and precision of trials, of `compared`, two panels; a small mark a further training.

    ``seeds``: trial's name to its counts ``(images, 16, 14)``, one a training.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8.8, 1.3 + 0.34 * len(table)), sharey=True, layout="constrained")
    measures = {"mean_iou": metrics.clothing_mean_iou, "precision": metrics.clothing_precision}
    for axis, (column, measure) in zip(axes, measures.items(), strict=True):
        rows(axis, [label_of(name) for name in table.index])
        for row, name in enumerate(table.index):
            color, one = color_of(label_of(name)), table.loc[[name]]
            if column == "mean_iou":
                _, low, high = ends_of(one, column)
                axis.hlines(row, low, high, color=color, lw=2.5, alpha=0.45)
            axis.plot(one[column], [row], "o", color=color)
            further = [float(measure(counts.sum(axis=0))) for counts in seeds.get(name, ())[1:]]
            axis.plot(further, [row] * len(further), "|", ms=11, mew=1.5, color=color)
        axis.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
        axis.set(xlim=(0, None))
    more = " (bars: further trainings)" * any(len(found) > 1 for found in seeds.values())
    axes[0].set(xlabel=f"mean IoU, 95% interval{more}")
    axes[1].set(xlabel="precision of clothing")
    title = f"The mean IoU goes from {table['mean_iou'].min():.2f} to {table['mean_iou'].max():.2f}"
    if len(three := table["precision"].reindex(["cross_entropy", "combined_unweighted", "combined"]).dropna()) == 3:
        said = "Precision is {:.2f} with cross-entropy, {:.2f} with the loss alone, {:.2f} with its weights"
        title = said.format(*three)
    return titled(figure, title), f"Mean IoU and precision of {len(table)} trials. {title}."
