"""Figures of notebooks 02 and 03, with alternative texts where their titles are computed."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from modanet_utils import metrics, statistics
from modanet_utils.classes import CLOTHING, COLORS
from modanet_utils.comparison.text import losses_shown, zero_classes
from modanet_utils.plots import HALO, Drawn, dots, legend_below, offsets, rows, title_above_legend, titled
from modanet_utils.results.text import common_first, listed, trainings
from modanet_utils.thresholds import FOUND
from modanet_utils.trials import color_of, label_of

TERMS = {"Dice": "combined_without_dice", "Focal": "combined_without_focal", "Lovász": "combined_without_lovasz"}
Scores = Mapping[str, NDArray]
Trainings = Mapping[str, Sequence[Mapping]]  # a trial's label to the "test" parts of its trainings
ADJUSTED = label_of("cross_entropy_adjusted")
EFFECTS = {"loss": ("what the loss brings", "#6a3d9a"), "weights": ("what the weights bring", "#9a8c00")}  # no trial's


def learning_curves(curves: Sequence[pd.DataFrame]) -> Drawn:
    """Validation IoU against the epoch, a line a clothing class, from `Run.curves()` of a trial's trainings.

    Classes that are found are coloured and named; the title is about the first training, further ones are thin.
    """
    (figure, axis), (first, *further) = plt.subplots(figsize=(8.8, 4.6), layout="constrained"), curves
    known = [name for name in CLOTHING if first[name].notna().any()]
    rising = first.loc[:, known].iloc[-1].sort_values()[lambda last: last >= FOUND]
    flat = [name for name in known if name not in rising]
    more = pd.concat([frame.loc[:, flat].iloc[-1] for frame in curves], axis=1).max(axis=1)[lambda last: last >= FOUND]
    for frame in curves[::-1]:
        width = 2.2 if frame is first else 0.8
        for name in [*flat, *rising.index]:
            color = COLORS[name] if name in rising or (name in more and frame is not first) else "#9a9a9a"
            axis.plot(frame.index, frame[name], color=color, lw=width, alpha=1 if frame is first else 0.7)
    named = pd.concat([rising, more.rename(lambda name: f"{name} (thin)")]).sort_values()
    gaps = 0.035 * np.arange(len(named))  # names are not to touch
    for name, height in zip(named.index, np.maximum.accumulate(named.to_numpy() - gaps) + gaps, strict=True):
        axis.text(first.index[-1] * 1.01, height, name, va="center", fontsize=10)
    style = {"va": "top", "fontsize": 9.5, "color": "#666666", "path_effects": HALO}
    axis.text(first.index[0], -0.03, f"at zero at the end of this training: {listed(flat) or 'none'}", **style)
    axis.set(xlim=(first.index[0], first.index[-1] * 1.16), ylim=(-0.08, None))
    axis.set(xlabel="epoch" + " (thin lines: further trainings)" * bool(further), ylabel="IoU on the validation part")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    late = {name: int((first[name] < FOUND)[::-1].idxmax()) for name in rising.index if (first[name] < FOUND).any()}
    told = f"{len(flat)} of {len(known)} classes {'ends' if len(flat) == 1 else 'end'} at zero in this training"
    if late:
        name = max(late, key=late.__getitem__)
        told = f"{name.capitalize()} is found for good only after epoch {late[name]}; {told}"
    return titled(figure, told), f"Validation IoU per class over {len(first)} epochs of cross-entropy. {told}."


def class_dots(tests: Trainings, order: Sequence[str], title: str, colors: Mapping[str, str] | None = None) -> Figure:
    """IoU of the clothing classes in this order, with 95% intervals, a dot a trial, a tick a further training of it."""
    figure, axis = plt.subplots(figsize=(8.8, 4.2 + 0.5 * len(tests)), layout="constrained")
    order = [one for one in order if any(test["classes"][one]["iou"] is not None for test, *_ in tests.values())]
    for offset, (label, (test, *further)) in zip(offsets(len(tests), 0.26), tests.items(), strict=True):
        found, color = [test["classes"][name] for name in order], (colors or {}).get(label) or color_of(label)
        ends = [(one["iou"], *(one["iou_interval"] or [one["iou"]] * 2)) for one in found]
        table = pd.DataFrame(ends, columns=["iou", "iou_low", "iou_high"], dtype=float)
        dots(axis, table, "iou", offset, color, label)
        for other in further:
            values = np.array([other["classes"][name]["iou"] for name in order], float)
            axis.plot(values, np.arange(len(order)) + offset, "|", ms=7, mew=1.3, color=color)
    images = next(iter(tests.values()))[0]["classes"]
    rows(axis, [f"{name}  ({images[name]['images']})" for name in order])
    ticks = ", ticks: further trainings" * any(len(several) > 1 for several in tests.values())
    about = f"IoU on the test part; bars: 95% interval over images{ticks}\nin brackets: test images that show the class"
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
    are, own = "is" if numbers == [1] else "are", f"{epochs} epochs"
    title = f"Cross-entropy: {' or '.join(map(str, numbers))} of {len(order)} classes {are} at zero after {own}"
    tests, colors = {own: short}, {own: color_of("cross-entropy")}
    if long:
        tests[f"{long['epochs']} epochs"] = [long["test"]]
        colors[f"{long['epochs']} epochs"] = "#00304d"
        title += f", {len(zero_classes(long['test']))} after {long['epochs']}"
    figure = class_dots(tests, order, title, colors)
    return figure, f"IoU per class of clothing with 95% intervals under cross-entropy, the commonest on top. {title}."


def opening_combined(results: Mapping[str, Any]) -> Drawn | None:
    """The picture at the top of notebook 03: IoU per class without the loss, with it, and with its weights."""
    names = losses_shown(results)
    if not {"cross_entropy", "combined"} <= {*names} or "dataset" not in results:
        return None
    tests = {label_of(name): trainings(results, name) for name in names}
    order, (first, *_, last) = common_first(results), [test for test, *_ in tests.values()]
    zero = [name for name in order if name in zero_classes(first)]
    back = [name for name in zero if name not in zero_classes(last)]
    clear = [name for name in back if (last["classes"][name]["iou_interval"] or [0])[0] > FOUND]
    title = f"The combined loss brings back {len(back)} of {len(zero)} classes at zero"
    title += f", {len(clear)} with the whole interval above {FOUND}" * bool(back)
    means = ", ".join(f"{test['mean_iou']:.3f} for {label}" for label, (test, *_) in tests.items())
    told = f"mean IoU {means}; back are {listed(back) or 'none'}" + f", clearly {listed(clear)}" * bool(clear)
    return class_dots(tests, order, title), f"IoU per class of clothing with 95% intervals; {told}. {title}."


def effect_dots(found: Mapping[str, Any], order: Sequence[str]) -> Drawn:
    """Change of each class's IoU by the loss and by the weights, with intervals, from `tables.two_by_two`."""
    figure, axis = plt.subplots(figsize=(8.8, 4.6), layout="constrained")
    clear, order = {}, [name for name in order if np.isfinite(found["classes"]["loss"][name]["iou"])]
    for offset, (factor, (label, color)) in zip(offsets(2, 0.17), EFFECTS.items(), strict=True):
        table = pd.DataFrame.from_dict(found["classes"][factor], orient="index").astype(float).loc[order]
        dots(axis, table, "iou", offset, color, label)
        lower = [*table.index[table["iou_high"] < 0]]
        clear[factor] = (table["iou_low"] > 0).sum(), f"{len(lower)}" + f" ({listed(lower)})" * (0 < len(lower) < 4)
    rows(axis, order)
    axis.axvline(0, color="black", lw=1)
    axis.set(xlabel="change of the IoU on the test part, with 95% interval over images")
    told = "Of {} classes the loss clearly raises {} and lowers {}; the weights raise {} and lower {}"
    title = told.format(len(order), *clear["loss"], *clear["weights"])
    title_above_legend(axis, title)
    return figure, f"Change of each class's IoU by the loss and by the weights, with intervals. {title}."


