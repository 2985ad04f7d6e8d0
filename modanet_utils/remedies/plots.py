"""Figures of notebook 06."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from modanet_utils.classes import CLASSES
from modanet_utils.metrics import clothing_precision
from modanet_utils.plots import Drawn, dots, legend_below, rows, titled
from modanet_utils.remedies.tables import frame
from modanet_utils.results.text import listed
from modanet_utils.statistics import bootstrap
from modanet_utils.trials import TRIALS, label_of

TUNED = {
    "gamma": {f"combined_body{f'_gamma{gamma}' * (gamma != 2)}": str(gamma) for gamma in range(4)},
    "class weights": {"combined_unweighted": "none", "combined": "inverse square root", "combined_inverse": "inverse"},
}
"""Settings of the loss of which several values were trained: each trial's name and value; notebook 03's value too."""
CLASS_AWARE = "combined_body", "combined_body_repeat", "combined_body_pasted"
BUDGET = {"mean_iou": ("mean IoU of {} classes", ".3f"), "precision": ("precision of clothing", ".3f")}
BUDGET |= {"found": ("classes found, of {}", ".0f")}


def budget_lines(table: pd.DataFrame, epochs: Mapping[str, int], counts: Mapping[str, NDArray]) -> Drawn:
    """Three scores after a short and a long training, from `against_their_own` of the part "length" and its counts."""
    classes = int(next(iter(counts.values()))[:, 1 : len(CLASSES)].any(axis=(0, 2)).sum())
    pairs = {TRIALS[name].against: name for name in table.index if TRIALS[name].part == "length"}
    pairs = {short: long for short, long in pairs.items() if short in table.index}
    low, high = np.array([bootstrap(counts[name], clothing_precision)[1:] for name in table.index]).T
    table = table.assign(found_low=np.nan, found_high=np.nan, precision_low=low, precision_high=high)
    figure, axes = plt.subplots(1, 3, figsize=(8, 1.5 + 0.6 * len(pairs)), sharey=True, layout="constrained")
    for axis, (score, (label, form)) in zip(axes, BUDGET.items(), strict=True):
        for shift, color, names in ((-0.16, "#8f8f8f", list(pairs)), (0.24, "#0072b2", list(pairs.values()))):
            dots(axis, table.loc[names], score, shift, color, f"{epochs[names[0]]} epochs", form=form)
        rows(axis, [label_of(short) for short in pairs])
        axis.margins(x=0.15)
        axis.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=score == "found"))
        axis.set_title(label.format(classes), fontsize=10)
    legend_below(figure, axes[0])
    mean, found, title = table["mean_iou"], table["found"], "Three times the training moves the mean IoU"
    gains = {label_of(short): mean[long] - mean[short] for short, long in pairs.items()}
    alt = f"{title}: {listed([f'{name} {gain:+.3f}' for name, gain in gains.items()])}"
    title += f" by {min(gains.values()):+.3f} to {max(gains.values()):+.3f}" if gains else ""
    told = [f"{label_of(short)} {found[long]:.0f} instead of {found[short]:.0f}" for short, long in pairs.items()]
    return titled(figure, title), f"{alt}. Of {classes} classes it finds: {listed(told)}."


def tuning(results: Mapping[str, Any]) -> Drawn | None:
    """Mean IoU with interval by each of `TUNED`, from the recorded part "tuning"."""
    found = results.get("remedies", {}).get("tuning", {})
    panels = {title: own for title, names in TUNED.items() if len(own := [one for one in names if one in found]) > 1}
    if not panels:
        return None
    figure, axes = plt.subplots(1, len(panels), figsize=(8, 2.7), sharex=True, squeeze=False, layout="constrained")
    said = []
    for axis, (title, names) in zip(axes[0], panels.items(), strict=True):
        table = frame({name: found[name] for name in names})
        dots(axis, table, "mean_iou", 0, "#0072b2", "", form=".3f")
        rows(axis, [TUNED[title][name] for name in names])
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("mean IoU, with 95% interval", fontsize=10)
        best, worst = (table.loc[pick(table["mean_iou"])] for pick in (pd.Series.idxmax, pd.Series.idxmin))
        lost, gap = f'{title} "{TUNED[title][str(worst.name)]}" lost', f"{best['mean_iou'] - worst['mean_iou']:.3f}"
        clear = worst["mean_iou_high"] < best["mean_iou_low"]
        said.append(f"{lost} {gap}" if clear else f"{title} made no clear difference ({gap})")
    title = f"Mean IoU: {', '.join(said)}"
    return titled(figure, title), f"{title}, between the best and the worst setting."


def opening(results: Mapping[str, Any]) -> Drawn | None:
    """The picture at the top of notebook 06: what each remedy brings, best first, and its hair called headwear."""
    if not (found := results.get("remedies", {}).get("remedies")):
        return None
    table, trials = frame(found), results.get("trials", {})
    body = {name: trials[name]["test"]["body"]["hair_as_headwear"] for name in found if name in trials}
    ends = [body.get(name, {}).get("interval") or (np.nan, np.nan) for name in found]
    table[["hair_as_headwear_low", "hair_as_headwear_high"]] = ends
    before, table = table, table[table["change"].notna()].sort_values("change", ascending=False)
    before = before.reindex([TRIALS[str(name)].against for name in table.index]).set_axis(table.index)
    figure, axes = plt.subplots(1, 2, figsize=(8, 1.4 + 0.43 * len(table)), sharey=True, layout="constrained")
    dots(axes[0], table, "change", 0, "#0072b2", "", form="+.3f")
    dots(axes[1], table, "hair_as_headwear", 0, "#8c7b6b", "", 100, ".1f")
    axes[1].plot(100 * before["hair_as_headwear"], range(len(table)), "D", color="#8c7b6b", mfc="none", ms=7)
    labels = [f"{label_of(str(name))}\n(against: {against})" for name, against in table["against"].items()]
    for axis, label in zip(axes, ("gain in mean IoU", "hair called headwear, percent\n(empty: before)"), strict=True):
        rows(axis, labels)
        axis.tick_params(labelsize=9)
        axis.set_xlabel(label, fontsize=10)
    axes[0].axvline(0, color="black", lw=1)
    axes[0].locator_params(axis="x", nbins=4)
    axes[1].set_xlim(left=-0.5)
    clear = (table["change_low"] > 0).sum()
    fewer = (table["hair_as_headwear_high"] < before["hair_as_headwear_low"]).sum()
    title = f"Of {len(table)} changes {clear or 'none'} clearly raised mean IoU"
    title += f", {fewer} clearly left less hair called headwear" * bool(fewer)
    most = f"{table['change'].iloc[0]:+.3f}, by {label_of(str(table.index[0]))}" if len(table) else "not there"
    return titled(figure, title), f"{title}; the largest gain in mean IoU is {most}."