def trade_offs(curve: Scores, chosen: int, taus: Sequence, points: Mapping, counts: Scores | None = None) -> Drawn:
    """Precision against recall under logit adjustment, with other trials as points; the four classes that move most.

    Args:
        curve: "precision" and "recall", each ``(taus, 14)``, as `Adjusted.curve` gives them.
        chosen: Position of the tau that validation chose.
        points: Trial's label to the "test" part of its results; of the last it is said where it lies beyond the curves.
        counts: Trial's label to its counts ``(images, 16, 14)``, for the intervals of its points.
    """
    reach = np.nan_to_num(np.ptp(np.nan_to_num(curve["recall"][:, 1:]), axis=0))
    trial, test = list(points.items())[-1]
    pixels = np.array([test["classes"][name]["support"] for name in CLOTHING])
    four = sorted(np.argsort(-reach, kind="stable")[:4] + 1, key=lambda label: -pixels[label - 1])
    ends = {
        name: statistics.bootstrap(own, lambda pooled: np.concatenate(metrics.class_scores(pooled)[1:3], axis=-1))
        for name, own in (counts or {}).items()  # precision, then recall, of the 14 classes
    }
    figure, axes = plt.subplots(2, 2, figsize=(8.8, 5.2), sharex=True, sharey=True, layout="constrained")
    for axis, label in zip(axes.flat, four, strict=True):
        recall, precision = curve["recall"][:, label], curve["precision"][:, label]
        style = {"color": "#999999", "lw": 2, "mfc": "white", "mew": 2, "markevery": [-1]}
        axis.plot(recall, precision, "-o", label=f"logit adjustment, tau {taus[0]:g} to {taus[-1]:g} (ring)", **style)
        axis.plot(recall[chosen], precision[chosen], "s", color=color_of(ADJUSTED), ms=8, label=ADJUSTED)
        for name, scores in points.items():
            one, color = scores["classes"][CLOTHING[label - 1]], color_of(name)
            known = None not in (one["recall"], one["precision"])
            x, y = (one["recall"], one["precision"]) if known else (0, 0)
            axis.plot(x, y, "o" if known else "x", color=color, ms=8, clip_on=False)
            axis.plot([], [], "o", color=color, ms=8, label=name)
            if known and name in ends:
                (down, left), (up, right) = (end[[label, 14 + label]] for end in ends[name][1:])
                axis.plot([left, right, np.nan, x, x], [y, y, np.nan, down, up], color=color, lw=2.5, alpha=0.45)
        axis.set_title(CLOTHING[label - 1], fontsize=12)
        axis.set(xlim=(-0.03, 1), ylim=(-0.03, 1))
    axes[0, 0].plot([], [], lw=2.5, alpha=0.45, color="#555555", label="95% interval over images" * bool(ends))
    plt.setp(axes[1], xlabel="recall on the test part")
    figure.supylabel("precision on the test part (x: never predicted)", fontsize=11)
    legend_below(figure, axes[0, 0], 3)
    beyond = [at for at, one in enumerate(CLOTHING, 1) if _beyond(curve, at, test["classes"][one])]
    title = f"In {len(beyond)} of {(pixels > 0).sum()} classes the {trial} lies beyond what logit adjustment reaches"
    if trial in ends:
        low = [{"precision": down, "recall": left} for down, left in ends[trial].low.reshape(2, -1).T]
        clear = [at for at in beyond if _beyond(curve, at, low[at])]
        title += f", in {len(clear)} with the lower ends of its intervals as well"
    return titled(figure, title), f"Precision against recall of four classes under logit adjustment. {title}."


def _beyond(curve: Scores, label: int, scores: Mapping[str, Any]) -> bool:
    """Whether no shift has at least a trial's recall at its precision or more."""
    if scores["precision"] is None or not np.nan_to_num(scores["recall"] or 0):
        return False
    precision, recall = (np.nan_to_num(curve[name][:, label]) for name in ("precision", "recall"))
    return not ((recall >= scores["recall"]) & (precision >= scores["precision"])).any()


def trial_dots(table: pd.DataFrame, seeds: Mapping[str, Sequence[NDArray]]) -> Drawn:
    """Mean IoU and precision of trials, of `compared`, two panels, with intervals; a small mark a further training.

    ``seeds``: trial's name to its counts ``(images, 16, 14)``, one a training; without them precision has no interval.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8.8, 1.5 + 0.34 * len(table)), sharey=True, layout="constrained")
    measures = {"mean_iou": metrics.clothing_mean_iou, "precision": metrics.clothing_precision}
    for axis, about, (column, measure) in zip(axes, ("mean IoU", "precision"), measures.items(), strict=True):
        rows(axis, [label_of(name) for name in table.index])
        for row, name in enumerate(table.index):
            color, own = color_of(label_of(name)), seeds.get(name, ())
            given = table.loc[name].reindex([f"{column}_low", f"{column}_high"])
            ends = statistics.bootstrap(own[0], measure)[1:] if column == "precision" and len(own) else given
            axis.hlines(row, *ends, color=color, lw=2.5, alpha=0.45)
            axis.plot(table.loc[name, column], [row], "o", color=color)
            further = [float(measure(counts.sum(axis=0))) for counts in own[1:]]
            axis.plot(further, [row] * len(further), "|", ms=11, mew=1.5, color=color)
        axis.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
        axis.set(xlim=(0, 1.06 * axis.dataLim.x1), xlabel=about)
    ticks = "; ticks: further trainings" * any(len(found) > 1 for found in seeds.values())
    figure.supxlabel(f"bars: 95% interval over images{ticks}", fontsize=10)
    title = f"The mean IoU goes from {table['mean_iou'].min():.2f} to {table['mean_iou'].max():.2f}"
    without = table.reindex(TERMS.values()).set_axis([*TERMS])
    if len(clear := without["change"][without["change_high"] < 0]):
        title = f"{clear.idxmin()} matters most: without it the mean IoU is {-clear.min():.2f} lower"
    if len(pair := table["precision"].reindex(["combined", "combined_unweighted"]).dropna()) == 2:
        title += "; precision is {:.2f} with class weights, {:.2f} without".format(*pair)
    return titled(figure, title), f"Mean IoU and precision of {len(table)} trials. {title}."
